"""Which faults happen when: a function of the seed, and of nothing that happens in the run.

Faults come in bouts of one to three, which overlap; between bouts there is a pause in which all is
well, long enough for what the checker says of a healthy system. Their kinds are dealt from a deck
that is shuffled anew when it is empty, so that even a short run sees many.
"""

import random
from dataclasses import dataclass, field

# In seconds. A short run sees more when leases are short; every fifth seed has the product's own.
SHORT = {
    "edge-lease": 4, "member-lease": 2, "silence": 2, "heartbeat": 0.4, "retry": 0.3,
    "redis-timeout": 1, "command-timeout": 2, "drain-delay": 1, "drain-timeout": 5,
    "ping-every": 3, "pong-timeout": 2, "close-timeout": 2, "stall-timeout": 6,
}  # fmt: skip
DEFAULT = {
    "edge-lease": 10, "member-lease": 5, "silence": 5, "heartbeat": 1, "retry": 1,
    "redis-timeout": 2, "command-timeout": 5, "drain-delay": 5, "drain-timeout": 8,
    "ping-every": 5, "pong-timeout": 5, "close-timeout": 5, "stall-timeout": 10,
}  # fmt: skip

WARM_UP = 8
GROUPS = 8  # of clients, each of which can vanish at once
MOST_BROKERS = 5
FEWEST_BROKERS = 2

# kind and victim: shortest and longest harm in seconds. The victim says what `target` draws.
DECK = {
    "kill9 edge": (0.2, 8), "kill9 broker": (0.2, 8), "kill9 both": (0.2, 5),
    "stop edge": (1, 15), "stop broker": (1, 15),
    "cut edge-broker": (2, 10), "cut edge-brokers": (2, 12), "cut edge": (2, 12),
    "cut broker-redis": (2, 10), "cut broker-functions": (2, 6),
    "drain edge": (0.1, 2), "drain broker": (0.1, 2), "add broker": (0, 0), "remove broker": (0, 0),
    "redis_kill9": (0.2, 6), "redis_empty": (0.2, 4), "redis_restart": (0.2, 3),
    "redis_stop": (1, 15), "redis_oom": (2, 8), "redis_readonly": (2, 8), "redis_drop": (0, 0),
    "function_slow": (3, 8), "function_fail": (2, 6), "function_down": (1, 5),
    "vanish": (6, 12),
}  # fmt: skip
LONGEST_REST = 30  # of a broker that has found a function away before it asks that again
NEED_NAMESPACES = ("cut", "vanish")


@dataclass
class Fault:
    id: int
    at: float  # seconds after the clients have begun
    kind: str
    target: list
    seconds: float  # 0: it has no length

    @property
    def rest(self):
        """How long a function may still seem away: as long as it was, and as its last try took."""
        away = self.kind == "function_down" or "functions" in self.target
        return min(self.seconds + 2, LONGEST_REST) if away else 0

    def __str__(self):
        length = f"for {self.seconds:.1f} s" if self.seconds else ""
        return f"{self.at:7.1f}  {self.kind:15} {' '.join(self.target):24} {length}".rstrip()


@dataclass
class Plan:
    seed: int
    seconds: float  # until the clients leave
    timings: dict
    edges: list
    brokers: list  # at the beginning
    manager: str  # who serves $connect and $disconnect: "http" or "lambda"
    advertise: bool  # do brokers say to edges where they are?
    faults: list = field(default_factory=list)

    @property
    def pause(self):
        """What the table may take to be right again, and some seconds in which it has to be."""
        return self.timings["edge-lease"] + 2 + 4

    @property
    def drain_seconds(self):
        """How long a process may take to end after SIGTERM."""
        return self.timings["drain-delay"] + self.timings["drain-timeout"] + 3

    def __str__(self):
        head = f"seed {self.seed}: {len(self.edges)} edges, {len(self.brokers)} brokers, "
        head += f"lease {self.timings['edge-lease']} s, $connect and $disconnect by {self.manager}"
        return "\n".join([head, *map(str, self.faults), f"{self.seconds:7.1f}  the clients leave"])


