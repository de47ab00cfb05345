"""Properties of units: how they are written, found and turned into RTLIL.

A property is a function in ``tests/**/formal_<stem>.py`` that builds a :class:`Harness` around the unit::

    @proof("level is at most the depth", size="8 bits, depth {}", cases={"depth 3": (3,)})
    def level(h, depth):
        fifo = h.place("fifo", Fifo(8, depth))
        h.prove(fifo.level <= depth, "level at most depth")
        h.reach(fifo.level == depth, "full")

Inputs that the function does not drive are free: the solver chooses them in every cycle. Time starts in the state after
reset. Memories and read registers start with anything. Assertions inside the unit are proven along with the others.
:mod:`sim.common.rules` has what is asked of many units, :mod:`sim.common.sby` runs the proofs.
"""

import importlib.util
import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from amaranth.asserts import AnyConst
from amaranth.back import rtlil
from amaranth.hdl import Assert, Assume, ClockDomain, Cover, Fragment, Module, Signal, Value
from amaranth.hdl._ast import Assign, Switch
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from hdl.common.identity import ports_of

__all__ = ["Harness", "Proof", "discover", "formal_files", "proof"]

#: How a proof is found. ``pdr`` and ``induction`` hold for ever, ``bounded`` for ``depth`` cycles after reset.
METHODS = ("pdr", "induction", "bounded")


class Harness:
    """A unit under proof, with what is assumed and what is asserted.

    Attributes
    ----------
    m : Module
        For logic of the property itself.
    labels : dict of str to str
        Name of an assertion or cover in the RTLIL to its text; those inside the unit once it is converted.
    """

    def __init__(self):
        self.m = Module()
        self.labels = {}
        self._clock = ClockDomain("sync", reset_less=True)
        self.m.domains += self._clock
        # A module of its own: a past value is recorded in every cycle, also when it is asked for under a condition.
        self.m.submodules.past = self._history = Module()
        self._inputs = {}
        self._shown = {}
        self._covers = 0
        self._trusts = False

    def place(self, name, component):
        """Add a unit. Those of its inputs that nothing drives become free inputs ``<name>__<port>``."""
        self.m.submodules[name] = component
        for port, signal, flow in ports_of(component):
            (self._inputs if flow == wiring.In else self._shown)[f"{name}__{port}"] = signal
        return component

    def free(self, name, shape=1):
        """A value that the solver chooses anew in every cycle."""
        signal = Signal(shape, name=name)
        self._inputs[name] = Value.cast(signal)
        return signal

    def constant(self, name, shape=1):
        """A value that the solver chooses once."""
        signal = Signal(shape, name=name)
        value = Value.cast(signal)
        self.m.d.comb += value.eq(AnyConst(value.shape()))
        return signal

    def past(self, value, name, init=0):
        """``value`` one cycle ago; ``init`` in the first cycle."""
        value = Value.cast(value)
        signal = Signal(value.shape(), name=name, init=init)
        self._history.d.sync += signal.eq(value)
        return signal

    def assume(self, condition):
        """Only what keeps ``condition`` in every cycle is looked at."""
        self.m.d.comb += Assume(condition)

    def prove(self, condition, text):
        """``condition`` must hold in every cycle."""
        self.m.d.comb += Assert(condition, self._label(text))

    def reach(self, condition, text):
        """``condition`` must be possible: shows that the assumptions do not exclude what is meant."""
        self._covers += 1
        self.m.d.comb += Cover(condition, self._label(text))

    def trust_units(self):
        """Leave out the assertions inside of the units: other proofs have them, and here they only cost time."""
        self._trusts = True

    @property
    def has_covers(self) -> bool:
        """Whether anything must be reached."""
        return self._covers > 0

    def _label(self, text):
        name = _slug(text)
        if name in self.labels:
            raise ValueError(f"text of a property must differ from the others of its proof, not {text!r}")
        self.labels[name] = text
        return text

    def to_rtlil(self) -> str:
        """RTLIL of module ``top``; assertions carry their names, memories have no initial contents.

        Raises
        ------
        ValueError
            If an input is driven in part only: the rest would silently be zero.
        """
        fragment = Fragment.get(self.m, None)
        whole, partial = set(), set()
        for statement in _assignments(itertools.chain(*fragment.statements.values())):
            target = statement.lhs
            (whole if isinstance(target, Signal) else partial).update(map(id, target._lhs_signals()))
        ports = {"clk": (self._clock.clk, PortDirection.Input)}
        for name, signal in self._inputs.items():
            if id(signal) in partial - whole:
                raise ValueError(f"input {name} must be driven whole or not at all")
            if id(signal) not in whole:
                ports[name] = signal, PortDirection.Input
        for name, signal in self._shown.items():
            ports[name] = signal, PortDirection.Output
        text, labels = _named(rtlil.convert_fragment(fragment, ports, "top", emit_src=False)[0])
        self.labels |= labels
        return _without_inner_checks(text) if self._trusts else text


