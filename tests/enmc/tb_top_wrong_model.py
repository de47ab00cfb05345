"""The lockstep run of sim.enmc with a golden model that is wrong in one thing, run by test_top.py."""

import json
import os

from golden.enmc.model import Dimm
from sim.enmc import lockstep as correct

#: Changes to the configuration of the model alone.
CHANGES = json.loads(os.environ["WRONG_MODEL"])

correct.Dimm = lambda cfg: Dimm(cfg.replace(**CHANGES))
lockstep = correct.lockstep
