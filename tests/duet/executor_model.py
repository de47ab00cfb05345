"""The Executor as its benches see it: pins of a cycle, and the golden model behind them."""

from typing import NamedTuple

import numpy as np

from golden.duet import executor, mac_lut, step_control
from golden.duet.config import DuetConfig
from golden.duet.formats import SUM_BITS
from hdl.duet.layouts import build_layout, imap_layout, omap_layout, step_layout, sums_layout, transfer_layout
from tests.common.units import LaneModel, fields_of

__all__ = ["Inputs", "Model", "Outputs", "bits_of", "fields", "lanes_of", "pack_lanes", "pack_signed"]


class Inputs(NamedTuple):
    i: tuple | None = None
    row_ids: int = 0
    column_ids: int = 0
    imap: tuple | None = None
    omap: tuple | None = None
    build: tuple | None = None
    step: tuple | None = None
    pixels: int = 1
    drain_ready: bool = False


class Outputs(NamedTuple):
    i_ready: bool
    build_ready: bool
    step_ready: bool
    step_done: bool
    drain_start: bool
    sums: tuple | None
    macs: int
    busy: bool


def fields(cfg: DuetConfig) -> dict:
    """Formats of the payloads."""
    layouts = {"i": transfer_layout(cfg), "imap": imap_layout(cfg), "omap": omap_layout(cfg),
               "build": build_layout(cfg), "step": step_layout(), "sums": sums_layout(cfg)}
    return {name: fields_of(layout) for name, layout in layouts.items()}


def lanes_of(cfg: DuetConfig, word: int) -> np.ndarray:
    """Values of a word, shape (columns, pixels)."""
    raw = np.frombuffer(word.to_bytes(cfg.word_bits // 8, "little"), np.int16)
    return raw.astype(np.int64).reshape(cfg.columns, cfg.pixels)


def pack_lanes(lanes) -> int:
    """The word of values; any shape, the first value lowest."""
    return int.from_bytes(np.asarray(lanes).astype(np.int16).tobytes(), "little")


def pack_signed(values, bits=SUM_BITS) -> int:
    """Signed numbers side by side, the first lowest."""
    return sum((int(value) & ((1 << bits) - 1)) << bits * k for k, value in enumerate(values))


def bits_of(word: int, count: int, bits: int) -> np.ndarray:
    """``count`` unsigned numbers of some bits, the first lowest."""
    return np.array([word >> bits * k & ((1 << bits) - 1) for k in range(count)], np.int64)


class Model(LaneModel):
    NAME, UNIT, INPUTS, OUTPUTS = "duet_executor", executor, Inputs, Outputs

    def __init__(self, cfg):
        super().__init__(cfg)
        self._sums = fields(cfg)["sums"]
        self._id_bits = (cfg.rows - 1).bit_length(), (cfg.columns - 1).bit_length()

    def step(self, x: Inputs) -> Outputs:
        cfg, s = self.cfg, self.s
        y = self._outputs()
        i, imap, omap, build, step = x.i, x.imap, x.omap, x.build, x.step
        executor.clock(
            s, i is not None, *((i.kind, i.row, i.column, i.bank, i.index, lanes_of(cfg, i.data)) if i
                                else (0, 0, 0, 0, 0, lanes_of(cfg, 0))),
            bits_of(x.row_ids, cfg.rows, self._id_bits[0]), bits_of(x.column_ids, cfg.columns, self._id_bits[1]),
            imap is not None, *((imap.bank, imap.word, bits_of(imap.bits, cfg.columns, cfg.pixels)) if imap
                                else (0, 0, bits_of(0, cfg.columns, cfg.pixels))),
            omap is not None, *(omap or (0, 0, 0)), build is not None, *(build or (0,) * 8),
            step is not None, *(step or (0,) * 3), x.drain_ready, x.pixels)
        return y

    def _outputs(self) -> Outputs:
        s, sums = self.s, None
        if s.sums_valid[0]:
            values = [executor.sum_of(s, r) for r in range(self.cfg.rows)]
            sums = self._sums.unpack(self._sums.pack(pixel=int(s.pixel[0]), sums=pack_signed(values)))
        return Outputs(True, bool(mac_lut.build_ready_of(s.mac_lut, 0)), bool(step_control.step_ready_of(s.control, 0)),
                       bool(s.control.step_done[0]), bool(s.control.drain_start[0]), sums, int(s.macs[0]),
                       bool(executor.busy_of(s)))
