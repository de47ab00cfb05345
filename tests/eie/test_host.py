"""What the host sends: packets that a plain interpreter and the golden model turn into the image again."""

import numpy as np
import pytest

from golden.common.fields import unpack_fields
from golden.common.fixed import wrap
from golden.eie import host, io_port
from golden.eie.formats import COMMAND_FIELDS, Mem, Op, Walk, beats, mem_bits, mem_words
from golden.eie.model import Eie
from tests.eie.networks import TINY, expected, random_image

CONFIGS = [TINY, TINY.replace(n_pe=1, spmat_width=64), TINY.replace(n_pe=8, spmat_width=512, data_bits=32),
           TINY.replace(n_pe=2, data_bits=8, spmat_words=2048, spmat_width=128)]
IDS = ["tiny", "one-pe", "wide-rows", "bits-8"]


class Memories:
    """Carries packets out as the format says, word by word."""

    def __init__(self, cfg):
        self.cfg = cfg
        self.words = {}         # (mem, pe, addr) -> word

    def send(self, packet):
        command = unpack_fields(COMMAND_FIELDS, packet[0])
        legal = io_port.is_legal(np.array(list(command.values())), len(packet) == 1, self.sizes, self.cfg.n_pe)
        assert legal, command
        mem, n_pe, data = Mem(command["mem"]), self.cfg.n_pe, packet[1:]
        if command["op"] == Op.CLEAR:
            self.words |= {(mem, pe, addr): 0 for pe in range(n_pe) for addr in range(mem_words(self.cfg)[mem])}
            return []
        places = []
        for i in range(command["count"]):
            pe, addr = command["pe"], command["addr"] + i
            if command["walk"] == Walk.INTERLEAVED:
                pe, addr = i % n_pe, command["addr"] + i // n_pe
            places.append([(mem, k, addr) for k in (range(n_pe) if command["walk"] == Walk.ALL else [pe])])
        if command["op"] == Op.READ:
            return [self.words[place[0]] for place in places]
        bits = mem_bits(self.cfg)[mem]
        assert len(data) == len(places) * beats(bits)
        for i, place in enumerate(places):
            word = sum(beat << 64 * b for b, beat in enumerate(data[i * beats(bits):(i + 1) * beats(bits)]))
            assert word < 1 << bits
            self.words |= dict.fromkeys(place, word)
        return []

    @property
    def sizes(self):
        return np.array([mem_words(self.cfg)[mem] for mem in Mem])

    def array(self, mem, pe, count):
        return [self.words[mem, pe, addr] for addr in range(count)]


@pytest.fixture(params=[1 << 19, 8], ids=["one-packet", "many-packets"])
def max_count(request, monkeypatch):
    monkeypatch.setattr(host, "MAX_COUNT", request.param)
    return request.param


