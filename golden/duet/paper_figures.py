"""Numbers that the source prints, to be shown beside ours [Thesis 5.3]. Nothing is computed from them."""

__all__ = ["CNN_RNN_SPEEDUP", "EXECUTOR_MS", "SPECULATOR_MS", "SPEEDUP", "UTILIZATION", "WEIGHT_FETCH_MS"]

#: Average over CONV layers against ``base`` [5.3.3, Fig. 5.9 (a)].
SPEEDUP = {"base": 1.0, "os": 1.20, "bos": 1.93, "ios": 2.36, "duet": 3.05}
#: MAC utilisation, average over CONV layers [5.3.3, Fig. 5.9 (b)]; ``base`` is not printed.
UTILIZATION = {"os": 0.47, "bos": 0.76, "ios": 0.30, "duet": 0.39}
#: All networks together [5.3.3, Fig. 5.8 (a)].
CNN_RNN_SPEEDUP = 2.24
#: Latency of the Executor in ``base`` and ``duet``, and of the Speculator, average over CONV layers [Fig. 5.9 (c)].
EXECUTOR_MS, SPECULATOR_MS = {"base": 1.06, "duet": 0.29}, 0.20
#: Latency of fetching weights of recurrent layers from off chip [Fig. 5.9 (d)].
WEIGHT_FETCH_MS = {"base": 0.65, "duet": 0.30}
