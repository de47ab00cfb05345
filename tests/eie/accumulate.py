"""What the arithmetic unit computes, without time, in plain Python integers."""


def accumulate(entries, table, shift: int, words: int, bits: int):
    """b_x = b_x + S[v] * a_j for entries with the fields ``first v z value``, from cleared accumulators on.

    Returns
    -------
    sums : dict of int to int
        The accumulators that were written, by row.
    clipped, bad : bool
        Some sum left the range of ``bits``; some row was not below ``words``.
    kept : int
        Entries that were not dropped.
    """
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    sums, clipped, bad, kept, row = {}, False, False, 0, 0
    for entry in entries:
        row = entry.z if entry.first else row + 1 + entry.z
        if row >= words:
            bad, row = True, words  # this column has no way back
            continue
        kept += 1
        product = table[entry.v] * entry.value
        total = sums.get(row, 0) + ((product + (1 << shift >> 1)) >> shift)
        sums[row] = min(max(total, low), high)
        clipped = clipped or total != sums[row]
    return sums, clipped, bad, kept
