"""Hierarchical Verilog: every distinct unit is written once and instantiated by name.

A parent wraps the units that it places with :func:`unit` and uses them as if they were inline::

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = unit(platform, Fifo(self.cfg.shape, 8))
        for k in range(self.cfg.n_pe):
            m.submodules[f"pe_{k}"] = pe = unit(platform, Pe(self.cfg), name="eie_pe")
            connect(m, queue.o, pe.i)

:func:`emit` converts a component with an :class:`Emission` as its platform: there ``unit`` becomes an
instance of a separate module. With any other platform (simulator, formal) it is the component itself.

Names
-----
Two units are the same module when their class, ports and parameters agree; parameters are everything that
the constructor stored in the component (:func:`hdl.common.identity.identity`). The first parameter set that
asks for a name gets it; another one that asks for the same name gets ``<name>_<six hex digits of its
digest>``. A parent that wants readable names for several configurations gives each its own name.

Helpers that are not units become modules ``<unit>_<helper>``. Assertions are kept for simulators and
hidden from synthesis by ``SYNTHESIS``. The text depends on the design alone: not on the run, the hash
seed, the checkout or an installed Yosys.
"""

import dataclasses
import hashlib
import json
import os
import re
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import ClockSignal, Elaboratable, Fragment, Instance, ResetSignal, Signal
from amaranth.hdl._ir import PortDirection
from amaranth.lib import wiring

from hdl import __version__
from hdl.common.core_file import core_text
from hdl.common.identity import identity, ports_of, unit_name
from hdl.common.rename import readable
from hdl.common.yosys import modules_of, to_verilog

__all__ = ["Design", "Emission", "emit", "unit"]


