"""The lockstep run of sim.dota with a golden model that is wrong in one thing, run by test_top.py."""

import json
import os

from golden.dota import io_port
from golden.dota.model import Dota
from sim.dota import lockstep as correct

#: Changes to the configuration of the model alone, or ``late``: the first beat of a reply is taken a cycle later.
CHANGES = json.loads(os.environ["WRONG_MODEL"])


class Late(Dota):
    """It believes that the host does not take its first beat at once."""

    is_late = False

    def step(self, inputs):
        cycles = len(inputs.clear)
        trace = self.trace(cycles)
        for t in range(cycles):
            pins = type(inputs)(**{name: values if name == "step" else values[t:t + 1]
                                   for name, values in inputs._asdict().items()})
            if not self.is_late and io_port.valid_of(self.state.io):
                pins.m_ready[:] = 0
                self.is_late = True
            now = super().step(pins)
            trace.outputs[t], trace.lanes[t] = now.outputs[0], now.lanes[0]
        return trace


correct.Dota = Late if "late" in CHANGES else lambda cfg: Dota(cfg.replace(**CHANGES))
lockstep = correct.lockstep
