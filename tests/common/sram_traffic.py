"""Accesses to an SRAM, for the bench and for Amaranth's simulator."""

from golden.common.sram import (
    Sram1r1wInputs,
    Sram1r1wMaskedInputs,
    Sram1r1wMaskedModel,
    Sram1r1wModel,
    Sram1rwInputs,
    Sram1rwModel,
)


def model_of(cfg):
    if cfg.ports == "1r1w_masked":
        return Sram1r1wMaskedModel(cfg.depth, cfg.width, cfg.parts)
    return {"1rw": Sram1rwModel, "1r1w": Sram1r1wModel}[cfg.ports](cfg.depth)


def idle(cfg):
    return Sram1rwInputs(False, False, 0, 0) if cfg.ports == "1rw" else _two_ports(cfg, False, 0, False, 0, 0, 0)


def accesses(cfg, rng, cycles):
    """Every row is written, then random accesses: idle cycles, reads, writes, both, same rows soon again."""
    def word():
        return rng.getrandbits(cfg.width)

    def mask():
        return rng.choice([0, (1 << cfg.parts) - 1, *(rng.getrandbits(cfg.parts) for _ in range(4))])

    def row():
        return rng.randrange(cfg.depth) if rng.random() < 0.5 else rng.randrange(min(cfg.depth, 3))

    for addr in range(cfg.depth):
        yield Sram1rwInputs(True, True, addr, word()) if cfg.ports == "1rw" else _two_ports(
            cfg, False, 0, True, addr, word(), (1 << cfg.parts) - 1)
    for _ in range(cycles):
        first, second = rng.random() < 0.7, rng.random() < 0.5
        if cfg.ports == "1rw":
            yield Sram1rwInputs(first, second, row(), word())
        else:
            r_addr, w_addr = row(), row()
            w_en = second and not (first and r_addr == w_addr)
            yield _two_ports(cfg, first, r_addr, w_en, w_addr, word(), mask())


def _two_ports(cfg, r_en, r_addr, w_en, w_addr, w_data, w_mask):
    if cfg.ports == "1r1w":
        return Sram1r1wInputs(r_en, r_addr, w_en, w_addr, w_data)
    return Sram1r1wMaskedInputs(r_en, r_addr, w_en, w_mask, w_addr, w_data)
