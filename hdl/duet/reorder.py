"""Reorder unit: channels with similar work come together."""

from amaranth import *
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import SPECULATE_FIELDS
from hdl.common.emit import unit
from hdl.common.primitives import or_tree, popcount
from hdl.common.sram import Sram1r1w

from .layouts import check_cfg

__all__ = ["Reorder", "ReorderLists", "order_layout"]

LIMIT_BITS = SPECULATE_FIELDS["limit_0"]


def order_layout(cfg) -> data.StructLayout:
    """A channel in its turn; the last one of its tile."""
    return data.StructLayout({"id": range(cfg.channels), "last": 1})


def bucket_layout(cfg) -> data.StructLayout:
    """A channel, the last one of its tile or not, and its bucket, one bit each."""
    return data.StructLayout({"id": range(cfg.channels), "last": 1, "bucket": cfg.buckets})


class Reorder(wiring.Component):
    """Sorts the channels of a tile by their sensitive outputs [Thesis 5.2.1, Fig. 5.5; table 5.1: 16 buckets].

    One-bit adder trees, one for each of the ``columns`` channels of a word, count the sensitive outputs. Limits fall: a
    channel's bucket is the number of those that its count is not greater than, that is the first one that it exceeds.
    Channels leave by bucket, bucket 0 first, in order of arrival within one. Counts of one tile are compared while the
    channels of the tile before leave.

    Latency: ``LATENCY`` = 5 cycles and one more for each channel of the tile's last word, from that word to the first
    channel. Throughput: a channel a cycle, and 2 cycles more a tile.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    channels, limits : In
        Of the job: 1..cfg.channels; ``buckets - 1`` limits, largest first. They stay while anything is inside.
    i : In(stream of a map word)
        Bit ``column * pixels + pixel``, word by word of a tile; those of channels that do not exist count nothing.
        ``ready``: a few gates behind registers, so that a word is taken in the cycle of the last channel before it.
    o : Out(stream of order_layout(cfg))
    """

    LATENCY = 5

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "channels": In(SPECULATE_FIELDS["channels"]),
            "limits": In(data.ArrayLayout(LIMIT_BITS, cfg.buckets - 1)),
            "i": In(stream.Signature(cfg.values)),
            "o": Out(stream.Signature(order_layout(cfg))),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.lists = lists = unit(platform, ReorderLists(cfg), name="duet_reorder_lists")
        wiring.connect(m, lists.o, wiring.flipped(self.o))
        counts = Signal(data.ArrayLayout(range(cfg.pixels + 1), cfg.columns))
        left = Signal(range(cfg.columns + 1))       # counts that are to be compared
        taken = Signal(self.channels.shape())       # channels of the tile whose words were taken
        id_ = Signal(range(cfg.channels))
        steps = Signal()
        take = Signal()
        rest = Signal(self.channels.shape())
        m.d.comb += [
            steps.eq(~lists.i.valid | lists.i.ready),
            self.i.ready.eq((left == 0) | ((left == 1) & steps)), take.eq(self.i.valid & self.i.ready),
            rest.eq(self.channels - taken),
        ]

        # A channel a step: its count is the first one, and the others move up.
        ends = Signal()
        above = Signal(cfg.buckets)     # limits that the count exceeds; after them a bit for the last bucket
        m.d.comb += [ends.eq(id_ + 1 == self.channels),
                     above.eq(Cat(*(counts[0] > self.limits[k] for k in range(cfg.buckets - 1)), 1))]
        with m.If(steps):
            m.d.sync += lists.i.valid.eq(left != 0)
            with m.If(left != 0):
                m.d.sync += [
                    lists.i.p.id.eq(id_), lists.i.p.last.eq(ends), lists.i.p.bucket.eq(_lowest(above)),
                    id_.eq(Mux(ends, 0, id_ + 1)), left.eq(left - 1),
                    *(counts[k].eq(counts[k + 1]) for k in range(cfg.columns - 1)),
                ]
        with m.If(take):
            m.d.sync += [
                left.eq(Mux(rest < cfg.columns, rest, cfg.columns)),
                taken.eq(Mux(rest > cfg.columns, taken + cfg.columns, 0)),
                *(counts[k].eq(popcount(self.i.payload.word_select(k, cfg.pixels))) for k in range(cfg.columns)),
            ]
        return m


