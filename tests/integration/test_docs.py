"""What docs/ names is there: functions, files, settings, metrics, keys, log lines."""

import re
import subprocess
import sys

import pytest

from lib.cluster import BIN, ROOT, Cluster
from lib.function_server import function, http, project

PAGES = sorted((ROOT / "docs").rglob("*.md"))
FUNCTIONS = (ROOT / "docs/functions.md").read_text()
OPERATIONS = (ROOT / "docs/operations.md").read_text()
WALK = (ROOT / "docs/walk.md").read_text()
PROGRAMS = {
    "edge": ["gatepost-edge"],
    "broker": ["gatepost-broker"],
    "up": ["gatepost", "up"],
    "connections": ["gatepost", "connections"],
    "disconnects": ["gatepost", "disconnects"],
    "publish": ["gatepost", "publish"],
    "subscribe": ["gatepost", "subscribe"],
    "history": ["gatepost", "history"],
    "shed": ["gatepost", "shed"],
    "health": ["gatepost", "health"],
}


def settings(program):
    """{setting: its default} as --help has them."""
    name, *words = PROGRAMS[program]
    text = subprocess.run(
        [BIN / name, *words, "--help"], capture_output=True, text=True, check=True
    ).stdout
    rows = re.split(r"^  --", text, flags=re.MULTILINE)[1:]
    return {
        re.match(r"[a-z-]+", row)[0]: (re.search(r"^ +default: ([^;\n]*)", row, re.M) or "  ")[1]
        for row in rows
    }


def sources(*modules):
    return {
        path.relative_to(ROOT).as_posix(): path.read_text()
        for module in modules
        for path in sorted((ROOT / module).rglob("*.[ch]"))
    }


def rows(text, head):
    """The cells of each row of the tables whose head begins so."""
    found = []
    for table in re.findall(rf"^\| {head} \|.*\n\|[-|: ]+\n((?:\|.*\n)+)", text, re.MULTILINE):
        found += [[c.strip() for c in line.strip("|").split("|")] for line in table.splitlines()]
    assert found, f"a table that begins with {head}"
    return found


def named(cell):
    return re.findall(r"`([^`]+)`", cell)


def defines(source, function):
    return re.search(rf"^[A-Za-z_][^;{{}}()#]*\b{function}\([^;{{}}]*\)\n\{{", source, re.MULTILINE)


# The walk


def test_each_function_of_the_walk_is_defined_in_the_file_beside_it():
    missing = [
        f"{function} in {module}"
        for _, module, functions, _ in rows(WALK, "step")
        for function in named(functions)
        if not defines((ROOT / module).read_text(), function)
    ]
    assert missing == []


