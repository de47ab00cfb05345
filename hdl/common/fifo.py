"""Stream FIFO with a registered output."""

from amaranth import *
from amaranth.lib import memory, stream, wiring
from amaranth.lib.wiring import In, Out

__all__ = ["Fifo"]


class Fifo(wiring.Component):
    """Stream FIFO that holds exactly ``depth`` items.

    The first item stands in the output register, the others in a ring of ``depth - 1`` words behind it.

    Latency: 1 cycle from ``i`` to ``o`` of an empty FIFO. Throughput: one item a cycle for ``depth >= 2``;
    one in two cycles for ``depth == 1``, because ``i.ready`` is a register and does not see ``o.ready``. No
    combinational path leads through the FIFO.

    Parameters
    ----------
    shape : ShapeLike
        Shape of the payload.
    depth : int
        Items, 1..256.

    Members
    -------
    i : In(stream of shape)
        ``ready`` exactly while fewer than ``depth`` items are inside.
    o : Out(stream of shape)
        ``valid`` exactly while at least one item is inside.
    level : Out(range(depth + 1))
        Items inside.

    Raises
    ------
    ValueError
        If ``depth`` is out of range.
    """

    def __init__(self, shape, depth):
        if type(depth) is not int or not 1 <= depth <= 256:
            raise ValueError(f"depth must be an integer in 1..256, not {depth!r}")
        self._shape, self._depth = shape, depth
        super().__init__({
            "i": In(stream.Signature(shape)),
            "o": Out(stream.Signature(shape)),
            "level": Out(range(depth + 1)),
        })

    @property
    def depth(self):
        """Items that fit."""
        return self._depth

    def elaborate(self, platform):
        m = Module()

        # What the level will be is known late in the cycle: so are these, and each is a register of its own.
        has_room = Signal(init=1)
        in_ring = Signal()
        take = Signal()
        give = Signal()
        refill = Signal()
        m.d.comb += [
            self.i.ready.eq(has_room),
            take.eq(self.i.valid & has_room),
            give.eq(self.o.valid & self.o.ready),
            refill.eq(~self.o.valid | self.o.ready),
        ]
        with m.If(take & ~give):
            m.d.sync += [self.level.eq(self.level + 1), has_room.eq(self.level != self._depth - 1),
                         self.o.valid.eq(1), in_ring.eq(self.level != 0)]
        with m.Elif(give & ~take):
            m.d.sync += [self.level.eq(self.level - 1), has_room.eq(1),
                         self.o.valid.eq(self.level != 1), in_ring.eq(self.level > 2)]

        # The output register is refilled from the ring, or past it while the ring is empty.
        push = Signal()
        pop = Signal()
        m.d.comb += [
            push.eq(take & ~(refill & ~in_ring)),
            pop.eq(refill & in_ring),
        ]
        ring_front = self._ring(m, push, pop) if self._depth > 1 else self.i.payload
        with m.If(pop):
            m.d.sync += self.o.payload.eq(ring_front)
        with m.Elif(refill & take):
            m.d.sync += self.o.payload.eq(self.i.payload)

        m.d.sync += Assert(self.level <= self._depth, Format("{} items exceed the depth", self.level))
        return m

    def _ring(self, m, push, pop):
        """Words behind the output register; returns the oldest of them."""
        words = self._depth - 1
        if words == 1:
            word = Signal(self._shape, name="ring_word")
            with m.If(push):
                m.d.sync += word.eq(self.i.payload)
            return word
        m.submodules.ring = ring = memory.Memory(shape=self._shape, depth=words, init=[])
        write_port = ring.write_port()
        read_port = ring.read_port(domain="comb")
        head = Signal(range(words))
        tail = Signal(range(words))
        m.d.comb += [
            write_port.en.eq(push),
            write_port.addr.eq(tail),
            write_port.data.eq(self.i.payload),
            read_port.addr.eq(head),
        ]
        for index, step in (tail, push), (head, pop):
            with m.If(step):
                m.d.sync += index.eq(Mux(index == words - 1, 0, index + 1))
        return read_port.data
