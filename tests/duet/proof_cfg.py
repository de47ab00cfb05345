"""The configuration that units of the Speculator are proven in: as small as it may be."""

from golden.duet.config import DuetConfig

__all__ = ["SIZE", "SMALL"]

SMALL = DuetConfig(rows=2, columns=2, side=2, lut=32, tags=8, input_words=2, weight_words=2, glb_words=64, channels=16,
                   trees=4, systolic_columns=4, activation_words=16, projection_words=16, low_tiles=16,
                   reduced_words=2, buckets=2)
SIZE = "2 columns, 4 pixels"
