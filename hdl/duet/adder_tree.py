"""Sign alignment and adder tree: a row of the ternary projection times a window."""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import LOW_BITS, TERNARY_BITS

from .layouts import check_cfg

__all__ = ["AdderTree", "tree_stages"]


def tree_stages(cfg) -> int:
    """Registers of a tree: one after every second level."""
    return -(-(cfg.values.bit_length() - 1) // 2)


class AdderTree(wiring.Component):
    """Alignment units and pipelined adder tree [Thesis 5.1.1 step 2, Fig. 5.2]: sum of ``p * x`` with p of -1, 0, 1.

    A value is inverted, or not, or left out; what is missing to a negation is added as a carry, so that no adder is
    wider than its sum. A register stands after every second level.

    Latency: ``tree_stages(cfg)`` cycles, 4 for 256 values. Throughput: a window a cycle.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    values : In
        INT4, [cfg.values].
    p : In(2 * cfg.values)
        Two bits a value, two's complement; -2 counts 0.
    sum : Out
        Signed; not affected by a reset.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "values": In(data.ArrayLayout(signed(LOW_BITS), cfg.values)), "p": In(TERNARY_BITS * cfg.values),
            "sum": Out(signed(LOW_BITS + cfg.values.bit_length())),
        })

    def elaborate(self, platform):
        m = Module()
        terms = [self._aligned(m, k) for k in range(self._cfg.values)]
        sums = []
        for k in range(0, len(terms), 4):
            sums.append(self._added(m, 0, k // 4, [term for term, _carry in terms[k:k + 4]],
                                    [carry for _term, carry in terms[k:k + 4]]))
        for stage in range(1, tree_stages(self._cfg)):
            sums = [self._added(m, stage, k // 4, sums[k:k + 4]) for k in range(0, len(sums), 4)]
        m.d.comb += self.sum.eq(sums[0])
        return m

    def _aligned(self, m, k):
        """A value, inverted for -1; and the carry that makes it the negative."""
        used = self.p[TERNARY_BITS * k]
        negative = self.p[TERNARY_BITS * k + 1] & used
        term = Signal(signed(LOW_BITS), name=f"term_{k}")
        m.d.comb += term.eq((self.values[k] ^ negative.replicate(LOW_BITS)) & used.replicate(LOW_BITS))
        return term, negative

    def _added(self, m, stage, k, values, carries=(0, 0, 0, 0)):
        """Register with the sum of two or four values, and of the carries."""
        # With the carries of the first stage the most positive sum is 4 * 8, one more than that of four values.
        bits = max(len(Value.cast(value)) for value in values) + len(values).bit_length() - 1
        total = Signal(signed(bits + (stage == 0)), name=f"sum_{stage}_{k}", reset_less=True)
        pairs = [values[j] + values[j + 1] + carries[j] for j in range(0, len(values), 2)]
        if len(pairs) == 1:
            m.d.sync += total.eq(pairs[0])
        else:
            m.d.sync += total.eq((pairs[0] + carries[1]) + (pairs[1] + carries[3]))
        return total
