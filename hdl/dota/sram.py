"""Memory of a lane: ten banks, gathered from by rows and reached by flat addresses."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import BANKS, KEY_BANKS, VALUE_BANKS
from hdl.common.primitives import or_tree
from hdl.common.sram import Sram1rw

from .layouts import check_cfg

__all__ = ["FLAT_PORTS", "LaneSram", "flat_signature"]

FLAT_PORTS = ("exact", "estimate", "host")
GATHER_BANKS = KEY_BANKS + VALUE_BANKS


def flat_signature(cfg) -> wiring.Signature:
    """A port that reaches every word of a lane by its address, seen from its user.

    ``en``: access in this cycle; ``write``: it writes ``wdata``. ``rdata`` follows a read by SRAM_LATENCY cycles.
    """
    return wiring.Signature({
        "en": Out(1), "write": Out(1), "addr": Out(cfg.address_bits), "wdata": Out(cfg.word_bits),
        "rdata": In(cfg.word_bits),
    })


class LaneSram(wiring.Component):
    """Memory of a lane [Thesis 7.6.1, table C.1: 10 banks of 64 KB].

    Addresses, with B = ``bank_words``: 0..4B-1 are the key banks, word ``a`` in bank ``a % 4``; 4B..8B-1 the value
    banks 4..7 in the same way; 8B..9B-1 bank 8; 9B..10B-1 bank 9.

    Latency: gathered words 1 cycle, flat ports SRAM_LATENCY = 2: a bank, then a register behind the multiplexer of the
    ten, which stays until the data of the port's next read. Throughput: every port one access a cycle, a bank one
    access of any port. Contents are undefined at first and outlive a reset; so do the gathered words.

    The banks are the instances ``bank_0`` .. ``bank_9`` of ``elision_sram_1rw`` in this module: a bench fills
    ``<path of this instance>.bank_<n>.hex`` with what ``golden.dota.sram.bank_rows`` gives, one word a line.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    gather_en : In(8)
        Read row ``gather_row[b]`` of bank b.
    gather_row : In(array of 8 rows)
    gather_data : Out(array of 8 words)
        In the next cycle, until the next read of that bank by whatever port.
    exact, estimate, host : In(flat_signature(cfg))
        Two accesses to one bank in one cycle and addresses from 10B on are forbidden; assertions stop the simulation.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "gather_en": In(GATHER_BANKS),
            "gather_row": In(data.ArrayLayout(range(cfg.bank_words), GATHER_BANKS)),
            "gather_data": Out(data.ArrayLayout(cfg.word_bits, GATHER_BANKS)),
            **{name: In(flat_signature(cfg)) for name in FLAT_PORTS},
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        banks = [Sram1rw(cfg.bank_words, cfg.word_bits) for _ in range(BANKS)]
        for number, bank in enumerate(banks):
            m.submodules[f"bank_{number}"] = bank
        ports = [getattr(self, name) for name in FLAT_PORTS]
        hits = [self._decode(m, name) for name in FLAT_PORTS]
        row_bits = _row_bits(cfg)

        # A bank does what the one who asks for it wants.
        for number, bank in enumerate(banks):
            mine = [hit[number] for hit in hits]
            gathers = self.gather_en[number] if number < GATHER_BANKS else C(0, 1)
            interleaved = number < GATHER_BANKS
            rows = [port.addr[2:2 + row_bits] if interleaved else port.addr[:row_bits] for port in ports]
            row = Mux(mine[0], rows[0], Mux(mine[1], rows[1], rows[2]))
            m.d.comb += [
                bank.en.eq(gathers | or_tree(mine)),
                bank.write.eq(or_tree([hit & port.write for hit, port in zip(mine, ports, strict=True)])),
                bank.addr.eq(Mux(gathers, self.gather_row[number], row) if interleaved else row),
                bank.wdata.eq(Mux(mine[0], ports[0].wdata, Mux(mine[1], ports[1].wdata, ports[2].wdata))),
            ]
            if interleaved:
                m.d.comb += self.gather_data[number].eq(bank.rdata)
            users = Signal(range(len(ports) + 2), name=f"users_{number}")
            m.d.comb += users.eq(sum(mine, gathers))
            m.d.sync += Assert(users <= 1, Format(f"bank {number} must be used once in a cycle, not {{}} times", users))

        # A flat port takes over what its bank has read.
        for name, port, hit in zip(FLAT_PORTS, ports, hits, strict=True):
            arrives = Signal(name=f"{name}_arrives")
            source = Signal(BANKS, name=f"{name}_source")
            rdata = Signal(cfg.word_bits, name=f"{name}_rdata")
            m.d.sync += [arrives.eq(port.en & ~port.write), source.eq(hit)]
            with m.If(arrives):
                m.d.sync += rdata.eq(or_tree([Mux(source[n], bank.rdata, 0) for n, bank in enumerate(banks)]))
            m.d.comb += port.rdata.eq(rdata)
            m.d.sync += Assert(~port.en | hit.any(),
                               Format(f"address of {name} must be below {cfg.words}, not {{}}", port.addr))
        return m

    def _decode(self, m, name):
        """The bank that a flat port uses in this cycle, one bit each."""
        port, row_bits = getattr(self, name), _row_bits(self._cfg)
        low, middle, high = port.addr[:2], port.addr[row_bits:row_bits + 2], port.addr[row_bits + 2:]
        hit = Signal(BANKS, name=f"{name}_bank")
        for number in range(BANKS):
            if number < GATHER_BANKS:
                here = (high == number // KEY_BANKS) & (low == number % KEY_BANKS)
            else:
                here = (high == 2) & (middle == number - GATHER_BANKS)
            m.d.comb += hit[number].eq(port.en & here)
        return hit


def _row_bits(cfg) -> int:
    """Width of a row's number [bits]; a bank is a power of two."""
    return (cfg.bank_words - 1).bit_length()
