"""What the pages of the accelerators say, for tests that hold it against the code."""


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
