"""DUET: what is right [Thesis 3, 5]. Equations, cycle models, mapping, fitting, workloads."""
