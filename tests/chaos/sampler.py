"""Once a second: what a run's processes take, what the table says, and who is in channels; and publishes."""

import os
import threading
import time
from contextlib import suppress
from pathlib import Path

import channels
from log import Log

METRICS_EVERY = 10  # looks
POST_EVERY = 0.2  # seconds


class Sampler(threading.Thread):
    def __init__(self, world):
        super().__init__(daemon=True)
        self._world = world
        self._table = Log(world.folder / "table.jsonl", "run")
        self._samples = Log(world.folder / "samples.jsonl", "run")
        self._metrics = Log(world.folder / "metrics.jsonl", "run")
        self._over = threading.Event()
        self._n = 0

    def stop(self):
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self):
        while not self._over.wait(1):
            asked = time.time()
            ids = self._world.table()
            self._table.write(t=asked, ids=ids, seconds=round(time.time() - asked, 3))
            for process in self._world.gateposts():
                with suppress(OSError, ValueError):
                    self._sample(process)
            self._n += 1

    def _sample(self, process):
        folder = Path("/proc", str(process.pid))
        if folder.joinpath("stat").read_text().rpartition(")")[2].split()[0] in "TZ":
            return
        pages = int(folder.joinpath("statm").read_text().split()[1])
        fds = len(list(folder.joinpath("fd").iterdir()))
        rss = pages * os.sysconf("SC_PAGE_SIZE")
        self._samples.write(who=process.name, pid=process.pid, rss=rss, fds=fds)
        text = self._world.get(process.name, "/metrics") if self._n % METRICS_EVERY == 0 else None
        if text:
            rows = dict(line.rsplit(" ", 1) for line in text.splitlines() if line[:1] != "#")
            self._metrics.write(process=process.name, metrics=rows)


class Roll(threading.Thread):
    """Who is in the channels that have presence, as the management API of some broker has it."""

    def __init__(self, world, rng):
        super().__init__(daemon=True)
        self._world, self._rng = world, rng
        self._log = Log(world.folder / "presence.jsonl", "run")
        self._over = threading.Event()

    def stop(self):
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self):
        while not self._over.wait(1):
            brokers = [p.name for p in self._world.gateposts() if p.name.startswith("broker")]
            if brokers:
                self._look(self._rng.choice(brokers))

    def _look(self, broker):
        for channel in channels.MEMBERS:
            asked = time.time()
            page = self._world.members(broker, channel)
            if page is None:  # it will not answer for the others either
                return
            members = [[member["connection"], member.get("user")] for member in page["members"]]
            self._log.write(t=asked, channel=channel, by=broker, members=members,
                            connections=page["connections"], users=page["users"],
                            seconds=round(time.time() - asked, 3))  # fmt: skip


class Poster(threading.Thread):
    """Publishes by the management API, each by another broker."""

    def __init__(self, world, rng):
        super().__init__(daemon=True)
        self._world, self._rng = world, rng
        self._log = Log(world.folder / "posts.jsonl", "run")
        self._over = threading.Event()
        self._n = 0

    def stop(self):
        self._over.set()
        if self.is_alive():
            self.join()

    def run(self):
        while not self._over.wait(POST_EVERY):
            broker = self._rng.choice(self._world.told_brokers)
            self._post(broker, self._rng.choice(channels.POSTED))

    def _post(self, broker, channel):
        self._n += 1
        data, began = f"post-{self._n}", time.time()
        status, answer = self._world.publish(broker, channel, data)
        at = channels.pick(answer, "epoch", "offset")
        self._log.write(began=began, channel=channel, data=data, by=broker, status=status, **at)
