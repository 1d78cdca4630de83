#!/usr/bin/env python3
"""Plants each bug of a table in a Java source and requires that the named tests fail.

The table, scripts/planted_bugs.tsv, has one bug a line: source file, what is wrong, original text, replacement, test
classes with commas between; tabs between them. The original must occur exactly once in the file, so that a bug can't
go stale unnoticed. Only the changed file is compiled again, into a folder of its own that comes first on the class
path: the sources and target/ stay as they are. Constants that the compiler copies into other classes can't be changed
so.

    scripts/planted_bugs.py               all bugs
    scripts/planted_bugs.py softmax idx   those whose file or description holds one of these words
"""
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
TABLE = os.path.join(ROOT, "scripts", "planted_bugs.tsv")
MODULES = ("kernels", "java-api")
VECTOR = ["--add-modules", "jdk.incubator.vector"]
LIMIT = 900  # seconds; only ends what hangs, on a busy machine too


def read_table(words):
    bugs = []
    with open(TABLE) as lines:
        for number, line in enumerate(lines, 1):
            line = line.rstrip("\n")
            if not line or line.startswith("#"):
                continue
            fields = line.split("\t")
            if len(fields) != 5:
                sys.exit(f"{TABLE}:{number}: needs 5 fields, has {len(fields)}")
            if not words or any(w.lower() in (fields[0] + " " + fields[1]).lower() for w in words):
                bugs.append(fields)
    return bugs


def run(command, **options):
    """Status and output."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=LIMIT, cwd=ROOT, **options)
        return done.returncode, done.stdout
    except subprocess.TimeoutExpired:
        return 124, "timed out"


def jdk():
    code, output = run(["sh", "-c", ". scripts/find-jdk25.sh && printf %s \"$jdk\""],
                       env={**os.environ, "root": ROOT})
    if code != 0 or not output:
        sys.exit(f"no JDK 25: {output}")
    return output.splitlines()[-1]


def build(home):
    """Compiles sources and tests; the class path of all that the tests need."""
    file = "target/planted-bugs.classpath"
    code, output = run(
        ["mvn", "-B", "-ntp", "-q", "-pl", ",".join(MODULES), "test-compile", "dependency:build-classpath",
         "-DincludeScope=test", f"-Dmdep.outputFile={file}", "-Dgridstride.native=none"],
        env={**os.environ, "JAVA_HOME": home, "JAVA25_HOME": home})
    if code != 0:
        sys.exit(f"the build failed:\n{output}")
    paths = []
    for module in MODULES:
        paths += [os.path.join(ROOT, module, "target", kind) for kind in ("test-classes", "classes")]
        with open(os.path.join(ROOT, module, file)) as listed:
            paths += listed.read().strip().split(os.pathsep)
    return os.pathsep.join(dict.fromkeys(paths))


def test(home, classpath, classes):
    selected = [word for name in classes for word in ("--select-class", name)]
    return run([os.path.join(home, "bin", "java"), *VECTOR, "--enable-native-access=ALL-UNNAMED",
                "-XX:MaxDirectMemorySize=8g", "-cp", classpath, "org.junit.platform.console.ConsoleLauncher",
                "execute", "--disable-banner", "--disable-ansi-colors", "--details=summary",
                "--exclude-tag=slow", "--fail-if-no-tests", *selected])


def first_failure(output):
    lines = [line.strip() for line in output.splitlines()]
    names = [line for line in lines if line.startswith("JUnit Jupiter:")]
    reasons = [line for line in lines if line.startswith("=>")]
    return " ".join((names[:1] or ["no test named"]) + reasons[:1])[:200]


def plant(home, classpath, bug):
    """What became of one bug, and why."""
    file, _, old, new, tests = bug
    with open(os.path.join(ROOT, file)) as source:
        text = source.read()
    if text.count(old) != 1:
        return "STALE", f"'{old}' occurs {text.count(old)} times"
    folder = tempfile.mkdtemp()
    try:
        changed = os.path.join(folder, os.path.basename(file))
        with open(changed, "w") as out:
            out.write(text.replace(old, new))
        classes = os.path.join(folder, "classes")
        code, output = run([os.path.join(home, "bin", "javac"), *VECTOR, "-nowarn", "-proc:none", "-parameters",
                            "-cp", classpath, "-d", classes, changed])
        if code != 0:
            return "STALE", f"does not compile:\n{output}"
        code, output = test(home, classes + os.pathsep + classpath, tests.split(","))
    finally:
        shutil.rmtree(folder)
    if code == 0:
        return "SURVIVED", f"all of {tests} pass"
    if code == 124:
        return "caught", "hangs"
    return ("caught", first_failure(output)) if code == 1 else ("BROKEN", output[-500:])


def main():
    bugs = read_table(sys.argv[1:])
    if not bugs:
        sys.exit("no such bug in the table")
    home = jdk()
    classpath = build(home)
    # The right sources must pass, or a failure would prove nothing.
    names = sorted({name for bug in bugs for name in bug[4].split(",")})
    code, output = test(home, classpath, names)
    if code != 0:
        sys.exit(f"the tests fail without a bug:\n{output[-3000:]}")
    missed = 0
    for bug in bugs:
        begin = time.time()
        result, why = plant(home, classpath, bug)
        missed += result != "caught"
        print(f"{result:8} {os.path.basename(bug[0])}: {bug[1]} ({time.time() - begin:.0f} s): {why}", flush=True)
    print(f"{len(bugs) - missed} of {len(bugs)} caught")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
