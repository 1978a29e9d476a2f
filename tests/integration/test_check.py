"""`gatepost check`: what it prints, where, and with which exit status."""

import subprocess

from lib.cluster import BIN

CHAT = """\
service: chat
provider: { name: aws, runtime: python3.11, stage: "${opt:stage, 'dev'}", region: "${opt:region, 'here'}" }
plugins: [ serverless-offline ]
functions:
  manager:
    handler: handler.manager
    events:
      - websocket: $connect
      - websocket: { route: say, routeResponseSelectionExpression: $default }
  ping:
    handler: http://127.0.0.1:9000/ping
    timeout: 3
    events: [ { http: GET ping } ]
"""


def check(folder, *words):
    return subprocess.run([BIN / "gatepost", "check", *words], cwd=folder, capture_output=True, text=True)


def test_a_configuration_is_told_function_by_function_and_route_by_route(tmp_path):
    (tmp_path / "serverless.yml").write_text(CHAT)
    told = check(tmp_path, "serverless.yml", "--stage", "prod")
    assert told.stderr == ""
    assert told.returncode == 0
    assert told.stdout == """\
chat, stage prod (serverless.yml)

Functions
  manager  lambda  handler.manager             python3.11, 2 workers  6 s  $connect, say
  ping     http    http://127.0.0.1:9000/ping                         3 s  GET /ping

WebSocket routes  ws://127.0.0.1:8080/prod  by $request.body.action
  $connect  manager  one-way
  say       manager  two-way

HTTP routes
  GET  http://127.0.0.1:8080/prod/ping  ping

Notes
  serverless.yml:3:1  plugins: ignored
"""


def test_the_file_of_the_folder_is_taken_and_gatepost_yml_first(tmp_path):
    assert check(tmp_path).returncode == 1
    (tmp_path / "serverless.yml").write_text(CHAT)
    assert "(serverless.yml)" in check(tmp_path).stdout
    (tmp_path / "gatepost.yml").write_text(CHAT)
    assert "(gatepost.yml)" in check(tmp_path).stdout


def test_mistakes_go_to_stderr_one_in_a_line_and_nothing_to_stdout(tmp_path):
    (tmp_path / "gatepost.yml").write_text(CHAT.replace("timeout: 3", "timeout: long").replace("GET ping", "ping"))
    told = check(tmp_path)
    assert told.returncode == 1
    assert told.stdout == ""
    assert told.stderr == """\
gatepost.yml:12:14: functions.ping.timeout: "long"; allowed: 1 to 900 seconds
gatepost.yml:13:23: functions.ping.events[0].http: "ping"; allowed: METHOD path
"""


def test_bad_flags_are_refused_with_what_is_allowed(tmp_path):
    (tmp_path / "gatepost.yml").write_text(CHAT)
    assert check(tmp_path, "--opt", "region").returncode == 2
    assert "allowed: --opt NAME=VALUE" in check(tmp_path, "--opt", "region").stderr
    assert check(tmp_path, "--colour").returncode == 2
    assert check(tmp_path, "a.yml", "b.yml").returncode == 2
    assert check(tmp_path, "--opt", "region=there").returncode == 0


CHANNELS = """\
service: chat
functions:
  channels:
    handler: builtin:channels
    events: [ websocket: subscribe, websocket: publish ]
  may: { handler: "http://127.0.0.1:9000/may" }
gatepost:
  channels:
    room:
      history: { size: 50, ttl: 90s }
      presence: {}
      subscribe: token
      token: { algorithm: HS256, key: secret }
      publish: may
    ticker: { format: raw, subscribe: context.tickers }
"""


def test_the_namespaces_of_channels_are_told(tmp_path):
    (tmp_path / "gatepost.yml").write_text(CHANNELS)
    told = check(tmp_path)
    assert told.stderr == ""
    assert told.stdout == """\
chat, stage dev (gatepost.yml)

Functions
  channels  builtin  builtin:channels             6 s  subscribe, publish
  may       http     http://127.0.0.1:9000/may    6 s  channels of room

WebSocket routes  ws://127.0.0.1:8080/dev  by $request.body.action
  subscribe  channels  one-way
  publish    channels  one-way

Namespaces of channels
  room    subscribe token            publish may     history 50 messages, 90s, 4MiB  presence
  ticker  subscribe context.tickers  publish nobody  no history                      no presence  raw
"""
