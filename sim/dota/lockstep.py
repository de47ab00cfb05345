"""Simulator side of a whole-accelerator run: a host on the AXI ports, and every cycle compared.

Started by :mod:`sim.dota.accelerator`, which hands it a job and gets what comes of it.
"""

import itertools
import time

import cocotb

from golden.dota import host
from golden.dota.compiler import Read, Run
from golden.dota.encoder import plan_layers
from golden.dota.linear import RunAll, commands_of
from golden.dota.model import Dota, HeadRun, ProgramRun, warm_up
from golden.dota.registers import COUNTERS, registers
from golden.dota.waves import Waves
from sim.common import bench, progress
from sim.common.coverage import cover
from sim.common.job import answer, take
from sim.common.lockstep import BusyRecorder, Host, pause_replies, reset
from sim.dota import trace
from sim.dota.coverage import raised


class DotaRecorder(BusyRecorder):
    """Samples and compares the probe port of DOTA."""

    trace = trace


async def carry_out(host_port, recorder, cfg, plans, on_command) -> list[HeadRun]:
    """Carry out plans side by side: plan n in lane ``n % lanes``, a wave of as many as there are lanes at a time."""
    runs = []
    for first in range(0, len(plans), cfg.lanes):
        wave = plans[first:first + cfg.lanes]
        done = [HeadRun.empty(plan, number) for number, plan in enumerate(wave)]
        spent = recorder.model.state.lanes.spent
        for commands in itertools.zip_longest(*(plan.commands for plan in wave)):
            for number, command in enumerate(commands):
                if command is None:
                    continue
                packet = host.packet(cfg, command, 1 << number)
                if isinstance(command, Read):
                    beats = await host_port.ask(packet)
                    done[number].store(cfg, command, host.words_of_beats(cfg, beats))
                else:
                    await host_port.send(packet)
                on_command()
            if any(isinstance(command, Run) for command in commands):
                await host_port.finished()
                recorder.flush()
                for number, command in enumerate(commands):
                    if isinstance(command, Run):
                        kind = int(command.step["step"])
                        done[number].cycles[command.phase] += int(spent[number, kind])
                spent[:] = 0
        runs += done
    return runs


async def carry_out_program(host_port, recorder, cfg, program, on_command) -> ProgramRun:
    """Carry out a program; see :mod:`golden.dota.linear`."""
    done, answers = ProgramRun.empty(), None
    spent = recorder.model.state.lanes.spent
    while True:
        try:
            batch = program.send(answers)
        except StopIteration as end:
            done.results = end.value
            return done
        answers = []
        for on in batch:
            packet = host.packet(cfg, on.command, on.lanes)
            if isinstance(on.command, Read) or isinstance(on.command, RunAll) and on.command.words:
                answers.append(host.words_of_beats(cfg, await host_port.ask(packet)))
            else:
                await host_port.send(packet)
            on_command()
        if any(isinstance(on.command, Run) for on in batch):
            await host_port.finished()
            recorder.flush()
            done.count(batch, spent)
            spent[:] = 0


@cocotb.test(timeout_time=10, timeout_unit="sec")
async def lockstep(dut):
    """Carry out all plans, then all layers; golden model and RTL agree in every cycle."""
    job = take()
    cfg, plans, layers = job["cfg"], job["plans"], job["layers"]
    waves = Waves(job["golden_waves"], cfg) if job["golden_waves"] else None
    recorder = DotaRecorder(dut, Dota(cfg), f"cfg={cfg}, seed={bench.seed()}", waves)
    host_port = Host(dut, registers(cfg), recorder, job["stalls"])
    await reset(dut)
    warm_up()
    recorder.start()
    if job["reply_stalls"]:
        cocotb.start_soon(pause_replies(dut, job["reply_stalls"]))
    started = time.perf_counter()
    total = sum(len(plan.commands) for plan in plans)
    total += sum(len(batch) for each in layers for batch in commands_of(plan_layers(each, cfg), cfg))
    count = itertools.count(1)
    progress.report(0, total)

    def on_command():
        progress.report(next(count), total)

    runs = await carry_out(host_port, recorder, cfg, plans, on_command)
    for each in layers:
        runs.append(await carry_out_program(host_port, recorder, cfg, plan_layers(each, cfg), on_command))
    await host_port.finished()
    counters = await host_port.counters(COUNTERS)
    status = await host_port.read("status")
    recorder.flush()
    expected = dict(zip(COUNTERS, map(int, recorder.model.state.counters.total), strict=True))
    assert counters == expected, f"counters must be {expected}, not {counters}"
    for unit, events in raised(recorder.model.state).items():
        cover(unit, events)
    answer({"runs": runs, "counters": counters, "status": status, "checked_cycles": recorder.cycles,
            "wall_seconds": time.perf_counter() - started})
