"""The lockstep run of sim.eie with a golden model that is wrong in one parameter, run by test_trace.py."""

import json
import os

from golden.eie.model import Eie
from sim.eie import lockstep as correct

#: Changes to the configuration of the model alone.
CHANGES = json.loads(os.environ["WRONG_MODEL"])

correct.Eie = lambda cfg: Eie(cfg.replace(**CHANGES))
lockstep = correct.lockstep
