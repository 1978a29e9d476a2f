"""What requests to tables cost, beside dynalite: bench/run tables, tables:memory.

Each request is signed, as an SDK's is, before the clock runs. Eight connections ask, each its next
request once the one before is answered. What counts is the CPU of the processes that serve them:
broker and Redis, with its append-only file as `gatepost up` has it in a project; and dynalite, in
Node, on LevelDB. The floor's column is dynalite's. tables:memory is what a connection's row takes
in Redis.
"""

import collections
import contextlib
import datetime
import hashlib
import hmac
import json
import pathlib
import socket
import statistics
import subprocess
import tempfile
import urllib.parse

from system import BIN, ROOT, Failure, is_over, redis_cli, say, system, until

DYNALITE = ROOT / "build/dynalite/node_modules/dynalite/cli.js"
KEY, SECRET, REGION = "GPBENCHTABLES", "wJalrXUtnFEMIbenchtables", "eu-central-1"
CONNECTIONS = 8
RUNS = 5
REQUESTS, DYNALITE_REQUESTS = 3_000, 500
SCANNED, SCANS, DYNALITE_SCANS = 1_000, 60, 10
ROWS = 20_000
TARGETS = {"PutItem": 60, "GetItem": 40, "UpdateItem": 90, "DeleteItem": 60}  # CPU-µs
SCAN_TARGET, ROW_TARGET = 1_500, 300  # CPU-µs; bytes
SECONDS = 60

Server = collections.namedtuple("Server", ["address", "pids", "requests", "scans"])


# ---- what is asked


