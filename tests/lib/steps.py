"""Steps of a long test: each prints PASS or FAIL, what it has checked, and its seconds."""

import subprocess
import sys
import time


class Failure(Exception):
    """What a step has found wrong."""


class Steps:
    """
    with steps("brokers are rolled"):
        steps.check(closed == 0, "no client was closed")

    A step that fails ends the test, unless `go_on`.
    """

    def __init__(self, go_on=False):
        self.go_on = go_on
        self.passed = []
        self.failed = []

    def __call__(self, name):
        self.name = name
        self.facts = []
        self.began = time.monotonic()
        return self

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        seconds = time.monotonic() - self.began
        held = error is None
        (self.passed if held else self.failed).append((self.name, seconds))
        print(f"{'PASS' if held else 'FAIL'}  {self.name}  ({seconds:.1f} s)", flush=True)
        for fact in self.facts:
            print(f"        {fact}")
        if held:
            return True
        print(f"      NOT {error}", flush=True)
        if isinstance(error, (Failure, subprocess.CalledProcessError)):
            if not self.go_on:
                self.end()
            return True
        return False

    def note(self, fact):
        self.facts.append(fact)

    def check(self, held, fact):
        if not held:
            raise Failure(fact)
        self.facts.append(fact)

    def until(self, question, fact, seconds):
        """Ask until the answer is true, and return it."""
        began = time.monotonic()
        answer = self.settle(question, seconds)
        if not answer:
            raise Failure(f"{fact}, within {seconds} s")
        self.facts.append(f"{fact} (after {time.monotonic() - began:.1f} s)")
        return answer

    def settle(self, question, seconds):
        """Ask until the answer is true, or the time is over; the last answer."""
        last = time.monotonic() + seconds
        while True:
            answer = question()
            if answer or time.monotonic() > last:
                return answer
            time.sleep(0.5)

    def end(self):
        print(f"{len(self.passed)} passed, {len(self.failed)} failed")
        sys.exit(1 if self.failed or not self.passed else 0)


def output(*command, check_status=True, **more):
    """What a command printed; raises CalledProcessError, with what it wrote to stderr."""
    if "input" not in more:
        more["stdin"] = subprocess.DEVNULL
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, **more)
    if check_status and done.returncode != 0:
        print(done.stderr[-2000:], file=sys.stderr)
        done.check_returncode()
    return done.stdout
