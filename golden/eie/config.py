"""Parameters of EIE: one frozen object builds the golden model, the hardware and the benches."""

import dataclasses
from dataclasses import dataclass

from golden.common.config import check_int, check_power_of_two


@dataclass(frozen=True, kw_only=True)
class EieConfig:
    """Parameters of one EIE array.

    Memories have power-of-two depths, so every address that fits its field names a word.

    Attributes
    ----------
    n_pe : int
        Processing elements; a power of two, 1..256.
    fifo_depth : int
        Usable entries of the activation queue of a PE, 1..256.
    run_ahead : bool
        Read pointers ahead of the entries and drop columns that are empty in this PE.
    run_ahead_columns : int
        Non-empty columns that may wait between pointer and entry reader, 1..256.
        Without ``run_ahead`` there are two, empty or not.
    data_bits : int
        Width of activations, weights and accumulators [bits], two's complement, 8..32.
    regfile_words : int
        Activations in one register file of one PE; a power of two, 2..256.
    spmat_width : int
        Width of a row of the sparse-matrix SRAM [bits]; a power of two, 32..512.
    spmat_words : int
        Rows of the sparse-matrix SRAM of one PE; a power of two, 2..2**17.
    ptr_words : int
        Pointers of one PE, both banks together; a power of two, 4..2**18.
    act_words : int
        Words of the activation SRAM of one PE; a power of two, 2..2**15.
    codebooks : int
        Weight tables of 16 entries in one PE; a power of two, 1..256.
    program_words : int
        Passes that one program may have; a power of two, 2..4096.
    """

    n_pe: int = 64
    fifo_depth: int = 8
    run_ahead: bool = False
    run_ahead_columns: int = 8
    data_bits: int = 16
    regfile_words: int = 64
    spmat_width: int = 64
    spmat_words: int = 16384
    ptr_words: int = 32768
    act_words: int = 1024
    codebooks: int = 16
    program_words: int = 256

    def __post_init__(self):
        check_power_of_two("n_pe", self.n_pe, 1, 256)
        check_int("fifo_depth", self.fifo_depth, 1, 256)
        if not isinstance(self.run_ahead, bool):
            raise ValueError(f"run_ahead must be a bool, not {self.run_ahead!r}")
        check_int("run_ahead_columns", self.run_ahead_columns, 1, 256)
        check_int("data_bits", self.data_bits, 8, 32)
        check_power_of_two("regfile_words", self.regfile_words, 2, 256)
        check_power_of_two("spmat_width", self.spmat_width, 32, 512)
        check_power_of_two("spmat_words", self.spmat_words, 2, 2**17)
        check_power_of_two("ptr_words", self.ptr_words, 4, 2**18)
        check_power_of_two("act_words", self.act_words, 2, 2**15)
        check_power_of_two("codebooks", self.codebooks, 1, 256)
        check_power_of_two("program_words", self.program_words, 2, 4096)

    def replace(self, **changes):
        """Copy with some fields changed; validation runs again."""
        return dataclasses.replace(self, **changes)

    @property
    def entries_per_row(self) -> int:
        """Compressed (v, z) entries in one row of the sparse-matrix SRAM."""
        return self.spmat_width // 8

    @property
    def spmat_entries(self) -> int:
        """Compressed entries that one PE can hold (131,072 in the paper)."""
        return self.spmat_words * self.entries_per_row

    @property
    def pointer_bits(self) -> int:
        """Width of a pointer [bits]: 0..spmat_entries, both ends included."""
        return self.spmat_entries.bit_length()

    @property
    def pe_bits(self) -> int:
        """Width of a PE number [bits]; 0 for a single PE."""
        return (self.n_pe - 1).bit_length()

    @property
    def row_bits(self) -> int:
        """Width of a register-file address [bits]."""
        return (self.regfile_words - 1).bit_length()

    @property
    def index_bits(self) -> int:
        """Width of an activation index inside a pass [bits]."""
        return self.row_bits + self.pe_bits

    @property
    def column_bits(self) -> int:
        """Width of a column number, i.e. of a pointer address [bits]."""
        return (self.ptr_words - 1).bit_length()

    @property
    def columns_ahead(self) -> int:
        """Columns that may wait between pointer and entry reader; two keep both busy."""
        return self.run_ahead_columns if self.run_ahead else 2

    @property
    def pass_length(self) -> int:
        """Activations that one pass can read, and outputs that it can write."""
        return self.n_pe * self.regfile_words

    @property
    def vector_length(self) -> int:
        """Activations that the activation SRAMs hold together."""
        return self.n_pe * self.act_words

    @property
    def tree_levels(self) -> int:
        """Levels of the LNZD quadtree: 3 for 64 PEs (16 + 4 + 1 nodes), at least 1."""
        return max(1, (self.pe_bits + 1) // 2)


#: ``paper`` has the sizes of [EIE IV, Table II], but for the pointer SRAM: VGG-6 needs 25,089 pointers
#: and the paper's holds 16,384, so ours holds 32,768.
PRESETS = {
    "tiny": EieConfig(n_pe=4, fifo_depth=2, regfile_words=8, spmat_width=32, spmat_words=256, ptr_words=256,
                      act_words=64, codebooks=4, program_words=32),
    "small": EieConfig(n_pe=16),
    "paper": EieConfig(),
    "fast": EieConfig(run_ahead=True),
    "paper-256": EieConfig(n_pe=256),
}
DEFAULT_PRESET = "paper"
