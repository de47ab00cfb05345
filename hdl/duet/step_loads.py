"""Loads of steps: inputs, weights, maps, then the build and the step."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.duet.formats import ADDR_BITS, EXECUTE_FIELDS, Kind
from hdl.common.emit import unit
from hdl.common.fifo import Fifo

from .input_walk import InputWalk
from .layouts import (
    Load,
    build_layout,
    check_cfg,
    execute_layout,
    imap_layout,
    omap_layout,
    step_layout,
    transfer_layout,
)
from .load_layouts import Answer, step_op_layout, step_tag_layout, work_layout
from .row_pick import RowPick

__all__ = ["StepLoads"]


class State(enum.Enum, shape=3):
    IDLE = 0
    SETTLE = 1
    GROUP = 2
    CREDIT = 3
    INPUTS = 4
    WEIGHTS = 5
    MEMORY = 6
    ENDS = 7


class StepLoads(wiring.Component):
    """Fetches what the steps of a group work on, and sends it to the Executor [Thesis 5.1.2, 5.2.1].

    A step takes ``chunk`` words (fewer in the last one) of each of the ``near_y`` x ``near_x`` blocks of inputs around
    the tile, and their map words; those outside of the map are zeros, without a read. Then ``weight_words`` words
    (VECTOR: one for each of the inputs) for every row that has a sensitive pixel: rows without are never fetched. Then
    comes the step. Output maps of the group are sent beside its first words; once they and the inputs are on the way
    the build follows, so that tags are worked out beside the weights. Inputs of a tile stay where
    they are for all its groups if there is one step to a group. Groups without a sensitive pixel have no step.

    Banks of inputs, weights and output maps alternate. A step is begun when at most ``AHEAD`` = 1 other is not over, so
    that the Executor works on one while the next is loaded, and no bank is written that is still in use.

    Latency: 5 cycles from a group to its first operation. Throughput: a word a cycle; 3 cycles more a step, 4 a group.
    With weights off chip, 3 cycles more when inputs have come before.

    Parameters
    ----------
    cfg : DuetConfig

    Members
    -------
    start : In(1)
        A job begins; only while not ``busy``.
    job : In(execute_layout())
        From ``start`` until ``busy`` is 0.
    work : In(stream of work_layout(cfg))
        Groups. ``ready`` is decoded from the state.
    o : Out(stream of step_op_layout())
        Operations.
    answer, tag, reads, data, map : In
        Answers; without ``reads`` the word is zero.
    memory : In(stream of cfg.word_bits)
        Weights that are off chip, in the order of the requests.
    transfer, imap, omap : Out(streams, always ready)
    build, step : Out(stream of build_layout(cfg), of step_layout())
        To the Executor.
    step_done : In(1)
        The oldest step is over.
    busy : Out(1)
        Groups are to come, or a step is not over.
    """

    AHEAD = 1
    STEPS = 2
    SETTLED = InputWalk.SETTLED

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "job": In(execute_layout()), "work": In(stream.Signature(work_layout(cfg))),
            "o": Out(stream.Signature(step_op_layout())),
            "answer": In(1), "tag": In(step_tag_layout()), "reads": In(1), "data": In(cfg.word_bits),
            "map": In(cfg.values), "memory": In(stream.Signature(cfg.word_bits)),
            "transfer": Out(stream.Signature(transfer_layout(cfg), always_ready=True)),
            "imap": Out(stream.Signature(imap_layout(cfg), always_ready=True)),
            "omap": Out(stream.Signature(omap_layout(cfg), always_ready=True)),
            "build": Out(stream.Signature(build_layout(cfg))), "step": Out(stream.Signature(step_layout())),
            "step_done": In(1), "busy": Out(1),
        })

    def elaborate(self, platform):
        cfg, job = self._cfg, self.job
        m = Module()
        m.submodules.inputs = inputs = unit(platform, InputWalk(cfg), name="duet_input_walk")
        m.submodules.pick = pick = unit(platform, RowPick(cfg), name="duet_row_pick")
        r = _Registers(cfg)
        self._constants(m, r)
        state, free = r.state, Signal(name="free")
        begins, takes_memory, ends, omaps_sent = (Signal(name=name) for name in (
            "begins", "takes_memory", "ends", "omaps_sent"))
        issues = Signal()
        builds = Signal()       # the build of the step may follow what goes in this cycle
        row_ends = Signal()
        m.d.comb += [
            inputs.job.eq(job), inputs.word.eq(r.word), inputs.words.eq(r.words),
            free.eq(~self.o.valid | self.o.ready), self.work.ready.eq(state == State.GROUP),
            begins.eq((state == State.CREDIT) & (r.ahead <= self.AHEAD)),
            self.memory.ready.eq((state == State.MEMORY) & (r.in_flight == 0) & pick.valid),
            takes_memory.eq(self.memory.valid & self.memory.ready),
            ends.eq(self.answer & (self.tag.kind == Answer.STEP)),
            self.busy.eq((state != State.IDLE) | (r.ahead != 0)),
            row_ends.eq(r.q + 1 == r.row_words),
            pick.load.eq(self.work.valid & self.work.ready & ~self.work.p.empty),
            pick.sensitive.eq(self.work.p.sensitive), pick.place.eq(self.work.p.place), pick.again.eq(begins),
        ]
        m.d.sync += [r.ahead.eq(r.ahead + begins - self.step_done), r.in_flight.eq(r.in_flight + issues - self.answer)]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        self._omaps(m, r, omaps_sent, begins & r.first)

        with m.Switch(state):
            with m.Case(State.SETTLE):
                m.d.sync += r.wait.eq(r.wait - 1)
                with m.If(r.wait == 1):
                    m.d.comb += inputs.begin_job.eq(1)
                    m.d.sync += [r.loaded.eq(0), state.eq(State.GROUP)]
            with m.Case(State.GROUP):
                with m.If(self.work.valid):
                    self._take(m, r, inputs)
            with m.Case(State.CREDIT):
                with m.If(begins):
                    self._begin_step(m, r, inputs)
            with m.Case(State.INPUTS):
                with m.If(free):
                    m.d.comb += issues.eq(1)
                    self._input(m, r, inputs)
            with m.Case(State.WEIGHTS):
                with m.If(free & pick.valid):
                    m.d.comb += [issues.eq(1), pick.take.eq(row_ends), builds.eq(r.build_due & omaps_sent)]
                    addr = pick.o_place + r.place + r.q
                    self._offer(m, Answer.WEIGHT, reads=1, addr=addr, map_addr=0, row=pick.row, bank=r.weight_bank,
                                index=r.q, build=builds, **self._banks(r))
                    self._next_weight(m, r, row_ends, pick.last)
            with m.Case(State.MEMORY):
                with m.If(takes_memory):
                    m.d.comb += [pick.take.eq(row_ends), builds.eq(r.build_due & omaps_sent)]
                    self._next_weight(m, r, row_ends, pick.last)
            with m.Case(State.ENDS):
                with m.If(free & omaps_sent):
                    m.d.comb += [issues.eq(1), builds.eq(r.build_due)]
                    self._end_step(m, r, inputs)
        with m.If(builds):
            m.d.sync += r.build_due.eq(0)
        with m.If(self.start):
            m.d.sync += [state.eq(State.SETTLE), r.wait.eq(self.SETTLED)]
        self._transfer(m, r, pick, takes_memory)
        self._steps(m, platform, r, ends, takes_memory & builds)
        m.d.sync += [
            Assert(~self.start | ~self.busy, "start must wait until the job before is over"),
            Assert(~self.step_done | (r.ahead != 0), "a step that is over must have been sent"),
        ]
        return m

    def _constants(self, m, r):
        """Fields of builds that follow from the job."""
        cfg, job = self._cfg, self.job
        m.d.sync += [
            r.base.eq(job.lut_base >> cfg.tags.bit_length() - 1), r.length.eq(job.lut_length),
            r.length_last.eq(job.lut_last), r.use_imap.eq(job.use_imap),
            *(words.eq((length + cfg.tags - 1) >> cfg.tags.bit_length() - 1)
              for words, length in ((r.tag_words, job.lut_length), (r.tag_words_last, job.lut_last))),
        ]

    def _offer(self, m, kind, *, reads, addr, map_addr, **fields):
        """An operation; tag fields that are not named are 0."""
        o = self.o.p
        tag = {name: 0 for name, _field in step_tag_layout() if name != "kind"} | fields
        m.d.sync += [self.o.valid.eq(1), o.reads.eq(reads), o.addr.eq(addr), o.map_addr.eq(map_addr),
                     o.tag.kind.eq(kind), *(o.tag[name].eq(value) for name, value in tag.items())]

    def _banks(self, r):
        """Tag fields of the step."""
        return {"input_bank": r.input_bank, "weight_bank": r.weight_bank, "omap_bank": r.omap_bank,
                "last": r.step + 1 == self.job.passes}

    def _take(self, m, r, inputs):
        """A group comes; one without a sensitive pixel is over at once."""
        work = self.work.p
        with m.If(work.empty):
            self._end_group(m, r, inputs, work.tile_done)
        with m.Else():
            m.d.sync += [
                r.sensitive.eq(work.sensitive), r.tile_done.eq(work.tile_done), r.first.eq(1), r.step.eq(0),
                r.word.eq(0), r.place.eq(0), r.left.eq(self.job.depth), r.state.eq(State.CREDIT)]

    def _end_group(self, m, r, inputs, tile_done):
        """The next group, of the next tile."""
        m.d.sync += r.state.eq(State.GROUP)
        with m.If(tile_done):
            m.d.comb += inputs.next_tile.eq(1)
            m.d.sync += r.loaded.eq(0)
            with m.If(inputs.last_tile):
                m.d.sync += r.state.eq(State.IDLE)

    def _begin_step(self, m, r, inputs):
        """There is a bank for the next step."""
        job = self.job
        words = Signal(EXECUTE_FIELDS["chunk"])
        m.d.comb += words.eq(Mux(r.step + 1 == job.passes, r.left, job.chunk))
        m.d.sync += [
            r.words.eq(words), r.row_words.eq(Mux(job.kind == Kind.VECTOR, words, job.weight_words)),
            r.weight_bank.eq(~r.weight_bank), r.first.eq(0), r.q.eq(0), r.build_due.eq(1),
        ]
        with m.If(r.first):
            m.d.sync += r.omap_bank.eq(~r.omap_bank)
        with m.If(r.loaded):
            m.d.sync += r.state.eq(Mux(job.off_chip, State.MEMORY, State.WEIGHTS))
        with m.Else():
            m.d.comb += inputs.begin_step.eq(1)
            m.d.sync += [r.loaded.eq(job.passes == 1), r.input_bank.eq(~r.input_bank), r.state.eq(State.INPUTS)]

    def _input(self, m, r, inputs):
        """A word of a block near the tile; outside of the map it is not read."""
        job = self.job
        self._offer(m, Answer.INPUT, reads=inputs.there, addr=job.in_base + inputs.at,
                    map_addr=job.imap_base + inputs.at, bank=r.input_bank, index=inputs.index)
        m.d.comb += inputs.take.eq(1)
        with m.If(inputs.last):
            m.d.sync += r.state.eq(Mux(job.off_chip, State.MEMORY, State.WEIGHTS))

    def _next_weight(self, m, r, row_ends, last):
        """A word of weights goes."""
        m.d.sync += r.q.eq(Mux(row_ends, 0, r.q + 1))
        with m.If(row_ends & last):
            m.d.sync += r.state.eq(State.ENDS)

    def _end_step(self, m, r, inputs):
        """All is on the way: the step may follow."""
        job = self.job
        last = Signal()
        m.d.comb += last.eq(r.step + 1 == job.passes)
        self._offer(m, Answer.STEP, reads=0, addr=0, map_addr=0, build=r.build_due, **self._banks(r))
        m.d.sync += [
            r.step.eq(r.step + 1), r.word.eq(r.word + job.chunk), r.left.eq(r.left - job.chunk),
            r.place.eq(r.place + Mux(job.kind == Kind.VECTOR, job.chunk, job.weight_words)), r.state.eq(State.CREDIT)]
        with m.If(last):
            self._end_group(m, r, inputs, r.tile_done)

    def _omaps(self, m, r, sent, begins):
        """Output maps of the group, a row a cycle, beside its words."""
        rows = self._cfg.rows
        m.d.comb += sent.eq(r.omaps == rows)
        m.d.sync += self.omap.valid.eq(~sent)
        with m.If(~sent):
            m.d.sync += [self.omap.p.row.eq(r.omaps), r.omaps.eq(r.omaps + 1), r.sensitive.eq(
                r.sensitive.as_value() >> self._cfg.pixels), self.omap.p.bits.eq(r.sensitive[0])]
        with m.If(begins):
            m.d.sync += r.omaps.eq(0)
        m.d.comb += self.omap.p.bank.eq(r.omap_bank)

    def _transfer(self, m, r, pick, takes_memory):
        """Answers, and words of the memory, on their way to the Executor."""
        cfg, tag, transfer = self._cfg, self.tag, self.transfer.p
        moves = Signal()
        m.d.comb += moves.eq(self.answer & (tag.kind != Answer.STEP))
        m.d.sync += [self.transfer.valid.eq(moves | takes_memory),
                     self.imap.valid.eq(moves & (tag.kind == Answer.INPUT))]
        m.d.comb += transfer.column.eq(cfg.columns)
        with m.If(moves):
            is_input = tag.kind == Answer.INPUT
            m.d.sync += [
                transfer.kind.eq(Mux(is_input, Load.INPUT, Load.WEIGHT)),
                transfer.row.eq(Mux(is_input, cfg.rows, tag.row)),
                transfer.bank.eq(tag.bank), transfer.index.eq(tag.index),
                transfer.data.eq(Mux(self.reads, self.data, 0)), self.imap.p.bank.eq(tag.bank),
                self.imap.p.word.eq(tag.index), self.imap.p.bits.eq(Mux(self.reads, self.map, 0)),
            ]
        with m.Elif(takes_memory):
            m.d.sync += [transfer.kind.eq(Load.WEIGHT), transfer.row.eq(pick.row), transfer.bank.eq(r.weight_bank),
                         transfer.index.eq(r.q), transfer.data.eq(self.memory.payload)]

    def _steps(self, m, platform, r, ends, from_memory):
        """Builds and steps that wait for the Executor: as many as can be ahead."""
        tag = self.tag
        layout = data.StructLayout({"bank": 1, "omap_bank": 1, "last": 1})
        m.submodules.builds = builds = unit(platform, Fifo(layout, self.STEPS), name="duet_builds")
        m.submodules.steps = steps = unit(platform, Fifo(step_layout(), self.STEPS), name="duet_steps")
        build = self.build.p
        last = builds.o.p.last
        m.d.comb += [
            builds.i.valid.eq(from_memory | (self.answer & tag.build)),
            builds.i.p.bank.eq(Mux(from_memory, r.input_bank, tag.input_bank)),
            builds.i.p.omap_bank.eq(Mux(from_memory, r.omap_bank, tag.omap_bank)),
            builds.i.p.last.eq(Mux(from_memory, r.step + 1 == self.job.passes, tag.last)),
            builds.o.ready.eq(self.build.ready), self.build.valid.eq(builds.o.valid),
            build.base.eq(r.base),
            build.words.eq(Mux(last, r.tag_words_last, r.tag_words)),
            build.length.eq(Mux(last, r.length_last, r.length)), build.bank.eq(builds.o.p.bank),
            build.omap_bank.eq(builds.o.p.omap_bank), build.use_imap.eq(r.use_imap),
            # Output maps have zeros wherever nothing is to be computed: outside of the map, in rows without work.
            build.use_omap.eq(1), build.inside.eq(~0),
            steps.i.valid.eq(ends), steps.i.p.input_bank.eq(tag.input_bank), steps.i.p.weight_bank.eq(tag.weight_bank),
            steps.i.p.last.eq(tag.last),
        ]
        wiring.connect(m, steps.o, wiring.flipped(self.step))
        m.d.sync += Assert((~builds.i.valid | builds.i.ready) & (~ends | steps.i.ready),
                           "no more steps than banks must wait")


class _Registers:
    """State of the loads."""

    def __init__(self, cfg):
        fields = EXECUTE_FIELDS
        widths = {"wait": 2, "ahead": 2, "in_flight": 3, "loaded": 1, "tile_done": 1, "first": 1, "build_due": 1,
                  "step": fields["passes"], "word": ADDR_BITS, "left": fields["depth"], "place": ADDR_BITS,
                  "words": fields["chunk"], "row_words": fields["weight_words"], "q": fields["weight_words"],
                  "input_bank": 1, "weight_bank": 1, "omap_bank": 1, "base": 12, "length": 13, "length_last": 13,
                  "use_imap": 1, "tag_words": 13, "tag_words_last": 13}
        for name, width in widths.items():
            setattr(self, name, Signal(width, name=name))
        self.state = Signal(State, name="state")
        self.omaps = Signal(range(cfg.rows + 1), init=cfg.rows, name="omaps")
        self.sensitive = Signal(data.ArrayLayout(cfg.pixels, cfg.rows), name="sensitive")
