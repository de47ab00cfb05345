"""What the source reports: area of the units [Thesis table C.1]."""

#: ``where`` belongs beside every figure. Stems of ``UNITS``; areas in um2, without SRAMs. The table's "Filter",
#: detector and scheduler together, is 3,000 um2.
PAPER = {
    "where": "TSMC 22 nm, 1 GHz, Design Compiler; SRAMs (2.5 MB: 1.69 mm2) by CACTI",
    "units": {
        "rmmu": {"area_um2": 609_000, "srams": False},
        "mfu": {"area_um2": 60_000, "srams": False},
        "lane": {"area_um2": 2_701_000 // 4, "srams": False, "critical_path_ns": 1.0},
        "accumulator": {"area_um2": 45_000, "srams": False},
        "top": {"area_um2": 2_746_000, "srams": False, "critical_path_ns": 1.0},
    },
}