def test_each_identifier_of_the_pages_is_in_the_sources():
    texts = "\n".join(sources("lib", "proto", "edge", "broker", "store", "tables", "cli").values())
    texts += (ROOT / "proto/gatepost.proto").read_text()
    known = set(re.findall(r"\w+", texts))
    missing = {
        (page.name, word)
        for page in PAGES
        for word in named(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
        if re.fullmatch(r"[a-zA-Z]+(_[a-zA-Z]+)+", word)
        and word not in known
        and not re.fullmatch(r"GATEPOST_[A-Z_]+", word)
        and word not in ("sd_notify", "left_out", "aws_request_id")
    }
    assert missing == set()


# Files and links


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_file_that_a_page_names_or_links_to_exists(page):
    text = page.read_text()
    links = re.findall(r"\]\(([^)#:]+)\)", text)
    roots = r"lib|proto|config|edge|broker|store|tables|cli|bench|tests|deploy|docs|man"
    files = re.findall(rf"`?(?<![\w/])((?:{roots})/[\w/.*-]+\.(?:c|h|lua|md|py|proto|in))\b", text)
    assert [link for link in links if not (page.parent / link).exists()] == []
    assert [name for name in files if not (ROOT / name).exists()] == []


# Settings


def test_each_flag_of_the_pages_is_a_setting_of_a_program():
    known = {"help"}.union(*(settings(program) for program in PROGRAMS))
    flags = {
        (page.name, flag)
        for page in PAGES
        for flag in re.findall(r"`--([a-z-]+)", page.read_text())
    }
    assert flags
    assert {(page, flag) for page, flag in flags if flag not in known} == set()


@pytest.mark.parametrize("program", ["edge", "broker"])
def test_the_table_of_a_program_has_settings_and_defaults_of_this_program(program):
    known = settings(program)
    for flags, default, _ in rows(OPERATIONS, program):
        names = [flag.removeprefix("--") for flag in named(flags)]
        told = [word.split()[0] for word in default.split(", ")]
        told *= len(names) if len(told) == 1 else 1
        for name, value in zip(names, told, strict=True):
            assert known[name] in (value, "not set"), name


def test_each_variable_of_the_pages_is_a_setting_or_given_to_functions():
    known = set().union(*(settings(program) for program in PROGRAMS))
    known |= set(re.findall(r'"(GATEPOST_[A-Z_]+)"', "".join(sources("cli").values())))
    named_so = {
        (page.name, name)
        for page in PAGES
        for name in re.findall(r"\bGATEPOST_[A-Z_]+[A-Z]\b", page.read_text())
        if name != "GATEPOST_NAME"
    }
    assert named_so
    assert {
        (page, name)
        for page, name in named_so
        if name not in known and name[9:].lower().replace("_", "-") not in known
    } == set()


# Configurations


def test_the_complete_configuration_of_the_page_is_right_and_passes_nothing_over(tmp_path):
    text = re.search(r"```yaml\n(.*?)```", FUNCTIONS, re.DOTALL)[1]
    (tmp_path / "gatepost.yml").write_text(text)
    (tmp_path / "users.pem").touch()
    done = subprocess.run(
        [BIN / "gatepost", "check"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert "Notes" not in done.stdout


# Metrics


def in_sources():
    text = "".join(sources("lib/redis", "edge", "broker", "store", "tables").values())
    return set(re.findall(r'"(gatepost_(?:edge|broker|redis)_\w+)"', text))


def in_table():
    return {name for cells in rows(OPERATIONS, "metric") for name in named(cells[0])}


def test_the_table_of_metrics_has_all_that_the_sources_make():
    assert in_table() == in_sources()


def test_the_table_of_metrics_has_all_that_is_served(tmp_path):
    (tmp_path / "handler.py").write_text("def ping(event, context):\n    pass\n")
    config = project(
        tmp_path,
        {
            "polled": function("handler.ping", http("get", "polled"), runtime="python3"),
            "posted": function("http://127.0.0.1:1/", http("get", "posted")),
        },
    )
    served = set()
    args = ["--config", config, "--python", sys.executable]
    with Cluster(edges=1, brokers=1, args=args) as cluster:
        for name in ("edge-0", "broker-0"):
            url = cluster.process(name)["metrics"].removesuffix("/metrics") + "/metrics"
            text = cluster.get(url)[1].decode()
            served |= set(re.findall(r"^# TYPE (gatepost_\w+) ", text, re.MULTILINE))
    assert in_table() == served


# Keys


def test_the_table_of_keys_has_all_keys_and_their_types():
    text = (ROOT / "store/keys.c").read_text()
    edge = re.findall(r'edge_key\(prefix, edge, "(\w+)"', text)
    members = re.findall(r'member_key\(prefix, "([\w-]+)"', text)
    keys = {f"{{prefix}}{{eN}}:{name}" for name in edge} | {
        f"{{prefix}}{{m}}:{name}" for name in members
    }
    shard = re.findall(r'shard_key\(prefix, shard, "(\w+)"', text)
    keys |= {f"{{prefix}}{{oN}}:{name}" for name in shard}
    channels = "".join((ROOT / "store" / name).read_text() for name in ("appends.c", "channels.c"))
    channel = re.findall(r'words_channel_key\(&?w, [^"]*"([\w:]+)"', channels)
    presence = (ROOT / "store/presence.c").read_text()
    channel += re.findall(r'"(\w+)"', re.search(r" keys\[\] = \{([^}]*)\}", presence)[1])
    keys |= {f"{{prefix}}{{NAME}}:{name}" for name in channel}
    users = "".join((ROOT / "store" / name).read_text() for name in ("users.c", "user_rate.c"))
    user = re.findall(r'words_channel_key\(&w, user, "([\w:]+)"', users)
    keys |= {f"{{prefix}}{{USER}}:{name}" for name in user}
    table = {named(cells[0])[0]: cells[1] for cells in rows(OPERATIONS, "key")}
    page = dict(re.findall(r"(\{prefix\}\S+) +([A-Z]+) ", (ROOT / "store/keys.h").read_text()))
    assert {re.sub(":[A-Z]+$", ":", key) for key in table} == keys
    assert table == page


def test_the_table_of_keys_of_tables_has_all_keys_and_their_types():
    text = (ROOT / "tables/store/keys.c").read_text()
    keys = {f"{{prefix}}{{t}}:{name}" for name in re.findall(r'catalog_key\(prefix, "(\w+)"', text)}
    keys |= {f"{{prefix}}{{T:S}}:{name}" for name in re.findall(r'item_key\(prefix, id, shard, "(\w+)"', text)}
    keys |= {"{prefix}{t}:token:TOKEN", "{prefix}{T:S}:index:N"}
    table = {named(cells[0])[0]: cells[1] for cells in rows(OPERATIONS, "key of tables")}
    page = dict(re.findall(r"(\{prefix\}\S+) +([A-Z]+) ", (ROOT / "tables/store/keys.h").read_text()))
    assert set(table) == keys
    assert table == page


# Log lines


def test_the_table_of_log_lines_has_every_warning_and_error():
    text = "".join(sources("lib", "proto", "edge", "broker", "store", "tables", "cli").values())
    lines = set(re.findall(r'log_(?:warn|error)(?:_flood)?\(\s*"([a-z_.]+)"', text))
    lines |= set(re.findall(r'log_write_flood\(&\w+, [\w>-]+, "([a-z_.]+)"', text))
    assert {name for cells in rows(OPERATIONS, "line") for name in named(cells[0])} == lines
