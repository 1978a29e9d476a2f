"""What a run of chaos writes down, and check.py reads: the contract between the two.

A run is a folder. meta.json is one object; each other file has one JSON object a line, in the order in which
things happened there. "t" is seconds since 1970 (CLOCK_REALTIME of the one machine, a float), the moment at which
it happened, not that of the writing. "who" is the process that wrote. A client's connection is known by its name,
which is unique in a run ("c123") and stands in the query of its upgrade (?name=c123); its connection id is known
from the event of its $connect. No record has anything of Gatepost's insides.

meta.json
    seed, begin, end    of the whole run; end is when all was quiet and before the processes were told to stop
    warm                memory that a process takes in its first warm - begin seconds is its own affair
    edges, brokers      {name} of those that run at the beginning; more come with the fault "add"
    timings             {"lease", "silence", …} in seconds, as the processes have them
    bounds              in seconds, what the checker holds against: "disconnect" (from the end of a connection, or of
                        its edge, to the end of its DISCONNECT; lease + 2), "vanish" (until a silent client is taken
                        for dead, without that), "table" (lease + 2), "answer" (of a message, of a new client),
                        "retry" (the longest pause before a function that failed is asked again);
                        "gap" (until an edge has filled one), "action" (of an action on a channel), "presence" (lease +
                        2 + the grace);
                        and "rss" (bytes that a process may grow after warm), "fds" (that it may have more)
    judged              {"P3": {"looks": 12, …}, …} what each rule must have had to judge at least, as its faults go
    caches              namespaces with recover: cache
    histories           {namespace: how many messages it keeps, 0: none}
    expect              names of warn and error lines that the faults cause, as in a shell ("link.*")

faults.jsonl    who broke what; the supervisor's pauses and restarts are in it too
    {"t", "id": 7, "fault": "kill9", "target": ["edge-0"], "phase": "begin"}
    {"t", "id": 7, "fault": "kill9", "target": ["edge-0"], "phase": "end"}
    A fault is in force from its begin to its end, and both have the same id. One without a length has
    "phase": "once". Every begin has its end, if only at the end of the run. Kinds, and when they end:
        kill9, oom              of processes; the end: they run again and are ready
        drain                   SIGTERM; the same end. remove: the same without a return (once, when it has exited)
        hurry                   SIGTERM, and another one while it drains; the same end
        stop                    SIGSTOP; the end: SIGCONT
        cut                     no packet passes. Two targets: between these two. One: it and all others. A target may
                                be "redis" or "functions"; the end: it is healed
        vanish                  of clients ("clients-3"): the network takes them away; the end: it is back
        flood                   of clients, which talk as fast as they are answered
        storm                   of clients, which all break their sockets and come again (no length)
        add                     a process more, once, when it is ready
        redis_kill9, redis_stop, redis_stall (a long stop), redis_slow, redis_empty, redis_restart, redis_oom,
        redis_restore       it is as it was at the begin again; redis_rewind: the same, a moment later
        redis_readonly, redis_drop (CLIENT KILL), redis_type (a key has another type)
                                the end: it takes writes again
        function_slow, function_fail, function_down
                                of "http" or "lambda" (target); the end: it answers again
        died                    once: a process of Gatepost's ended, and nobody had asked it to ("status")

clients.jsonl   what the clients did and saw; each has "name" and "what"
    connecting  {"edge": "edge-0", "user": "u3", "chosen": "log:hall"}  whose address it connects to; as whom, and to which
                channel $connect subscribes it (null: none)
    open        the 101 came
    refused     {"status": 503, "retry_after": "1" or null}  another status
    failed      {"why"}             no answer to the upgrade: the socket broke, or the client lost patience
    sent        {"n": 0, "two_way": true}   messages of a connection are numbered from 0
    answer      {"n": 0}            the function's answer to message n
    error       {"text"}            an error frame of the gateway's ("Internal server error")
    push        {"nonce"}
    act         {"id": 0, "action": "subscribe", "channel": "log:3", "since": [epoch, offset]}   an action on a channel;
                ids are of one connection. publish: "data" is of this publish alone, and of its repetitions with the
                same "key" ("tries": 2); "refused": its webhook refuses it
    ack, nack   {"id", "channel", …}    its answer; an ack without id is of the channel that $connect has chosen
    message, reset, unsubscribed    {"channel", …}   frames of channels, with the fields that they had; of a channel
                with a webhook "marked": it had what the webhook adds, and "data" is without that
    odd         {"text"}            anything else
    closing     {"code"}            the client begins the close handshake
    vanished    {"how": "reset" | "silent"}  the client is gone without a goodbye; silent: the edge hears nothing
    closed      {"code", "by": "server" | "client" | "reset" | "eof"}  how a socket ended that was open; by the client
                when it was the first to say close, and then this is the answer. After vanished there is none

functions.jsonl, functions-*.jsonl   each invocation twice, when it begins and before it answers
    {"t", "phase": "begin", "call": "h17", "fn": "http", "kind": "CONNECT", "requestId", "connectionId", "name",
     "n", "event": "9f3a…", "time": 1763836114123, "code": 1000, "reason": ""}
    {"t", "phase": "end", "call": "h17", "status": 200}
        call    of this invocation alone, unique in the run
        kind    CONNECT, MESSAGE, DISCONNECT or HTTP
        name    of CONNECT, from the query; n of MESSAGE; code and reason of DISCONNECT
        event   hash of the whole event, in a canonical form, without what the transport may change
        status  what it answers: 200, 403 (a $connect that refuses), 500; no end: it never answered

pushes.jsonl    a POST to @connections, when it has ended
    {"t", "began", "to": "Q2x…=", "nonce": "p8", "status": 200}    0: no answer came. A nonce is of one POST alone

posts.jsonl     {"t", "began", "channel", "data", "by": "broker-1", "status": 200, "epoch", "offset"}   a publish by the
                management API, when it was answered; 0: no answer came
presence.jsonl  {"t", "channel": "who:hall", "by": "broker-1", "members": [[connection id, user or null], …],
                 "connections": 3, "users": 2, "seconds": 0.004}  once a second, what a broker says of each channel with
                presence; t: when it was asked, seconds: until it had answered. No answer: no record
tables.jsonl    requests to tables, each when it has ended: {"t", "began", "who": "w3" (the writer), "what", "by": "broker-1",
                 "status": 200, "error": "", "reasons": [], "result": "done" | "failed" (its condition) | "unknown"}
    increment   {"n"}   n = n + 1 and w3 = n of the item "counter", if w3 is n - 1; asked again until it is done
    found       {"n", "found"}  when that condition failed: what w3 is (no request)
    add         one more to "adds" and to "w3-adds" of the counter; asked once
    transfer    {"n"}   a transaction: some amount from one account to another, and one more to "transfers" of
                "ledger-w3"; asked again with its token until it is done
    row         {"id", "v"} this version of a row, if it has none or an earlier one; versions of a writer grow
    stale row   {"id", "v"} the same with the version that was acknowledged: the condition is false
    put, delete {"id"}  without conditions; each id is put once, and perhaps deleted then
    seen        {"items"}   a look at the counter, or at all accounts at one moment; numbers and texts without types
    table, index {"items"}  all that the table has at the end, and its index "by-room"
table.jsonl     {"t", "ids": […], "seconds": 0.004} the connection table, once a second; t: when it was asked, seconds: until
                it had answered (a slow look proves nothing); ids is null when Redis did not say
parked.jsonl    {"t", "connectionId"} disconnects that were given up, at the end of the run
samples.jsonl   {"t", "who", "pid", "rss": bytes, "fds": 41} once a second; one that is stopped has none
*.log           what the processes wrote
"""

import json
import time


class Log:
    """One file of a run, to which each record goes at once and whole, also from several processes."""

    def __init__(self, path, who):
        self._file = open(path, "ab", buffering=0)
        self._who = who

    def write(self, **record):
        record = {"t": time.time(), "who": self._who, **record}
        self._file.write(json.dumps(record, separators=(",", ":")).encode() + b"\n")

    def close(self):
        self._file.close()