def signed(address, operation, body):
    """A whole request, with a signature of Version 4."""
    host = f"{address[0]}:{address[1]}"
    content = json.dumps(body).encode()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": "application/x-amz-json-1.0", "host": host, "x-amz-date": now,
               "x-amz-target": f"DynamoDB_20120810.{operation}"}
    names = ";".join(headers)
    canonical = "\n".join(["POST", "/", "", *(f"{name}:{value}" for name, value in headers.items()),
                           "", names, hashlib.sha256(content).hexdigest()])
    scope = f"{now[:8]}/{REGION}/dynamodb/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = f"AWS4{SECRET}".encode()
    for part in [*scope.split("/"), f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{digest}"]:
        key = hmac.digest(key, part.encode(), "sha256")
    headers["authorization"] = (f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, "
                                f"SignedHeaders={names}, Signature={key.hex()}")
    headers["content-length"] = len(content)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + content


def ask(address, requests):
    """All of them, over eight connections; gives the last answer. Each must be 200."""
    text = b"".join(b"%d\n%s" % (len(request), request) for request in requests)
    done = subprocess.run([BIN / "bench-requests", address[0], str(address[1]), str(CONNECTIONS)],
                          input=text, capture_output=True, timeout=10 * SECONDS)
    if done.returncode != 0:
        raise Failure(done.stderr.decode(errors="replace"))
    return json.loads(done.stdout)


def create(address, name):
    ask(address, [signed(address, "CreateTable", {
        "TableName": name, "BillingMode": "PAY_PER_REQUEST",
        "KeySchema": [{"AttributeName": "connection_id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "connection_id", "AttributeType": "S"}]})])
    until(f"the table {name} is active", SECONDS, lambda: ask(address, [signed(
        address, "DescribeTable", {"TableName": name})])["Table"]["TableStatus"] == "ACTIVE")


def connection_id(n):
    """As long as those of connections are."""
    return f"L0SM9cO{n:08}="


def bodies(n):
    """A request of each operation about the row of that number, by operation."""
    row = {"TableName": "rows", "Key": {"connection_id": {"S": connection_id(n)}}}
    item = row["Key"] | {"user": {"S": f"user-{n}"}, "seen": {"N": "0"}}
    return {
        "PutItem": {"TableName": "rows", "Item": item},
        "GetItem": row,
        "UpdateItem": row | {
            "UpdateExpression": "SET seen = seen + :one", "ConditionExpression": "seen < :most",
            "ExpressionAttributeValues": {":one": {"N": "1"}, ":most": {"N": "1000"}}},
        "DeleteItem": row,
    }


# ---- who is asked


@contextlib.contextmanager
def gatepost():
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as name:
        folder = pathlib.Path(name)
        keys = folder / "credentials"
        keys.write_text(f"[bench]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
        keys.chmod(0o600)
        with system(1, 1, data=folder / "data", GATEPOST_MANAGEMENT_AUTH="keys",
                    GATEPOST_CREDENTIALS=str(keys)) as ready:
            seen = json.loads(ready.read_text())
            at = urllib.parse.urlsplit(seen["management"])
            pids = {process["name"].partition("-")[0]: process["pid"]
                    for process in seen["processes"] if not process["name"].startswith("edge")}
            yield Server((at.hostname, at.port), pids, REQUESTS, SCANS), seen["redis"]


@contextlib.contextmanager
def dynalite():
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = free.getsockname()[:2]
    with tempfile.TemporaryDirectory(prefix="gatepost-bench-") as folder:
        child = subprocess.Popen(
            ["node", DYNALITE, "--host", address[0], "--port", str(address[1]), "--path", folder,
             "--createTableMs", "0"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        try:
            until("dynalite listens", SECONDS, lambda: is_over(child) or is_open(address))
            if is_over(child):
                raise Failure(f"dynalite ended with status {child.returncode}")
            yield Server(address, {"dynalite": child.pid}, DYNALITE_REQUESTS, DYNALITE_SCANS)
        finally:
            child.kill()
            child.wait()


def is_open(address):
    with contextlib.suppress(OSError), socket.create_connection(address):
        return True
    return False


def cpu_us(pid):
    """What all threads of a process have run until now."""
    of_threads = pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(path.read_text().split()[0]) for path in of_threads) / 1000


def measured(server, requests):
    """CPU-µs for each of these requests, by process."""
    before = {name: cpu_us(pid) for name, pid in server.pids.items()}
    ask(server.address, requests)
    return {name: (cpu_us(pid) - before[name]) / len(requests)
            for name, pid in server.pids.items()}


# ---- tables


def tables(table):
    say(f"tables: {REQUESTS} requests of each kind over {CONNECTIONS} connections, {RUNS} runs")
    need_dynalite()
    with gatepost() as (ours, _), dynalite() as other:
        for server in (ours, other):
            prepare(server)
        runs = [(run_of(ours, n), run_of(other, n)) for n in range(RUNS)]
    for operation, target in (TARGETS | {"Scan": SCAN_TARGET}).items():
        name = "Scan of 1,000 rows" if operation == "Scan" else operation
        table.add(f"{name}, broker + redis", median(run[0][operation] for run in runs), "CPU-us",
                  target, median(run[1][operation] for run in runs))
        for role in ours.pids:
            figure = statistics.median(run[0][operation][role] for run in runs)
            table.add(f"{name}, {role}", figure, "CPU-us")


def need_dynalite():
    if not DYNALITE.exists():
        raise Failure("dynalite is not installed: run it as ./dev bench tables")


def median(runs):
    return statistics.median(sum(of_roles.values()) for of_roles in runs)


def prepare(server):
    for name in ("rows", "scanned"):
        create(server.address, name)
    rows = [bodies(n)["PutItem"] | {"TableName": "scanned"} for n in range(SCANNED)]
    ask(server.address, [signed(server.address, "PutItem", row) for row in rows])
    run_of(server._replace(requests=300, scans=5), RUNS)  # to be warm


def run_of(server, run):
    """{operation: {process: CPU-µs}}; each operation is of the rows that the first has put."""
    rows = [bodies(run * server.requests + n) for n in range(server.requests)]
    seen = {operation: measured(server, [signed(server.address, operation, row[operation])
                                         for row in rows]) for operation in TARGETS}
    scan = signed(server.address, "Scan", {"TableName": "scanned"})
    if ask(server.address, [scan])["Count"] != SCANNED:
        raise Failure(f"a Scan has not had all {SCANNED} rows")
    return seen | {"Scan": measured(server, [scan] * server.scans)}


# ---- memory


def memory(table):
    say(f"tables: memory of {ROWS} rows of connections")
    with gatepost() as (server, redis):
        cli = redis_cli(redis)
        create(server.address, "rows")
        before = used(cli)
        ask(server.address, [signed(server.address, "PutItem", {
            "TableName": "rows", "Item": {"connection_id": {"S": connection_id(n)}}})
            for n in range(ROWS)])
        table.add("a connection's row in Redis", (used(cli) - before) / ROWS, "B", ROW_TARGET)


def used(cli):
    return next(int(line.partition(":")[2]) for line in cli("INFO", "memory")
                if line.startswith("used_memory:"))


PARTS = {"cpu": tables, "memory": memory}


def all_parts(table):
    for part in PARTS.values():
        part(table)
