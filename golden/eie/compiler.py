"""Layers to the contents of the memories, and back [EIE III.B, III.C, IV].

Row i of a layer belongs to PE ``i % n_pe`` and is row ``i // n_pe`` there. Each PE stores its part of every
column as entries (v, z): codebook index and number of zeros before it. In a gap of more than 15 zeros,
padding entries (v = 0, z = 15) stand for 16 zeros each. The entries of all columns follow each other without
a break; pointer c is where column c begins and pointer c + 1 where it ends.

A register file holds ``pass_length`` activations over all PEs. A longer input is cut into chunks that keep
accumulating, a longer output into chunks that are computed one after the other. One pair of chunks is a pass,
one word of the program::

    for every layer
        for every output chunk
            for every input chunk
                pass: columns of the input chunk, then the bias column if this is the last input chunk

Where vectors live: one that is no longer than ``pass_length`` stays in a register file, and the two files
swap after the layer that wrote it, but for the last layer. A longer one goes to the activation SRAM, element
i in PE ``i % n_pe``; input and output of one layer use opposite ends of it. A load brings ``in_rows`` words
into the source file; its rows from ``in_rows`` on must count as zero then, because the last chunk may be
shorter than the others.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from golden.common.fields import pack_fields

from .config import EieConfig
from .formats import MAX_ZEROS, PASS_FIELDS, Mem
from .spec import check_layers

#: Matrix elements that the packer looks at together; bounds its memory.
BLOCK = 1 << 22
PADDING_ENTRY = MAX_ZEROS

class Pass(NamedTuple("Pass", [(name, int) for name in PASS_FIELDS if name != "zero"])):
    """One word of the program; fields as in :data:`golden.eie.formats.PASS_FIELDS`."""

    __slots__ = ()

    def word(self) -> int:
        """The pass as it is written to the program memory."""
        return pack_fields(PASS_FIELDS, self._asdict())


class PassInfo(NamedTuple):
    """What a pass computes: ``codes[out_start:out_stop, in_start:in_stop]`` of ``layer``."""

    layer: int
    out_chunk: int
    in_chunk: int
    out_start: int
    out_stop: int
    in_start: int
    in_stop: int

    @property
    def n_columns(self) -> int:
        """Columns of the pass without the bias column."""
        return self.in_stop - self.in_start


class Place(NamedTuple):
    """Where a vector lives: element i is in PE ``i % n_pe`` at word ``addr + i // n_pe`` of ``mem``."""

    mem: Mem
    addr: int
    length: int


class LayerStats(NamedTuple):
    """What compression did to one layer; counts are sums over all PEs.

    ``weights``: matrix and bias elements. ``nonzeros``: those with a code other than 0. ``entries``: stored
    entries, ``padding`` of them only to bridge gaps.
    """

    weights: int
    nonzeros: int
    entries: int
    padding: int

    @property
    def density(self) -> float:
        """Share of weights that are not pruned."""
        return self.nonzeros / self.weights


