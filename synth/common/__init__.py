"""Flows that are the same for every accelerator."""
