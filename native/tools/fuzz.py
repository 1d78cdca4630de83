#!/usr/bin/env python3
"""Runs test programs under random seeds, orders and copy modes of the emulator.

Right kernels must pass every run. Usage: fuzz.py [--runs N] [--seed N] PROGRAM...
"""
import argparse
import os
import random
import subprocess
import sys


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20, help="runs of each program")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("programs", nargs="+")
    arguments = parser.parse_args()
    draw = random.Random(arguments.seed)
    failures = 0
    for program in arguments.programs:
        for _ in range(arguments.runs):
            settings = {"GRIDSTRIDE_EMULATOR_SEED": str(draw.randrange(1, 1 << 30)),
                        "GRIDSTRIDE_EMULATOR_ORDER": str(draw.randrange(5)),
                        "GRIDSTRIDE_EMULATOR_ASYNC": str(draw.randrange(3))}
            done = subprocess.run([program], env={**os.environ, **settings}, text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            if done.returncode:
                failures += 1
                print(f"{program} {settings}\n{done.stdout[:600]}")
    runs = arguments.runs * len(arguments.programs)
    print(f"{runs} runs, {failures} reports")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
