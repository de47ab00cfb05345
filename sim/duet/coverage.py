"""What the fixed runs of DUET together must reach: ``python -m sim.coverage duet``. See docs/coverage.md."""

from functools import partial

from golden.duet import (
    activation,
    activation_buffer,
    alignment,
    approximator,
    block_intake,
    cell,
    control,
    dequantizer,
    executor,
    executor_pe,
    glb,
    groups,
    io_port,
    loader,
    low_input,
    low_output,
    mac_lut,
    map_words,
    memory_port,
    mfu,
    multicast,
    noc,
    order_words,
    quantizer,
    reader,
    reducer,
    reorder,
    row_walk,
    scan_chain,
    spec_fetch,
    spec_store,
    step_control,
    step_loads,
    store,
    switching_map,
    systolic,
    tag_queue,
    vector_words,
    weight_requests,
    window_walk,
)
from sim.common import coverage

#: Units whose compiled models count events, with where their state lies in that of the accelerator.
UNITS = {
    "io_port": (io_port, "io"), "scan_chain": (scan_chain, "chain"), "control": (control, "control"),
    "glb": (glb, "glb"), "memory_port": (memory_port, "memory"), "cell": (cell, "cell"),
    "loader": (loader, "loader"), "reader": (reader, "loader.reader"), "row_walk": (row_walk, "loader.rows"),
    "groups": (groups, "loader.groups"), "step_loads": (step_loads, "loader.steps"),
    "weight_requests": (weight_requests, "loader.requests"),
    "executor": (executor, "executor"), "noc": (noc, "executor.noc"), "multicast": (multicast, "executor.noc.rows"),
    "mac_lut": (mac_lut, "executor.mac_lut"), "step_control": (step_control, "executor.control"),
    "executor_pe": (executor_pe, "executor.pes"), "tag_queue": (tag_queue, "executor.pes.queue"),
    "store": (store, "store"), "activation": (activation, "store.curve"),
    "spec_fetch": (spec_fetch, "speculator.fetch"), "reducer": (reducer, "speculator.reducer"),
    "block_intake": (block_intake, "speculator.reducer.intake"),
    "quantizer": (quantizer, "speculator.reducer.intake.quantizer"),
    "window_walk": (window_walk, "speculator.reducer.walk"),
    "activation_buffer": (activation_buffer, "speculator.reducer.buffer"),
    "alignment": (alignment, "speculator.reducer.alignment"),
    "approximator": (approximator, "speculator.approximator"),
    "low_input": (low_input, "speculator.approximator.low_input"),
    "systolic": (systolic, "speculator.approximator.systolic"),
    "low_output": (low_output, "speculator.approximator.low_output"),
    "mfu": (mfu, "speculator.approximator.mfu"),
    "switching_map": (switching_map, "speculator.approximator.switching_map"),
    "spec_store": (spec_store, "speculator.store"), "map_words": (map_words, "speculator.store.map_words"),
    "reorder": (reorder, "speculator.store.reorder"), "order_words": (order_words, "speculator.store.order_words"),
    "vector_words": (vector_words, "speculator.store.vector_words"),
    "dequantizer": (dequantizer, "speculator.store.vector_words.dequantizer"),
}

#: Every named event, by unit.
PLAN = {unit: frozenset(module.EVENTS) for unit, (module, _) in UNITS.items()}

#: Events that the runs do not reach, with the reason. All of them are reached elsewhere, and held there.
_NEVER_HERE = "no other unit of the whole ever asks for it; the bench of the unit alone does"
_OWN_TURN = "this port goes before all others, or nobody else works at that time; the bench of the unit makes it wait"
_READY = "the memory of these runs always takes a burst; the bench of the port makes it wait"
_RARE = "needs two units that meet in a cycle; the bench of the unit makes them"
_NO_NETWORK = "no layer that may be made has such numbers; the bench of the unit has"
EXCEPTIONS = {
    "activation": {"held": _OWN_TURN, "relu_zero": "the store applies ReLU before; the bench of the unit asks for it"},
    "alignment": {"gap_inside": _RARE, "wrapped": _NO_NETWORK},
    "approximator": {"none": _NO_NETWORK},
    "cell": dict.fromkeys(("request_waits", "write_waits"), _OWN_TURN),
    "dequantizer": {"clipped_low": _NO_NETWORK, "waits": _RARE},
    "glb": dict.fromkeys(("map_collides", "values_collide"), _RARE),
    "low_output": {"wrapped": _NO_NETWORK},
    "mac_lut": {**dict.fromkeys(("no_omap", "outside"), _NEVER_HERE), "waits": _RARE,
                "no_tags": "a word of tags has all pixels of a tile, and groups without a sensitive output have no "
                           "steps; the bench of the unit builds such words"},
    "memory_port": {"address_waits": _READY},
    "mfu": {"none": _NO_NETWORK},
    "noc": dict.fromkeys(("no_column", "no_row", "one_column", "several_rows"), _NEVER_HERE),
    "row_walk": {"beyond": "no map of a vector has a bit beyond the outputs; in the bench of the loader it has"},
    "spec_fetch": {"glb_waits": _OWN_TURN},
    "step_control": dict.fromkeys(("drains_touch", "waits_for_sums"), _RARE),
    "store": {"overlap": _RARE, **dict.fromkeys(("vector_waits", "write_waits"), _OWN_TURN)},
}

#: ``raised(state)``: events that the golden accelerator raised since its reset, by unit.
raised = partial(coverage.raised, UNITS)
