"""What `cmake --install` puts where, and that it is what was built."""

import re
import subprocess

import pytest

from lib.cluster import BIN

BUILD = BIN.parent

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


@pytest.mark.parametrize("name", ["gatepost-edge@.service", "gatepost-broker@.service"])
def test_a_unit_starts_a_program_with_settings_that_it_has(prefix, name):
    unit = next(prefix.rglob(name)).read_text()
    program = re.search(r"^ExecStart=\S*/(\S+)", unit, re.MULTILINE)[1]
    told = run(prefix / "bin" / program, "--help")
    used = re.findall(r"^Environment=GATEPOST_(\w+)=", unit, re.MULTILINE)
    assert used
    assert [row for row in used if f"--{row.lower().replace('_', '-')} " not in told] == []
