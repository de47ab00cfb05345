"""Multicast controller: is a transfer meant for what stands behind it?"""

from amaranth import *
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Multicast"]


class Multicast(wiring.Component):
    """Multicast controller (MC) [Thesis 5.1, Fig. 5.1]: compares the tag of a transfer with its own ID.

    Latency: 1 cycle. Throughput: a transfer a cycle.

    Parameters
    ----------
    count : int
        IDs, 2..32; the tag ``count`` means all.

    Members
    -------
    valid : In(1)
        There is a transfer.
    tag : In(range(count + 1))
    id : In(range(count))
        Own ID, from the scan chain. Stands still while there are transfers.
    match : Out(1)
        The transfer of the cycle before was meant.

    Raises
    ------
    ValueError
        If ``count`` is out of range.
    """

    def __init__(self, count):
        if type(count) is not int or not 2 <= count <= 32:
            raise ValueError(f"count must be an integer in 2..32, not {count!r}")
        self._count = count
        super().__init__({"valid": In(1), "tag": In(range(count + 1)), "id": In(range(count)), "match": Out(1)})

    def elaborate(self, platform):
        m = Module()
        m.d.sync += self.match.eq(self.valid & ((self.tag == self.id) | (self.tag == self._count)))
        return m