@dataclasses.dataclass(frozen=True)
class Design:
    """Verilog of a component and of everything below it.

    Attributes
    ----------
    top : str
        Name of the top module.
    files : dict of str to str
        File name to Verilog text, one module a file, leaves first and ``top`` last.
    ports : dict of str to (str, int)
        Port of the top to ``("input" | "output", width)``, in the order of the module. ``clk`` and ``rst``
        come first, unless the design is purely combinational.
    config : dict or None
        Configuration as JSON data.
    units : tuple of str
        Modules that are units, in the order of the files. The others are their helpers and hand-written sources.
    """

    top: str
    files: dict[str, str]
    ports: dict[str, tuple[str, int]]
    config: dict | None = None
    units: tuple[str, ...] = ()

    @property
    def clocked(self) -> bool:
        """Whether the top has ``clk`` and ``rst``."""
        return "clk" in self.ports

    @property
    def text(self) -> str:
        """All modules in one string."""
        return "\n".join(self.files.values())

    def write(self, folder) -> list[Path]:
        """Write the Verilog files, ``<top>.f`` (their list), ``<top>.core`` (the same for FuseSoC) and
        ``<top>.json`` (the configuration).

        A file whose text did not change keeps its time stamp. Files of an earlier ``<top>.f`` that are no
        longer part of the design are removed.

        Returns
        -------
        list of Path
            The Verilog files in compile order.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        file_list = folder / f"{self.top}.f"
        if file_list.exists():
            for old in file_list.read_text().split():
                if old not in self.files and re.fullmatch(r"\w+\.v", old):
                    (folder / old).unlink(missing_ok=True)
        meta = {"generator": f"Elision {__version__}", "top": self.top, "config": self.config}
        for name, text in self.files.items():
            _write_if_changed(folder / name, text)
        _write_if_changed(folder / f"{self.top}.json", json.dumps(meta, indent=2) + "\n")
        _write_if_changed(folder / f"{self.top}.core", core_text(self.top, self.files, __version__))
        _write_if_changed(file_list, "".join(f"{name}\n" for name in self.files))
        return [folder / name for name in self.files]


def emit(component, name=None, cfg=None) -> Design:
    """Convert a component to Verilog, every distinct unit below it once.

    Parameters
    ----------
    component : wiring.Component
        Top of the design. It uses the clock domain ``sync`` or none.
    name : str
        Name of the top module. By default :func:`hdl.common.identity.unit_name`.
    cfg : dataclass
        Configuration for the JSON file. By default ``component.cfg``, if there is one.

    Raises
    ------
    TypeError
        If ``component`` is not a component, ``cfg`` not a dataclass, or a parameter has no stable text.
    ValueError
        If a name is not a plain identifier or is taken, or a clock domain other than ``sync`` is used.
    """
    cfg = getattr(component, "cfg", None) if cfg is None else cfg
    config = None if cfg is None else _config_json(cfg)
    platform = Emission()
    top = platform.collect(component, name)
    text = modules_of(to_verilog("".join(platform.rtlil.values())))
    files = {**platform.sources, **{f"{module}.v": text[module] for module in platform.order}}
    return Design(top, files, platform.ports[top], config, tuple(m for m in platform.order if m in platform.ports))


def unit(platform, component, name=None):
    """The component as it has to be placed in its parent.

    The result is assigned to ``m.submodules``; its members are those of ``component``. Transformers such as
    ``ResetInserter`` do not reach into a unit that is emitted (``DomainRenamer`` does).

    Parameters
    ----------
    platform : object
        What the parent's ``elaborate`` was called with.
    component : wiring.Component
        The unit. Like every component it is placed once.
    name : str
        Module name. By default :func:`hdl.common.identity.unit_name`.
    """
    return _Placed(component, name) if isinstance(platform, Emission) else component


class Emission:
    """Platform of an emission: collects units, and Verilog sources that are taken as they are.

    Attributes
    ----------
    order : list of str
        Modules in the order of the files.
    ports : dict
        Unit to its ports, as in :attr:`Design.ports`.
    rtlil : dict of str to str
        Unit to its text, helpers that are not units included.
    sources : dict of str to str
        File name to Verilog text, see :meth:`add_source`.
    """

    def __init__(self):
        self.order, self.ports, self.rtlil, self.sources = [], {}, {}, {}
        self._names, self._modules = {}, set()

    def add_source(self, file_name, text):
        """Add a hand-written Verilog file to the design; more than once is the same as once."""
        if self.sources.setdefault(file_name, text) != text:
            raise ValueError(f"Verilog source {file_name} must be added with one text, not with two")

    def collect(self, component, name=None) -> str:
        """Convert a unit unless an equal one is there already; returns its module name."""
        if not isinstance(component, wiring.Component):
            raise TypeError(f"unit must be a wiring.Component, not {component!r}")
        name = unit_name(component) if name is None else name
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
            raise ValueError(f"module name must be a plain identifier, not {name!r}")
        key = name, identity(component)
        if key not in self._names:
            if name in self._modules:
                name += "_" + hashlib.sha256(key[1].encode()).hexdigest()[:6]
            self._names[key] = name
            self._modules.add(name)
            self._convert(component, name)
        component._MustUse__used = True
        return self._names[key]

    def _convert(self, component, name):
        fragment = Fragment.get(component, self)  # collects the units below, leaves first
        if isinstance(fragment, Instance):  # a unit that is nothing but an instance, such as an SRAM
            inner, fragment = fragment, Fragment()
            fragment.add_subfragment(inner, "body")
        ports = [(port, signal, PortDirection.Input if flow == wiring.In else PortDirection.Output)
                 for port, signal, flow in ports_of(component)]
        _name_instance_wires(fragment, {id(signal) for _port, signal, _direction in ports})
        order = ["clk", "rst", *(port for port, _signal, _direction in ports)]
        text, modules = readable(rtlil.convert_fragment(fragment, ports, name, emit_src=False)[0], order)
        if taken := [module for module in modules if module in self._modules - {name}]:
            raise ValueError(f"helper modules must be named differently from units, not {', '.join(taken)}")
        if foreign := [port for port in modules[name] if port not in order]:
            raise ValueError(f"clock domain of unit {name} must be sync, not one with {', '.join(foreign)}")
        self._modules.update(modules)
        self.rtlil[name] = text
        self.ports[name] = {port: modules[name][port] for port in order if port in modules[name]}
        self.order += [*(module for module in modules if module != name), name]


class _Placed(Elaboratable):
    """A unit in its parent: members of the component, instance of its module."""

    def __init__(self, component, name):
        self._component, self._name = component, name

    def __getattr__(self, attribute):
        return getattr(self._component, attribute)

    def elaborate(self, platform):
        name = platform.collect(self._component, self._name)
        ports = {f"{'i' if flow == wiring.In else 'o'}_{port}": signal
                 for port, signal, flow in ports_of(self._component)}
        if "clk" in platform.ports[name]:
            ports["i_clk"] = ClockSignal("sync")
        if "rst" in platform.ports[name]:
            ports["i_rst"] = ResetSignal("sync")
        return Instance(name, **ports)


def _name_instance_wires(fragment, own_ports):
    """Call the wire on port ``i__valid`` of instance ``pe_3`` ``pe_3__i__valid``."""
    for sub, name, _src_loc in fragment.subfragments:
        if isinstance(sub, Instance):
            for port, (value, _kind) in sub.ports.items():
                if isinstance(value, Signal) and value.name == port and id(value) not in own_ports:
                    value.name = f"{name}__{port}"
        else:
            _name_instance_wires(sub, own_ports)


def _config_json(cfg):
    if not dataclasses.is_dataclass(cfg):
        raise TypeError(f"cfg must be a dataclass, not {cfg!r}")
    text = json.dumps(dataclasses.asdict(cfg), default=lambda value: getattr(value, "name", str(value)))
    return json.loads(text)


def _write_if_changed(path, text):
    if not path.exists() or path.read_text() != text:
        part = path.with_suffix(f"{path.suffix}.{os.getpid()}")
        part.write_text(text)
        part.replace(path)
