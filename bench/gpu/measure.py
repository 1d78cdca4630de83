"""Paired measurements on one GPU: two implementations in turn, A B B A, on rotating buffers.

A block repeats an implementation for 20 to 50 ms. Work shorter than 50 us is captured into a graph of 100
repeats, so that launches by the host are not what is measured. The figure is the median of the paired ratios;
the same pairing of ours with itself gives the noise.
"""
import statistics

import torch

BLOCK_SECONDS = 0.03
GRAPH_BELOW = 50e-6
GRAPH_REPEATS = 100


def percentile(values, fraction):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(fraction * len(ordered)))]


def rotation(bytes_of_one, l2_bytes, limit=64):
    """How many sets of operands it takes to fill the second-level cache twice."""
    return max(1, min(limit, -(-2 * l2_bytes // max(1, bytes_of_one))))


class Timed:
    """One implementation: run(i) does the work on operand set i."""

    def __init__(self, run, sets):
        self.run, self.sets = run, sets
        self.graph, self.per_block, self.seconds = None, 1, 0.0
        for i in range(sets):
            run(i)
        torch.cuda.synchronize()
        once = self._time(self._eager, max(1, sets))
        if once < GRAPH_BELOW:
            self._capture()
        unit = self._time(self._unit, 3)
        self.per_block = max(1, round(BLOCK_SECONDS / max(unit, 1e-7)))

    def _eager(self, repeats):
        for i in range(repeats):
            self.run(i % self.sets)

    def _capture(self):
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self._eager(self.sets)
        torch.cuda.current_stream().wait_stream(stream)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            self._eager(GRAPH_REPEATS)
        self.graph = graph

    def _unit(self, repeats):
        if self.graph is None:
            self._eager(repeats)
        else:
            for _ in range(repeats):
                self.graph.replay()

    def _time(self, work, repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work(repeats)
        end.record()
        end.synchronize()
        return start.elapsed_time(end) * 1e-3 / repeats

    def block(self):
        """Seconds of one run, from one block."""
        units = self._time(self._unit, self.per_block)
        return units / (GRAPH_REPEATS if self.graph is not None else 1)


def pair(ours, theirs, sets, rounds=7):
    """Medians of both in seconds, ratio theirs / ours with p20 and p80, and the noise ours / ours."""
    a, b = Timed(ours, sets), Timed(theirs, sets)
    times_a, times_b, ratios, noise = [], [], [], []
    for _ in range(rounds):
        a1, b1, b2, a2 = a.block(), b.block(), b.block(), a.block()
        times_a += [a1, a2]
        times_b += [b1, b2]
        ratios += [b1 / a1, b2 / a2]
        noise.append(max(a1, a2) / min(a1, a2))
    return {
        "ours": statistics.median(times_a),
        "theirs": statistics.median(times_b),
        "ratio": statistics.median(ratios),
        "p20": percentile(ratios, 0.2),
        "p80": percentile(ratios, 0.8),
        "noise": statistics.median(noise),
        "graph": a.graph is not None,
    }


def relative_error(got, exact):
    """||got - exact|| / ||exact|| in f64; NaN when anything is not finite that should be."""
    got, exact = got.double(), exact.double()
    scale = exact.norm()
    return ((got - exact).norm() / (scale if scale > 0 else 1.0)).item()
