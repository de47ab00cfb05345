"""Host port of a rank: instructions on PRECHARGE, and ordinary traffic between the host and the DRAM."""

from amaranth import *
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.enmc.formats import BURST_CLOCKS, DATA_BITS, DESELECT, INSTRUCTION_BITS, PHASES, REGISTER_FIELDS
from hdl.common.emit import unit
from hdl.common.primitives import or_tree

from .instruction import Instruction
from .layouts import burst_layout, check_cfg, instruction_layout, phases_layout, pins_layout

__all__ = ["HostPort"]

_REG = slice(REGISTER_FIELDS["zero"], REGISTER_FIELDS["zero"] + REGISTER_FIELDS["reg"])


class HostPort(wiring.Component):
    """DDR4 slave towards the host, master towards the DRAM of one rank [Thesis 6.4.3, Fig. 6.6].

    Clock ``t`` is slot ``t % 3`` of cycle ``t // 3``. A command counts only while ``cs_n`` is low: what other ranks on
    the bus are told is passed on with ``cs_n`` high, and no data pin is driven for it.

    Ordinary traffic: a command goes to the DRAM in the same slot of the next cycle, and so do the data of a write, and
    those of a read on their way back. So the host sees a read latency of ``cfg.answer`` = cl + 6 clocks. While
    ``owner``, commands of the host are left out and flagged, and the pins of the DRAM controller go out in their place.
    Data belong to commands: reads and writes that were passed on before a change of ``owner`` get theirs after it.

    Instructions never reach the DRAM. The host keeps ``SPACING`` = 4 clocks between two of them, of whatever kind,
    because each owns a place for its data; one that comes sooner is left out. QUERY and RETURN are answered in clocks
    ``cfg.answer`` to ``cfg.answer + 3`` after them, so reads keep the same distance from them. All others are handed on
    in order, ``cwl // 3 + 2`` cycles after the cycle in which they came, with the 64 bits that the host sends from
    clock ``cwl`` after them on; those that have no data carry what the pins happened to hold.

    Throughput: all of it. Holds for every legal ``cl`` and ``cwl``.

    Parameters
    ----------
    cfg : EnmcConfig

    Members
    -------
    pins, dq_i : In
        From the host: ``pins_layout()``, ``phases_layout(cfg)``.
    dq_o, dq_oe : Out
        To the host; a bit of ``dq_oe`` a slot.
    alert_n : Out(1)
        Low in the cycle after one in which ordinary commands were left out.
    dram_pins, dram_dq_o, dram_dq_oe, dram_dq_i : Out, Out, Out, In
        The same for the DRAM. ``dram_dq_o`` counts where ``dram_dq_oe`` is set.
    owner : In(1)
        ENMC has the DRAM: in this cycle commands of the host are left out, and ``enmc_pins`` go to ``dram_pins``.
    enmc_pins, enmc_dq_o, enmc_dq_oe : In
        What goes to the DRAM in the next cycle. ``enmc_dq_oe`` also counts without ``owner``. Not set in the slots in
        which the data of a host's write come.
    enmc_dq_i : Out(phases_layout(cfg))
        ``dram_dq_i`` of the cycle before.
    host_command, host_refresh : Out(1)
        An ordinary command, a refresh, is on ``dram_pins`` in this cycle. The last may come in the first cycle of
        ``owner``: what ENMC sends must keep its distance from that.
    refused : Out(1)
        The inverse of ``alert_n``.
    overrun : Out(1)
        In the cycle before, an instruction came too soon and was left out.
    o : Out(stream of instruction_layout(), always ready)
        Instructions but QUERY and RETURN.
    query : Out, ``valid`` and ``reg``
        A register is asked for.
    answer : In(64)
        Its value, sampled in the cycle after ``query.valid``.
    take : Out(1)
        RETURN: take a burst out of the output buffer.
    record_burst : In(burst_layout(cfg))
        That burst, sampled in the cycle after ``take``.
    """

    SPACING = BURST_CLOCKS
    ANSWER_LATENCY = 1

    def __init__(self, cfg):
        self._cfg = check_cfg(cfg)
        deselect = {"cs_n": 1, "act_n": 1}
        super().__init__({
            "pins": In(pins_layout()), "dq_i": In(phases_layout(cfg)),
            "dq_o": Out(phases_layout(cfg)), "dq_oe": Out(PHASES),
            "alert_n": Out(1, init=1),
            "dram_pins": Out(pins_layout(), init=[deselect] * PHASES),
            "dram_dq_o": Out(phases_layout(cfg)), "dram_dq_oe": Out(PHASES), "dram_dq_i": In(phases_layout(cfg)),
            "owner": In(1),
            "enmc_pins": In(pins_layout()), "enmc_dq_o": In(phases_layout(cfg)), "enmc_dq_oe": In(PHASES),
            "enmc_dq_i": Out(phases_layout(cfg)),
            "host_command": Out(1), "host_refresh": Out(1), "refused": Out(1), "overrun": Out(1),
            "o": Out(stream.Signature(instruction_layout(), always_ready=True)),
            "query": Out(wiring.Signature({"valid": Out(1), "reg": Out(REGISTER_FIELDS["reg"])})),
            "answer": In(DATA_BITS),
            "take": Out(1),
            "record_burst": In(burst_layout(cfg)),
        })

    @property
    def handed_on(self):
        """Cycles from an instruction to ``o``."""
        return self._cfg.cwl // PHASES + 2

    def elaborate(self, platform):
        m = Module()
        slots = []
        for slot in range(PHASES):
            m.submodules[f"slot_{slot}"] = one = unit(platform, Instruction(self._cfg), name="enmc_instruction")
            m.d.comb += Value.cast(one.pins).eq(Value.cast(self.pins[slot]))
            slots.append(one)

        def every(name):
            flags = Signal(PHASES, name=f"is_{name}")
            m.d.comb += flags.eq(Cat(getattr(one, name) for one in slots))
            return flags

        ordinary, instruction, query, take = (every(name) for name in ("ordinary", "instruction", "query", "take"))
        passed = ~self.owner.replicate(PHASES)
        accepted = self._spacing(m, instruction)
        words = self._words(m, slots, accepted)
        self._commands(m, ordinary, every("refresh"), instruction)
        self._dram_data(m, every("write") & passed)
        self._hand_on(m, accepted & ~query & ~take, words)
        self._host_data(m, every("read") & passed, query & accepted, take & accepted, words)
        return m

    def _spacing(self, m, instruction):
        """Instructions that keep their distance from the accepted ones before them."""
        before = Signal(PHASES, name="accepted_s1")
        accepted = Signal(PHASES)
        near = list(before)
        for slot in range(PHASES):
            take = Signal(name=f"accept_{slot}")
            m.d.comb += take.eq(instruction[slot] & ~Cat(near[-PHASES:]).any())
            near.append(take)
        m.d.comb += accepted.eq(Cat(near[PHASES:]))
        m.d.sync += [before.eq(accepted), self.overrun.eq((instruction & ~accepted).any())]
        return accepted

    def _words(self, m, slots, accepted):
        """What the accepted instruction of this cycle says, and of each before it that may be asked for."""
        cfg = self._cfg
        words = [Signal(INSTRUCTION_BITS, name="word")]
        m.d.comb += words[0].eq(or_tree([one.word & accepted[k].replicate(INSTRUCTION_BITS)
                                         for k, one in enumerate(slots)]))
        for age in range(1, max(cfg.cwl // PHASES + 1, -(-cfg.cl // PHASES) - 1) + 1):
            words.append(Signal(INSTRUCTION_BITS, name=f"word_s{age}"))
            m.d.sync += words[age].eq(words[age - 1])
        return words

    def _commands(self, m, ordinary, refresh, instruction):
        """The pins of the DRAM, and what became of the host's commands."""
        refused = Signal(name="refuse")
        m.d.comb += refused.eq(ordinary.any() & self.owner)
        m.d.sync += [
            self.refused.eq(refused), self.alert_n.eq(~refused),
            self.host_command.eq(ordinary.any() & ~self.owner), self.host_refresh.eq(refresh.any() & ~self.owner),
        ]
        for slot in range(PHASES):
            plain = Mux(instruction[slot], DESELECT, Value.cast(self.pins[slot]))
            m.d.sync += Value.cast(self.dram_pins[slot]).eq(Mux(self.owner, Value.cast(self.enmc_pins[slot]), plain))

    def _dram_data(self, m, write):
        """Data to the DRAM: of the host's writes, or ENMC's."""
        window = Signal(PHASES, name="write_window")
        m.d.comb += window.eq(_window(_row(m, "writes", write, self._cfg.cwl + PHASES)))
        m.d.sync += [self.enmc_dq_i.eq(self.dram_dq_i), self.dram_dq_oe.eq(window | self.enmc_dq_oe)]
        for slot in range(PHASES):
            m.d.sync += self.dram_dq_o[slot].eq(Mux(self.enmc_dq_oe[slot], self.enmc_dq_o[slot], self.dq_i[slot]))
        m.d.sync += Assert((window & self.enmc_dq_oe) == 0,
                           Format("host and ENMC write in the same clocks, {:03b} and {:03b}", window, self.enmc_dq_oe))

    def _hand_on(self, m, others, words):
        """Instructions when the last of their data may have come: it is in this cycle or the one before."""
        cycles, first = self._cfg.cwl // PHASES + 1, self._cfg.cwl % PHASES
        begins = _row(m, "pending", others, PHASES * cycles)[:PHASES]
        part = min(2 * self._cfg.dq, DATA_BITS)
        clocks = [self.dq_i[slot][:part] for slot in range(PHASES)]
        for slot in reversed(range(PHASES)):
            before = Signal(part, name=f"dq_s1_{slot}")
            m.d.sync += before.eq(self.dq_i[slot][:part])
            clocks.insert(0, before)
        data = or_tree([Cat(clocks[slot + first:slot + first + DATA_BITS // part]) & begins[slot].replicate(DATA_BITS)
                        for slot in range(PHASES)])
        m.d.sync += self.o.valid.eq(begins.any())
        with m.If(begins.any()):
            m.d.sync += Value.cast(self.o.payload).eq(Cat(words[cycles], data))

    def _host_data(self, m, read, query, take, words):
        """Data to the host: what the DRAM drives, or answers."""
        cl = self._cfg.cl
        reads, queries, takes = (_row(m, name, flags, cl + 2 * PHASES)
                                 for name, flags in (("reads", read), ("queries", query), ("takes", take)))
        answers = Signal(len(queries))
        m.d.comb += answers.eq(queries | takes)
        m.d.sync += self.dq_oe.eq(_window(reads | answers))

        # Two cycles before the data are due, ask.
        asked = queries[3 * PHASES:4 * PHASES]
        m.d.sync += [self.query.valid.eq(asked.any()), self.take.eq(takes[3 * PHASES:4 * PHASES].any())]
        age = [(cl - slot + PHASES - 1) // PHASES - 1 for slot in range(PHASES)]
        m.d.sync += self.query.reg.eq(or_tree([words[age[slot]][_REG] & asked[slot].replicate(REGISTER_FIELDS["reg"])
                                               for slot in range(PHASES)]))

        # One cycle before, the answer is there: its first clocks go to the pins, the others wait for the next cycle.
        fresh = Signal(burst_layout(self._cfg))
        sent = Signal(burst_layout(self._cfg))
        m.d.comb += fresh.eq(Mux(queries[PHASES:2 * PHASES].any(), self.answer, Value.cast(self.record_burst)))
        with m.If(answers[PHASES:2 * PHASES].any()):
            m.d.sync += sent.eq(fresh)
        bits = 2 * self._cfg.dq
        for slot in range(PHASES):
            sends = Signal(BURST_CLOCKS, name=f"sends_{slot}")
            m.d.comb += sends.eq(Cat(answers[PHASES + slot - number] for number in range(BURST_CLOCKS)))
            parts = [Value.cast(fresh if number <= slot else sent).word_select(number, bits)
                     for number in range(BURST_CLOCKS)]
            answer = or_tree([part & sends[number].replicate(bits) for number, part in enumerate(parts)])
            m.d.sync += self.dq_o[slot].eq(Mux(sends.any(), answer, self.dram_dq_i[slot]))


def _row(m, name, flags, length):
    """Flags of the slots of the last ``length`` clocks and of this cycle; bit 0 is ``length`` clocks before slot 0."""
    past = Signal(length, name=f"{name}_past")
    row = Signal(length + PHASES, name=name)
    m.d.comb += row.eq(Cat(past, flags))
    m.d.sync += past.eq(row[PHASES:])
    return row


def _window(row):
    """Slots of the next cycle in which bursts that began at the bits of a row have the data pins."""
    return Cat(row[slot:slot + BURST_CLOCKS].any() for slot in range(PHASES))
