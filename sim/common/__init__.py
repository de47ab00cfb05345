"""The simulation library that all accelerators share."""
