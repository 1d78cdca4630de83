#!/usr/bin/env python3
"""Gridstride's kernels beside PyTorch's (cuBLAS, cuDNN) on one GPU, in one process, on the same data.

    compare.py --library libgridstride_cuda.so --header gridstride.h [--families gemm,conv] [--quick] [--json FILE]

Needs PyTorch with CUDA. Prints a table (ratio above 1: ours is faster) and writes JSON. PyTorch runs with TF32 off
for f32, cuDNN's benchmark mode on, convolutions in its faster layout, and torch.compile or its fused forms where
it has them. Errors are ||x - exact|| / ||exact|| against f64. --check only compares values, on the CPU too (with
the emulator's library).
"""
import argparse
import datetime
import json
import os
import subprocess
import sys

import torch

import abi
import cases
import layer_cases
import measure

FAMILIES = cases.FAMILIES | layer_cases.FAMILIES


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--library", required=True)
    parser.add_argument("--header", default=os.path.join(here, "gridstride.h"))
    parser.add_argument("--families", default=",".join(FAMILIES), help="of " + ", ".join(FAMILIES))
    parser.add_argument("--quick", action="store_true", help="a few shapes of each family")
    parser.add_argument("--check", action="store_true", help="compare values, measure nothing")
    parser.add_argument("--rounds", type=int, default=7, help="A B B A blocks of a case")
    parser.add_argument("--only", default="", help="cases whose op, dtype and shape contain this")
    parser.add_argument("--json", help="file for the results")
    options = parser.parse_args()
    unknown = set(options.families.split(",")) - set(FAMILIES)
    if unknown:
        parser.error(f"unknown families {sorted(unknown)}; there are {', '.join(FAMILIES)}")
    return options


def machine(device):
    about = {"torch": torch.__version__, "date": datetime.datetime.now(datetime.timezone.utc).isoformat()}
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        about |= {
            "gpu": properties.name, "multiprocessors": properties.multi_processor_count,
            "l2Bytes": properties.L2_cache_size, "cuda": torch.version.cuda,
            "cudnn": torch.backends.cudnn.version(),
            "driver": subprocess.run(["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"],
                                     capture_output=True, text=True, check=False).stdout.strip(),
        }
    return about


def copy_bandwidth(device):
    """Bytes read and written a second by a large copy within the device."""
    source = torch.randn(1 << 28, device=device)
    target = torch.empty_like(source)
    timed = measure.Timed(lambda _: target.copy_(source), 1).settle(False)
    return 2 * source.numel() * 4 / min(timed.block() for _ in range(5))


def row(case, device, l2_bytes, check_only, rounds):
    case.prepare(device, measure.rotation(case.bytes, l2_bytes) if not check_only else 1)
    ours_error, theirs_error = case.errors()
    result = {"family": case.family, "op": case.op, "dtype": case.dtype, "shape": case.shape,
              "ourError": ours_error, "theirError": theirs_error}
    # NaN compares false: anything unwritten or not finite fails
    result["ok"] = bool(ours_error <= max(2 * theirs_error, case.tolerance))
    if not check_only:
        case.timing = True
        result |= measure.pair(case.ours, case.theirs, case.sets, rounds)
        if case.flops:
            result["tflops"] = case.flops / result["ours"] * 1e-12
        result["gbps"] = case.bytes / result["ours"] * 1e-9
    return result


def line(r):
    text = f"{r['op']:<22} {r['dtype']:<5} {r['shape']:<34}"
    if "ratio" in r:
        rate = f"{r['tflops']:8.2f} TFLOP/s" if "tflops" in r else f"{r['gbps']:8.0f} GB/s   "
        text += (f" {r['ours'] * 1e6:10.1f} us {rate} ratio {r['ratio']:5.2f} [{r['p20']:.2f}, {r['p80']:.2f}]"
                 f" noise {r['noise']:.2f}")
    return text + f"  error {r['ourError']:.1e} / {r['theirError']:.1e}{'' if r['ok'] else '  WRONG'}"


def main():
    options = arguments()
    gpu = torch.cuda.is_available()
    if not gpu and not options.check:
        sys.exit("compare.py: PyTorch sees no GPU; --check compares values without one")
    device = torch.device("cuda" if gpu else "cpu")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    torch.manual_seed(1)
    gs = abi.load(options.library, options.header)
    about = machine(device)
    report = {"machine": about, "library": gs.gs_backend().decode(), "rows": []}
    if gpu and not options.check:
        warm = torch.randn(4096, 4096, device=device)
        for _ in range(300):
            warm @ warm
        report["copyBandwidth"] = copy_bandwidth(device)
        print(f"{about['gpu']}, driver {about['driver']}, PyTorch {about['torch']}; "
              f"copy {report['copyBandwidth'] * 1e-9:.0f} GB/s; ratio = theirs / ours")
    wrong = 0
    for family in options.families.split(","):
        for case in FAMILIES[family](gs, options.quick or options.check):
            if options.only not in f"{case.op} {case.dtype} {case.shape}":
                continue
            try:
                r = row(case, device, about.get("l2Bytes", 1), options.check, options.rounds)
            except (gs.Error, RuntimeError) as failure:
                r = {"family": family, "op": case.op, "dtype": case.dtype, "shape": case.shape,
                     "error": str(failure), "ok": False}
                print(f"{r['op']:<22} {r['dtype']:<5} {r['shape']:<34} FAILED: {failure}")
            else:
                print(line(r), flush=True)
            wrong += not r["ok"]
            report["rows"].append(r)
            case.release()
            if options.json:  # after each row: a run that is cut off leaves what it measured
                with open(options.json, "w", encoding="utf-8") as file:
                    json.dump(report, file, indent=1)
    print(f"{len(report['rows']) - wrong} passed, {wrong} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
