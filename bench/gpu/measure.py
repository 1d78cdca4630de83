"""Paired measurements on one GPU: two implementations in turn, A B B A, on rotating buffers.

A block repeats an implementation for 20 to 50 ms. Where either takes less than 100 us, both are captured into graphs
of 100 repeats, so that launches by the host are not what is measured ("graphs"); where one can't be, neither is. The
figure is the median of the paired ratios; the same pairing of ours with itself gives the noise.
"""
import statistics

import torch

BLOCK_SECONDS = 0.03
GRAPH_BELOW = 100e-6
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
        self.graph, self.per_block = None, 1
        for i in range(sets):
            run(i)
        torch.cuda.synchronize()
        self.once = self._time(self._eager, max(1, sets))

    def settle(self, graph):
        """Finds how often a block repeats the work, by the graph or without it."""
        if not graph:
            self.graph = None
        unit = self._time(self._unit, 3)
        self.per_block = max(1, round(BLOCK_SECONDS / max(unit, 1e-7)))
        return self

    def _eager(self, repeats):
        for i in range(repeats):
            self.run(i % self.sets)

    def capture(self):
        """Whether the work could be captured into a graph: what waits for the device can't."""
        try:
            self._capture()
        except RuntimeError as refused:
            print(f"not captured: {str(refused).splitlines()[0]}")
        return self.graph is not None

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
    graph = min(a.once, b.once) < GRAPH_BELOW and a.capture() and b.capture()
    a.settle(graph), b.settle(graph)
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
        "graphs": graph,
    }


def relative_error(got, exact):
    """||got - exact|| / ||exact|| in f64; NaN when anything is not finite that should be."""
    got, exact = got.double(), exact.double()
    scale = exact.norm()
    return ((got - exact).norm() / (scale if scale > 0 else 1.0)).item()
