"""Jobs of layers: every layer, every gate of a time step and every part of a convolution is an item [Thesis 5.2]."""

from dataclasses import dataclass, field

import numpy as np

from .config import DuetConfig
from .formats import EXECUTE_FIELDS, SPECULATE_FIELDS, Kind, Target
from .layers import Network
from .mapping import Plan, conv_plan, conv_program, speculation_plan, vector_plan, vector_program
from .memories import Memories
from .packing import (
    kernel_positions,
    pack,
    pack_bias,
    pack_low_bias,
    pack_low_weights,
    pack_projection_map,
    pack_projection_vector,
    words_of,
)
from .program import Place, job
from .spec import SCALE

__all__ = ["Context", "Item", "bias_words", "conv_item", "conv_words", "vector_item", "vector_words"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Context:
    """What all items of a program have in common; ``off_chip``: kinds of layers whose weights are; ``limits``: interval
    thresholds of the reorder unit."""

    cfg: DuetConfig
    network: Network
    mode: str
    memories: Memories
    off_chip: frozenset
    limits: list

    @property
    def speculates(self) -> bool:
        """Whether little modules are used."""
        return self.mode != "base"

    @property
    def skips_inputs(self) -> bool:
        """Whether IMaps are used."""
        return self.mode in ("ios", "duet")

    @property
    def orders(self) -> bool:
        """Whether channels are sorted."""
        return self.mode in ("bos", "duet")


@dataclass(eq=False)
class Item:
    """A job of the Executor, one of the Speculator before it or None, one of the cell unit after it or None.

    Attributes
    ----------
    name : str
    layer : int
    execute, speculate, cell : dict of str to int, or None
    blobs : dict of str to dict
        By job, "execute" or "speculate": field to (blob, offset), what it points at.
    waits : str
        What the Speculator needs of the item before: "execute", "cell", or nothing.
    """

    name: str
    layer: int
    execute: dict
    speculate: dict | None = None
    cell: dict | None = None
    blobs: dict = field(default_factory=lambda: {"execute": {}, "speculate": {}})
    waits: str = ""

    def resolved(self, which: str) -> dict:
        """A job with the addresses of its blobs.

        Raises
        ------
        ValueError
            If a value does not fit its field.
        """
        values = getattr(self, which) | {name: blob.addr + offset
                                         for name, (blob, offset) in self.blobs[which].items()}
        return job({"execute": EXECUTE_FIELDS, "speculate": SPECULATE_FIELDS}[which], **values, run=1)


def bias_words(cfg: DuetConfig, outputs: int) -> int:
    """Words of biases."""
    return -(-2 * outputs // cfg.values)


def conv_words(cfg: DuetConfig, plan: Plan, channels: int) -> int:
    """Words of biases and weights of a convolution."""
    return bias_words(cfg, channels) + channels * plan.passes * plan.weight_words


def vector_words(cfg: DuetConfig, outputs: int, depth: int, off_chip: bool) -> int:
    """Words of biases and weights of a vector in the global buffer."""
    return bias_words(cfg, outputs) + (0 if off_chip else outputs * depth)


def conv_item(context: Context, k: int, part: range, name: str, place: Place, out: Place, orders) -> Item:
    """A part of a convolution's channels: the first is a multiple of the columns.

    Parameters
    ----------
    orders : int
        Place of the order words.
    """
    cfg, layer = context.cfg, context.network.layers[k]
    plan = conv_plan(cfg, layer, place.shape)
    own, first = slice(part.start, part.stop), part.start // cfg.columns
    program, last = conv_program(cfg, layer, plan)
    common = plan.geometry | {
        "kind": Kind.CONV, "function": layer.functions[0], "channels": len(part), "in_base": place.base,
        "omap_base": out.map_base + first, "order_base": orders, "out_depth": -(-layer.outputs // cfg.columns),
        "ordered": context.orders and layer.low is not None}
    item = Item(name, k, common | _steps(context, plan, layer, place) | {
        "out_base": out.base + first, "lut_length": len(program), "lut_last": last})

    def words():
        positions = kernel_positions(cfg, (len(part), *layer.w.shape[1:]), plan.chunk, plan.passes, plan.weight_words)
        weights = pack(cfg, layer.w[own], positions, len(part) * plan.passes * plan.weight_words)
        return np.concatenate([pack_bias(cfg, layer.b[own]), weights])

    blob = context.memories.blob((k, part.start), Target.GLB, words, "weights")
    item.blobs["execute"] |= {"bias_base": (blob, 0), "weight_base": (blob, bias_words(cfg, len(part))),
                              "lut_base": (_program_blob(context, k, program), 0)}
    if item.execute["use_omap"]:
        fields = speculation_plan(cfg, layer, plan, place.shape)
        projection = context.memories.blob(
            (k,), Target.PROJECTION, lambda: pack_projection_map(cfg, layer.low.p.reshape(-1, *layer.w.shape[1:])),
            "values of the projection")
        _speculate(context, item, common | fields, 0, own, projection)
    return item


def vector_item(context: Context, k: int, gate: int, name: str, place: Place, out: Place) -> Item:
    """A product of a matrix with the vector at ``place``; what the host writes for it is made once."""
    cfg, layer = context.cfg, context.network.layers[k]
    plan, positions = vector_plan(cfg, place.words), place.positions.reshape(-1)
    w, b = (layer.w[gate], layer.b[gate]) if layer.recurrent else (layer.w, layer.b)
    program, last = vector_program(cfg, plan, positions)
    common = plan.geometry | {
        "kind": Kind.VECTOR, "function": layer.functions[gate], "channels": layer.outputs, "in_base": place.base,
        "omap_base": out.map_base, "out_depth": words_of(cfg, layer.outputs)}
    off_chip = layer.kind in context.off_chip
    item = Item(name, k, common | _steps(context, plan, layer, place) | {
        "out_base": out.base, "off_chip": off_chip, "lut_length": len(program), "lut_last": last})

    def weights():
        rows = np.arange(layer.outputs)[:, None] * place.words * cfg.values
        return pack(cfg, w, positions + rows, layer.outputs * place.words)

    def words():
        return np.concatenate([pack_bias(cfg, b), *([] if off_chip else [weights()])])

    blob = context.memories.blob((k, gate), Target.GLB, words, "weights", movable=False)
    item.blobs["execute"] |= {"bias_base": (blob, 0), "lut_base": (_program_blob(context, k, program), 0)}
    if off_chip:
        item.execute["weight_base"] = context.memories.off_chip((k, gate), weights)
    else:
        item.blobs["execute"]["weight_base"] = blob, bias_words(cfg, layer.outputs)
    if item.execute["use_omap"]:
        fields = speculation_plan(cfg, layer, plan, None) | {"approx_base": out.base}
        projection = context.memories.blob(
            (k, place.words, *positions[:1]), Target.PROJECTION,
            lambda: pack_projection_vector(cfg, layer.low.p, positions, place.words), "values of the projection")
        _speculate(context, item, common | fields, gate, slice(None), projection)
    return item


def _steps(context, plan, layer, place):
    """Fields of the Executor alone that both kinds share."""
    return {"chunk": plan.chunk, "passes": plan.passes, "weight_words": plan.weight_words, "shift": layer.shift,
            "imap_base": place.map_base, "use_omap": context.speculates and layer.low is not None,
            "use_imap": context.skips_inputs and place.mapped}


def _program_blob(context, k, program):
    """Programs begin at a multiple of the tags of a word, so their length is one."""
    padded = np.pad(program, (0, -len(program) % context.cfg.tags))
    return context.memories.blob((k, *program.tolist()), Target.LUT, lambda: padded[:, None], "micro-instructions")


def _speculate(context, item, fields, gate, own, projection):
    """The Speculator's job of an item."""
    layer = context.network.layers[item.layer]
    cfg, memories, low, function = context.cfg, context.memories, layer.low, layer.functions[gate]
    item.speculate = {name: value for name, value in fields.items() if name in SPECULATE_FIELDS} | {
        "tiles_n": -(-fields["channels"] // cfg.systolic_columns), "threshold": int(low.threshold[gate]),
        "low_shift": int(low.low_shift[gate]), "scale": SCALE[function]}
    if fields.get("ordered"):
        item.speculate |= {f"limit_{n}": limit for n, limit in enumerate(context.limits)}
    key = item.layer, gate, own.start or 0
    weights = memories.blob(key, Target.LOW_WEIGHTS, lambda: pack_low_weights(cfg, low.w[gate][own]), "INT4 weights")
    bias = memories.blob(key, Target.LOW_BIAS, lambda: pack_low_bias(cfg, low.b[gate][own]), "INT32 biases")
    item.blobs["speculate"] |= {"projection_base": (projection, 0), "low_base": (weights, 0),
                                "low_bias_base": (bias, 0)}
