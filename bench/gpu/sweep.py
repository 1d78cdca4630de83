#!/usr/bin/env python3
"""Times gs_gemm with every method, tile and number of parts of k, beside what its rules choose and torch.mm.

    sweep.py --library libgridstride_cuda.so [--dtypes f32,bf16] [--shapes 128x128x128,...] [--transposes nn,nt,tn]

One line a product: microseconds of the rules' choice, of torch.mm and of the best; then the best three. For whoever
changes the rules in kernels/gemm.cu (tile_of, parts_of).
"""
import argparse
import ctypes
import os
import statistics
import sys

import torch

import abi
import measure

TYPES = {"f32": torch.float32, "bf16": torch.bfloat16}
SHAPES = ("64x10x128,128x128x128,256x256x256,512x512x512,768x768x768,1024x1024x1024,1536x1536x1536,2048x2048x2048,"
          "3000x3000x3000,4096x4096x4096,64x4096x4096,4096x64x4096,64x1024x1024,128x4096x1024,256x256x65536,"
          "8192x1024x64,1200x64x9216,64x1200x9216")


def timed(run, sets):
    work = measure.Timed(run, sets)
    work.settle(work.once < measure.GRAPH_BELOW and work.capture())
    return statistics.median(work.block() for _ in range(3)) * 1e6


def product(gs, dtype, m, n, k, transposes):
    ta, tb = (letter == "t" for letter in transposes)
    number = gs.GS_F32 if dtype is torch.float32 else gs.GS_BF16
    size = dtype.itemsize * (m * k + k * n + m * n)
    sets = measure.rotation(size, torch.cuda.get_device_properties(0).L2_cache_size)
    operands = [(torch.randn(*((k, m) if ta else (m, k)), device="cuda").to(dtype),
                 torch.randn(*((n, k) if tb else (k, n)), device="cuda").to(dtype),
                 torch.empty(m, n, device="cuda", dtype=dtype)) for _ in range(sets)]
    work = torch.empty(1 << 28, dtype=torch.uint8, device="cuda")

    def ours(method, tile, splits):
        g = gs.gs_gemm(m=m, n=n, k=k, lda=m if ta else k, ldb=k if tb else n, ldc=n, batch=1, trans_a=ta, trans_b=tb,
                       a_type=number, b_type=number, c_type=number, method=method, tile=tile,
                       splits=splits)
        need = ctypes.c_int64()
        gs.gs_gemm_workspace(g, need)
        if need.value > work.numel():
            raise gs.Error("workspace")

        def run(i):
            a, b, c = operands[i]
            gs.gs_gemm_run(g, 1.0, a.data_ptr(), b.data_ptr(), 0.0, c.data_ptr(), None, None, work.data_ptr(),
                           torch.cuda.current_stream().cuda_stream)
        return timed(run, sets)

    def theirs(i):
        a, b, c = operands[i]
        torch.mm(a.T if ta else a, b.T if tb else b, out=c)

    results = []
    methods = {"s": gs.GS_GEMM_SIMT} if dtype is torch.float32 else {"m": gs.GS_GEMM_MMA, "w": gs.GS_GEMM_WGMMA}
    for name, method in methods.items():
        for tile in (64, 128, 256):
            for splits in (1, 2, 3, 4, 6, 8, 12, 16, 32, 64):
                if splits == 1 or k // splits >= 32:
                    try:
                        results.append((ours(method, tile, splits), f"{name}{tile}", splits))
                    except gs.Error:
                        continue
    results.sort()
    rules, reference = ours(0, 0, 0), timed(theirs, sets)
    best = "  ".join(f"{t:.1f} ({tile}/{splits})" for t, tile, splits in results[:4])
    print(f"{transposes} {m}x{n}x{k:<8} {'f32' if dtype is torch.float32 else 'bf16':<4} rules {rules:8.1f}  "
          f"torch {reference:8.1f}  best ratio {reference / results[0][0]:.2f}  {best}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--library", required=True)
    parser.add_argument("--header", default=os.path.join(here, "gridstride.h"))
    parser.add_argument("--dtypes", default="f32,bf16")
    parser.add_argument("--shapes", default=SHAPES)
    parser.add_argument("--transposes", default="nn")
    options = parser.parse_args()
    torch.backends.cuda.matmul.allow_tf32 = False
    measure.BLOCK_SECONDS = 0.005
    gs = abi.load(options.library, options.header)
    for dtype in options.dtypes.split(","):
        for transposes in options.transposes.split(","):
            for shape in options.shapes.split(","):
                product(gs, TYPES[dtype], *map(int, shape.split("x")), transposes)
    return 0


if __name__ == "__main__":
    sys.exit(main())
