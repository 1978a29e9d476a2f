"""Which faults happen when: a function of the seed, and of nothing that happens in the run.

Faults come in bouts of one to three, which overlap; behind each bout there is a quiet window: all
is healed, the table gets the time that it may take to be right again, and then it has to be right
for some seconds. Kinds are dealt from a deck that is shuffled anew when it is empty, so that even a
short run sees many; some cards are scenes of two faults, of which the second meets the system while
it repairs what the first did.
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
QUIET = (6, 11)  # seconds in which the table has to be right, behind each bout

# kind and victim: shortest and longest harm in seconds. The victim says what `target` draws.
DECK = {
    "kill9 edge": (0.2, 8), "kill9 broker": (0.2, 8),
    "kill9 both": (0.2, 5), "kill9 brokers": (0.2, 3),
    "stop edge": (1, 15), "stop broker": (1, 15),
    "cut edge-broker": (2, 10), "cut edge-brokers": (2, 12), "cut edge": (2, 12),
    "cut broker": (2, 10), "cut broker-redis": (2, 10), "cut broker-functions": (2, 6),
    "drain edge": (0.1, 2), "hurry edge": (0.1, 1), "drain broker": (0.1, 2),
    "roll brokers": (0.1, 1), "add broker": (0, 0), "remove broker": (0, 0),
    "redis_kill9": (0.2, 6), "redis_empty": (0.2, 4), "redis_restart": (0.2, 3),
    "redis_restore": (2, 8), "redis_rewind": (0.05, 0.8),
    "redis_stop": (1, 15), "redis_stall": (30, 30), "redis_oom": (2, 8), "redis_readonly": (2, 8),
    "redis_drop": (0, 0), "redis_slow": (3, 8), "redis_type": (2, 6),
    "function_slow": (3, 8), "function_fail": (2, 6), "function_down": (1, 5),
    "vanish": (6, 12), "flood": (3, 8), "storm": (0, 0),
    # Scenes: the length is that of the second fault.
    "kill9 reaper": (0.2, 6),  # an edge is killed, then the broker that gives it up
    "stop reaper": (1, 10),
    "kill9 claimer": (0.2, 6),  # then the broker that has claimed its disconnects, while their function is slow
    "kill9 stalled": (0.2, 4),  # a broker is killed while Redis is stopped
}  # fmt: skip
LAG = 0.08
CLAIM_LAG = (0.15, 0.45)  # claimed by then, and not done: a slow function takes 0.3 s and more
SEEKING = 6  # seconds, beside the lease, that a broker may take to give up a dead edge
LONGEST_REST = 30  # of a broker that has found a function away before it asks that again
NEED_NAMESPACES = ("cut", "vanish")


@dataclass
class Fault:
    id: int
    at: float  # seconds after the clients have begun
    kind: str
    target: list
    seconds: float  # 0: it has no length
    calm: float = 0  # all before it has to be over for so long, even if that makes it late
    seeks: float = 0  # its target is who gives up an edge, if one does in so many seconds
    lag: float = 0  # from the moment at which that one begins
    claims: bool = False  # its target is who has the most disconnects under way by then

    @property
    def over(self):
        return self.at + self.seeks + self.seconds + self.rest

    @property
    def rest(self):
        """How long a function may still seem away: as long as it was, and as its last try took."""
        away = self.kind == "function_down" or "functions" in self.target
        return min(self.seconds + 2, LONGEST_REST) if away else 0

    def __str__(self):
        length = f"for {self.seconds:.1f} s" if self.seconds else ""
        target = "(who gives it up)" if self.seeks and not self.target else " ".join(self.target)
        line = f"{self.at:7.1f}  {self.kind:15} {target:24} {length}".rstrip()
        return f"{line}, after {self.calm:.1f} s of calm" if self.calm else line


@dataclass
class Plan:
    seed: int
    seconds: float  # until the clients leave; later when a fault takes longer than planned
    timings: dict
    edges: list
    brokers: list  # at the beginning
    manager: str  # who serves $connect and $disconnect: "http" or "lambda"
    advertise: bool  # do brokers say to edges where they are?
    faults: list = field(default_factory=list)
    calm: float = 0  # what all has to be over for before the clients leave
    quiet: float = 0  # seconds of the whole run in which the table has to be right

    @property
    def settle(self):
        """What the table may take to be right again."""
        return self.timings["edge-lease"] + 2

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
    while not it.faults or at + it.settle < it.seconds:
        bout = sorted(dealer.bout(at), key=lambda fault: fault.at)
        bout[0].calm = it.calm
        it.faults += bout
        quiet = round(rng.uniform(*QUIET), 1)
        it.calm = it.settle + quiet
        it.quiet += quiet
        at = max(fault.over for fault in bout) + it.calm
    it.seconds = max(it.seconds, at)
    for number, fault in enumerate(it.faults, 1):
        fault.id = number
    return it


class Dealer:
    def __init__(self, rng, it, cards):
        self._rng = rng
        self._edges = it.edges
        self._brokers = list(it.brokers)
        self._lease = it.timings["edge-lease"]
        self._manager = it.manager
        self._cards = cards
        self._deck = []

    def bout(self, at):
        """Faults that overlap; no process has two of them but for cuts, which harm none."""
        taken, faults = set(), []
        for _ in range(self._rng.choice((1, 1, 2, 2, 3))):
            faults += self._deal(round(at, 1), taken)
            at += self._rng.uniform(0, 3)
        return faults or self.bout(at)

    def _deal(self, at, taken):
        if not self._deck:
            self._deck = self._rng.sample(self._cards, len(self._cards))
        card = self._deck.pop()
        shortest, longest = DECK[card]
        seconds = round(self._rng.uniform(shortest, longest), 1)
        kind, _, victim = card.partition(" ")
        match victim:
            case "reaper": return self._reaper(at, kind, seconds, taken)
            case "claimer": return self._claimer(at, kind, seconds, taken)
            case "stalled": return self._stalled(at, kind, seconds, taken)
            case "brokers" if kind == "roll": return self._roll(at, seconds, taken)
        kind, targets = self._targets(kind, victim, taken)
        return [Fault(0, at, kind, target, seconds) for target in targets]  # fmt: skip

    # Scenes

    def _reaper(self, at, kind, seconds, taken):
        edges, brokers = self._free(self._edges, taken), self._all_brokers(taken)
        if not edges or not brokers:
            return []
        seeks = self._lease + SEEKING
        away = Fault(0, at, "kill9", edges[0], round(self._lease + self._rng.uniform(2, 5), 1))
        lag = round(self._rng.uniform(0, LAG), 3)  # to meet each of the steps in which it is done
        return [away, Fault(0, at, kind, [], seconds, seeks=seeks, lag=lag)]

    def _claimer(self, at, kind, seconds, taken):
        slow = self._free([self._manager], taken)
        scene = self._reaper(at, kind, seconds, taken) if slow else []
        if not scene:
            return []
        edge, killed = scene
        killed.lag, killed.claims = round(self._rng.uniform(*CLAIM_LAG), 3), True
        begin = round(at + self._lease - 1, 1)
        return [edge, killed, Fault(0, begin, "function_slow", slow[0], SEEKING + 2)]

    def _stalled(self, at, kind, seconds, taken):
        brokers, away = self._free(self._brokers, taken), self._free(["redis"], taken)
        if not brokers or not away:
            return []
        stall = Fault(0, at, "redis_stop", away[0], round(self._rng.uniform(3, 8), 1))
        return [stall, Fault(0, round(at + self._rng.uniform(0, 3), 1), kind, brokers[0], seconds)]

    def _roll(self, at, seconds, taken):
        """Each in its turn, when the one before is back."""
        names = self._all_brokers(taken)
        rolled = [Fault(0, at + 3 * i, "drain", [name], seconds) for i, name in enumerate(names)]
        for fault in rolled[1:]:
            fault.calm = 0.2
        return rolled

    def _all_brokers(self, taken):
        """None, when one of them has a fault."""
        names = [] if taken.intersection(self._brokers) else list(self._brokers)
        taken.update(names)
        return names

    # Single faults

    def _targets(self, kind, victim, taken):
        """The kind, which may have to be another one, and whom it meets: a list for each fault."""
        match kind:
            case "cut":
                return kind, self._cuts(victim)
            case "add" | "remove":
                return self._add_or_remove(kind, taken)
            case "vanish":
                return kind, self._free([f"clients-{i}" for i in range(GROUPS)], taken)
            case "flood":
                return kind, self._free([f"clients-{i}" for i in range(GROUPS)], taken)
            case "storm":
                groups = self._rng.sample(range(GROUPS), GROUPS // 2)
                return kind, [[f"clients-{i}" for i in sorted(groups)]]
            case _ if kind.startswith("redis_"):
                return kind, self._free(["redis"], taken)
            case _ if kind.startswith("function_"):
                return kind, self._free(["http", "lambda"], taken)
        if victim == "brokers":
            together = self._all_brokers(taken)
            return kind, [together] if together else []
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
            case "broker": return [[broker]]
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
            added = absent[:1]  # none: the only one that could come has just gone
            self._brokers += added
            taken.update(added)
            return kind, [[name] for name in added]
        gone = self._free(self._brokers, taken)
        for (name,) in gone:
            self._brokers.remove(name)
        return kind, gone
