"""Names of an array's elements: left out where nothing but their own declaration and driver mentions them."""

import re

from amaranth import *
from amaranth.lib import data, wiring
from amaranth.lib.wiring import In, Out

from hdl.common.emit import emit
from hdl.common.rename import readable


def lines(*body):
    return "module \\top\n" + "".join(f"  {line}\n" for line in body) + "end\n"


def test_unused_elements_are_left_out():
    """Declaration and driver both; signed ones, elements of elements, and elements of one bit too."""
    text = lines("wire width 8 \\a", "wire width 4 \\a[0]", "wire width 4 signed \\a[1]", "wire \\a[2][3]",
                 "wire width 4 \\a[3].b", "connect \\a[0] \\a [3:0]", "connect \\a[1] \\a [7:4]",
                 "connect \\a[2][3] 1'0", "connect \\a[3].b \\a [3:0]")
    assert readable(text)[0] == lines("wire width 8 \\a")


def test_elements_that_are_read_stay():
    body = ("wire width 8 \\a", "wire width 4 \\b", "wire width 4 \\a[0]", "connect \\a[0] \\a [3:0]",
            "connect \\b \\a[0]")
    renamed, _ = readable(lines(*body))
    assert len(renamed.splitlines()) == len(body) + 2
    assert re.search(r"connect \\b \\a_0", renamed)


def test_cells_and_other_names_stay():
    """Elements at a cell's port are used; a name without brackets is no element."""
    body = ("wire width 4 \\x", "connect \\x 4'0000", "wire width 4 \\a[0]", "cell $not $1", "  connect \\A \\a[0]",
            "  connect \\Y \\x", "end")
    renamed, _ = readable(lines(*body))
    assert [line.split()[0] for line in renamed.splitlines()[1:-1]] == [line.split()[0] for line in body]


def test_modules_are_looked_at_alone():
    """A name that one module reads says nothing about the same name in another."""
    read = ("wire width 4 \\a[0]", "wire width 4 \\b", "connect \\a[0] 4'0000", "connect \\b \\a[0]")
    unread = ("wire width 4 \\a[0]", "connect \\a[0] 4'0000")
    text = lines(*read) + lines(*unread).replace("\\top", "\\top.x") + lines(*read).replace("\\top", "\\top.y")
    renamed, modules = readable(text)
    assert list(modules) == ["top", "top_x", "top_y"]
    sizes = [len(part.splitlines()) for part in renamed.split("module ")[1:]]
    assert sizes == [6, 2, 6]


class Elements(wiring.Component):
    """Adds up an array of many elements; reads one of them by its number."""

    def __init__(self):
        super().__init__({"i": In(data.ArrayLayout(8, 16)), "n": In(4), "o": Out(8), "all": Out(12)})

    def elaborate(self, platform):
        m = Module()
        kept = Signal(data.ArrayLayout(8, 16))
        m.d.sync += kept.eq(self.i)
        m.d.comb += [self.o.eq(kept[self.n]), self.all.eq(sum(kept[k] for k in range(16)))]
        return m


def test_verilog_of_an_array():
    """The array keeps its name, its elements have none."""
    text = emit(Elements(), name="elements").text
    assert re.search(r"reg \[127:0\] kept\b", text) and not re.search(r"\bkept_\d", text)
