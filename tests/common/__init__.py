"""Tests of the parts that all accelerators share."""
