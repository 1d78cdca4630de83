#!/usr/bin/env python3
"""Changes one token of a kernel file at a time and lists the changes that its test does not notice.

Run by hand after a build, with the commands that the build uses for planted bugs:

    native/tools/mutate.py --build native/target/cmake --only softmax
    native/tools/mutate.py --build native/target/cmake --sample 20 --jobs 2

A survivor is either a change without an effect (a hint, a bound that is never reached) or a hole in
the test; native/emulator/README.md judges those of the last run. Mutants: a barrier or wait left
out, < and <= (>= and >) exchanged, a constant doubled, an operator replaced. Barriers and bounds are
all tried, of the others 25; with --sample that many of all. Seeds are fixed.
"""
import argparse
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import time

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
    if sample:
        return sorted(random.Random(1).sample(found, min(sample, len(found))))
    always = [m for m in found if m[2] in ("sync", "bound")]
    others = [m for m in found if m[2] not in ("sync", "bound")]
    random.Random(1).shuffle(others)
    return always + others[:25]


def planted_bug_tests(build, only):
    """The arguments of the build's planted bug tests, one for each kernel file."""
    listed = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1"],
                            stdout=subprocess.PIPE, check=True).stdout
    for test in json.loads(listed)["tests"]:
        if re.fullmatch(r"planted_bugs\.(\S+)", test["name"]) and re.search(only, test["name"]):
            words = test["command"]
            yield {name: words[words.index("--" + name) + 1]
                   for name in ("kernel", "compile", "link")}


def try_mutants(test, sample):
    """Report on one kernel file."""
    with open(test["kernel"]) as file:
        text = file.read()
    lines = text.split("\n")
    name = os.path.basename(test["kernel"])
    builder = Builder(test["kernel"], test["compile"], test["link"])
    start = time.monotonic()
    if builder.build(name, text) is not None or builder.test()[0] != 0:
        return f"{name} itself does not pass its test\n"
    builder.limit = max(20, 10 * (time.monotonic() - start))  # what hangs has been noticed
    report = ""
    counts = {"caught": 0, "survived": 0, "not compiled": 0}
    for number, line, kind in chosen(mutants(text), sample):
        changed = "\n".join(lines[:number] + [line] + lines[number + 1:])
        if builder.build(name, changed) is not None:
            counts["not compiled"] += 1
        elif builder.test()[0] != 0:
            counts["caught"] += 1
        else:
            counts["survived"] += 1
            report += f"{name}:{number + 1} [{kind}] {lines[number].strip()} -> {line.strip()}\n"
    return report + f"{name}: " + ", ".join(f"{n} {what}" for what, n in counts.items()) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--build", required=True, help="folder of a build with tests")
    parser.add_argument("--only", default="", help="kernel files that match this expression")
    parser.add_argument("--sample", type=int, help="so many mutants a file, drawn from all")
    parser.add_argument("--jobs", type=int, default=1)
    arguments = parser.parse_args()
    tests = list(planted_bug_tests(arguments.build, arguments.only))
    if not tests:
        sys.exit(f"{arguments.build} has no planted bug test that matches '{arguments.only}'")
    with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for done in concurrent.futures.as_completed(
                [pool.submit(try_mutants, test, arguments.sample) for test in tests]):
            print(done.result(), end="", flush=True)


if __name__ == "__main__":
    main()
