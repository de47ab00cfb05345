"""EIE, the engine for compressed fully connected layers: configuration, equations, compiler, cycle model."""
