#!/usr/bin/env python3
"""Runs a compiler command and holds the kernels it compiles to their budgets.

Usage: check_ptxas.py BUDGETS COMMAND...

The command's `ptxas -v` output is read. A kernel fails when it uses more registers or shared memory
than its line in the table allows, when it spills, uses more stack than allowed, or has no line; so
does every ptxas warning (wgmma serialised, setmaxnreg ignored).
"""
import fnmatch
import re
import subprocess
import sys


def read_budgets(path):
    budgets = []
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            if line.startswith("#") or not line.strip():
                continue
            fields = line.split()
            if len(fields) != 5:
                sys.exit(f"{path}:{number}: needs kernel, arch, registers, shared, stack")
            budgets.append((fields[0], fields[1], *map(int, fields[2:])))
    return budgets


def short_names(mangled):
    """Kernel names without namespaces and parameters, template arguments kept, no blanks."""
    try:
        text = subprocess.run(["c++filt"], input="\n".join(mangled), text=True,
                              stdout=subprocess.PIPE, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        text = "\n".join(mangled)
    names = {}
    for symbol, name in zip(mangled, text.split("\n")):
        found = re.search(r"(\w+_kernel)(<.*?>)?(\(|$)", name)
        names[symbol] = (found[1] + (found[2] or "")).replace(" ", "") if found else name
    return names


def parse(output):
    """Lists (symbol, arch, registers, shared, stack, spills)."""
    kernels, stack, current = [], {}, None
    for line in output.split("\n"):
        if m := re.search(r"Compiling entry function '(\S+)' for '(\S+)'", line):
            current = (m[1], m[2])
        elif m := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores, "
                            r"(\d+) bytes spill loads", line):
            if current:
                stack[current] = (int(m[1]), int(m[2]) + int(m[3]))
        elif (m := re.search(r"Used (\d+) registers", line)) and current:
            shared = re.search(r"(\d+) bytes smem", line)
            frame, spills = stack.get(current, (0, 0))
            kernels.append((*current, int(m[1]), int(shared[1]) if shared else 0, frame, spills))
            current = None
    return kernels


def complaints(output, budgets):
    kernels = parse(output)
    names = short_names([k[0] for k in kernels])
    for symbol, arch, registers, shared, frame, spills in kernels:
        name = names[symbol]
        used = f"{registers} registers, {shared} bytes shared, {frame} stack, {spills} spilled"
        match = [b for b in budgets if fnmatch.fnmatchcase(name, b[0]) and b[1] in (arch, "*")]
        if not match:
            yield f"{name} ({arch}) has no line in the budgets; it uses {used}"
        elif spills or registers > match[0][2] or shared > match[0][3] or frame > match[0][4]:
            yield (f"{name} ({arch}) uses {used}; allowed: {match[0][2]} registers, "
                   f"{match[0][3]} bytes shared, {match[0][4]} stack, 0 spilled")
    for line in output.split("\n"):
        if re.search(r"ptxas.*(warning|C75\d\d)", line):
            yield line.strip()


def main():
    budgets = read_budgets(sys.argv[1])
    done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    noise = re.compile(r"^ptxas info|^\s+\d+ bytes stack frame|^\s*$")
    for line in done.stdout.split("\n"):
        if not noise.search(line):
            print(line, file=sys.stderr)
    failures = list(complaints(done.stdout, budgets))
    for failure in failures:
        print(f"budget: {failure}", file=sys.stderr)
    sys.exit(done.returncode or (1 if failures else 0))


if __name__ == "__main__":
    main()
