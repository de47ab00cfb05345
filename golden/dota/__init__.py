"""DOTA: detect weak attention and leave it out [Thesis 7]. So far the order in which keys are loaded."""
