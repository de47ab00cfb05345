"""What the paper measured: area and critical path of one PE [EIE Table II, VI]."""

#: ``where`` belongs beside every figure. Stems of ``UNITS``; areas in um2, and with ``srams`` they include SRAMs.
PAPER = {
    "where": "TSMC 45 nm GP, worst-case corner; placed and routed, SRAMs by Cacti",
    "units": {
        "act_queue": {"area_um2": 758, "srams": False},
        "pointer_read": {"area_um2": 121_849, "srams": True},
        "spmat_read": {"area_um2": 469_412, "srams": True},
        "arithmetic": {"area_um2": 3_110, "srams": False},
        "act_rw": {"area_um2": 18_934, "srams": True},
        "lnzd": {"area_um2": 189, "srams": False},
        # Registers 9,465, gates 8,946, clock network 866, SRAMs 594,786, filler cells 23,961.
        "pe": {"area_um2": 638_024, "srams": True, "logic_um2": 9_465 + 8_946, "critical_path_ns": 1.15},
    },
}
