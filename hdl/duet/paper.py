"""What the source reports: area of the parts [Thesis table 5.1]."""

#: ``where`` belongs beside every figure. ``table``: mm2, SRAMs included; parts of the Speculator add up to 1.231, not
#: to 0.699. ``units``: stems of ``UNITS``, areas in um2; the whole is that of the percentages in the text. ``boxes``:
#: rows of the table that have logic, each with the unit that does the same here and its area. ``whole`` is what their
#: shares are of: all parts but the global buffer, so the buffers of the Speculator are the rest. No clock is given.
PAPER = {
    "where": "45 nm, Design Compiler; SRAMs by CACTI",
    "table": {
        "global buffer": 5.655,
        "Executor": 4.236,
        "Speculator": 0.699,
        "alignment, adder trees": 0.378,
        "systolic array": 0.318,
        "activation buffer": 0.023,
        "projection buffer": 0.090,
        "QDR input buffer": 0.011,
        "QDR weight buffer": 0.352,
        "QDR output buffer": 0.011,
        "multi-function unit": 0.034,
        "reorder unit": 0.014,
    },
    "units": {
        "glb": {"area_um2": 5_655_000, "srams": True},
        "executor": {"area_um2": 4_236_000, "srams": True},
        "speculator": {"area_um2": 699_000, "srams": True},
        "alignment": {"area_um2": 378_000, "srams": False},
        "systolic": {"area_um2": 318_000, "srams": False},
        "activation_buffer": {"area_um2": 23_000, "srams": True},
        "low_input": {"area_um2": 11_000, "srams": True},
        "low_output": {"area_um2": 11_000, "srams": True},
        "mfu": {"area_um2": 34_000, "srams": False},
        "reorder": {"area_um2": 14_000, "srams": True},
        "top": {"area_um2": 10_590_000, "srams": True},
    },
    "boxes": {
        "Executor (the source: with its buffers)": (("executor",), 4_236_000),
        "alignment units, adder trees": (("alignment",), 378_000),
        "systolic array": (("systolic",), 318_000),
        "multi-function unit": (("mfu",), 34_000),
        "reorder unit (the source: with its buckets)": (("reorder",), 14_000),
    },
    "whole": 5_467_000,
}