class ReorderLists(wiring.Component):
    """Buckets as linked lists in one memory: its word ``id`` holds the channel after ``id`` [Thesis 5.2.1, Fig. 5.5].

    So no bucket can overflow, and the memory holds every channel once. It has two halves: lists of a tile are made in
    one while those of the tile before are read in the other.

    Latency: 4 cycles from the last channel of a tile to its first one out. Throughput: a channel a cycle, and 2 cycles
    more a tile.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    i : In(stream of bucket_layout(cfg))
        Each channel of a tile once. ``ready``: a register.
    o : Out(stream of order_layout(cfg))
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({"i": In(stream.Signature(bucket_layout(cfg))), "o": Out(stream.Signature(order_layout(cfg)))})

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.after = after = Sram1r1w(2 * cfg.channels, (cfg.channels - 1).bit_length())
        half = Signal()         # lists that are made
        complete = Signal()     # they have all channels of their tile
        hand_over = Signal()
        head = Signal(data.ArrayLayout(range(cfg.channels), cfg.buckets))
        tail = Signal(data.ArrayLayout(range(cfg.channels), cfg.buckets))
        level = Signal(data.ArrayLayout(range(cfg.channels + 1), cfg.buckets))
        used = Signal(cfg.buckets)
        i, insert = self.i.p, Signal()
        m.d.comb += [
            self.i.ready.eq(~complete), insert.eq(self.i.valid & ~complete),
            after.w_en.eq(insert & (i.bucket & used).any()), after.w_data.eq(i.id),
            after.w_addr.eq(Cat(or_tree([Mux(i.bucket[b], tail[b], 0) for b in range(cfg.buckets)]), half)),
        ]
        with m.If(insert):
            m.d.sync += [used.eq(used | i.bucket), complete.eq(i.last)]
        for b in range(cfg.buckets):
            with m.If(insert & i.bucket[b]):
                m.d.sync += [tail[b].eq(i.id), level[b].eq(Mux(used[b], level[b], 0) + 1)]
                with m.If(~used[b]):
                    m.d.sync += head[b].eq(i.id)
        with m.If(hand_over):
            m.d.sync += [complete.eq(0), half.eq(~half), used.eq(0)]
        self._read(m, after, half, complete, hand_over, head, level, used)
        return m

    def _read(self, m, after, half, complete, hand_over, head, level, used):
        """Send the channels of lists that are complete."""
        cfg = self._cfg
        read_half = Signal()
        read_head = Signal.like(head)
        read_level = Signal.like(level)
        waiting = Signal(cfg.buckets)   # lists that are to be read
        first = Signal(cfg.buckets)     # the first of them
        run = Signal()                  # a list is read
        left = Signal(range(cfg.channels + 1))
        begins = Signal()               # its first channel, ``here``, is next
        here = Signal(range(cfg.channels))
        rest = Signal(cfg.buckets)
        id_ = Signal(range(cfg.channels))
        move = Signal()
        send = Signal()
        ends = Signal()
        m.d.comb += [
            hand_over.eq(complete & ~run & ~waiting.any()),
            rest.eq(waiting & ~first),
            move.eq(~self.o.valid | self.o.ready), send.eq(run & move), ends.eq(left == 1),
            id_.eq(Mux(begins, here, after.r_data)),
            after.r_en.eq(send), after.r_addr.eq(Cat(id_, read_half)),
        ]
        with m.If(move):
            m.d.sync += [self.o.valid.eq(run), self.o.p.id.eq(id_), self.o.p.last.eq(ends & ~waiting.any())]
        with m.If(send):
            m.d.sync += [begins.eq(0), left.eq(left - 1)]
        with m.If(~run | (send & ends)):
            m.d.sync += [
                run.eq(waiting.any()), begins.eq(1), waiting.eq(rest), first.eq(_lowest(rest)),
                here.eq(or_tree([Mux(first[b], read_head[b], 0) for b in range(cfg.buckets)])),
                left.eq(or_tree([Mux(first[b], read_level[b], 0) for b in range(cfg.buckets)])),
            ]
        with m.If(hand_over):
            m.d.sync += [read_half.eq(half), read_head.eq(head), read_level.eq(level), waiting.eq(used),
                         first.eq(_lowest(used))]


def _lowest(bits):
    """The lowest bit that is set, alone."""
    return bits & -bits
