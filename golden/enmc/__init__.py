"""ENMC, classification near memory: configuration, equations, instructions, cycle model, the classifier's API."""
