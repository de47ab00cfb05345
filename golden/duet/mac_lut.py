"""Golden model of the tags of the MAC instruction LUT [Thesis 5.1.2, Fig. 5.3]: which micro-instructions are valid.

A micro-instruction names an input, a weight and an output of a tile. It is valid if its output is sensitive and its
input is not zero. All PEs have the same program, those of a column the same inputs, those of a row the same outputs:
so a tag is the AND of a bit that a column has in common and of one that a row has in common.
"""

from typing import NamedTuple

import numpy as np

from golden.common.jit import jit

from .config import DuetConfig

__all__ = ["EVENTS", "LATENCY", "Fig53", "MacLutState", "build_ready_of", "busy_of", "clock", "fig_5_3", "state",
           "tags_spec", "tags_valid_of", "valid", "write_imap", "write_lut", "write_omap"]

#: Cycles from a build to its first word of tags.
LATENCY = 4
#: Builds that may be ahead of the steps that are over.
MOST_AHEAD = 2

#: Situations that the tests must reach.
EVENTS = ("cut", "whole", "base", "no_imap", "no_omap", "outside", "other_imap_bank", "other_omap_bank", "waits",
          "no_tags", "some_tags", "phase_wraps")
(CUT, WHOLE, BASE, NO_IMAP, NO_OMAP, OUTSIDE, OTHER_IMAP_BANK, OTHER_OMAP_BANK, WAITS, NO_TAGS, SOME_TAGS,
 PHASE_WRAPS) = range(len(EVENTS))


def valid(program, imap, omap) -> np.ndarray:
    """The definition, for one PE: tag = IMap[input] & OMap[output].

    Parameters
    ----------
    program : int array, shape (n, 3)
        Micro-instructions: indices of input, weight, output.
    imap, omap : bool array
        By index.

    Returns
    -------
    bool array, shape (n,)
    """
    program = np.asarray(program)
    return np.asarray(imap, bool)[program[:, 0]] & np.asarray(omap, bool)[program[:, 2]]


class Fig53(NamedTuple):
    """The worked example of Fig. 5.3: ``program`` [27, 3], ``imap`` [15], ``omap`` [3]; valid MACs without maps, with
    the output map, with both."""

    program: np.ndarray
    imap: np.ndarray
    omap: np.ndarray
    macs: tuple[int, int, int]


def fig_5_3() -> Fig53:
    """A 3 x 5 x 1 input tile and a 3 x 3 x 1 filter give 1 x 3 outputs, of which the first is sensitive; two thirds of
    the inputs are zero."""
    program = [(y * 5 + x + output, y * 3 + x, output) for output in range(3) for y in range(3) for x in range(3)]
    imap = np.array([1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0], bool)
    return Fig53(np.array(program), imap, np.array([1, 0, 0], bool), (27, 9, 3))


