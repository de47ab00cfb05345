"""Cycle models of ``hdl.common.sram``. What was never written or read is ``None``: undefined."""

from typing import NamedTuple

__all__ = ["Sram1r1wInputs", "Sram1r1wMaskedInputs", "Sram1r1wMaskedModel", "Sram1r1wModel", "Sram1r1wOutputs",
           "Sram1rwInputs", "Sram1rwModel", "Sram1rwOutputs"]


class Sram1rwInputs(NamedTuple):
    en: bool
    write: bool
    addr: int
    wdata: int


class Sram1rwOutputs(NamedTuple):
    rdata: int | None


class Sram1rwModel:
    """One port that reads or writes."""

    def __init__(self, depth):
        self._mem, self._rdata = [None] * depth, None

    def reset(self):
        """Contents and read data outlive a reset."""

    def outputs(self) -> Sram1rwOutputs:
        """Outputs of the current cycle: they do not depend on its inputs."""
        return Sram1rwOutputs(self._rdata)

    def step(self, x: Sram1rwInputs) -> Sram1rwOutputs:
        """Outputs of the current cycle; then advance by one clock edge."""
        y = self.outputs()
        if x.en and x.write:
            self._mem[x.addr] = x.wdata
        elif x.en:
            self._rdata = self._mem[x.addr]
        return y


class Sram1r1wInputs(NamedTuple):
    r_en: bool
    r_addr: int
    w_en: bool
    w_addr: int
    w_data: int


class Sram1r1wOutputs(NamedTuple):
    r_data: int | None


class Sram1r1wModel:
    """One read and one write port."""

    def __init__(self, depth):
        self._mem, self._r_data = [None] * depth, None

    def reset(self):
        """Contents and read data outlive a reset."""

    def outputs(self) -> Sram1r1wOutputs:
        """Outputs of the current cycle: they do not depend on its inputs."""
        return Sram1r1wOutputs(self._r_data)

    def step(self, x: Sram1r1wInputs) -> Sram1r1wOutputs:
        """Outputs of the current cycle; then advance by one clock edge.

        Raises
        ------
        ValueError
            If one address is read and written.
        """
        if x.r_en and x.w_en and x.r_addr == x.w_addr:
            raise ValueError(f"r_addr must differ from w_addr in one cycle, not {x.r_addr!r}")
        y = self.outputs()
        if x.r_en:
            self._r_data = self._mem[x.r_addr]
        if x.w_en:
            self._mem[x.w_addr] = x.w_data
        return y


class Sram1r1wMaskedInputs(NamedTuple):
    r_en: bool
    r_addr: int
    w_en: bool
    w_mask: int
    w_addr: int
    w_data: int


class Sram1r1wMaskedModel(Sram1r1wModel):
    """One read port and one write port that writes the parts of a row whose mask bits are set.

    A row is a list of parts; it is undefined while one of them is.
    """

    def __init__(self, depth, width, parts):
        super().__init__(depth)
        self._part_bits, self._parts = width // parts, parts
        self._mem = [[None] * parts for _ in range(depth)]

    def outputs(self) -> Sram1r1wOutputs:
        parts = self._r_data
        if parts is None or None in parts:
            return Sram1r1wOutputs(None)
        return Sram1r1wOutputs(sum(part << k * self._part_bits for k, part in enumerate(parts)))

    def step(self, x: Sram1r1wMaskedInputs) -> Sram1r1wOutputs:
        """Outputs of the current cycle; then advance by one clock edge.

        Raises
        ------
        ValueError
            If one address is read and written.
        """
        bits = self._part_bits
        written = [x.w_data >> k * bits & (1 << bits) - 1 if x.w_mask >> k & 1 else part
                   for k, part in enumerate(self._mem[x.w_addr])]
        return super().step(Sram1r1wInputs(x.r_en, x.r_addr, x.w_en, x.w_addr, written))
