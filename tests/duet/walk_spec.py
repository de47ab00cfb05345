"""The order of the dimension reduction, without time: nested loops."""

from golden.duet.formats import Kind


def windows_of(cfg, job):
    """Windows of a job, a list a tile: (y, x, word, word of the projection, first, last, pixel, reduced word, last of
    the tile)."""
    if job["kind"] == Kind.VECTOR:
        job = {**job, "tiles_y": 1, "tiles_x": 1, "height": 1, "width": 1, "windows_y": 1, "windows_x": 1, "pad": 0}
    return [_tile(cfg, job, y, x) for y in range(job["tiles_y"]) for x in range(job["tiles_x"])]


def _tile(cfg, job, tile_y, tile_x):
    side, found = cfg.side, []
    pixels = [(i, j) for i in range(side) for j in range(side)
              if tile_y * side + i < job["height"] and tile_x * side + j < job["width"]]
    steps = [(y, x, word) for y in range(job["windows_y"]) for x in range(job["windows_x"])
             for word in range(job["depth"])]
    for reduced in range(job["reduced"]):
        for i, j in pixels:
            top = (tile_y * side + i) * job["stride"] - job["pad"]
            left = (tile_x * side + j) * job["stride"] - job["pad"]
            for n, (y, x, word) in enumerate(steps):
                address = (job["projection_base"] + reduced * len(steps) + n) % cfg.projection_words
                last = n == len(steps) - 1
                end = last and reduced == job["reduced"] - 1 and (i, j) == pixels[-1]
                found.append((top + y * side, left + x * side, word, address, n == 0, last, i * side + j, reduced, end))
    return found


def random_job(cfg, rng, *, windows=400):
    """A job of at most so many windows; ``rng``: random.Random."""
    while True:
        kind, span = Kind(rng.random() < 0.3), rng.randrange(3)
        height, width = rng.randint(1, 3 * cfg.side), rng.randint(1, 3 * cfg.side)
        most = cfg.activation_words if kind == Kind.VECTOR else cfg.activation_words >> 2 * span
        job = {"kind": kind.value, "stride": rng.randint(1, 7), "pad": rng.randrange(16), "span": span,
               "windows_y": rng.randint(1, 4), "windows_x": rng.randint(1, 4), "height": height, "width": width,
               "tiles_y": -(-height // cfg.side), "tiles_x": -(-width // cfg.side),
               "depth": rng.randint(1, min(most, 5)), "reduced": rng.randint(1, min(3, cfg.reduced_words)),
               "projection_base": rng.randrange(cfg.projection_words)}
        if sum(map(len, windows_of(cfg, job))) <= windows:
            return job
