"""What the pages of the accelerators say, for tests that hold it against the code."""

import contextlib
import importlib
import io
import json
import pkgutil
import re
import runpy
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def between(page: str, name: str) -> str:
    """What stands between the markers of a page that are called ``name``."""
    return page.split(f"<!-- {name} -->\n")[1].split(f"<!-- /{name} -->")[0]


def plan(page: str) -> dict[str, list[str]]:
    """Events by unit, read from the coverage plan of a page."""
    events, unit = {}, ""
    for line in page.split("## Coverage plan")[1].splitlines():
        if line.startswith("|") and len(cells := [cell.strip() for cell in line.strip("|").split("|")]) == 3:
            unit = cells[0].strip("`") or unit
            events.setdefault(unit, []).extend(cells[1].split(", "))
    return events


def models(package) -> dict:
    """Golden models that have a plan, found by their events: module by name."""
    found = {name: importlib.import_module(f"{package.__name__}.{name}")
             for _, name, _ in pkgutil.iter_modules(package.__path__)}
    return {name: module for name, module in found.items() if hasattr(module, "EVENTS")}


def bits_of(fields) -> list[tuple[str, str]]:
    """Bits, as the pages write them, and name of each field, counted from 0 on."""
    rows, lsb = [], 0
    for name, width in fields.items():
        rows.append((str(lsb) if width == 1 else f"{lsb + width - 1}:{lsb}", name))
        lsb += width
    return rows


def missing_files(page: str, accelerator: str) -> set[str]:
    """Python files that a page names and that are not there; a name without a folder lies in one of the accelerator's.
    """
    folders = [ROOT, *(ROOT / part / accelerator for part in ("golden", "hdl", "sim", "tests"))]
    return {path for path in re.findall(r"`([\w/]+\.py)`", page)
            if not any((folder / path).is_file() for folder in folders)}


def not_drawn(diagram: str, units) -> set[str]:
    """Units whose names, those of their files, are not in a block diagram of ``docs``."""
    words = " ".join(text.text or "" for text in ElementTree.parse(DOCS / diagram).iter())
    return {unit for unit in units if not re.search(rf"\b{unit}\b", words)}


def run_example(text: str, workload: str, main, folder: Path) -> dict:
    """Run the first example of a text, which prints what stands there and makes a workload, and that in the simulator.

    Parameters
    ----------
    workload : str
        File that the example writes.
    main : callable
        The simulator's command line.
    folder : Path
        Where the files go.

    Returns
    -------
    dict
        The report of the run.
    """
    with contextlib.chdir(folder):
        Path("example.py").write_text(text.split("```python\n")[1].split("```")[0])
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            runpy.run_path("example.py")
        assert printed.getvalue() in text, printed.getvalue()
        assert main(["--preset", "tiny", "--workload", workload, "--json", "report.json"]) == 0
        report = json.loads(Path("report.json").read_text())
    assert (report["mismatches"], report["functional_errors"]) == (0, 0)
    return report
