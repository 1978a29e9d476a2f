"""The JavaScript client as a package: its own tests against a scripted server, its size, its files."""

import gzip
import json
import os
import re
import subprocess

from lib.cluster import ROOT

NEEDS = ["node"]  # tests/pick.py

CLIENT = ROOT / "clients/js"
BYTES = 6000
SECONDS = 300


def run(*command):
    done = subprocess.run(command, cwd=CLIENT, capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_its_own_tests_pass():
    out = run("node", "--test")
    passed = int(re.search(r"^(?:#|ℹ) pass (\d+)$", out, re.MULTILINE)[1])
    assert passed > 50, out
    assert re.search(r"^(?:#|ℹ) (?:fail|skipped|todo|cancelled) [1-9]", out, re.MULTILINE) is None, out


def test_what_a_browser_loads_of_it_has_less_than_6_kb_compressed():
    whole = b"".join(path.read_bytes() for path in sorted(CLIENT.glob("*.js")))
    assert len(gzip.compress(whole, 9)) < BYTES


def test_its_package_has_its_modules_its_types_and_what_a_package_needs():
    (package,) = json.loads(run("npm", "pack", "--dry-run", "--json", "--ignore-scripts"))
    assert {file["path"] for file in package["files"]} == {
        "LICENSE", "README.md", "package.json", "index.d.ts",
        "index.js", "connection.js", "emitter.js", "subscription.js",
    }  # fmt: skip
    assert (CLIENT / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()
    assert "dependencies" not in json.loads((CLIENT / "package.json").read_text())


def test_it_can_be_imported_by_its_name(tmp_path):
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules/gatepost-channels").symlink_to(CLIENT)
    script = "import * as all from 'gatepost-channels'; console.log(Object.keys(all).sort().join())"
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        cwd=tmp_path, env=os.environ, capture_output=True, text=True, timeout=SECONDS, check=True,
    )  # fmt: skip
    assert done.stdout == "ChannelError,Client\n"