def tags_spec(cfg: DuetConfig, program, imaps, omaps, job) -> tuple[list, list]:
    """Tags of a build, word by word, without time.

    Parameters
    ----------
    program : int array, shape (cfg.lut, 3)
    imaps : int array, shape (2, input_words, columns)
        Maps of both banks: a bit a pixel.
    omaps : int array, shape (2, rows)
    job : mapping
        Fields of ``hdl.duet.layouts.build_layout``.

    Returns
    -------
    (list of list of int, list of list of int)
        For each word: tags of the columns, tags of the rows; a bit an instruction, the first lowest. Instructions
        that do not count have none for the rows.
    """
    by_word_i, by_word_o = [], []
    for word in range(job["words"]):
        itags, otags = [0] * cfg.columns, [0] * cfg.rows
        for bit in range(cfg.tags):
            number = (job["base"] + word) * cfg.tags + bit
            counts = word * cfg.tags + bit < job["length"]
            source, _weight, pixel = (int(index) for index in program[number])
            for c in range(cfg.columns):
                live = imaps[job["bank"]][source // cfg.pixels][c] >> source % cfg.pixels & 1
                itags[c] |= int(live or not job["use_imap"]) << bit
            for r in range(cfg.rows):
                wanted = (omaps[job["omap_bank"]][r] >> pixel & 1) or not job["use_omap"]
                otags[r] |= int(counts and wanted and job["inside"] >> pixel & 1) << bit
        by_word_i.append(itags)
        by_word_o.append(otags)
    return by_word_i, by_word_o


class MacLutState(NamedTuple):
    """Memories and registers, [lanes, ...]; words of tags and of maps are integers, a bit an instruction or a pixel."""

    lut_input: np.ndarray       # [lanes, lut]
    lut_pixel: np.ndarray
    imap: np.ndarray            # [lanes, 2, input_words, columns]
    omap: np.ndarray            # [lanes, 2, rows]
    running: np.ndarray         # a word is read in this cycle: number ``at``, ``left`` of them
    at: np.ndarray
    left: np.ndarray
    base: np.ndarray
    length: np.ndarray
    bank: np.ndarray
    omap_bank: np.ndarray
    use_imap: np.ndarray
    use_omap: np.ndarray
    inside: np.ndarray
    first: np.ndarray           # the first cycle of a build
    phase: np.ndarray           # of the build
    ahead: np.ndarray           # builds whose step is not over
    mask: np.ndarray            # [lanes, rows], outputs of the build
    s1_valid: np.ndarray        # program word read ...
    s1_at: np.ndarray
    s1_last: np.ndarray
    s1_phase: np.ndarray
    s1_input: np.ndarray        # [lanes, tags]
    s1_pixel: np.ndarray
    s2_valid: np.ndarray        # ... words of the input maps chosen ...
    s2_word: np.ndarray
    s2_last: np.ndarray
    s2_phase: np.ndarray
    s2_live: np.ndarray         # [lanes, tags], the instruction counts
    s2_bit: np.ndarray          # [lanes, tags], pixel of the input
    s2_pixel: np.ndarray
    s2_maps: np.ndarray         # [lanes, tags, columns]
    valid: np.ndarray           # ... and tags on offer
    word: np.ndarray
    last: np.ndarray
    o_phase: np.ndarray
    itags: np.ndarray           # [lanes, columns]
    otags: np.ndarray           # [lanes, rows]
    shifts: np.ndarray          # [lanes, 3], constants: pixel_bits; where the output index of an instruction begins
    seen: np.ndarray


def state(cfg: DuetConfig, lanes: int) -> MacLutState:
    """State after reset. What memories hold at first does not matter."""
    def zeros(*shape):
        return np.zeros((lanes, *shape), np.int64)

    shifts = np.tile(np.array([cfg.pixel_bits, cfg.input_bits, cfg.input_bits + cfg.weight_bits]), (lanes, 1))
    by_tag = (cfg.tags,)
    return MacLutState(
        zeros(cfg.lut), zeros(cfg.lut), zeros(2, cfg.input_words, cfg.columns), zeros(2, cfg.rows),
        *(zeros() for _ in range(13)), zeros(cfg.rows), *(zeros() for _ in range(4)), zeros(*by_tag), zeros(*by_tag),
        *(zeros() for _ in range(4)), zeros(*by_tag), zeros(*by_tag), zeros(*by_tag), zeros(cfg.tags, cfg.columns),
        *(zeros() for _ in range(4)), zeros(cfg.columns), zeros(cfg.rows), shifts,
        np.zeros(len(EVENTS), np.int64))


@jit
def build_ready_of(s, k):
    """A build is taken in this cycle if it is offered."""
    return not s.running[k] and s.ahead[k] != MOST_AHEAD


@jit
def tags_valid_of(s, k):
    """A word of tags goes to the PEs: ``s.word``, ``s.last``, ``s.o_phase``, ``s.itags``, ``s.otags``."""
    return s.valid[k] != 0


@jit
def busy_of(s, k):
    """A build was taken whose step is not over."""
    return s.ahead[k] != 0


@jit
def write_lut(s, k, index, instruction):
    """A micro-instruction arrives; call it before :func:`clock` of the same cycle."""
    s.lut_input[k, index] = instruction & ((1 << s.shifts[k, 1]) - 1)
    s.lut_pixel[k, index] = instruction >> s.shifts[k, 2]


@jit
def write_imap(s, k, bank, word, bits):
    """A word of the input map arrives, ``bits`` [columns]; call it after :func:`clock` of the same cycle."""
    for c in range(bits.shape[0]):
        s.imap[k, bank, word, c] = bits[c]


@jit
def write_omap(s, k, bank, row, bits):
    """The output map of a row arrives; call it after :func:`clock` of the same cycle."""
    s.omap[k, bank, row] = bits


@jit
def tag(s, k):
    """Last stage: a bit of each word of the maps."""
    tags, columns, rows = s.s2_live.shape[1], s.itags.shape[1], s.otags.shape[1]
    for c in range(columns):
        s.itags[k, c] = 0
    for r in range(rows):
        s.otags[k, r] = 0
    some = 0
    for bit in range(tags):
        for c in range(columns):
            s.itags[k, c] |= (s.s2_maps[k, bit, c] >> s.s2_bit[k, bit] & 1) << bit
        if s.s2_live[k, bit]:
            for r in range(rows):
                s.otags[k, r] |= (s.mask[k, r] >> s.s2_pixel[k, bit] & 1) << bit
                some |= s.otags[k, r]
    s.seen[NO_TAGS] += some == 0
    s.seen[SOME_TAGS] += some != 0


@jit
def choose(s, k):
    """Stage before: the words of the input maps that the instructions name."""
    tags, columns = s.s2_live.shape[1], s.itags.shape[1]
    for bit in range(tags):
        word, s.s2_bit[k, bit] = s.s1_input[k, bit] >> s.shifts[k, 0], \
            s.s1_input[k, bit] & ((1 << s.shifts[k, 0]) - 1)
        s.s2_pixel[k, bit] = s.s1_pixel[k, bit]
        s.s2_live[k, bit] = s.s1_at[k] * tags + bit < s.length[k]
        for c in range(columns):
            s.s2_maps[k, bit, c] = s.imap[k, s.bank[k], word, c] if s.use_imap[k] else -1
    s.s2_word[k] = s.base[k] + s.s1_at[k]


@jit
def clock(s, k, build, base, words, length, bank, omap_bank, use_imap, use_omap, inside, step_done):
    """One clock of lane ``k``: a build is offered, if ``build``; a step is over, if ``step_done``."""
    tags, rows = s.s2_live.shape[1], s.otags.shape[1]
    take = build and build_ready_of(s, k)
    s.seen[WAITS] += build and not take

    s.valid[k], s.last[k], s.o_phase[k], s.word[k] = s.s2_valid[k], s.s2_last[k], s.s2_phase[k], s.s2_word[k]
    if s.s2_valid[k]:
        tag(s, k)
    s.s2_valid[k], s.s2_last[k], s.s2_phase[k] = s.s1_valid[k], s.s1_last[k], s.s1_phase[k]
    if s.s1_valid[k]:
        choose(s, k)
    if s.first[k]:
        for r in range(rows):
            wanted = s.omap[k, s.omap_bank[k], r] if s.use_omap[k] else -1
            s.mask[k, r] = wanted & s.inside[k]
    s.s1_valid[k], s.s1_at[k], s.s1_last[k], s.s1_phase[k] = s.running[k], s.at[k], s.left[k] == 1, s.phase[k]
    s.first[k] = take
    if s.running[k]:
        first = (s.base[k] + s.at[k]) * tags
        for bit in range(tags):
            s.s1_input[k, bit], s.s1_pixel[k, bit] = s.lut_input[k, first + bit], s.lut_pixel[k, first + bit]
        s.running[k] = s.left[k] != 1
        s.at[k] += 1
        s.left[k] -= 1
    s.ahead[k] += take - (1 if step_done else 0)
    if take:
        s.seen[CUT] += length % tags != 0
        s.seen[WHOLE] += length % tags == 0
        s.seen[BASE] += base != 0
        s.seen[NO_IMAP] += not use_imap
        s.seen[NO_OMAP] += not use_omap
        s.seen[OUTSIDE] += inside != (1 << (1 << s.shifts[k, 0])) - 1
        s.seen[OTHER_IMAP_BANK] += bank != s.bank[k]
        s.seen[OTHER_OMAP_BANK] += omap_bank != s.omap_bank[k]
        s.seen[PHASE_WRAPS] += s.phase[k] == 3
        s.running[k], s.at[k], s.left[k], s.base[k], s.length[k] = 1, 0, words, base, length
        s.bank[k], s.omap_bank[k], s.use_imap[k], s.use_omap[k], s.inside[k] = bank, omap_bank, use_imap, use_omap, \
            inside
        s.phase[k] = s.phase[k] + 1 & 3
