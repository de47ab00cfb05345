"""Row of the array: PEs of one precision, and the adder tree that sums them."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import LOW_SUM_BITS, PE_SUM_BITS, SUM_BITS, UNIT_BITS, Precision
from hdl.common.emit import unit

from .layouts import check_cfg
from .multiplier import SLOTS
from .pe import Pe, add_fields, field_tops

__all__ = ["Row"]

#: Parts of a row whose PEs always belong together.
QUARTERS = 4


class Row(wiring.Component):
    """Row of PEs [Thesis 7.6.2, Fig. 7.13 (a)]: precision and commands are those of the row, operands of the PE.

    The tree always sums what the PEs hold; the precision of the last fire decides how:

    ========= =================================== =============== ============================================
    Precision ``sums``                            sum 0..3        exact up to (the largest products, in a sum)
    ========= =================================== =============== ============================================
    FX16      ``dots_per_row`` of 48 bits, rest 0 part of the row 131,071
    INT8      4 of 24 bits                        quarter         511
    INT4      4 of 24 bits                        2 * half + slot 131,071
    INT2      4 of 24 bits                        slot            511 in a PE
    ========= =================================== =============== ============================================

    One tree for all of them: quarters of the row, then halves, then the row; its carries end where the fields of the
    precision do. Fields of INT2 are widened by as many bits as the sum of a row needs.

    Latency: ``PE_LATENCY`` = 3 cycles from ``fire`` to ``elements``, ``ROW_LATENCY`` = 2 more to ``sums``: the quarters
    of the row, and what is made of them. Throughput: one fire a cycle.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    operands : In(columns x 32)
    take, load : In(columns)
        One bit a PE, the first lowest.
    slot, precision, fire, first : In
        As in :class:`hdl.dota.pe.Pe`.
    elements : Out(columns x 48)
        Partial sums of the PEs.
    sums : Out(96)
        In cycle t + 5 those of the partial sums as the fires up to cycle t have left them, in the precision of the last
        one. They are the sums of a fire only if it is also the last of its dot product; but tiles may follow each other
        without a gap.

    Raises
    ------
    TypeError
        If ``cfg`` is not a :class:`DotaConfig`.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "operands": In(data.ArrayLayout(UNIT_BITS, cfg.columns)),
            "take": In(cfg.columns), "load": In(cfg.columns), "slot": In(range(SLOTS)),
            "precision": In(2), "fire": In(1), "first": In(1),
            "elements": Out(SUM_BITS).array(cfg.columns),
            "sums": Out(2 * SUM_BITS),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        for k in range(cfg.columns):
            m.submodules[f"pe_{k}"] = pe = unit(platform, Pe(cfg), name="dota_pe")
            m.d.comb += [
                pe.operand.eq(self.operands[k]), pe.take.eq(self.take[k]), pe.load.eq(self.load[k]),
                pe.slot.eq(self.slot), pe.precision.eq(self.precision), pe.fire.eq(self.fire),
                pe.first.eq(self.first), self.elements[k].eq(pe.sum),
            ]

        # The precision of the last fire, beside the sums that it has left.
        last_s1 = Signal(2)
        last_s2 = Signal(2)
        last_s3 = Signal(2)
        last_s4 = Signal(2)
        with m.If(self.fire):
            m.d.sync += last_s1.eq(self.precision)
        m.d.sync += [last_s2.eq(last_s1), last_s3.eq(last_s2), last_s4.eq(last_s3)]

        # Quarters.
        bits = PE_SUM_BITS[Precision.INT2] + (cfg.columns - 1).bit_length()
        width = max(SUM_BITS, SLOTS * bits)
        tops_s3 = _tops(m, "tops_s3", last_s3, bits, width)
        tops_s4 = _tops(m, "tops_s4", last_s4, bits, width)
        leaves = []
        for k in range(cfg.columns):
            leaf = Signal(width, name=f"leaf_{k}")
            m.d.comb += leaf.eq(Mux(last_s3 == Precision.INT2, _spaced(self.elements[k], bits), self.elements[k]))
            leaves.append(leaf)
        quarters = []
        for k in range(QUARTERS):
            quarter = Signal(width, name=f"quarter_{k}", reset_less=True)
            mine = leaves[k * cfg.columns // QUARTERS:(k + 1) * cfg.columns // QUARTERS]
            m.d.sync += quarter.eq(add_fields(m, f"quarter_{k}", mine, tops_s3))
            quarters.append(quarter)

        # Halves, and the row.
        halves = [add_fields(m, f"half_{k}", quarters[2 * k:2 * k + 2], tops_s4) for k in range(2)]
        row = add_fields(m, "row", quarters, tops_s4)
        with m.Switch(last_s4):
            with m.Case(Precision.FX16):
                dots = [half[:SUM_BITS] for half in halves] if cfg.dots_per_row == 2 else [row[:SUM_BITS]]
                m.d.sync += self.sums.eq(Cat(dots))
            with m.Case(Precision.INT8):
                m.d.sync += self.sums.eq(Cat(quarter[:LOW_SUM_BITS] for quarter in quarters))
            with m.Case(Precision.INT4):
                m.d.sync += self.sums.eq(Cat(half[:SUM_BITS] for half in halves))
            with m.Case(Precision.INT2):
                m.d.sync += self.sums.eq(Cat(_extended(field, LOW_SUM_BITS) for field in _fields(row, bits)))
        return m


def _fields(word, bits):
    """The four fields of a word in INT2."""
    return [word[bits * k:bits * (k + 1)] for k in range(SLOTS)]


def _extended(field, bits):
    """A signed field, wider."""
    return Cat(field, field[-1].replicate(bits - len(field)))


def _spaced(element, bits):
    """The four fields of an element in INT2, each of ``bits`` bits."""
    return Cat(_extended(field, bits) for field in _fields(element, PE_SUM_BITS[Precision.INT2]))


def _tops(m, name, precision, bits, width):
    """The highest bits of the tree's fields."""
    tops = Signal(width, name=name)
    with m.Switch(precision):
        with m.Case(Precision.INT2):
            m.d.comb += tops.eq(field_tops(bits, SLOTS * bits))
        with m.Case(Precision.INT4):
            m.d.comb += tops.eq(field_tops(PE_SUM_BITS[Precision.INT4], SUM_BITS))
    return tops
