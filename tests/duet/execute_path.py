"""Golden models of loader, Executor, store and global buffer, wired: a job of the Executor, cycle by cycle."""

import numpy as np

from golden.common.fifo import fifo_front, fifo_valid
from golden.duet import (
    executor,
    glb,
    groups,
    loader,
    mac_lut,
    reader,
    step_control,
    step_loads,
    store,
    weight_requests,
)
from golden.duet.formats import EXECUTE_FIELDS, Kind, Target

__all__ = ["ExecutePath"]

#: Kind of transfer that carries a micro-instruction.
LUT = 2


class ExecutePath:
    """The four units, with a memory that answers at once; the host's words come from the memories of an interpreter."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.loader, self.executor = loader.state(cfg), executor.state(cfg)
        self.store, self.glb = store.state(cfg, 1), glb.state(cfg, 1)
        self._ids = np.arange(cfg.rows), np.arange(cfg.columns)
        self._nothing = np.zeros((cfg.columns, cfg.pixels), np.int64)

    def run(self, machine, job) -> int:
        """A job on the memories of a :class:`golden.duet.interpret.Machine`, which stay as they are; its cycles."""
        cfg = self.cfg
        self.glb.data[0] = machine.data[Target.GLB].reshape(-1, cfg.values)
        self.glb.map[0] = machine.data[Target.MAP].reshape(-1, cfg.values)
        fields = np.array([job[name] for name in EXECUTE_FIELDS], np.int64)
        for index, instruction in enumerate(machine.data[Target.LUT].tolist()):
            word = self._nothing.copy()
            raw = [instruction >> 16 * p & 0xFFFF for p in range(cfg.pixels)]
            word[:] = [half - (half >> 15 << 16) for half in raw]
            self._cycle(job, fields, machine.memory, [], lut=(index, word))
        pending, start, cycles = [], True, 0
        while start or self.busy:
            self._cycle(job, fields, machine.memory, pending, start=start)
            start, cycles = False, cycles + 1
            assert cycles < 200_000
        for _ in range(4):
            self._cycle(job, fields, machine.memory, pending)
        return cycles

    @property
    def busy(self):
        """Any of the units is."""
        return loader.busy_of(self.loader, 0) or executor.busy_of(self.executor) or store.busy_of(self.store, 0)

    def _cycle(self, job, fields, memory, pending, *, start=False, lut=None):
        load, ex, st, buffer = self.loader, self.executor, self.store, self.glb
        steps, group = load.steps, load.groups
        cfg, vector = self.cfg, job["kind"] == Kind.VECTOR
        # What all of them show in this cycle.
        build_ready, step_ready = mac_lut.build_ready_of(ex.mac_lut, 0), step_control.step_ready_of(ex.control, 0)
        step_done, drain_ready = ex.control.step_done[0] != 0, store.drain_ready_of(st, 0)
        drain_start, group_ready = ex.control.drain_start[0] != 0, store.ready_of(st, 0)
        sums = np.array([executor.sum_of(ex, r) for r in range(cfg.rows)], np.int64)
        sums_valid, pixel = bool(ex.sums_valid[0]), int(ex.pixel[0])
        request, addr, map_addr = reader.valid_of(load.reader, 0), load.reader.addr[0], load.reader.map_addr[0]
        read_data, read_map = buffer.out_data[0].copy(), buffer.out_map[0].copy()
        writes = store.write_valid_of(st, 0)
        written = [int(st.w_addr[0]), int(st.w_map_addr[0]), *(getattr(st, name)[0].copy() for name in (
            "w_mask", "w_map_mask", "w_data", "w_map"))]
        assert glb.valid_of(buffer, 0, 1) == (load.reader.client_s2[0] >= 0 and load.reader.reads_s2[0] != 0)

        if weight_requests.valid_of(load.requests, 0):
            pending += range(int(load.requests.addr[0]), int(load.requests.addr[0] + load.requests.count[0]))
        word = memory[pending[0]].reshape(-1).astype(np.int64) if pending else self._nothing.reshape(-1)
        offered, taken = bool(pending), bool(pending) and step_loads.memory_ready_of(steps, 0)

        store.clock(st, 0, bool(groups.valid_of(group, 0, groups.GROUP)), int(group.word[0]), int(group.map_word[0]),
                    bool(group.tile_done[0]), bool(group.empty[0]), group.on[0], group.channel[0], group.bias[0],
                    group.sensitive[0], drain_start, sums_valid, pixel, sums, job["kind"], job["function"],
                    job["shift"], True)
        self._clock_executor(job, vector, drain_ready, lut)
        glb.clock(buffer, 0, 1 if request else -1, int(request), int(addr), int(map_addr), 0 if writes else -1,
                  int(writes), *written)
        loader.clock(load, 0, fields, start, True, read_data, read_map, group_ready, build_ready, step_ready, step_done,
                     True, offered, word)
        if taken:
            pending.pop(0)

    def _clock_executor(self, job, vector, drain_ready, lut):
        cfg, steps = self.cfg, self.loader.steps
        if lut is not None:
            transfer = True, LUT, cfg.rows, cfg.columns, 0, lut[0], lut[1]
        else:
            transfer = (bool(steps.t_valid[0]), int(steps.t_kind[0]), int(steps.t_row[0]), cfg.columns,
                        int(steps.t_bank[0]), int(steps.t_index[0]), steps.t_data[0])
        bank, omap_bank, last = (int(fifo_front(steps.builds, 0, field)) for field in range(3))
        length = job["lut_last"] if last else job["lut_length"]
        step = (int(fifo_front(steps.steps, 0, field)) for field in range(3))
        executor.clock(
            self.executor, *transfer, *self._ids, bool(steps.imap_valid[0]), int(steps.t_bank[0]),
            int(steps.t_index[0]), steps.imap[0], bool(steps.omap_valid[0]), int(steps.omap_bank[0]),
            int(steps.omap_row[0]), int(steps.omap[0]), bool(fifo_valid(steps.builds, 0)),
            job["lut_base"] // cfg.tags, -(-length // cfg.tags), length, bank, omap_bank, job["use_imap"], 1,
            (1 << cfg.pixels) - 1, bool(fifo_valid(steps.steps, 0)), *step, drain_ready, 1 if vector else cfg.pixels)
