"""What the source reports: area of the units [Thesis table C.1]."""

#: ``where`` belongs beside every figure. ``units``: stems of ``UNITS``; areas in um2, without SRAMs. ``boxes``: rows of
#: the table, each with the units that do the same here and the area of one instance; its "Filter" is detector and
#: scheduler together. The clock is 1 GHz.
PAPER = {
    "where": "TSMC 22 nm, 1 GHz, Design Compiler; SRAMs (2.5 MB: 1.69 mm2) by CACTI",
    "units": {
        "rmmu": {"area_um2": 609_000, "srams": False},
        "mfu": {"area_um2": 60_000, "srams": False},
        "lane": {"area_um2": 2_701_000 // 4, "srams": False, "critical_path_ns": 1.0},
        "accumulator": {"area_um2": 45_000, "srams": False},
        "top": {"area_um2": 2_746_000, "srams": False, "critical_path_ns": 1.0},
    },
    "boxes": {
        "RMMU": (("rmmu",), 609_000),
        "detector, scheduler": (("detector", "scheduler"), 3_000),
        "MFU": (("mfu",), 60_000),
        "accumulator": (("accumulator",), 45_000),
    },
}
