#!/usr/bin/env python3
"""Plants each bug of a table in a kernel and requires that the checked test program fails.

The table has one bug a line: kernel file, what is wrong, original text, replacement; tabs between
them. The original must occur exactly once in the file, so that a bug can't go stale unnoticed. A
header's bugs are planted for one kernel file that includes it: header@kernel file. That the right
kernel passes, without which a failure would prove nothing, is a test of its own: the same program,
linked to the checked library.

GRIDSTRIDE_PLANTED=N plants a kernel file's first N only and looks at the texts of the others.
"""
import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile


def read_table(path, kernel):
    bugs = []
    with open(path) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 4:
                sys.exit(f"{path}:{number}: needs 4 fields, has {len(fields)}")
            file, _, includer = fields[0].partition("@")
            if (includer or file) == os.path.basename(kernel):
                bugs.append((file, *fields[1:]))
    return bugs


def run(command, limit=600, **environment):
    """Status and output; the limit only ends what hangs, on a busy machine too."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=limit, env={**os.environ, **environment})
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return 124, "timed out"


class Builder:
    """Builds the test program with one kernel file replaced."""

    def __init__(self, kernel, compile_command, link_command):
        self.kernel = kernel
        self.limit = 600  # seconds for a run of the test program
        self.folder = tempfile.TemporaryDirectory()
        self.object = os.path.join(self.folder.name, "kernel.o")
        self.program = os.path.join(self.folder.name, "test")
        self.compile_command = shlex.split(compile_command)
        self.link_command = [self.object if x == "KERNEL" else x
                             for x in shlex.split(link_command.replace(";", " "))]

    def build(self, file, text):
        """Builds with one changed file; returns the compiler's complaint, or None."""
        source = os.path.join(self.folder.name, os.path.basename(self.kernel))
        shutil.copy(self.kernel, source)
        changed = os.path.join(self.folder.name, file)
        with open(changed, "w") as out:
            out.write(text)
        here = "-I" + os.path.dirname(self.kernel)
        code, output = run(self.compile_command + [here, "-w", "-c", source, "-o", self.object])
        if changed != source:
            os.remove(changed)
        if code == 0:
            code, output = run(self.link_command + ["-o", self.program])
        return output if code else None

    def test(self):
        """Runs the test program up to its first failure."""
        return run([self.program], self.limit, GRIDSTRIDE_TEST_STOP="1")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--table", required=True)
    parser.add_argument("--kernel", required=True)
    parser.add_argument("--compile", required=True, help="compiler and flags, without -c")
    parser.add_argument("--link", required=True, help="link command, KERNEL for the kernel's object")
    arguments = parser.parse_args()
    folder = os.path.dirname(arguments.kernel)

    def text_of(file):
        with open(os.path.join(folder, file)) as text:
            return text.read()

    planted = int(os.environ.get("GRIDSTRIDE_PLANTED", sys.maxsize))
    builder = Builder(arguments.kernel, arguments.compile, arguments.link)
    bugs = read_table(arguments.table, arguments.kernel)
    missed = 0
    for number, (file, what, old, new) in enumerate(bugs):
        original = text_of(file)
        if original.count(old) != 1:
            print(f"STALE  {what}: '{old}' occurs {original.count(old)} times")
            missed += 1
            continue
        if number >= planted:
            continue
        complaint = builder.build(file, original.replace(old, new))
        if complaint is not None:
            print(f"STALE  {what}: does not compile:\n{complaint}")
            missed += 1
            continue
        code, output = builder.test()
        missed += code == 0
        first = output.strip().split("\n")[0][:200]
        print(f"{'MISSED' if code == 0 else 'caught'} {what}: {first}", flush=True)
    if len(bugs) < 2:
        sys.exit(f"needs at least two bugs for {os.path.basename(arguments.kernel)} in the table")
    tried = min(len(bugs), planted)
    print(f"{tried - missed} of {tried} caught")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
