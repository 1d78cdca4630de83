#!/usr/bin/env python3
"""Prints the kernels of a CUDA library as a Markdown table: registers, shared memory, how many forms.

Usage: kernel_table.py LIBRARY [CUOBJDUMP]

Reads `cuobjdump -res-usage`, of a CUDA toolkit. Forms are instances of a template. Registers are the least
and the most of all forms; shared memory is the static one (without the 1,024 bytes that the system takes on
sm_90), what a launch asks for comes on top. Local memory, of the few kernels that have any, is named.
"""
import collections
import re
import subprocess
import sys


def kernels(library, tool):
    """Maps (file, kernel) to architecture to a list of (registers, shared, stack + local)."""
    dump = subprocess.run([tool, "-res-usage", library], text=True, stdout=subprocess.PIPE, check=True).stdout
    names = subprocess.run(["c++filt"], input=dump, text=True, stdout=subprocess.PIPE, check=True).stdout
    found = collections.defaultdict(lambda: collections.defaultdict(list))
    file = arch = name = None
    for line in names.split("\n"):
        if m := re.match(r"identifier = .*?([^/]+\.cu)$", line):
            file = m[1]
        elif m := re.match(r"arch = (\w+)", line):
            arch = m[1]
        elif m := re.search(r"Function .*?(\w+_kernel)\b", line):
            name = m[1]
        elif m := re.search(r"REG:(\d+) STACK:(\d+) SHARED:(\d+) LOCAL:(\d+)", line):
            reserved = 1024 if arch.startswith("sm_90") else 0
            found[file, name][arch].append((int(m[1]), max(0, int(m[3]) - reserved), int(m[2]) + int(m[4])))
    return found


def span(values):
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    found = kernels(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "cuobjdump")
    arches = sorted({arch for forms in found.values() for arch in forms})
    print(f"| File | Kernel | Forms | {' | '.join('Registers, ' + a for a in arches)} | Shared memory, bytes |")
    print("|---|---|---|" + "---|" * len(arches) + "---|")
    last = None
    for (file, name), by_arch in sorted(found.items()):
        forms = [form for of in by_arch.values() for form in of]
        local = max(form[2] for form in forms)
        local = f"; {local} local" if local else ""
        registers = [span([f[0] for f in by_arch[a]]) if a in by_arch else "" for a in arches]
        shown = "" if file == last else f"`{file}`"
        last = file
        print(f"| {shown} | `{name}` | {max(map(len, by_arch.values()))} | {' | '.join(registers)} | "
              f"{span([f[1] for f in forms])}{local} |")


if __name__ == "__main__":
    main()
