"""The host's side of the pins: ordinary traffic through a DIMM, programs, and what no host could live with."""

import numpy as np
import pytest

from golden.common.config import to_json
from golden.enmc.compiler import encoded
from golden.enmc.host import QUANTUM, Host, HostError, activate_pins
from golden.enmc.instruction import Instruction, encode, pins_of
from golden.enmc.interpret import Job
from golden.enmc.model import Dimm
from sim.common import runner
from sim.enmc import accelerator
from tests.enmc.launch import CONFIGS, TINY
from tests.enmc.runs import check, random_plan

TWO = TINY.replace(ranks=2)


def some_bursts(rng, cfg, count):
    """Words of bursts."""
    return rng.integers(0, 1 << 32, (count, cfg.burst_words), dtype=np.uint32)


@pytest.mark.parametrize("cfg", [TWO, CONFIGS["middle"]], ids=["tiny-2", "middle"])
def test_ordinary_traffic(cfg):
    """What is written is read, in any order, over rows and banks; ranks do not mix."""
    rng, dimm = np.random.default_rng(5), Dimm(cfg)
    images = []
    for rank in range(cfg.ranks):
        dimm.dram.reserve(0, 300, rank)
        images.append(some_bursts(rng, cfg, 300))
        dimm.carry_out(dimm.host.write(rank, 0, images[rank]))
        np.testing.assert_array_equal(dimm.dram.dump(0, 300, rank), images[rank])
    for rank in range(cfg.ranks):
        bursts = rng.integers(0, 300, 40).tolist()
        np.testing.assert_array_equal(dimm.carry_out(dimm.host.read(rank, bursts)), images[rank][bursts])
    assert dimm.carry_out(dimm.host.read(0, [])).shape == (0, cfg.burst_words)


def test_a_program_leaves_the_memory_alone():
    """Ordinary data beside the classifier are the same after every batch."""
    rng, dimm = np.random.default_rng(6), Dimm(TWO)
    what = random_plan(TWO, classes=50, elements=8, size=5, inputs=5, candidates=7)
    free, answers = what.layout.bursts + 7, []
    for n in range(what.batches):
        images = [some_bursts(rng, TWO, 20) for _ in range(2)]
        for rank, image in enumerate(images):
            dimm.dram.reserve(free, 20, rank)
            dimm.carry_out(dimm.host.write(rank, free, image))
        answers.append(dimm.run(what.jobs(n)))
        for rank, image in enumerate(images):
            np.testing.assert_array_equal(dimm.carry_out(dimm.host.read(rank, range(free, free + 20))), image)
    check(what, answers)


def test_all_is_loaded_by_the_host():
    """Memory images by ordinary writes, instead of at once."""
    dimm, answers = Dimm(TINY), []
    what = random_plan(TINY, classes=40, elements=8, size=5, inputs=3, candidates=7, scores=True)
    dimm.dram.reserve(0, what.layout.bursts)
    for n in range(what.batches):
        [job] = what.jobs(n)
        for segment in job.memory:
            dimm.carry_out(dimm.host.write(0, segment.addr, segment.words))
        answers.append(dimm.run([job._replace(memory=[])]))
    check(what, answers)


def test_rtl():
    """The same on the hardware of two ranks: programs, ordinary traffic and refreshes; every cycle is compared, and the
    DRAM finds no rule broken."""
    runner.run(accelerator.build(TWO), test_module="tests.enmc.tb_host", seed=1, env={"DUT_CONFIG": to_json(TWO)})


def test_commands_during_a_program_are_refused():
    """ALERT_n, and a sticky bit that the next poll shows."""
    dimm = Dimm(TINY)
    what = random_plan(TINY, classes=90, elements=12, size=7, inputs=1, candidates=40)
    [job] = what.jobs(0)
    for segment in job.memory:
        dimm.dram.load(segment.addr, segment.words)

    def interrupted():
        talk = dimm.host.batch([job])
        for n, step in enumerate(talk):
            if n == 20:
                dimm.host._send(0, activate_pins(0, 0, 0))
            yield step

    with pytest.raises(HostError, match=r"^status of rank 0 must not show refused$"):
        dimm.carry_out(interrupted())


def test_an_illegal_instruction_is_noticed():
    dimm = Dimm(TINY)
    unknown = Instruction("INIT", reg="level", data=1)
    with pytest.raises(HostError, match=r"^status of rank 0 must not show illegal$"):
        dimm.run([Job([], [unknown, Instruction("BARRIER")])])


def quantum(cfg, host, driven=()):
    """A quantum of a DIMM that drives nothing but in those clocks."""
    host.plan()
    dq, oe = np.zeros((QUANTUM, 3, cfg.phase_words), np.int64), np.zeros(QUANTUM, np.int64)
    for clock in driven:
        oe[clock // 3] |= 1 << clock % 3
    host.see(dq, oe)


def test_answers_must_come():
    host = Host(TINY)
    host.begin(host.registers(0))
    with pytest.raises(HostError, match=r"^the answer at clock 13 must come, not nothing$"):
        quantum(TINY, host)


def test_nothing_else_may_come():
    host = Host(TINY)
    host.begin(host.read(0, []))
    with pytest.raises(HostError, match=r"^data pins must rest at clock 5, not be driven$"):
        quantum(TINY, host, [5])


def test_idle_host():
    """Without a task its pins rest, and time goes on."""
    host = Host(TWO)
    pins = host.plan()
    assert (pins.pins == 3).all() and not pins.dq.any() and host.done and host.result is None
    quantum(TWO, host)
    assert host.cycle == QUANTUM


def test_all_ranks_see_every_command():
    """They share the pins but CS_n."""
    host = Host(TWO)
    host.begin(host.registers(1))
    pins = host.plan().pins
    word = pins_of(encode("QUERY", reg="status")[0])
    assert pins[0, 1, 0] == word and pins[0, 0, 0] == word | 1
    assert ((pins[:, 0] & 1) == 1).all() and (pins[:, 0] >> 1 == pins[:, 1] >> 1).all()


def test_programs_are_sent_in_order():
    """Instructions of a rank on the pins are those of its program."""
    what = random_plan(TINY, classes=40, elements=8, size=5, inputs=1, candidates=7)
    [job] = what.jobs(0)
    wanted = [pins_of(addr) for addr, _ in encoded(job.program)]
    dimm, seen = Dimm(TINY), []
    plan = dimm.host.plan

    def watched():
        pins = plan()
        seen.extend(int(word) for word in pins.pins[:, 0].ravel() if word in set(wanted))
        return pins

    dimm.host.plan = watched
    dimm.run([job])
    assert seen == wanted
