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
