"""A client of channels: sends actions, and reads their answers and what comes without being asked for."""

import itertools
import json

from lib.wire import WebSocket

numbers = itertools.count(1)


def channel(namespace):
    """A channel that no other test uses."""
    return f"{namespace}:{next(numbers)}"


def act(action, name=None, **more):
    """An action with an id of its own."""
    more |= {} if name is None else {"channel": name}
    return {"action": action, **more, "id": next(numbers)}


class ChannelClient(WebSocket):
    """One connection."""

    def __init__(self, url, **headers):
        super().__init__(url, **headers)
        self._frames = []  # that came before an answer

    def frame(self):
        return self._frames.pop(0) if self._frames else json.loads(self.next())

    def act(self, action, name=None, **more):
        """One action, and its ack or error; other frames may come before it."""
        message = act(action, name, **more)
        self.say(json.dumps(message))
        while (frame := json.loads(self.next())).get("id") != message["id"]:
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

    def batch(self, *actions):
        """An array of actions; its frames up to as many as there are actions."""
        self.say(json.dumps(actions))
        return [self.frame() for _ in actions]

    def idle(self):
        """Nothing has come but what was asked for."""
        self.ok("ping")
        assert self._frames == []
