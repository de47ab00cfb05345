"""Parameters of DOTA: one frozen object builds the golden model, the hardware and the benches."""

import dataclasses
from dataclasses import dataclass

from golden.common.config import check_bool, check_int, check_power_of_two

from .formats import BANKS, FX_BITS, KEY_BANKS, QUERIES, UNIT_BITS


@dataclass(frozen=True, kw_only=True)
class DotaConfig:
    """Parameters of one DOTA accelerator.

    Half of the PEs of a lane are enough for the exact work of four queries, so a word of the SRAM has as many
    elements as an eighth of the array has PEs (64 for 32 x 16); the other half estimates the next group meanwhile.

    Attributes
    ----------
    lanes : int
        Lanes; a power of two, 1..8.
    rows : int
        Rows of PEs of a lane; a power of two, 4..64.
    columns : int
        PEs of a row; a power of two, 4..32.
    bank_words : int
        Words of one of the ten SRAM banks of a lane; a power of two, 4..2**12.
    keys : int
        Keys among which the detector may choose; a power of two, at least ``rows / 2``, at most what four banks hold.
    queue : int
        Connections that a query may keep; a power of two, 4..256.
    estimate_bits : int
        Width of an estimated score [bits], two's complement; a multiple of 4 in 8..16.
    balance : bool
        The scheduler's better choice, beyond the source: see ``golden.dota.scheduler.schedule``.
    """

    lanes: int = 4
    rows: int = 32
    columns: int = 16
    bank_words: int = 512
    keys: int = 2048
    queue: int = 256
    estimate_bits: int = 12
    balance: bool = False

    def __post_init__(self):
        check_power_of_two("lanes", self.lanes, 1, 8)
        check_power_of_two("rows", self.rows, 4, 64)
        check_power_of_two("columns", self.columns, 4, 32)
        check_power_of_two("bank_words", self.bank_words, 4, 2**12)
        check_power_of_two("keys", self.keys, self.rows // 2, KEY_BANKS * self.bank_words)
        check_power_of_two("queue", self.queue, 4, 256)
        check_int("estimate_bits", self.estimate_bits, 8, 16)
        if self.estimate_bits % 4:
            raise ValueError(f"estimate_bits must be a multiple of 4, not {self.estimate_bits!r}")
        check_bool("balance", self.balance)

    def replace(self, **changes):
        """Copy with some fields changed; validation runs again."""
        return dataclasses.replace(self, **changes)

    @property
    def pes(self) -> int:
        """PEs of a lane."""
        return self.rows * self.columns

    @property
    def vector(self) -> int:
        """FX16 elements of a word, which are the PEs that one query has in each half of the array."""
        return self.pes // (2 * QUERIES)

    @property
    def word_bits(self) -> int:
        """Width of a word of the SRAM [bits]."""
        return self.vector * FX_BITS

    @property
    def bank_bytes(self) -> int:
        """Size of one bank [bytes]: 64 KB in the paper."""
        return self.bank_words * self.word_bits // 8

    @property
    def words(self) -> int:
        """Words of a lane."""
        return BANKS * self.bank_words

    @property
    def address_bits(self) -> int:
        """Width of a word's address [bits]."""
        return (self.words - 1).bit_length()

    @property
    def key_bits(self) -> int:
        """Width of a key's number [bits]."""
        return (self.keys - 1).bit_length()

    @property
    def block(self) -> int:
        """Keys whose scores are estimated at once: one in each row of the lower half."""
        return self.rows // 2

    @property
    def units_per_word(self) -> int:
        """Low-precision operands of a PE in a word."""
        return self.word_bits // UNIT_BITS

    @property
    def keys_per_word(self) -> int:
        """Keys of a block that one word of low-precision operands has units of."""
        return min(self.block, self.units_per_word)

    @property
    def units_per_key(self) -> int:
        """Units of each of them in that word."""
        return max(1, self.units_per_word // self.block)

    @property
    def dots_per_row(self) -> int:
        """Queries that share a row in exact work: 1, or 2 where a word is shorter than a row."""
        return max(1, self.columns // self.vector)


#: ``paper`` has the sizes of [Thesis 7.6, table C.1].
PRESETS = {
    "tiny": DotaConfig(lanes=1, rows=4, columns=4, bank_words=64, keys=32, queue=16),
    "small": DotaConfig(lanes=2, rows=8, columns=8, bank_words=256, keys=256, queue=64),
    "paper": DotaConfig(),
}
DEFAULT_PRESET = "paper"
