"""Synchronous SRAMs: one Verilog module per port shape, parametrised by depth and width.

In an emission (:mod:`hdl.common.emit`) a component is an instance of ``elision_sram_1rw``,
``elision_sram_1r1w`` or ``elision_sram_1r1w_masked``, whose text lies in ``hdl/common/verilog`` and whose
storage is called ``mem``: FPGA tools infer block RAM, an ASIC flow puts a macro in its place. Elsewhere
(Amaranth's simulator, formal) it is an ``amaranth.lib.memory`` of the same behaviour. Contents and read data
are undefined at first. A parent places an SRAM without ``unit()``: it is an instance by itself.
"""

from pathlib import Path

from amaranth import *
from amaranth.lib import memory, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import Emission

__all__ = ["Sram1rw", "Sram1r1w", "Sram1r1wMasked"]

_VERILOG = Path(__file__).parent / "verilog"


class _Sram(wiring.Component):
    """What both port shapes have in common: parameters and the instance."""

    def __init__(self, depth, width):
        if not isinstance(depth, int) or depth < 2 or depth & (depth - 1):
            raise ValueError(f"depth must be a power of two of at least 2, not {depth!r}")
        if not isinstance(width, int) or width < 1:
            raise ValueError(f"width must be a positive integer, not {width!r}")
        self._depth, self._width = depth, width
        super().__init__(self._members(range(depth), width))

    @property
    def depth(self):
        """Rows."""
        return self._depth

    @property
    def width(self):
        """Bits of a row."""
        return self._width

    def _instance(self, platform, module, **parameters):
        platform.add_source(f"{module}.v", (_VERILOG / f"{module}.v").read_text())
        ports = {f"{'i' if member.flow == In else 'o'}_{name}": getattr(self, name)
                 for name, member in self.signature.members.items()}
        return Instance(module, p_DEPTH=self._depth, p_WIDTH=self._width, i_clk=ClockSignal(), **parameters,
                        **ports)

    def _storage(self, m):
        m.submodules.mem = mem = memory.Memory(shape=self._width, depth=self._depth, init=[])
        return mem


class Sram1rw(_Sram):
    """SRAM with one port that reads or writes.

    Latency: ``rdata`` follows a read by 1 cycle and holds until the next read, also across writes.
    Throughput: one access a cycle.

    Parameters
    ----------
    depth : int
        Rows, a power of two of at least 2.
    width : int
        Bits of a row.

    Members
    -------
    en : In(1)
        Access in this cycle.
    write : In(1)
        The access writes.
    addr : In(range(depth))
    wdata : In(width)
    rdata : Out(width)

    Raises
    ------
    ValueError
        If ``depth`` or ``width`` is out of range.
    """

    def _members(self, address, row):
        return {"en": In(1), "write": In(1), "addr": In(address), "wdata": In(row), "rdata": Out(row)}

    def elaborate(self, platform):
        if isinstance(platform, Emission):
            return self._instance(platform, "elision_sram_1rw")
        m = Module()
        mem = self._storage(m)
        write_port = mem.write_port()
        read_port = mem.read_port()
        m.d.comb += [
            write_port.en.eq(self.en & self.write),
            write_port.addr.eq(self.addr),
            write_port.data.eq(self.wdata),
            read_port.en.eq(self.en & ~self.write),
            read_port.addr.eq(self.addr),
            self.rdata.eq(read_port.data),
        ]
        return m


class Sram1r1w(_Sram):
    """SRAM with one read port and one write port.

    Latency: ``r_data`` follows a read by 1 cycle and holds until the next read. Throughput: one read and
    one write a cycle. Reading and writing the same address in one cycle is forbidden; an assertion stops
    the simulation.

    Parameters
    ----------
    depth : int
        Rows, a power of two of at least 2.
    width : int
        Bits of a row.

    Members
    -------
    r_en : In(1)
    r_addr : In(range(depth))
    r_data : Out(width)
    w_en : In(1)
    w_addr : In(range(depth))
    w_data : In(width)

    Raises
    ------
    ValueError
        If ``depth`` or ``width`` is out of range.
    """

    def _members(self, address, row):
        return {
            "r_en": In(1), "r_addr": In(address), "r_data": Out(row),
            "w_en": In(1), "w_addr": In(address), "w_data": In(row),
        }

    def elaborate(self, platform):
        if isinstance(platform, Emission):
            return self._instance(platform, "elision_sram_1r1w")
        m = Module()
        mem = self._storage(m)
        write_port = mem.write_port()
        read_port = mem.read_port()
        m.d.comb += [
            write_port.en.eq(self.w_en),
            write_port.addr.eq(self.w_addr),
            write_port.data.eq(self.w_data),
            read_port.en.eq(self.r_en),
            read_port.addr.eq(self.r_addr),
            self.r_data.eq(read_port.data),
        ]
        collision = self.r_en & self.w_en & (self.r_addr == self.w_addr)
        m.d.sync += Assert(~collision, Format("address {} must not be read and written in one cycle",
                                              self.r_addr))
        return m


class Sram1r1wMasked(_Sram):
    """SRAM with one read port and one write port that writes some parts of a row.

    Latency: ``r_data`` follows a read by 1 cycle and holds until the next read. Throughput: one read and
    one write a cycle. Reading and writing the same address in one cycle is forbidden, whatever the mask; an
    assertion stops the simulation.

    Parameters
    ----------
    depth : int
        Rows, a power of two of at least 2.
    width : int
        Bits of a row.
    parts : int
        Parts of a row, all of one width: a divisor of ``width``.

    Members
    -------
    r_en : In(1)
    r_addr : In(range(depth))
    r_data : Out(width)
    w_en : In(1)
    w_mask : In(parts)
        Bit ``k``: write part ``k``, the first of which is the lowest.
    w_addr : In(range(depth))
    w_data : In(width)

    Raises
    ------
    ValueError
        If ``depth``, ``width`` or ``parts`` is out of range.
    """

    def __init__(self, depth, width, parts):
        if type(parts) is not int or parts < 1 or isinstance(width, int) and width % parts:
            raise ValueError(f"parts must be a positive divisor of {width!r}, not {parts!r}")
        self._parts = parts
        super().__init__(depth, width)

    @property
    def parts(self):
        """Parts of a row."""
        return self._parts

    def _members(self, address, row):
        return {
            "r_en": In(1), "r_addr": In(address), "r_data": Out(row),
            "w_en": In(1), "w_mask": In(self._parts), "w_addr": In(address), "w_data": In(row),
        }

    def elaborate(self, platform):
        if isinstance(platform, Emission):
            return self._instance(platform, "elision_sram_1r1w_masked", p_PARTS=self._parts)
        m = Module()
        mem = self._storage(m)
        write_port = mem.write_port(granularity=self._width // self._parts)
        read_port = mem.read_port()
        m.d.comb += [
            write_port.en.eq(self.w_mask & self.w_en.replicate(self._parts)),
            write_port.addr.eq(self.w_addr),
            write_port.data.eq(self.w_data),
            read_port.en.eq(self.r_en),
            read_port.addr.eq(self.r_addr),
            self.r_data.eq(read_port.data),
        ]
        collision = self.r_en & self.w_en & (self.r_addr == self.w_addr)
        m.d.sync += Assert(~collision, Format("address {} must not be read and written in one cycle",
                                              self.r_addr))
        return m
