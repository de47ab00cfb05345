"""AXI at the edge of the chip: an AXI4-Lite register block, flat port names, AXI4-Stream adaptors.

Inside, data moves over ``amaranth.lib.stream``; a top component has flat ports (``s_axil_awaddr``,
``s_axis_tdata``) whose names design tools group into interfaces, and connects them with the functions below.
"""

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from golden.common.axi import OKAY, SLVERR, addr_bits_of, check_table
from hdl.common.primitives import or_tree

__all__ = ["AxiLiteRegisters", "AxiLiteSignature", "axi_lite_members", "axi_stream_layout",
           "axi_stream_members", "connect_axi_lite", "connect_axi_stream"]


class AxiLiteSignature(wiring.Signature):
    """AXI4-Lite with 32 data bits, seen from the master.

    Parameters
    ----------
    addr_bits : int
        Width of the addresses, 2..64.

    Raises
    ------
    ValueError
        If ``addr_bits`` is out of range.
    """

    def __init__(self, addr_bits):
        if type(addr_bits) is not int or not 2 <= addr_bits <= 64:
            raise ValueError(f"addr_bits must be an integer in 2..64, not {addr_bits!r}")
        super().__init__({
            "awaddr": Out(addr_bits), "awprot": Out(3), "awvalid": Out(1), "awready": In(1),
            "wdata": Out(32), "wstrb": Out(4), "wvalid": Out(1), "wready": In(1),
            "bresp": In(2), "bvalid": In(1), "bready": Out(1),
            "araddr": Out(addr_bits), "arprot": Out(3), "arvalid": Out(1), "arready": In(1),
            "rdata": In(32), "rresp": In(2), "rvalid": In(1), "rready": Out(1),
        })


