"""What is right: configurations, equations, cycle models, compilers, workloads."""
