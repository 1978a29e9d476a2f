#!/usr/bin/env python3
"""Run the tests, and end with one line: `N passed, M failed`.

    tests/run.py BIN [NAME...]

BIN is the folder of the programs under test. pick.py says what a NAME picks; without
one, all run. A test that was skipped has not passed, and counts as failed.
"""

import os
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
from pathlib import Path

from pick import Pick

TESTS = Path(__file__).resolve().parent
SECONDS = 600  # for one program of unit tests; a test of pytest's has its own limit
NOTHING_PICKED = 5  # pytest's exit status

# What a program of unit tests writes when something is wrong. Criterion counts a test as passed though its .fini failed.
BROKEN = ("runtime error:", ": Assertion Failed", "crashed during its setup or teardown")


class Tally:
    def __init__(self):
        self.passed = 0
        self.failed = []

    def add(self, name, why):
        """Count one test; why is None when it passed."""
        if why is None:
            self.passed += 1
        else:
            self.failed.append(name)
            print(f"FAILED {name}\n{indent(why)}\n", flush=True)


def indent(text):
    return "\n".join("    " + line for line in text.strip().splitlines())


def main():
    programs = Path(sys.argv[1]).resolve()
    names = sys.argv[2:]
    tally = Tally()
    picked = Pick(names)
    for unit in sorted(programs.glob("unit_*")):
        if picked.units[unit.name]:
            run_unit(unit, picked.units[unit.name], tally)
    if picked.paths():
        run_pytest(programs, picked, tally)
    for name in tally.failed:
        print(f"FAILED {name}")
    if not tally.passed and not tally.failed:
        print(f"no test is called {' or '.join(names)}" if names else "no test was found")
    print(f"{tally.passed} passed, {len(tally.failed)} failed", flush=True)
    sys.exit(1 if tally.failed or not tally.passed else 0)


# Unit tests


def run_unit(unit, patterns, tally):
    """One program of Criterion's, each test in a process of its own."""
    whole = "*" in patterns
    picked = [] if whole else ["--filter", "@(" + "|".join(patterns) + ")"]
    with tempfile.TemporaryDirectory(prefix="gatepost-unit.") as folder:
        report = Path(folder, "report.xml")
        try:
            done = subprocess.run(
                [unit, f"--xml={report}", "--color=never", *picked],
                env=sanitizers_write_to(Path(folder, "sanitizer")),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=SECONDS,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            tally.add(unit.name, f"it did not end within {SECONDS} s")
            return
        before = len(tally.failed), tally.passed
        if report.exists():
            faults = sanitizer_faults(Path(folder))
            count_unit(unit.name, xml.parse(report).getroot(), faults, whole, tally)
        broke = done.returncode != 0 or any(sign in done.stdout for sign in BROKEN)
        if broke and len(tally.failed) == before[0]:
            tally.add(unit.name, f"exit status {done.returncode}\n{done.stdout}")
        if len(tally.failed) > before[0]:
            print(f"What {unit.name} wrote:\n{indent(done.stdout)}\n")
        elif tally.passed > before[1]:
            print(f"{unit.name}: {tally.passed - before[1]} passed", flush=True)


def sanitizers_write_to(path):
    """Criterion takes a test that leaked for one that passed: the reports go to files."""
    env = dict(os.environ)
    env["ASAN_OPTIONS"] = f"{env.get('ASAN_OPTIONS', '')}:log_path={path}"
    env["LSAN_OPTIONS"] = "exitcode=0"  # the reports count
    env["UBSAN_OPTIONS"] = f"{env.get('UBSAN_OPTIONS', '')}:log_path={path}:print_stacktrace=1"
    return env


def is_of_criterion_alone(report):
    """Its runner, which executes none of our code, may leak the record of a worker."""
    frames = re.findall(r"^ +#\d+ (.*)$", report, re.MULTILINE)
    return "LeakSanitizer" in report and all(
        "libcriterion.so" in frame or " in __interceptor_" in frame for frame in frames)


def sanitizer_faults(folder):
    """{name of the test's function: report}; under "" what names no test."""
    faults = {}
    for path in sorted(folder.glob("sanitizer.*")):
        report = path.read_text(errors="replace")
        if is_of_criterion_alone(report):
            continue
        test = re.search(r" in (\w+)_impl ", report)
        name = test[1] if test else ""
        faults[name] = faults.get(name, "") + report
    return faults


def count_unit(program, root, faults, whole, tally):
    for suite in root.iter("testsuite"):
        for case in suite.iter("testcase"):
            if not whole and case.get("status") == "SKIPPED":
                continue  # not picked
            name = f"{suite.get('name')}_{case.get('name')}"
            why = why_failed(case)
            fault = faults.pop(name, None)
            if fault:
                why = f"{why or ''}\n{fault}"
            tally.add(f"{program}/{suite.get('name')}/{case.get('name')}", why)
    for report in faults.values():
        tally.add(f"{program}, a sanitizer's report", report)


# Integration tests, and other people's clients


def run_pytest(programs, picked, tally):
    workers = str(min(4, 2 * len(os.sched_getaffinity(0))))  # most tests wait for timers
    only = ["-k", picked.expression()] if picked.expression() else []
    with tempfile.TemporaryDirectory(prefix="gatepost-pytest.") as folder:
        report = Path(folder, "report.xml")
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "--no-header", "-n", workers,
             "--dist", "loadfile", "--no-loadscope-reorder", f"--junitxml={report}", *only, *picked.paths()],
            cwd=TESTS, env={**os.environ, "GATEPOST_BIN": str(programs)},
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode == NOTHING_PICKED:
            return
        before = len(tally.failed)
        if report.exists():
            count_pytest(xml.parse(report).getroot(), tally)
        if done.returncode != 0 and len(tally.failed) == before:
            tally.add("pytest", f"exit status {done.returncode}")


def count_pytest(root, tally):
    """pytest has printed why; here only the names count."""
    for case in root.iter("testcase"):
        why = why_failed(case)
        if why is None:
            tally.passed += 1
        else:
            tally.failed.append(f"{case.get('classname')}/{case.get('name')}")


def why_failed(case):
    """None, or what the report says about a test that failed, broke or was skipped."""
    for kind in ("failure", "error", "skipped"):
        for note in case.iter(kind):
            return f"{kind}: {note.get('message', '')}\n{note.text or ''}"
    return None


if __name__ == "__main__":
    main()
