"""What `cmake --install` puts where, and that it is what was built."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from lib.cluster import BIN, ROOT

BUILD = BIN.parent

UNITS = ["gatepost-edge@.service", "gatepost-broker@.service"]

PROGRAMS = {
    "gatepost.1": ["gatepost", "up"],
    "gatepost-edge.8": ["gatepost-edge"],
    "gatepost-broker.8": ["gatepost-broker"],
}


def run(*words):
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module")
def prefix(tmp_path_factory):
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", BUILD, "--prefix", folder)
    return folder


def test_programs_pages_and_units_are_installed_and_nothing_else(prefix):
    files = {str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()}
    assert files == {
        "bin/gatepost",
        "bin/gatepost-edge",
        "bin/gatepost-broker",
        "share/gatepost/aws-sdk-2.js",
        "share/man/man1/gatepost.1",
        "share/man/man8/gatepost-edge.8",
        "share/man/man8/gatepost-broker.8",
        "lib/systemd/system/gatepost-edge@.service",
        "lib/systemd/system/gatepost-broker@.service",
        "lib/sysusers.d/gatepost.conf",
    }


@pytest.mark.parametrize("page", PROGRAMS)
def test_a_manual_page_has_every_flag_that_help_has(prefix, page):
    program, *words = PROGRAMS[page]
    told = run(prefix / "bin" / program, *words, "--help")
    flags = set(re.findall(r"^  --([a-z-]+) ", told, re.MULTILINE))
    text = next(prefix.rglob(page)).read_text().replace("\\-", "-")
    assert len(flags) > 5
    assert {flag for flag in flags if f"--{flag}" not in text} == set()


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_starts_a_program_with_settings_that_it_has(prefix, name):
    unit = next(prefix.rglob(name)).read_text()
    program = re.search(r"^ExecStart=\S*/(\S+)", unit, re.MULTILINE)[1]
    told = run(prefix / "bin" / program, "--help")
    used = re.findall(r"^Environment=GATEPOST_(\w+)=", unit, re.MULTILINE)
    assert used
    assert [row for row in used if f"--{row.lower().replace('_', '-')} " not in told] == []


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze"
)


def analyze(*words):
    return subprocess.run(
        ["systemd-analyze", *map(str, words)], capture_output=True, text=True, timeout=60
    )


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_a_unit_has_no_line_that_systemd_does_not_know(prefix, tmp_path, name):
    # Of other units, which this machine may lack, nothing is asked.
    unit = tmp_path / name.replace("@", "@0")
    text = next(prefix.rglob(name)).read_text().replace("redis-server.service", "")
    unit.write_text(text.replace("/usr/local/bin", str(prefix / "bin")))
    done = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []


@needs_systemd
@pytest.mark.parametrize("name", UNITS)
def test_a_unit_leaves_its_program_little_to_do_harm_with(prefix, name):
    unit = next(prefix.rglob(name))
    done = analyze("security", "--offline=true", "--threshold=20", "--no-pager", unit)
    assert done.returncode == 0, done.stdout


@needs_systemd
def test_the_system_calls_of_the_units_are_enough(prefix):
    """The demo with all its processes: connects, messages, disconnects, an orderly end."""
    (words,) = {
        tuple(re.findall(r"^SystemCallFilter=(.*)", path.read_text(), re.MULTILINE))
        for path in prefix.rglob("*.service")
    }
    done = subprocess.run(
        [sys.executable, ROOT / "tests/lib/syscall_filter.py", *words, "--",
         BIN / "gatepost", "up", "--listen", "127.0.0.1:0", "--management", "127.0.0.1:0",
         "--demo", "--once"],
        capture_output=True, text=True, timeout=120,
        env={**os.environ, "ASAN_OPTIONS": "detect_leaks=0"},  # which needs ptrace(2)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Operation not permitted" not in done.stderr
