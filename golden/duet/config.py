"""Parameters of DUET: one frozen object builds the golden model, the hardware and the benches."""

import dataclasses
from dataclasses import dataclass

from golden.common.config import check_choice, check_power_of_two

from .formats import VALUE_BITS


@dataclass(frozen=True, kw_only=True)
class DuetConfig:
    """Parameters of one DUET accelerator.

    A word of the global buffer holds ``pixels`` values for each column of PEs: a square of ``side`` x ``side`` pixels
    of as many channels as there are columns, or as many elements of a vector. It is what the Executor takes in a
    cycle, and what the adder trees of the Speculator add up (4,096 inputs: 16 trees x 256 values).

    Attributes
    ----------
    rows, columns : int
        PEs of the Executor; powers of two, 2..32. A row works on an output channel, a column on an input channel.
    side : int
        Width and height of a tile of outputs, and of a square of pixels in a word; 2 or 4.
    lut : int
        Micro-instructions of the MAC instruction LUT; a power of two, 32..4096.
    tags : int
        Tags that are worked out in a cycle; a power of two, 8..32.
    input_words, weight_words : int
        Words of inputs and weights of a step that the buffers of the PEs hold, twice; powers of two, 2..32.
    glb_words : int
        Words of the global buffer; a power of two, 64..65536.
    channels : int
        Most output channels of a convolution, and words of the order memory; a power of two, 16..4096.
    trees : int
        Adder trees of the Speculator and rows of the systolic array; a power of two, 4..32.
    systolic_columns : int
        Columns of the systolic array; a multiple of ``columns`` that is a power of two, at most 64.
    activation_words, projection_words : int
        Words of the Speculator's activation buffer and of the projection buffer; powers of two, 16..4096.
    low_tiles : int
        Tiles of ``trees`` x ``systolic_columns`` INT4 weights in the QDR weight buffer; a power of two, 16..4096.
    reduced_words : int
        Words of ``trees`` INT4 values for each pixel of a tile in the QDR input buffer, twice; a power of two, 2..64.
    buckets : int
        Buckets of the reorder unit; a power of two, 2..16.
    """

    rows: int = 16
    columns: int = 16
    side: int = 4
    lut: int = 1024
    tags: int = 16
    input_words: int = 32
    weight_words: int = 4
    glb_words: int = 2048
    channels: int = 512
    trees: int = 16
    systolic_columns: int = 32
    activation_words: int = 64
    projection_words: int = 32
    low_tiles: int = 512
    reduced_words: int = 16
    buckets: int = 16

    def __post_init__(self):
        check_power_of_two("rows", self.rows, 2, 32)
        check_power_of_two("columns", self.columns, 2, 32)
        check_choice("side", self.side, (2, 4))
        check_power_of_two("lut", self.lut, 32, 4096)
        check_power_of_two("tags", self.tags, 8, 32)
        check_power_of_two("input_words", self.input_words, 2, 32)
        check_power_of_two("weight_words", self.weight_words, 2, 32)
        check_power_of_two("glb_words", self.glb_words, 64, 65536)
        check_power_of_two("channels", self.channels, 16, 4096)
        check_power_of_two("trees", self.trees, 4, 32)
        check_power_of_two("systolic_columns", self.systolic_columns, self.columns, 64)
        check_power_of_two("activation_words", self.activation_words, 16, 4096)
        check_power_of_two("projection_words", self.projection_words, 16, 4096)
        check_power_of_two("low_tiles", self.low_tiles, 16, 4096)
        check_power_of_two("reduced_words", self.reduced_words, 2, 64)
        check_power_of_two("buckets", self.buckets, 2, 16)

    def replace(self, **changes):
        """Copy with some fields changed; validation runs again."""
        return dataclasses.replace(self, **changes)

    @property
    def pixels(self) -> int:
        """Pixels of a tile, and values that a word holds for a column: 16."""
        return self.side**2

    @property
    def values(self) -> int:
        """Values of a word: 256. Value ``column * pixels + pixel``, the first lowest."""
        return self.columns * self.pixels

    @property
    def word_bits(self) -> int:
        """Width of a word of the global buffer [bits]: 4,096, that is 512 B a cycle."""
        return self.values * VALUE_BITS

    @property
    def lane_bits(self) -> int:
        """Width of a column's part of a word [bits]."""
        return self.pixels * VALUE_BITS

    @property
    def glb_bits(self) -> int:
        """Width of an address of the global buffer."""
        return self.glb_words.bit_length() - 1

    @property
    def pixel_bits(self) -> int:
        """Width of the number of a pixel of a tile, the output index of a micro-instruction."""
        return self.pixels.bit_length() - 1

    @property
    def input_bits(self) -> int:
        """Width of the input index of a micro-instruction: word, then pixel (low)."""
        return (self.input_words * self.pixels).bit_length() - 1

    @property
    def weight_bits(self) -> int:
        """Width of the weight index of a micro-instruction: word, then pixel (low)."""
        return (self.weight_words * self.pixels).bit_length() - 1

    @property
    def instruction_bits(self) -> int:
        """Width of a micro-instruction [bits]: input index (low), weight index, output index."""
        return self.input_bits + self.weight_bits + self.pixel_bits

    @property
    def lut_bits(self) -> int:
        """Width of the number of a micro-instruction."""
        return self.lut.bit_length() - 1

    @property
    def tag_words(self) -> int:
        """Words of tags of a step."""
        return self.lut // self.tags

    @property
    def low_bias_words(self) -> int:
        """Words of ``systolic_columns`` biases of the Speculator."""
        return max(16, self.low_tiles // 4)

    @property
    def vectors(self) -> int:
        """INT4 vectors of ``trees`` elements in a half of the QDR input buffer: of a pixel, word by word."""
        return self.pixels * self.reduced_words


#: Named configurations.
PRESETS = {
    "tiny": DuetConfig(rows=4, columns=4, side=2, lut=128, tags=16, input_words=16, weight_words=8, glb_words=4096,
                       channels=256, trees=4, systolic_columns=8, activation_words=256, projection_words=512,
                       low_tiles=1024, reduced_words=32, buckets=4),
    "small": DuetConfig(rows=8, columns=8, side=4, lut=512, tags=16, glb_words=2048, channels=256, trees=8,
                        systolic_columns=16, activation_words=64, projection_words=128, low_tiles=512,
                        reduced_words=16, buckets=8),
    "paper": DuetConfig(),
}

#: What commands use without ``--preset``.
DEFAULT_PRESET = "paper"
