#!/usr/bin/env python3
"""Changes one token of a kernel file at a time and lists the changes that its test does not notice.

Run by hand, with the commands that the build uses for planted bugs:

    ctest --test-dir native/build -N -V -R planted_bugs.softmax      # shows --compile and --link
    native/tools/mutate.py --kernel native/kernels/softmax.cu --compile ... --link ... [--sample 40]

A survivor is either a change without an effect (a hint, a bound that is never reached) or a hole in
the test. Mutants: a barrier or wait left out, < and <= (>= and >) exchanged, a constant doubled, an
operator replaced. Barriers and bounds are all tried, of the others a sample with a fixed seed.
"""
import argparse
import os
import random
import re
import sys

from planted_bugs import Builder

SYNC = re.compile(r"(?:kx::)?(?:__syncthreads|__syncwarp|copy_async_wait(?:<[^;]*?>)?|"
                  r"copy_async_commit|mbarrier_\w+|wgmma_\w+(?:<\d+>)?|fence_\w+)"
                  r"\((?:[^()]|\([^()]*\))*\);")
OPERATORS = {"+": "-", "*": "+", "^": "+", "/": "*", "%": "/", ">>": "<<"}


def device_lines(lines):
    """Numbers of the lines between the first kernel or device function and the launchers."""
    inside = False
    for number, line in enumerate(lines):
        inside = inside or "__global__" in line or "KX_DEVICE" in line
        if line.startswith("// ---- launchers") or line.startswith('extern "C"'):
            inside = False
        if inside and "__global__" not in line and "static_assert" not in line:
            yield number


def mutants(text):
    """Lists (line number, changed line, kind)."""
    lines = text.split("\n")
    found = []
    for number in device_lines(lines):
        code = lines[number].split("//")[0]
        if "#" in code or "template" in code:
            continue

        def replace(match, new, kind):
            found.append((number, code[:match.start()] + new + code[match.end():], kind))

        for match in SYNC.finditer(code):
            replace(match, ";", "sync")
        for match in re.finditer(r" (<|>=) ", code):
            replace(match, " <= " if match[1] == "<" else " > ", "bound")
        for match in re.finditer(r"(?<![\w.])\d+(?![\w.])", code):
            value = int(match[0])
            replace(match, str(value * 2 if value > 1 else 1 - value), "constant")
        for match in re.finditer(r" (\+|\*|\^|/|%|>>) ", code):
            replace(match, f" {OPERATORS[match[1]]} ", "operator")
    return found


def chosen(found, sample):
    always = [m for m in found if m[2] in ("sync", "bound")]
    others = [m for m in found if m[2] not in ("sync", "bound")]
    random.Random(1).shuffle(others)
    return (always + others)[:sample] if sample else always + others[:25]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--compile", required=True, help="compiler and flags, without -c")
    parser.add_argument("--link", required=True, help="link command, KERNEL for the kernel's object")
    parser.add_argument("--sample", type=int, help="at most so many mutants")
    arguments = parser.parse_args()
    with open(arguments.kernel) as file:
        text = file.read()
    lines = text.split("\n")
    name = os.path.basename(arguments.kernel)
    builder = Builder(arguments.kernel, arguments.compile, arguments.link)
    if builder.build(name, text) is not None or builder.test()[0] != 0:
        sys.exit(f"{name} itself does not pass its test")
    counts = {"caught": 0, "survived": 0, "not compiled": 0}
    for number, line, kind in chosen(mutants(text), arguments.sample):
        changed = "\n".join(lines[:number] + [line] + lines[number + 1:])
        if builder.build(name, changed) is not None:
            counts["not compiled"] += 1
        elif builder.test()[0] != 0:
            counts["caught"] += 1
        else:
            counts["survived"] += 1
            print(f"{name}:{number + 1} [{kind}] {lines[number].strip()} -> {line.strip()}",
                  flush=True)
    print(f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))


if __name__ == "__main__":
    main()