@pytest.mark.parametrize("cfg", CONFIGS, ids=IDS)
def test_image_packets(cfg, max_count):
    """Every memory holds what the image says, and nothing is written outside."""
    rng = np.random.default_rng(1)
    _, _, image = random_image(rng, cfg, layers=3)
    memories = Memories(cfg)
    packets = host.image_packets(image)
    for packet in packets:
        assert unpack_fields(COMMAND_FIELDS, packet[0])["count"] <= max_count
        assert memories.send(packet) == []
    for pe in range(cfg.n_pe):
        used = -(-int(image.entries[pe]) // cfg.entries_per_row)
        rows = [int.from_bytes(row.tobytes(), "little") for row in image.rows[pe, :used]]
        assert memories.array(Mem.SPMAT, pe, used) == rows
        assert memories.array(Mem.PTR, pe, image.pointers.shape[1]) == image.pointers[pe].tolist()
        table = [wrap(word, cfg.data_bits) for word in memories.array(Mem.CODEBOOK, pe, image.codebooks.size)]
        assert table == image.codebooks.reshape(-1).tolist()
    assert memories.array(Mem.PROGRAM, 0, len(image.program)) == [p.word() for p in image.program]
    some = host.image_packets(image, (Mem.SPMAT, Mem.PTR))
    assert some == packets[-len(some):]
    assert {Mem(unpack_fields(COMMAND_FIELDS, packet[0])["mem"]) for packet in some} == {Mem.CODEBOOK, Mem.PROGRAM}


@pytest.mark.parametrize("cfg", CONFIGS, ids=IDS)
@pytest.mark.parametrize("wide", [False, True], ids=["registers", "sram"])
def test_input_and_output(cfg, wide, max_count):
    """A vector is found where it was placed, and nothing of the one before is left in a register file."""
    rng = np.random.default_rng(2)
    for _ in range(20):
        layers, activations, image = random_image(rng, cfg, wide=wide, layers=1)
        memories = Memories(cfg)
        mem = image.input.mem
        if mem is not Mem.ACT_SRAM:
            memories.words |= {(mem, pe, addr): 1 for pe in range(cfg.n_pe) for addr in range(cfg.regfile_words)}
        for packet in host.input_packets(image, activations):
            memories.send(packet)
        found = [memories.words[mem, i % cfg.n_pe, image.input.addr + i // cfg.n_pe] for i in range(len(activations))]
        assert [wrap(word, cfg.data_bits) for word in found] == activations.tolist()
        assert sum(word != 0 for word in memories.words.values()) == np.count_nonzero(activations)

        vector = rng.integers(-1 << cfg.data_bits - 1, 1 << cfg.data_bits - 1, image.output.length)
        place = image.output
        memories.words |= {(place.mem, i % cfg.n_pe, place.addr + i // cfg.n_pe): int(v) % (1 << cfg.data_bits)
                           for i, v in enumerate(vector)}
        reply = memories.send(host.output_packet(image))
        np.testing.assert_array_equal(host.output_vector(image, reply), vector)


def send_all(model, packets):
    """Put packets on the pins of the model, one beat as soon as it is taken; the beats of the replies."""
    replies = []
    for packet in packets:
        for i, beat in enumerate(packet):
            x = model.inputs(1)
            x.s_valid[0], x.s_last[0], x.m_ready[0] = 1, i == len(packet) - 1, 1
            x.s_data[0] = beat - (beat >> 63 << 64)
            while not step(model, x, replies):
                pass
    idle = model.inputs(1)
    idle.m_ready[0] = 1
    for _ in range(500):
        step(model, idle, replies)
    return replies


def step(model, x, replies):
    y = dict(zip(("m_data", "s_ready", "m_valid", "m_last"), model.step(x).outputs[0, :4].tolist(), strict=True))
    if y["m_valid"]:
        replies.append(y["m_data"])
    return y["s_ready"]


@pytest.mark.parametrize("cfg", CONFIGS, ids=IDS)
def test_ports_of_the_model(cfg):
    """The packets leave the golden model in the state that ``load`` and ``put`` give it, and bring the outputs back."""
    layers, activations, image = random_image(np.random.default_rng(3), cfg, layers=2, wide=False)
    at_once, by_port = Eie(cfg), Eie(cfg)
    at_once.load(image)
    at_once.put(image, activations)
    send_all(by_port, host.image_packets(image) + host.input_packets(image, activations))
    for memory in (lambda s: s.entries.spmat, lambda s: s.pointers.ptr, lambda s: s.arithmetic.codebook,
                   lambda s: s.program.words, lambda s: s.files.nonzero, lambda s: s.files.words * s.files.nonzero):
        np.testing.assert_array_equal(memory(at_once.state), memory(by_port.state))
    assert not by_port.state.io.error[0]
    by_port.run(image, activations)
    reply = send_all(by_port, [host.output_packet(image)])
    np.testing.assert_array_equal(host.output_vector(image, reply), expected(layers, activations, cfg)[0])