@dataclass(frozen=True)
class Proof:
    """One property of one unit in one configuration.

    Attributes
    ----------
    name, unit : str
        ``order[depth 3]``, ``common.fifo``.
    says : str
        What is proven, in one sentence.
    size : str
        Configuration that it is proven for.
    method : str
        One of :data:`METHODS`.
    depth : int
        Cycles: of the search, or of the induction.
    fails : str or None
        The assertion that must fail: this property is wrong on purpose.
    build : callable
        ``build(h)`` fills a :class:`Harness`.
    """

    name: str
    unit: str
    says: str
    size: str
    method: str
    depth: int
    fails: str | None
    build: Callable[[Harness], object]

    @property
    def full_name(self) -> str:
        """``common.fifo.order[depth 3]``."""
        return f"{self.unit}.{self.name}"

    def convert(self) -> tuple[str, dict[str, str]]:
        """RTLIL of the property, and its labels: name of an assertion or cover to its text.

        Raises
        ------
        ValueError
            If it is meant to hold and reaches nothing, or to fail at an assertion that does not exist.
        """
        h = Harness()
        self.build(h)
        text = h.to_rtlil()
        if self.fails is not None and self.fails not in h.labels.values():
            raise ValueError(f"{self.full_name}: fails must be the text of an assertion, not {self.fails!r}")
        if self.fails is None and not h.has_covers:
            raise ValueError(f"{self.full_name}: property must reach() something, else it may hold for want of inputs")
        return text, h.labels


def proof(says, *, size="", method="pdr", depth=20, fails=None, cases=None):
    """Declare the function below a property.

    Parameters
    ----------
    says : str
        What it proves, in one sentence; ``{}`` stands for the arguments of a case, likewise in ``size``.
    method : str
        One of :data:`METHODS`. A property that must fail is searched for a counterexample, whatever the method.
    depth : int
        Cycles after reset that are searched: for counterexamples, for what must be reached.
    cases : dict of str to tuple
        Label to further arguments of the function. By default one case without any.
    """
    if method not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, not {method!r}")

    def declare(function):
        function.proofs = tuple(
            Proof(function.__name__ + (f"[{label}]" if label else ""), "", says.format(*args), size.format(*args),
                  method, depth, fails, lambda h, args=args: function(h, *args))
            for label, args in (cases or {"": ()}).items())
        return function

    return declare


def formal_files(root) -> list[Path]:
    """Property files below ``root/tests``."""
    return sorted(Path(root, "tests").rglob("formal_*.py"))


def discover(root) -> list[Proof]:
    """All proofs below ``root/tests``, in the order of the files and of the text.

    Raises
    ------
    ValueError
        If a file declares no proof, or none that must fail.
    """
    proofs = []
    for path in formal_files(root):
        unit = f"{path.parent.name}.{path.stem.removeprefix('formal_')}"
        spec = importlib.util.spec_from_file_location(f"formal_{unit.replace('.', '_')}", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        found = [Proof(**{**vars(one), "unit": unit}) for function in vars(module).values()
                 for one in getattr(function, "proofs", ()) if function.__module__ == module.__name__]
        if not any(one.fails is not None for one in found):
            raise ValueError(f"{path.name} must declare a proof that fails on purpose")
        proofs += found
    return proofs


def _assignments(statements):
    """Every assignment, also those inside of conditions."""
    for statement in statements:
        if isinstance(statement, Assign):
            yield statement
        elif isinstance(statement, Switch):
            for case in statement.cases:
                yield from _assignments(case[1])


def _slug(text):
    return re.sub(r"\W+", "_", text).strip("_")


_MEMINIT = re.compile(r"^  cell \$meminit_v2 .*?^  end\n", re.MULTILINE | re.DOTALL)
_CHECK = re.compile(r'^  cell \$check (\S+)\n    parameter \\FORMAT "((?:\\.|[^"\\])*)"', re.MULTILINE)


def _named(text):
    """Call assertions by their texts, and let memories start with anything: the contract of the SRAMs."""
    labels = {}

    def name(match):
        words = re.sub(r"\{[^}]*\}", "..", match[2])
        slug = _slug(words)
        if not slug or slug in labels:
            return match[0]
        labels[slug] = words
        return match[0].replace(f"$check {match[1]}\n", f"$check \\{slug}\n", 1)

    return _CHECK.sub(name, _MEMINIT.sub("", text)), labels


def _without_inner_checks(text):
    top = re.search(r"^module \\top$.*?^end$", text, re.MULTILINE | re.DOTALL)
    inner = re.compile(r"^  cell \$check .*?^  end\n", re.MULTILINE | re.DOTALL)
    return inner.sub("", text[:top.start()]) + top[0] + inner.sub("", text[top.end():])
