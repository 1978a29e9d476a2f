#!/usr/bin/env python3
"""Plant bugs in a copy of the tree, one at a time, and see that the checker finds each.

    ./dev chaos --planted [--none] [--jobs N] [NAME...]    NAME: part of a patch's name

Each of planted/*.patch says above its diff what is wrong with it, which rule speaks against it, and
which run shows it:

    Rule: P1
    Run: --seed 3 --minutes 0.7 --only 'kill9 edge'

The copy is of the last commit, in build/planted; so are the logs. The last line is `found N of M`,
and the exit status is 0 when N is M. With --none the runs are those of the patches, but the bugs
are not planted: then nothing may be found.
"""

import argparse
import concurrent.futures
import io
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
FOLDER = ROOT / "build/planted"
SOURCE, BUILD = FOLDER / "source", FOLDER / "build"
TARGETS = ["gatepost-edge", "gatepost-broker"]


class Bug:
    def __init__(self, path):
        self.path, self.name = path, path.stem
        said = path.read_text().partition("\n---")[0]
        self.rule = re.search(r"^Rule: (\w+)$", said, re.M)[1]
        self.flags = shlex.split(re.search(r"^Run: (.+)$", said, re.M)[1])
        self.programs = FOLDER / self.name / "bin"
        self.logs = FOLDER / self.name / "logs"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--none", action="store_true", help="the same runs without the bugs")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time; default: 2")
    parser.add_argument("names", nargs="*", metavar="NAME")
    args = parser.parse_args()
    bugs = [Bug(path) for path in sorted(HERE.glob("planted/*.patch"))]
    bugs = [b for b in bugs if not args.names or any(name in b.name for name in args.names)]
    for bug in bugs:
        build(bug, planted=not args.none)
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        found = sum(pool.map(is_found, bugs, [not args.none] * len(bugs)))
    print(f"found {found} of {0 if args.none else len(bugs)}")
    return 0 if found == (0 if args.none else len(bugs)) else 1


def build(bug, planted):
    """Its programs; what the last one changed is as committed again, and only that is rebuilt."""
    copy_tree()
    if planted:
        run(["patch", "-p1", "-N", "--no-backup-if-mismatch", "-i", bug.path], cwd=SOURCE)
    if not (BUILD / "build.ninja").exists():
        run(["cmake", "--preset", "release", "-B", BUILD, "-DGATEPOST_TESTS=OFF"], cwd=SOURCE)
    run(["ninja", "-C", BUILD, *TARGETS], cwd=SOURCE)
    shutil.rmtree(bug.programs.parent, ignore_errors=True)
    bug.programs.mkdir(parents=True)
    for target in TARGETS:
        shutil.copy(BUILD / "bin" / target, bug.programs)


def copy_tree():
    """Make SOURCE what was committed last, writing only what differs."""
    packed = subprocess.run(
        ["git", "archive", "HEAD"], cwd=ROOT, check=True, stdout=subprocess.PIPE
    ).stdout
    kept = set()
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        for member in filter(tarfile.TarInfo.isfile, tar):
            path, data = SOURCE / member.name, tar.extractfile(member).read()
            kept.add(path)
            if not path.exists() or path.read_bytes() != data:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
                path.chmod(member.mode)
    for path in SOURCE.rglob("*"):
        if path.is_file() and path not in kept:
            path.unlink()


def run(words, cwd):
    done = subprocess.run(
        words, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode != 0:
        sys.exit(f"{shlex.join(map(str, words))}: status {done.returncode}\n{done.stdout}")


def is_found(bug, planted):
    """Whether the rule that the patch names was violated; or any, when no bug is planted."""
    words = [sys.executable, HERE / "run.py", *bug.flags, "--bin", bug.programs, "--keep", bug.logs]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    (bug.programs.parent / "out").write_text(done.stdout)
    violated = re.findall(r"^(\w+) .*: violated (\d+) times", done.stdout, re.M)
    if "violations" not in done.stdout and "1 violation" not in done.stdout:
        sys.exit(f"{bug.name}: the run did not come to its end\n{done.stdout}")
    counts = ", ".join(f"{rule} {n} times" for rule, n in violated) or "nothing"
    wanted = bug.rule if planted else "nothing"
    print(f"{bug.name}: looked for {wanted}, found {counts}", flush=True)
    if bug.rule in dict(violated):
        rule = f"\n{done.stdout}".partition(f"\n{bug.rule} ")[2]
        told = next(line for line in rule.splitlines() if line.startswith("  ") and line[2] != " ")
        print(f"    {told.strip()}", flush=True)
    return bug.rule in dict(violated) if planted else bool(violated)


if __name__ == "__main__":
    sys.exit(main())