def plan(seed, minutes, cards=None, namespaces=True):
    """
    cards       the kinds to draw from, as in DECK; default: all
    namespaces  whether packets can be kept from passing
    """
    rng = random.Random(seed)
    it = Plan(
        seed=seed,
        seconds=minutes * 60,
        timings=dict(DEFAULT if seed % 5 == 0 else SHORT),
        edges=[f"edge-{i}" for i in range(rng.choice((2, 3)))],
        brokers=[f"broker-{i}" for i in range(3)],
        manager=rng.choice(("http", "lambda")),
        advertise=rng.random() < 0.7,
    )
    cards = [c for c in cards or DECK if namespaces or not c.startswith(NEED_NAMESPACES)]
    dealer = Dealer(rng, it, cards)
    at = WARM_UP
    while not it.faults or at + it.pause < it.seconds:
        bout = sorted(dealer.bout(at), key=lambda fault: fault.at)
        it.faults += bout
        at = max(f.at + f.seconds + f.rest for f in bout) + it.pause
    it.seconds = max(it.seconds, at)
    for number, fault in enumerate(it.faults, 1):
        fault.id = number
    return it


class Dealer:
    def __init__(self, rng, it, cards):
        self._rng = rng
        self._edges = it.edges
        self._brokers = list(it.brokers)
        self._cards = cards
        self._deck = []

    def bout(self, at):
        """Faults that overlap; no process has two of them but for cuts, which harm none."""
        taken, faults = set(), []
        for _ in range(self._rng.choice((1, 1, 2, 2, 3))):
            faults += self._deal(at, taken)
            at += self._rng.uniform(0, 3)
        return faults

    def _deal(self, at, taken):
        if not self._deck:
            self._deck = self._rng.sample(self._cards, len(self._cards))
        card = self._deck.pop()
        shortest, longest = DECK[card]
        seconds = round(self._rng.uniform(shortest, longest), 1)
        kind, _, victim = card.partition(" ")
        kind, targets = self._targets(kind, victim, taken)
        return [Fault(0, round(at, 1), kind, target, seconds) for target in targets]

    def _targets(self, kind, victim, taken):
        """The kind, which may have to be another one, and whom it meets: a list for each fault."""
        match kind:
            case "cut":
                return kind, self._cuts(victim)
            case "add" | "remove":
                return self._add_or_remove(kind, taken)
            case "vanish":
                return kind, self._free([f"clients-{i}" for i in range(GROUPS)], taken)
            case _ if kind.startswith("redis_"):
                return kind, self._free(["redis"], taken)
            case _ if kind.startswith("function_"):
                return kind, self._free(["http", "lambda"], taken)
        edge = self._free(self._edges, taken) if victim in ("edge", "both") else []
        broker = self._free(self._brokers, taken) if victim in ("broker", "both") else []
        together = [name for one in edge + broker for name in one]
        return kind, [together] if together else []

    def _free(self, names, taken):
        left = [name for name in names if name not in taken]
        if not left:
            return []
        name = self._rng.choice(left)
        taken.add(name)
        return [[name]]

    def _cuts(self, victim):
        edge, broker = self._rng.choice(self._edges), self._rng.choice(self._brokers)
        match victim:
            case "edge": return [[edge]]
            case "edge-broker": return [[edge, broker]]
            case "edge-brokers": return [[edge, each] for each in self._brokers]
            case "broker-redis": return [[broker, "redis"]]
            case "broker-functions": return [[broker, "functions"]]
        raise ValueError(victim)  # fmt: skip

    def _add_or_remove(self, kind, taken):
        if len(self._brokers) == MOST_BROKERS:
            kind = "remove"
        if len(self._brokers) == FEWEST_BROKERS:
            kind = "add"
        if kind == "add":
            absent = [f"broker-{i}" for i in range(MOST_BROKERS)]
            absent = [name for name in absent if name not in self._brokers and name not in taken]
            self._brokers.append(absent[0])
            taken.add(absent[0])
            return kind, [[absent[0]]]
        gone = self._free(self._brokers, taken)
        for (name,) in gone:
            self._brokers.remove(name)
        return kind, gone
