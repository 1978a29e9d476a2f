"""A client that acts on channels, and reads their frames.

    reader.ok("subscribe", "room:1")
    writer.ok("publish", "room:1", data=1)
    assert reader.frame()["data"] == 1
"""

import itertools
import json

from lib.cluster import until
from lib.wire import WebSocket

numbers = itertools.count(1)


def channel(namespace):
    """A channel that no other test uses."""
    return f"{namespace}:{next(numbers)}"


def act(action, name=None, **more):
    """One action, whose id no other has."""
    more |= {} if name is None else {"channel": name}
    return {"action": action, "id": next(numbers), **more}


def position(frame):
    """(epoch, offset), one value."""
    return frame["epoch"], frame["offset"]


def since(frame):
    return {"epoch": frame["epoch"], "offset": frame["offset"]}


class ChannelClient(WebSocket):
    def __init__(self, url, **more):
        super().__init__(url, **more)
        self._frames = []  # that came before an answer

    def frame(self):
        return self._frames.pop(0) if self._frames else json.loads(self.hear())

    def frames(self, n):
        return [self.frame() for _ in range(n)]

    def act(self, action, name=None, **more):
        """One action, and its ack or error; one's own messages may come before it."""
        asked = act(action, name, **more)
        self.say(json.dumps(asked))
        return self.answer(asked["id"])

    def answer(self, number):
        """The ack or error of this id; what comes before it is kept."""
        while (frame := json.loads(self.hear())).get("id") != number:
            self._frames.append(frame)
        return frame

    def ok(self, action, name=None, **more):
        answer = self.act(action, name, **more)
        assert answer["type"] == "ack", answer
        return answer

    def fails(self, code, action, name=None, **more):
        answer = self.act(action, name, **more)
        assert (answer["type"], answer["code"]) == ("error", code), answer
        assert answer["message"] and "retryable" in answer
        return answer

    def insists(self, action, name=None, **more):
        """Ask again while the answer is an error that says so; the ack."""

        def ask():
            answer = self.act(action, name, **more)
            assert answer["type"] == "ack" or answer["retryable"] is True, answer
            return answer if answer["type"] == "ack" else None

        return until(ask, f"{action} is acknowledged")

    def batch(self, *actions):
        """An array of actions; its frames up to as many as there are actions."""
        self.say(json.dumps(actions))
        return self.frames(len(actions))

    def idle(self):
        """Nothing has come but what was asked for."""
        self.ok("ping")
        assert self._frames == []
