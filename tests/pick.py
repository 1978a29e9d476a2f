#!/usr/bin/env python3
"""Which tests the names on the command line pick, and what these need to be installed.

    tests/pick.py [NAME...]    print the needs, a line each (./dev asks)

A NAME picks what is called just so: all tests of a kind (unit, integration, clients, chaos), a
program of unit tests (unit_edge), a file (frame, test_link). When nothing is, it picks every test
that has it in its name. Without a NAME all are picked.

A file of pytest's says what it needs: `NEEDS = ["node"]`. Files are read here, not imported: their
imports may be what is not installed yet.
"""

import ast
import re
import sys
from collections import defaultdict
from pathlib import Path

TESTS = Path(__file__).resolve().parent
KINDS = ["integration", "clients", "chaos"]  # of pytest's tests
SUITE = re.compile(r"^(?:Parameterized)?Test(?:Suite|Parameters)?\((?:[^,()]*\*[^,]*, )?(\w+)", re.M)


def files_of(kind):
    return sorted(TESTS.glob(f"{kind}/test_*.py"))


class Pick:
    """units: {program: Criterion's patterns}, files: pytest's files, part: what -k looks for."""

    def __init__(self, names):
        self.units = defaultdict(list)
        self.files = []
        self.parts = []
        if not names:
            names = ["unit", *KINDS]
        for name in names:
            self._exactly(name) or self._partly(name)

    def _exactly(self, name):
        if name == "unit":
            for folder in (TESTS / "unit").iterdir():
                self.units[f"unit_{folder.name}"].append("*")
            return True
        if name in KINDS:
            self.files += files_of(name)
            return True
        found = False
        for path in sorted((TESTS / "unit").rglob("*.c")):
            program = f"unit_{path.relative_to(TESTS / 'unit').parts[0]}"
            suites = set(SUITE.findall(path.read_text())) if path.stem == name else ()
            for suite in suites:
                self.units[program].append(f"{suite}/*")
            if program == name and "*" not in self.units[program]:
                self.units[program].append("*")
            found = found or bool(suites) or program == name
        for kind in KINDS:
            same = [path for path in files_of(kind) if path.stem in (name, f"test_{name}")]
            self.files += same
            found = found or bool(same)
        return found

    def _partly(self, name):
        for folder in (TESTS / "unit").iterdir():
            self.units[f"unit_{folder.name}"].append(f"*{name}*")
        self.parts.append(name)

    def paths(self):
        """pytest's files: those that are picked whole, and those that have a test of such a name."""
        return self.files + [path for kind in KINDS for path in files_of(kind)
                             if path not in self.files and self._has_part(path)]  # fmt: skip

    def _has_part(self, path):
        names = [n.name for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.FunctionDef)]
        return any(p.lower() in n.lower() for p in self.parts for n in [path.name, *names])

    def expression(self):
        """pytest's -k: in files that are not picked whole, the tests of such a name alone."""
        return " or ".join([*self.parts, *(path.name for path in self.files)]) if self.parts else ""

    def needs(self):
        found = {"pytest"} if self.paths() else set()
        for path in self.paths():
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "NEEDS":
                    found |= set(ast.literal_eval(node.value))
        return sorted(found)


if __name__ == "__main__":
    print(" ".join(Pick(sys.argv[1:]).needs()))
