"""Tests of the simulation library itself."""
