"""Progress of a long simulation, carried from the bench to the program that started it."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

#: Environment variable with the file that carries it.
FILE_VARIABLE = "ELISION_PROGRESS"

_last_write = 0.0


def report(done: int, total: int, *, interval: float = 0.2):
    """Bench side: ``done`` of ``total`` steps are finished. Writes at most every ``interval`` seconds."""
    global _last_write
    now = time.monotonic()
    if now - _last_write < interval and done < total:
        return
    _last_write = now
    if path := os.environ.get(FILE_VARIABLE):
        Path(path).write_text(f"{done} {total}")


@contextlib.contextmanager
def watched(path: Path, callback: Callable[[int, int], None] | None, *, interval: float = 0.2):
    """Starter's side: call ``callback(done, total)`` while the body runs, in a thread of its own."""
    if callback is None:
        yield
        return
    stop = threading.Event()

    def poll():
        last = ""
        while True:
            ended = stop.wait(interval)
            text = path.read_text() if path.exists() else ""
            if text != last and len(parts := text.split()) == 2:
                callback(int(parts[0]), int(parts[1]))
                last = text
            if ended:
                return

    thread = threading.Thread(target=poll, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