@dataclass(frozen=True, eq=False)
class Image:
    """Everything that the host writes before it starts the program.

    Attributes
    ----------
    cfg : EieConfig
    rows : uint8 array, shape (n_pe, n_rows, entries_per_row)
        Sparse-matrix SRAM from address 0; padded with zero bytes behind the last entry of a PE.
    entries : int64 array, shape (n_pe,)
        Entries stored in each PE.
    pointers : int64 array, shape (n_pe, columns + 1)
        Pointer SRAM from address 0.
    codebooks : int64 array, shape (tables, 16)
        Entry e of table t is word ``16 * t + e`` of the codebook memory of every PE.
    program : list of Pass
    pass_info : list of PassInfo
        What each pass computes.
    input, output : Place
        Where the host puts the input and finds the output.
    stats : list of LayerStats
    """

    cfg: EieConfig
    rows: np.ndarray
    entries: np.ndarray
    pointers: np.ndarray
    codebooks: np.ndarray
    program: list
    pass_info: list
    input: Place
    output: Place
    stats: list

    @property
    def total(self) -> LayerStats:
        """Sum of :attr:`stats`."""
        return LayerStats(*map(sum, zip(*self.stats, strict=True)))

    @property
    def compression(self) -> float:
        """Bits of all weights as ``data_bits`` words, over the bits of entries, pointers and codebooks."""
        pointers = self.pointers.size * self.cfg.pointer_bits
        stored = 8 * self.total.entries + pointers + self.codebooks.size * self.cfg.data_bits
        return self.total.weights * self.cfg.data_bits / stored

    def input_words(self, activations) -> np.ndarray:
        """What to write to the input place: shape (rows, n_pe), int64, zeros behind the end of the vector.

        A register file is cleared before, so nothing of an earlier run is left in the rows behind.
        """
        n_pe = self.cfg.n_pe
        rows = -(-self.input.length // n_pe)
        words = np.zeros(rows * n_pe, np.int64)
        words[:self.input.length] = activations
        return words.reshape(rows, n_pe)


def schedule(shapes, cfg: EieConfig) -> tuple[list[PassInfo], list[dict], Place, Place]:
    """Cut layers into passes and decide where every vector lives; knows nothing of weights.

    Parameters
    ----------
    shapes : list of (n_out, n_in, has_bias)

    Returns
    -------
    pass_info : list of PassInfo
    fields : list of dict
        The fields of each pass that follow from the shapes.
    input, output : Place

    Raises
    ------
    ValueError
        If a vector, the pointers or the passes do not fit.
    """
    infos, words = [], []
    in_base = 0 if shapes[0][1] > cfg.pass_length else None     # None: in the source register file
    start = Place(Mem.ACT0 if in_base is None else Mem.ACT_SRAM, 0, shapes[0][1])
    column = swaps = 0
    for layer, (n_out, n_in, has_bias) in enumerate(shapes):
        last_layer = layer == len(shapes) - 1
        out_base = _store_base(layer, n_out, n_in, in_base, cfg)
        for out_chunk, out_start in enumerate(range(0, n_out, cfg.pass_length)):
            for in_chunk, in_start in enumerate(range(0, n_in, cfg.pass_length)):
                out_stop = min(out_start + cfg.pass_length, n_out)
                in_stop = min(in_start + cfg.pass_length, n_in)
                info = PassInfo(layer, out_chunk, in_chunk, out_start, out_stop, in_start, in_stop)
                finish = in_stop == n_in
                bias = bool(has_bias and finish)
                word = {"clear": in_start == 0, "finish": finish, "bias": bias,
                        "column_base": column, "bias_column": column + info.n_columns if bias else 0}
                if in_base is not None:
                    word |= {"load": 1, "in_rows": -(-info.n_columns // cfg.n_pe),
                             "in_base": in_base + in_start // cfg.n_pe}
                if out_base is None:
                    word["swap"] = finish and not last_layer
                elif finish:
                    word |= {"store": 1, "out_rows": -(-(out_stop - out_start) // cfg.n_pe),
                             "out_base": out_base + out_start // cfg.n_pe}
                infos.append(info)
                words.append(word)
                column += info.n_columns + bias
        swaps += out_base is None and not last_layer
        in_base = out_base
    _at_most(f"layers need {column + 1} pointers", column + 1, cfg.ptr_words)
    _at_most(f"layers need {len(words)} passes", len(words), cfg.program_words)
    # The destination file is ACT1 at first and changes with every swap.
    place = (Mem.ACT_SRAM, in_base) if in_base is not None else (Mem.ACT0 if swaps % 2 else Mem.ACT1, 0)
    return infos, words, start, Place(*place, shapes[-1][0])


def _store_base(layer, n_out, n_in, in_base, cfg):
    """Where in the activation SRAM a layer's output begins; None when it stays in the register file."""
    in_rows = 0 if in_base is None else -(-n_in // cfg.n_pe)
    out_rows = 0 if n_out <= cfg.pass_length else -(-n_out // cfg.n_pe)
    _at_most(f"layer {layer} needs {in_rows + out_rows} words of activation SRAM for {n_in} inputs and "
             f"{n_out} outputs", in_rows + out_rows, cfg.act_words)
    if not out_rows:
        return None
    return cfg.act_words - out_rows if in_base == 0 else 0


def _at_most(what, value, limit):
    if value > limit:
        raise ValueError(f"{what}, must be at most {limit}")


def pack(layers, cfg: EieConfig) -> Image:
    """Compress layers for ``cfg``. Inverse: :func:`unpack`.

    Raises
    ------
    ValueError
        From :func:`golden.eie.spec.check_layers` and :func:`schedule`; or if a PE cannot hold its entries, or
        there are more tables than codebooks.
    """
    check_layers(layers, cfg.data_bits)
    infos, words, start, end = schedule([(x.n_out, x.n_in, x.bias_codes is not None) for x in layers], cfg)
    tables = list({x.codebook.tobytes(): x.codebook for x in layers}.values())  # identical ones once
    _at_most(f"layers need {len(tables)} codebooks", len(tables), cfg.codebooks)
    parts = [[] for _ in range(cfg.n_pe)]       # entries of each PE, in order
    counts = []                                 # arrays (n_pe, columns): entries of each column
    stats = []
    used = np.zeros(cfg.n_pe, np.int64)
    for k, layer in enumerate(layers):
        stored = nonzeros = 0
        for block in _blocks(layer, [i for i in infos if i.layer == k]):
            entries, per_column = compress(block, cfg.n_pe)
            per_pe = per_column.sum(axis=1)
            for part, piece in zip(parts, np.split(entries, np.cumsum(per_pe)[:-1]), strict=True):
                part.append(piece)
            counts.append(per_column)
            used += per_pe
            stored += len(entries)
            nonzeros += int(np.count_nonzero(block))
        worst = int(used.argmax())
        together = f" together with layers 0..{k - 1}" if k else ""
        _at_most(f"layer {k}{together} needs {used[worst]} compressed entries in PE {worst}",
                 used[worst], cfg.spmat_entries)
        stats.append(LayerStats(layer.n_out * (layer.n_in + (layer.bias_codes is not None)), nonzeros, stored,
                                stored - nonzeros))
    counts = np.concatenate(counts, axis=1)
    pointers = np.zeros((cfg.n_pe, counts.shape[1] + 1), np.int64)
    np.cumsum(counts, axis=1, out=pointers[:, 1:])
    rows = np.zeros((cfg.n_pe, -(-int(used.max()) // cfg.entries_per_row), cfg.entries_per_row), np.uint8)
    for row, part, size in zip(rows.reshape(cfg.n_pe, -1), parts, used, strict=True):
        row[:size] = np.concatenate(part)
    table_of = {table.tobytes(): t for t, table in enumerate(tables)}
    program = [_pass(layers[i.layer], table_of[layers[i.layer].codebook.tobytes()], word)
               for i, word in zip(infos, words, strict=True)]
    return Image(cfg, rows, used, pointers, np.stack(tables), program, infos, start, end, stats)


def _blocks(layer, infos):
    """The columns of a layer's passes, bias columns included, in the order of the pointers."""
    for info in infos:
        rows = slice(info.out_start, info.out_stop)
        step = max(1, BLOCK // (info.out_stop - info.out_start))
        for column in range(info.in_start, info.in_stop, step):
            yield layer.codes[rows, column:min(column + step, info.in_stop)]
        if layer.bias_codes is not None and info.in_stop == layer.n_in:
            yield layer.bias_codes[rows, None]


def _pass(layer, table, word):
    values = dict.fromkeys(Pass._fields, 0) | {name: int(value) for name, value in word.items()}
    values |= {"relu": int(layer.relu), "codebook": table, "shift": layer.shift,
               "bias_value": layer.bias_value if word["bias"] else 0}
    return Pass(**values)


def compress(codes: np.ndarray, n_pe: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries of some columns, in the order PE, column, row.

    Parameters
    ----------
    codes : uint8 array, shape (rows, columns)

    Returns
    -------
    entries : uint8 array
        ``v << 4 | z``.
    per_column : int64 array, shape (n_pe, columns)
        Number of entries of each column in each PE.
    """
    n_rows, n_columns = codes.shape
    local = -(-n_rows // n_pe)
    padded = np.zeros((local * n_pe, n_columns), np.uint8)
    padded[:n_rows] = codes
    flat = np.ascontiguousarray(padded.reshape(local, n_pe, n_columns).transpose(1, 2, 0)).reshape(-1)
    where = np.flatnonzero(flat)
    column, row = np.divmod(where, local)       # column: PE * n_columns + column
    zeros = row.copy()
    same = column[1:] == column[:-1]
    zeros[1:][same] -= row[:-1][same] + 1
    padding, zeros = np.divmod(zeros, MAX_ZEROS + 1)
    ends = np.cumsum(padding + 1)
    entries = np.full(ends[-1] if len(ends) else 0, PADDING_ENTRY, np.uint8)
    entries[ends - 1] = flat[where] << 4 | zeros.astype(np.uint8)
    per_column = np.bincount(column, weights=padding + 1, minlength=n_pe * n_columns).astype(np.int64)
    return entries, per_column.reshape(n_pe, n_columns)


def unpack(image: Image) -> list[tuple[np.ndarray, np.ndarray | None]]:
    """(codes, bias_codes) of every layer, from rows, pointers and program alone. Inverse of :func:`pack`."""
    layers = []
    for k in range(image.pass_info[-1].layer + 1):
        passes = [(i, p) for i, p in zip(image.pass_info, image.program, strict=True) if i.layer == k]
        codes = np.zeros((passes[-1][0].out_stop, passes[-1][0].in_stop), np.uint8)
        bias = np.zeros(len(codes), np.uint8) if passes[-1][1].bias else None
        for info, word in passes:
            block = codes[info.out_start:info.out_stop, info.in_start:info.in_stop]
            _expand(image, word.column_base, block)
            if word.bias:
                _expand(image, word.bias_column, bias[info.out_start:info.out_stop, None])
        layers.append((codes, bias))
    return layers


def _expand(image, first, block):
    """Write the columns from pointer address ``first`` on into ``block``, shape (rows, columns)."""
    for pe, row in enumerate(image.rows.reshape(image.cfg.n_pe, -1)):
        pointers = image.pointers[pe, first:first + block.shape[1] + 1]
        entries = row[pointers[0]:pointers[-1]]
        value, zeros = entries >> 4, entries & MAX_ZEROS
        position = np.concatenate(([0], np.cumsum(zeros.astype(np.int64) + 1)))     # rows passed before it
        sizes = np.diff(pointers)
        column = np.repeat(np.arange(block.shape[1]), sizes)
        local = position[1:] - 1 - np.repeat(position[pointers[:-1] - pointers[0]], sizes)
        keep = value != 0
        block[local[keep] * image.cfg.n_pe + pe, column[keep]] = value[keep]


class PassWork(NamedTuple):
    """What a pass has to do for a given vector.

    ``entries``: int64 array (n_pe,), stored entries in the broadcast columns. ``broadcasts``: non-zero activations
    and the bias.
    """

    entries: np.ndarray
    broadcasts: int

    @property
    def floor(self) -> int:
        """Cycles below which no EIE can be: one entry per PE, and one broadcast, in a cycle."""
        return max(int(self.entries.max()), self.broadcasts)


def pass_work(image: Image, vectors) -> list[PassWork]:
    """Work of every pass.

    Parameters
    ----------
    vectors : list of int array
        Input vector of each layer: the activations, then the outputs of every layer but the last.
    """
    result = []
    for info, word in zip(image.pass_info, image.program, strict=True):
        columns = word.column_base + np.flatnonzero(vectors[info.layer][info.in_start:info.in_stop])
        if word.bias:
            columns = np.append(columns, word.bias_column)
        entries = (image.pointers[:, columns + 1] - image.pointers[:, columns]).sum(axis=1)
        result.append(PassWork(entries, len(columns)))
    return result


def layer_floors(image: Image, vectors) -> list[int]:
    """Floor of every layer [cycles]; ``vectors`` as for :func:`pass_work`.

    The passes of one output chunk run into each other: a PE that has little to do in one of them goes on with the
    next. So their entries are added up per PE before the largest counts.
    """
    floors = [0] * (image.pass_info[-1].layer + 1)
    entries, broadcasts = 0, 0
    for info, word, work in zip(image.pass_info, image.program, pass_work(image, vectors), strict=True):
        entries, broadcasts = entries + work.entries, broadcasts + work.broadcasts
        if word.finish:
            floors[info.layer] += PassWork(entries, broadcasts).floor
            entries, broadcasts = 0, 0
    return floors
