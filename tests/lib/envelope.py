"""Envelopes as bytes, right and wrong ones: just enough of protobuf's encoding.

message({1: 1, 4: [message({1: ...})]}) encodes {number of the field: value}; a list repeats it.
"""

VERSION = 3  # LINK_VERSION

# Numbers of Item's fields, proto/gatepost.proto
HELLO, WELCOME, REFUSAL, MEMBERS, RESYNC, ROSTER, LEAVING, STORE = range(1, 9)
EVENT, ANSWER, COMMAND, OUTCOME, INTEREST, CONFIRMATION, DELIVER, GAP, FILL, PRESENCE = range(10, 20)
# and of Action's
RESPONSE, TEXT, BINARY, CLOSE = range(1, 5)


def varint(n):
    n &= (1 << 64) - 1
    out = bytearray()
    while n > 127:
        out.append(n & 127 | 128)
        n >>= 7
    return bytes([*out, n])


def message(fields):
    out = bytearray()
    for number, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
            else:
                value = value.encode() if isinstance(value, str) else value
                out += varint(number << 3 | 2) + varint(len(value)) + value
    return bytes(out)


def envelope(*items, version=VERSION, **more):
    """items: (number of the kind, fields)."""
    return message({1: version, **more, 4: [message({kind: message(f)}) for kind, f in items]})


def fields(data):
    """{number of the field: its values}; the other way round, for what a test wants to see."""
    out, at = {}, 0

    def number():
        nonlocal at
        n = shift = 0
        while True:
            byte = data[at]
            at += 1
            n |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return n

    while at < len(data):
        key = number()
        value = number()
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        out.setdefault(key >> 3, []).append(value)
    return out


def items(data):
    """[(number of the kind, fields)] of an envelope."""
    return [
        (kind, fields(body))
        for item in fields(data).get(4, [])
        for kind, (body, *_) in fields(item).items()
    ]


def hello(boot=1234, number=0, **more):
    numbered = {1: "false-edge", 2: boot, 3: number, 4: 100, 5: 1 << 20}
    return (HELLO, numbered | {int(k.strip("_")): v for k, v in more.items()})


def welcome(boot=4321, number=7, members=()):
    listed = message({1: [message({1: "m", 2: i + 1, 3: e}) for i, e in enumerate(members)]})
    return (WELCOME, {1: "false-broker", 2: boot, 3: number, 4: 100, 5: 1 << 20, 6: listed})


def actions(*pairs):
    """Field 11 of an Answer. pairs: (number of the kind, its bytes)."""
    return [message({kind: body}) for kind, body in pairs]
