"""Store: partial sums become values, and go to the global buffer row by row."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, VALUE_BITS, Function, Kind
from hdl.common.emit import unit
from hdl.common.fifo import Fifo
from hdl.common.primitives import or_tree

from .activation import Activation
from .layouts import check_cfg, glb_write_layout, group_layout, sums_layout
from .store_row import StoreRow

__all__ = ["Store"]

#: Groups that wait, and groups that can be inside at most.
WAITING = 2
MOST_INSIDE = WAITING + Activation.LATENCY + 3


class Phase(enum.Enum, shape=2):
    """What becomes of the group in front."""

    IDLE = 0
    WAIT = 1
    FILL = 2
    FULL = 3


class Item(data.Struct):
    """A row on its way: whether anything is written, the last of its group, the last of its tile."""

    channel: 16
    word: ADDR_BITS
    last: 1
    end: 1
    writes: 1


class Store(wiring.Component):
    """Store of the Executor [Thesis 5.1.2, 5.2.1]: bias, shift, clipping and function; values and corrected map bits.

    ``clip(function(round((sum + bias) / 2**shift)))`` with halves rounded up; pixels that are not sensitive become 0.
    CONV: a row a cycle, all pixels of its channel: in word ``group.word + channel // columns`` the lane
    ``channel % columns``; its map bits are 1 where the value is not 0: so a sensitive output that ReLU makes 0 is taken
    out of the map. VECTOR: a value a cycle, element ``channel`` of the vector at ``group.word``, no map. Rows that are
    not ``on`` cost no cycle. A group is collected while the one before is written.

    Latency: ``LATENCY`` = 6 cycles from the last sums of a group to its first write: (1) bias, (2) shift, (3) rounding,
    (4) hand-over, (5) multiplexer, (6) write; VECTOR_LATENCY = 11 for a vector, with the function between (5) and (6).
    Throughput: a row a cycle. From the last sums of a group to ``drain_ready`` of the next one: 5 cycles, or until the
    rows of the one before are written.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    kind, curve, shift : In
        Of the job: Kind, Function, 0..31. Constant while ``busy``. CONV: the function is none or ReLU.
    group : In(stream of group_layout(cfg))
        In the order in which their sums come; 2 wait.
    drain_ready : Out(1)
        The sums of another group can be taken: the group is in front, and its registers are free. Counts a group from
        the cycle after ``drain_start`` on.
    drain_start : In(1)
        The sums of the group in front will come, from the next cycle on. Only once ``drain_ready``.
    sums : In(stream of sums_layout(cfg))
        Always ready. ``cfg.pixels`` a group, in order, or one (VECTOR). Sums are 32 bits and have wrapped.
    write : Out(stream of glb_write_layout(cfg))
        Port 0 of the global buffer.
    tile_done : Out(1)
        In the cycle after the last write of a tile is taken.
    saturated : Out(1)
        A value was clipped since the reset; 4 cycles after its sum.
    busy : Out(1)
        A group is inside.
    """

    LATENCY = 6
    VECTOR_LATENCY = LATENCY + Activation.LATENCY

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "kind": In(Kind), "curve": In(Function), "shift": In(5),
            "group": In(stream.Signature(group_layout(cfg))),
            "drain_ready": Out(1), "drain_start": In(1),
            "sums": In(stream.Signature(sums_layout(cfg), always_ready=True)),
            "write": Out(stream.Signature(glb_write_layout(cfg))),
            "tile_done": Out(1), "saturated": Out(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        m.submodules.queue = queue = Fifo(group_layout(cfg), WAITING)
        wiring.connect(m, wiring.flipped(self.group), queue.i)
        front = queue.o.p

        # Sums to values: three stages in each row.
        rows = []
        clipped = Signal(cfg.rows)
        take_s1 = Signal(cfg.pixels)
        take_s2 = Signal(cfg.pixels)
        load = Signal()
        for k in range(cfg.rows):
            m.submodules[f"row_{k}"] = row = unit(platform, StoreRow(cfg), name="duet_store_row")
            m.d.comb += [
                row.sum.eq(self.sums.p.sums[k]), row.take_s2.eq(take_s2),
                row.shift.eq(self.shift), row.relu.eq(self.curve == Function.RELU),
                *(getattr(row, name).eq(front.rows[k][name]) for name in ("on", "channel", "bias", "sensitive")),
                row.load.eq(load), row.empty.eq(front.empty), clipped[k].eq(row.clipped),
            ]
            rows.append(row)
        m.d.sync += [
            take_s1.eq(Mux(self.sums.valid, 1 << self.sums.p.pixel, 0)), take_s2.eq(take_s1),
            self.saturated.eq(self.saturated | clipped.any()),
        ]
        complete = Signal()
        m.d.comb += complete.eq(take_s2[-1] | ((self.kind == Kind.VECTOR) & take_s2[0]))

        move = Signal()
        free = Signal()
        self._phases(m, queue, complete, free, load)
        valid, item, map_word, values = self._rows(m, rows, front, move, free, load)
        last = self._write(m, platform, move, valid, item, map_word, values)

        inside = Signal(range(MOST_INSIDE + 1))
        m.d.comb += self.busy.eq(inside != 0)
        m.d.sync += inside.eq(inside + (self.group.valid & self.group.ready) - (last & move))
        m.d.sync += Assert(~self.busy | (self.kind == Kind.VECTOR) | (self.curve == Function.NONE)
                           | (self.curve == Function.RELU), "function of a convolution must be none or ReLU")
        return m

    def _phases(self, m, queue, complete, free, load):
        """What becomes of the group in front: its sums come, unless it is empty, and then it is handed over."""
        phase = Signal(Phase)
        m.d.comb += load.eq((phase == Phase.FULL) & free)
        m.d.comb += queue.o.ready.eq(load)
        with m.Switch(phase):
            with m.Case(Phase.IDLE):
                with m.If(queue.o.valid):
                    m.d.sync += [phase.eq(Mux(queue.o.p.empty, Phase.FULL, Phase.WAIT)),
                                 self.drain_ready.eq(~queue.o.p.empty)]
            with m.Case(Phase.WAIT):
                with m.If(self.drain_start):
                    m.d.sync += [phase.eq(Phase.FILL), self.drain_ready.eq(0)]
            with m.Case(Phase.FILL):
                with m.If(complete):
                    m.d.sync += phase.eq(Phase.FULL)
            with m.Case(Phase.FULL):
                with m.If(free):
                    m.d.sync += phase.eq(Phase.IDLE)
        m.d.sync += Assert(~self.drain_start | self.drain_ready, "sums must be begun with while they can be taken")
        m.d.sync += Assert(~self.sums.valid | (phase == Phase.FILL), "sums must come after their beginning")

    def _rows(self, m, rows, front, move, free, load):
        """The rows of the group that was handed over, lowest first, through a multiplexer."""
        cfg = self._cfg
        sending = Signal()
        turn = Signal(cfg.rows)
        rest = Signal(cfg.rows)
        word = Signal(ADDR_BITS)
        map_word = Signal(ADDR_BITS)
        tile_done = Signal()
        valid = Signal()
        item = Signal(Item)
        row_map_word = Signal(ADDR_BITS)
        values = Signal(data.ArrayLayout(VALUE_BITS, cfg.pixels))
        m.d.comb += free.eq(~sending | (move & (rest == 0)))
        on = Signal(cfg.rows)
        m.d.comb += on.eq(Mux(load, Cat(row.on for row in front.rows), rest))
        with m.If(load | move):
            m.d.sync += [turn.eq(on & ~(on - 1)[:cfg.rows]), rest.eq(on & (on - 1)[:cfg.rows])]
        with m.If(load):
            m.d.sync += [word.eq(front.word), map_word.eq(front.map_word), tile_done.eq(front.tile_done)]
        with m.If(free):
            m.d.sync += sending.eq(load)
        with m.If(move):
            m.d.sync += [
                valid.eq(sending), item.word.eq(word), item.last.eq(rest == 0),
                item.end.eq((rest == 0) & tile_done), item.writes.eq(turn.any()), row_map_word.eq(map_word),
                item.channel.eq(or_tree(Mux(turn[k], row.o_channel, 0) for k, row in enumerate(rows))),
                values.eq(or_tree(Mux(turn[k], Value.cast(row.values), 0) for k, row in enumerate(rows))),
            ]
        return valid, item, row_map_word, values

    def _write(self, m, platform, move, valid, item, map_word, values):
        """The write register: a row of a convolution, or a value that comes out of the activation unit."""
        cfg = self._cfg
        is_vector = Signal()
        m.d.comb += is_vector.eq(self.kind == Kind.VECTOR)
        tag_bits = Item.as_shape().size
        m.submodules.activation = activation = unit(platform, Activation(cfg, tag_bits), name="duet_store_activation")
        ends = Signal(Item)
        shown = Signal()
        m.d.comb += [
            activation.advance.eq(move), activation.i_valid.eq(valid & is_vector),
            activation.i.eq(values[0]), activation.curve.eq(self.curve), activation.i_tag.eq(item),
            shown.eq(Mux(is_vector, activation.o_valid, valid)),
            ends.eq(Mux(is_vector, activation.o_tag, item.as_value())),
        ]

        columns, pixels = cfg.columns, cfg.pixels
        column_bits = columns.bit_length() - 1
        above = ends.channel[column_bits:]
        nothing = Signal()
        end = Signal()
        last = Signal()
        addr = Signal(ADDR_BITS)
        map_addr = Signal(ADDR_BITS)
        lane = Signal(columns)
        map_lane = Signal(columns)
        pixel = Signal(pixels)
        held = Signal(data.ArrayLayout(VALUE_BITS, pixels))
        bits = Signal(pixels)
        one_lane = Signal(columns)
        m.d.comb += [move.eq(~self.write.valid | self.write.ready),
                     one_lane.eq(1 << ends.channel[:column_bits])]
        with m.If(move):
            m.d.sync += [
                self.write.valid.eq(shown & ends.writes), nothing.eq(shown & ~ends.writes),
                last.eq(shown & ends.last), end.eq(shown & ends.end), lane.eq(one_lane),
            ]
            with m.If(is_vector):
                m.d.sync += [
                    addr.eq(ends.word + above[cfg.pixel_bits:]), map_addr.eq(0), map_lane.eq(0),
                    pixel.eq(1 << above[:cfg.pixel_bits]), bits.eq((activation.o != 0).replicate(pixels)),
                    *(held[p].eq(activation.o) for p in range(pixels)),
                ]
            with m.Else():
                m.d.sync += [
                    addr.eq(ends.word + above), map_addr.eq(map_word + above), map_lane.eq(one_lane),
                    pixel.eq(~0), bits.eq(Cat(values[p] != 0 for p in range(pixels))), held.eq(values),
                ]
        m.d.sync += self.tile_done.eq(end & move)
        write = self.write.p
        m.d.comb += [write.addr.eq(addr), write.map_addr.eq(map_addr)]
        for c in range(columns):
            part = slice(c * pixels, (c + 1) * pixels)
            m.d.comb += [
                write.mask[part].eq(Mux(lane[c], pixel, 0)), write.map_mask[part].eq(Mux(map_lane[c], pixel, 0)),
                write.map[part].eq(bits), *(write.data[c * pixels + p].eq(held[p]) for p in range(pixels)),
            ]
        return last
