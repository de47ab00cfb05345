"""Accesses to an SRAM, for the bench and for Amaranth's simulator."""

from golden.common.sram import Sram1r1wInputs, Sram1r1wModel, Sram1rwInputs, Sram1rwModel


def model_of(cfg):
    return {"1rw": Sram1rwModel, "1r1w": Sram1r1wModel}[cfg.ports](cfg.depth)


def idle(cfg):
    return Sram1rwInputs(False, False, 0, 0) if cfg.ports == "1rw" else Sram1r1wInputs(False, 0, False, 0, 0)


def accesses(cfg, rng, cycles):
    """Every row is written, then random accesses: idle cycles, reads, writes, both, same rows soon again."""
    def word():
        return rng.getrandbits(cfg.width)

    def row():
        return rng.randrange(cfg.depth) if rng.random() < 0.5 else rng.randrange(min(cfg.depth, 3))

    for addr in range(cfg.depth):
        yield Sram1rwInputs(True, True, addr, word()) if cfg.ports == "1rw" else Sram1r1wInputs(
            False, 0, True, addr, word())
    for _ in range(cycles):
        first, second = rng.random() < 0.7, rng.random() < 0.5
        if cfg.ports == "1rw":
            yield Sram1rwInputs(first, second, row(), word())
        else:
            r_addr, w_addr = row(), row()
            yield Sram1r1wInputs(first, r_addr, second and not (first and r_addr == w_addr), w_addr, word())
