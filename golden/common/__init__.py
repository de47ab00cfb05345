"""Helpers that the golden models of all accelerators share."""
