"""Hardware of DUET [Thesis 5]."""