class AxiLiteRegisters(wiring.Component):
    """Registers of a table behind an AXI4-Lite slave.

    All outputs are registers: no combinational path leads through the block. The two low address bits are
    ignored. A write to an unmapped address or an ``"ro"`` register and a read from an unmapped
    address are answered with SLVERR and change nothing; the read returns 0.

    Latency: ``bvalid`` 2 cycles after the later of address and data, ``rvalid`` 2 cycles after the address;
    ``rw`` and ``pulse`` ports change together with ``bvalid``. Throughput: one write and one read every 2
    cycles.

    Parameters
    ----------
    table : iterable of golden.common.axi.Register
    addr_bits : int
        Width of the addresses. By default the fewest that reach every register.

    Members
    -------
    bus : In(AxiLiteSignature(addr_bits))
    <register> : In(32) for ``"ro"``, Out(32) for ``"rw"`` and ``"pulse"``
        One port for each register, of its name. Unused bits of outputs are 0, of inputs ignored.

    Raises
    ------
    ValueError
        If the table is invalid, a register is called ``bus``, or ``addr_bits`` does not reach it.
    """

    def __init__(self, table, addr_bits=None):
        self._table = check_table(table)
        least = addr_bits_of(self._table)
        self._addr_bits = least if addr_bits is None else addr_bits
        bus = AxiLiteSignature(self._addr_bits)
        if self._addr_bits < least:
            raise ValueError(f"addr_bits must be at least {least} to reach every register, not {addr_bits!r}")
        if any(register.name == "bus" for register in self._table):
            raise ValueError("register name must be different from the member of the block, not 'bus'")
        super().__init__({
            "bus": In(bus),
            **{register.name: (In if register.access == "ro" else Out)(32, init=register.reset)
               for register in self._table},
        })

    def elaborate(self, platform):
        m = Module()
        self._write_channels(m)
        self._read_channels(m)
        return m

    def _write_channels(self, m):
        """Address and data wait in a slot each, in whatever order they come, until the answer can leave."""
        bus = self.bus
        addr = Signal(self._addr_bits - 2, name="write_addr")
        value = Signal(32, name="write_data")
        strobe = Signal(4, name="write_strobe")
        awready = Signal(init=1)
        wready = Signal(init=1)
        execute = Signal(name="write_execute")
        m.d.comb += [
            bus.awready.eq(awready),
            bus.wready.eq(wready),
            execute.eq(~awready & ~wready & (~bus.bvalid | bus.bready)),
        ]
        with m.If(bus.awvalid & awready):
            m.d.sync += awready.eq(0), addr.eq(bus.awaddr[2:])
        with m.If(bus.wvalid & wready):
            m.d.sync += wready.eq(0), value.eq(bus.wdata), strobe.eq(bus.wstrb)
        with m.If(bus.bready):
            m.d.sync += bus.bvalid.eq(0)

        lanes = Signal(32, name="write_lanes")
        m.d.comb += lanes.eq(Cat(bit.replicate(8) for bit in strobe))
        writable = [register for register in self._table if register.access != "ro"]
        hits = [self._hit(m, "write", addr, register) for register in writable]
        with m.If(execute):
            m.d.sync += [
                awready.eq(1),
                wready.eq(1),
                bus.bvalid.eq(1),
                bus.bresp.eq(Mux(or_tree(hits or [C(0, 1)]), OKAY, SLVERR)),
            ]
        for register, hit in zip(writable, hits, strict=True):
            port, enabled = getattr(self, register.name), lanes & register.mask
            if register.access == "pulse":
                m.d.sync += port.eq(Mux(execute & hit, value & enabled, 0))
            else:
                with m.If(execute & hit):
                    m.d.sync += port.eq((port & ~enabled) | (value & enabled))

    def _read_channels(self, m):
        """The address waits in a slot until the answer can leave."""
        bus = self.bus
        addr = Signal(self._addr_bits - 2, name="read_addr")
        arready = Signal(init=1)
        execute = Signal(name="read_execute")
        m.d.comb += [
            bus.arready.eq(arready),
            execute.eq(~arready & (~bus.rvalid | bus.rready)),
        ]
        with m.If(bus.arvalid & arready):
            m.d.sync += arready.eq(0), addr.eq(bus.araddr[2:])
        with m.If(bus.rready):
            m.d.sync += bus.rvalid.eq(0)

        hits = [self._hit(m, "read", addr, register) for register in self._table]
        values = [C(0, 32) if register.access == "pulse"
                  else Mux(hit, getattr(self, register.name) & register.mask, 0)
                  for register, hit in zip(self._table, hits, strict=True)]
        with m.If(execute):
            m.d.sync += [
                arready.eq(1),
                bus.rvalid.eq(1),
                bus.rdata.eq(or_tree(values)),
                bus.rresp.eq(Mux(or_tree(hits), OKAY, SLVERR)),
            ]

    def _hit(self, m, channel, addr, register):
        hit = Signal(name=f"{channel}_{register.name}")
        m.d.comb += hit.eq(addr == register.offset // 4)
        return hit


def axi_lite_members(prefix, addr_bits) -> dict:
    """Members of a component that is an AXI4-Lite slave: ``<prefix>_awaddr`` and so on."""
    members = AxiLiteSignature(addr_bits).flip().members
    return {f"{prefix}_{name}": member for name, member in members.items()}


def connect_axi_lite(m, component, prefix, bus):
    """Connect the members made by :func:`axi_lite_members` to the ``bus`` of an inner block."""
    for name, member in AxiLiteSignature(len(bus.awaddr)).members.items():
        outer, inner = getattr(component, f"{prefix}_{name}"), getattr(bus, name)
        m.d.comb += inner.eq(outer) if member.flow == Out else outer.eq(inner)


def axi_stream_layout(bits) -> data.StructLayout:
    """Payload of a stream that leaves or enters as AXI4-Stream.

    .. code-block::

        MSB                    LSB
        +----------+-------------+
        | last  1  | data  bits  |
        +----------+-------------+
    """
    return data.StructLayout({"data": bits, "last": 1})


def axi_stream_members(prefix, bits, direction) -> dict:
    """Members of a component with an AXI4-Stream: ``<prefix>_tdata``, ``_tvalid``, ``_tready``, ``_tlast``.

    Parameters
    ----------
    prefix : str
    bits : int
        Width of ``tdata``, a multiple of 8.
    direction : In or Out
        ``In`` for a slave, ``Out`` for a master.

    Raises
    ------
    ValueError
        If ``bits`` is not a positive multiple of 8.
    """
    if type(bits) is not int or bits < 8 or bits % 8:
        raise ValueError(f"bits must be a positive multiple of 8, not {bits!r}")
    return {f"{prefix}_tdata": direction(bits), f"{prefix}_tvalid": direction(1),
            f"{prefix}_tready": direction.flip()(1), f"{prefix}_tlast": direction(1)}


def connect_axi_stream(m, component, prefix, inner):
    """Connect the members made by :func:`axi_stream_members` to a stream of :func:`axi_stream_layout`.

    The direction is that of the members. Purely combinational: register slices are the caller's.
    """
    tdata, tvalid, tready, tlast = (getattr(component, f"{prefix}_t{name}")
                                    for name in ("data", "valid", "ready", "last"))
    if component.signature.members[f"{prefix}_tvalid"].flow == In:
        m.d.comb += [
            inner.p.data.eq(tdata),
            inner.p.last.eq(tlast),
            inner.valid.eq(tvalid),
            tready.eq(inner.ready),
        ]
    else:
        m.d.comb += [
            tdata.eq(inner.p.data),
            tlast.eq(inner.p.last),
            tvalid.eq(inner.valid),
            inner.ready.eq(tready),
        ]
