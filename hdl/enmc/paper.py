"""What the source reports: area and power of the logic of a rank [Thesis table 6.5]."""

#: ``where`` belongs beside every figure. ``table``: mm2 and mW of a rank, as in the source; the text beside it gives
#: 0.388 mm2 and 264.6 mW, but only the table adds up. ``units``: stems of ``UNITS``, areas in um2; ``top`` has eight
#: ranks. ``boxes``: rows of the table, each with the units that do the same here and the area of one instance. The
#: controller has its instruction FIFOs inside here, so it stands beside the source's with the control buffer; the lanes
#: have their partial sums, which the source may count among its compute buffer. The clock is 400 MHz.
PAPER = {
    "where": "TSMC 28 nm, 400 MHz, Design Compiler; buffers are register files",
    "table": {
        "INT4 MAC": (0.013, 10.4),
        "FP32 MAC": (0.145, 58.0),
        "compute buffer": (0.061, 56.8),
        "control buffer": (0.053, 49.3),
        "ENMC controller": (0.035, 32.9),
        "DRAM controller": (0.135, 78.0),
        "total": (0.442, 285.4),
    },
    "units": {
        "controller": {"area_um2": 35_000 + 53_000, "srams": False},
        "dram_controller": {"area_um2": 135_000, "srams": False},
        "rank": {"area_um2": 442_000, "srams": False, "critical_path_ns": 2.5},
        "top": {"area_um2": 8 * 442_000, "srams": False, "critical_path_ns": 2.5},
    },
    "boxes": {
        "INT4 MACs (ours: and partial sums)": (("screen_lane",), 13_000 / 64),
        "FP32 MACs": (("exact_dot",), 145_000),
        "ENMC controller, control buffer": (("controller",), 35_000 + 53_000),
        "DRAM controller": (("dram_controller",), 135_000),
    },
}
