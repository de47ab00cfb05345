"""Exact unit: the order of the FX16 work of a lane."""

from amaranth import *
from amaranth.lib import data, enum, stream, wiring
from amaranth.lib.wiring import In, Out

from golden.dota.formats import MOST_CHUNKS, QUANTIZE_LATENCY, QUERIES, QUEUE_SLOTS, SETTLED, SRAM_LATENCY, Step

from .layouts import check_cfg, request_layout, round_layout, step_layout, weight_layout
from .sram import flat_signature

__all__ = ["Exact", "Kind"]


class State(enum.Enum, shape=3):
    IDLE = 0
    #: Picks what is next.
    GROUP = 1
    #: Reads vectors of the queries.
    LOAD = 2
    #: Sends requests until the last has fired.
    RUN = 3
    #: Writes results to the SRAM.
    DRAIN = 4
    #: Offers them to the accumulator.
    SEND = 5


class Kind(enum.Enum, shape=2):
    #: Scores of a group: query vectors times keys.
    SCORE = 0
    #: Outputs of a group: weighted sums of values.
    SUM = 1
    #: A linear layer: the same, dense, on the whole array.
    DENSE = 2


class Exact(wiring.Component):
    """Sequencer of attention and of linear layers [Thesis 7.6.1, 7.6.3].

    Attention: the scores of group g + 1 come before the sums of group g, so that the MFU works while the array does.
    A linear layer treats each row of the weights as a value vector that is weighted by an element of the inputs.

    Latency: 3 cycles and one for each word of the queries' vectors from the choice of a group to its first request; a
    linear layer 2. Throughput: one request a cycle. If nothing waits, a group with T queries, C words of a vector and
    R rounds takes T C + R C + 5 cycles for its scores, and C (R + T + 9) + 1 for its sums. A block of a linear layer
    takes a cycle for each row of the weights, T + 3 for each word of the inputs, and for its results T + 5, 2 T + 5 if
    it is wide, or 2 T + 2 to the accumulator.

    Parameters
    ----------
    cfg : DotaConfig

    Members
    -------
    start : In(1)
        ``step`` begins; only while ``busy`` is low.
    step : In(step_layout())
        Stable while ``busy``.
    busy : Out(1)
    complete : In(range(5))
        Groups in the queue of rounds.
    r_en, r_slot, r_round, release : Out
        Its read port.
    r_data : In(round_layout(cfg))
    i : In(stream of weight_layout(cfg))
        Weights of the MFU, round by round, once for each word of a vector.
    o : Out(stream of request_layout(cfg))
        To the fetch unit.
    fired : In(1)
        The last request of a run fires.
    port : Out(flat_signature(cfg))
        SRAM: vectors of the queries are read, results written.
    result : In(word_bits)
        The result that is written in this cycle.
    load, load_token, load_chunk : Out
        A word ``load_chunk`` of the vector of a query arrives from the SRAM.
    select : Out(2)
        Query whose partial sums are looked at.
    looks, look_upper : Out(1)
        The partial sums that were selected in the cycle before are results; those of the second half of the array.
    kind : Out(Kind)
    send_valid, send_ready, last_sent : Out, In, Out
        The partial sums of query ``select`` are offered to the accumulator; the last of a step.
    """

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        super().__init__({
            "start": In(1), "step": In(step_layout()), "busy": Out(1),
            "complete": In(range(QUEUE_SLOTS + 1)),
            "r_en": Out(1), "r_slot": Out(range(QUEUE_SLOTS)), "r_round": Out(range(cfg.queue)), "release": Out(1),
            "r_data": In(round_layout(cfg)),
            "i": In(stream.Signature(weight_layout(cfg))),
            "o": Out(stream.Signature(request_layout(cfg))),
            "fired": In(1),
            "port": Out(flat_signature(cfg)), "result": In(cfg.word_bits),
            "load": Out(1), "load_token": Out(2), "load_chunk": Out(range(MOST_CHUNKS)),
            "select": Out(2), "looks": Out(1), "look_upper": Out(1), "kind": Out(Kind),
            "send_valid": Out(1), "send_ready": In(1), "last_sent": Out(1),
        })

    def elaborate(self, platform):
        cfg = self._cfg
        m = Module()
        step = self.step
        state = Signal(State)
        kind = self.kind
        group_bits = len(step.queries) - 2 + 1
        scored = Signal(group_bits)
        summed = Signal(group_bits)
        # Slots of the queue that have the rounds of these groups.
        score_slot = Signal(range(QUEUE_SLOTS))
        sum_slot = Signal(range(QUEUE_SLOTS))
        groups = Signal(group_bits)
        ahead = Signal(2)
        block = Signal(16)
        chunk = Signal(range(MOST_CHUNKS))
        token = Signal(2)
        addr = cfg.address_bits
        q_group = Signal(addr)
        q_chunk = Signal(addr)
        z_group = Signal(addr)
        z_block = Signal(addr)
        k_block = Signal(addr)
        v_block = Signal(addr)
        k_run = Signal(addr)
        v_run = Signal(addr)
        wait = Signal(5)
        begin = Signal()
        reading = Signal()
        number = Signal(range(cfg.queue))
        row = Signal(range(cfg.vector + 1))
        rows = Signal(range(cfg.vector + 1))
        begun = Signal()

        # What the step says.
        is_dense = Signal()
        is_score = Signal()
        is_sum = Signal()
        reduces = Signal()
        pairs = Signal()
        tokens = Signal(range(QUERIES + 1))
        left = Signal(16)
        last_chunk = Signal()
        last_token = Signal()
        m.d.comb += [
            is_dense.eq(kind == Kind.DENSE), is_score.eq(kind == Kind.SCORE), is_sum.eq(kind == Kind.SUM),
            reduces.eq(is_dense & step.reduce), pairs.eq(is_dense & step.wide),
            left.eq(step.queries - Cat(C(0, 2), Mux(is_sum, summed, scored))),
            tokens.eq(Mux(left < QUERIES, left, QUERIES)),
            last_chunk.eq(chunk + 1 == step.chunks), last_token.eq(token + 1 == tokens),
            ahead.eq(scored - summed),
            self.busy.eq(state != State.IDLE),
        ]

        # Requests.
        request = self.o.p
        may_request = Signal()
        takes_round = Signal()
        round_ends = Signal()
        takes_row = Signal()
        runs = Signal()
        m.d.comb += [
            runs.eq(state == State.RUN),
            may_request.eq(~self.o.valid | self.o.ready),
            takes_round.eq(runs & ~is_dense & reading & may_request & (is_score | self.i.valid)),
            self.i.ready.eq(runs & is_sum & reading & may_request),
            round_ends.eq(takes_round & (is_sum | last_chunk)),
            takes_row.eq(runs & is_dense & may_request & (row != rows)),
            self.r_en.eq(runs & ~is_dense & (begin | (round_ends & ~self.r_data.last))),
            self.r_slot.eq(Mux(is_sum, sum_slot, score_slot)), self.r_round.eq(number),
        ]
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(runs):
            m.d.sync += begin.eq(0)
        with m.If(self.r_en):
            m.d.sync += [reading.eq(1), number.eq(number + 1)]
        with m.Elif(round_ends):
            m.d.sync += reading.eq(0)
        with m.If(takes_round):
            m.d.sync += [
                self.o.valid.eq(1),
                *(request.addr[t].eq(k_run + self.r_data.keys[t]) for t in range(QUERIES)),
                *(request.weights[t].eq(Mux(is_score, 0, self.i.p.weights[t])) for t in range(QUERIES)),
                request.live.eq(self.r_data.live),
                request.first.eq(Mux(is_score, chunk == 0, ~begun)),
                request.end.eq(is_score & round_ends), request.last.eq(round_ends & self.r_data.last),
                request.chunk.eq(chunk), request.element.eq(0), request.other.eq(0),
                begun.eq(1),
            ]
            with m.If(is_score):
                m.d.sync += [chunk.eq(Mux(round_ends, 0, chunk + 1)),
                             k_run.eq(Mux(round_ends, step.k_base, k_run + step.k_stride))]
        with m.If(takes_row):
            m.d.sync += [
                self.o.valid.eq(1),
                *(request.addr[t].eq(k_run) for t in range(QUERIES)),
                *(request.weights[t].eq(0) for t in range(QUERIES)),
                request.live.eq(15),
                request.first.eq((chunk == 0) & (row == 0)), request.end.eq(0), request.last.eq(row + 1 == rows),
                request.chunk.eq(0), request.element.eq(row), request.other.eq(v_run),
                k_run.eq(k_run + 1), v_run.eq(v_run + 1), row.eq(row + 1),
            ]

        # Vectors on their way from the SRAM.
        for stage in range(SRAM_LATENCY):
            flight = Signal(data.StructLayout({"valid": 1, "token": 2, "chunk": range(MOST_CHUNKS)}),
                            name=f"flight_s{stage + 1}")
            if stage == 0:
                m.d.sync += [flight.valid.eq(state == State.LOAD), flight.token.eq(token),
                             flight.chunk.eq(Mux(is_dense, 0, chunk))]
            else:
                m.d.sync += flight.eq(before)
            before = flight
        m.d.comb += [self.load.eq(before.valid), self.load_token.eq(before.token), self.load_chunk.eq(before.chunk)]

        # Results: query `select` is looked at from SETTLED on, and is there to be written QUANTIZE_LATENCY + 1 later.
        first_write = SETTLED + 1 + QUANTIZE_LATENCY
        looked_at = Signal(5)
        written = Signal(5)
        writes = Signal()
        last_write = Signal()
        z_addr = Signal(addr)
        upper = Signal()
        m.d.comb += [
            looked_at.eq(wait - SETTLED), written.eq(wait - first_write),
            self.select.eq(Mux(state == State.SEND, token,
                               Mux(wait < SETTLED, 0, Mux(pairs, looked_at >> 1, looked_at)))),
            writes.eq((state == State.DRAIN) & ~reduces & (wait >= first_write)),
            last_write.eq(writes & (written + 1 == Mux(pairs, tokens << 1, tokens))),
            upper.eq(pairs & written[0]),
            self.port.en.eq((state == State.LOAD) | writes), self.port.write.eq(writes),
            z_addr.eq(z_block + Mux(pairs, written >> 1, written) + Mux(upper, step.z_stride, 0)),
            self.port.addr.eq(Mux(writes, z_addr, q_chunk + token)), self.port.wdata.eq(self.result),
        ]
        m.d.sync += [
            self.look_upper.eq(pairs & looked_at[0]),
            self.looks.eq((state == State.DRAIN) & ~reduces & (wait >= SETTLED)
                          & (looked_at < Mux(pairs, tokens << 1, tokens))),
        ]
        sending = Signal()
        m.d.comb += [self.send_valid.eq(sending),
                     self.last_sent.eq(last_token & (block + 1 == step.blocks) & (scored + 1 == groups))]

        start_run = [state.eq(State.RUN), begin.eq(1), begun.eq(0), reading.eq(0), number.eq(0)]
        drained = Signal()
        m.d.comb += drained.eq(last_write | ((state == State.SEND) & sending & self.send_ready & last_token))
        m.d.comb += self.release.eq(drained & is_sum & last_chunk)
        with m.Switch(state):
            with m.Case(State.IDLE):
                with m.If(self.start):
                    m.d.sync += [
                        scored.eq(0), summed.eq(0), q_group.eq(step.q_base),
                        z_group.eq(step.z_base), groups.eq((step.queries + (QUERIES - 1)) >> 2),
                        kind.eq(Mux(step.step == Step.LINEAR, Kind.DENSE, Kind.SCORE)), state.eq(State.GROUP),
                    ]
            with m.Case(State.GROUP):
                m.d.sync += [chunk.eq(0), token.eq(0), q_chunk.eq(q_group), z_block.eq(z_group)]
                with m.If(is_dense):
                    m.d.sync += [block.eq(0), k_block.eq(step.k_base), v_block.eq(step.v_base),
                                 k_run.eq(step.k_base), v_run.eq(step.v_base), state.eq(State.LOAD)]
                    with m.If(scored == groups):
                        m.d.sync += [kind.eq(Kind.SCORE), state.eq(State.IDLE)]
                # With at most one group between scores and sums, one of the two slots of the MFU is free.
                with m.Elif((scored != groups) & ~ahead[1] & (self.complete > ahead)):
                    m.d.sync += [kind.eq(Kind.SCORE), state.eq(State.LOAD)]
                with m.Elif((ahead != 0) & self.i.valid):
                    m.d.sync += [kind.eq(Kind.SUM), k_run.eq(step.v_base), *start_run]
                with m.Elif(summed == groups):
                    m.d.sync += [kind.eq(Kind.SCORE), state.eq(State.IDLE)]
            with m.Case(State.LOAD):
                m.d.sync += token.eq(token + 1)
                with m.If(last_token):
                    m.d.sync += [token.eq(0), q_chunk.eq(q_chunk + step.q_stride)]
                    with m.If(is_dense):
                        m.d.sync += [*start_run, row.eq(0), rows.eq(self._rows(m, step, chunk))]
                    with m.Else():
                        m.d.sync += chunk.eq(chunk + 1)
                        with m.If(last_chunk):
                            m.d.sync += [*start_run, chunk.eq(0), k_run.eq(step.k_base)]
            with m.Case(State.RUN):
                with m.If(self.fired):
                    m.d.sync += [wait.eq(0), token.eq(0)]
                    with m.If(is_score):
                        m.d.sync += [scored.eq(scored + 1), score_slot.eq(score_slot + 1),
                                     q_group.eq(q_group + QUERIES), state.eq(State.GROUP)]
                    with m.Elif(is_dense & ~last_chunk):
                        m.d.sync += [chunk.eq(chunk + 1), state.eq(State.LOAD)]
                    with m.Else():
                        m.d.sync += state.eq(State.DRAIN)
            with m.Case(State.DRAIN):
                m.d.sync += wait.eq(wait + 1)
                with m.If(reduces & (wait == SETTLED - 1)):
                    m.d.sync += state.eq(State.SEND)
            with m.Case(State.SEND):
                m.d.sync += sending.eq(~sending | ~self.send_ready)
                with m.If(sending & self.send_ready):
                    m.d.sync += token.eq(token + 1)

        with m.If(drained):
            m.d.sync += [wait.eq(0), token.eq(0)]
            with m.If(is_sum):
                with m.If(last_chunk):
                    m.d.sync += [summed.eq(summed + 1), sum_slot.eq(sum_slot + 1), z_group.eq(z_group + QUERIES),
                                 state.eq(State.GROUP)]
                with m.Else():
                    m.d.sync += [chunk.eq(chunk + 1), k_run.eq(k_run + step.v_stride),
                                 z_block.eq(z_block + step.z_stride), *start_run]
            with m.Elif(block + 1 == step.blocks):
                m.d.sync += [scored.eq(scored + 1), q_group.eq(q_group + QUERIES), z_group.eq(z_group + QUERIES),
                             state.eq(State.GROUP)]
            with m.Else():
                m.d.sync += [
                    block.eq(block + 1), z_block.eq(z_block + (step.z_stride << step.wide)),
                    k_block.eq(k_block + step.k_stride), v_block.eq(v_block + step.v_stride),
                    k_run.eq(k_block + step.k_stride), v_run.eq(v_block + step.v_stride),
                    chunk.eq(0), q_chunk.eq(q_group), state.eq(State.LOAD),
                ]
        return m

    def _rows(self, m, step, chunk):
        """Rows of the weights that meet this word of the inputs."""
        vector = self._cfg.vector
        left = Signal(16)
        m.d.comb += left.eq(step.keys - chunk * vector)
        return Mux(left < vector, left, vector)
