"""The run's own network: a host for each edge, each broker, Redis, the functions, the clients.

    Network     one router, which is the namespace that run.py is in; each host is a namespace with
                one link to it. A cut is a rule of the router: it drops what would go from one host
                to the other, without a word to either.
    Loopback    where namespaces are refused: hosts are addresses of 127.0.0.0/8, nothing is cut

The router itself reaches all hosts at all times, so that run.py sees also what is cut off.
"""

import os
import shutil
import subprocess
import sys
import time
from collections import Counter

ROUTER = "10.78.0.1"  # outside of the hosts' addresses, so that no cut meets it
HOSTS = "10.77.0.0/16"
MARK = "CHAOS_NAMESPACE"  # in the environment of a run.py that is in its own namespace

# What a run needs of the kernel, asked in a namespace that is thrown away.
PROBE = "ip link add v0 type veth peer name v1 && ip rule add from 10.77.0.1 blackhole"


def enter():
    """
    Start this program again in a network namespace of its own, as root or in a user namespace.

    returns  whether it is in one; False: neither is allowed here, or iproute2 is missing
    """
    if MARK in os.environ:
        return True
    for how in ("-n",) if os.geteuid() == 0 else (), ("-rn",):
        words = ["unshare", *how, "sh", "-c", PROBE]
        if how and shutil.which("unshare") and shutil.which("nsenter") and _works(words):
            os.environ[MARK] = "yes"
            os.execvp("unshare", ["unshare", *how, sys.executable, *sys.argv])
    return False


def _works(words):
    quiet = {"stdin": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.run(words, **quiet).returncode == 0


def _ip(words, host=None):
    prefix = host.prefix if host else []
    subprocess.run([*prefix, "ip", *words.split()], check=True)


class Host:
    """An address, and the words that start a program there."""

    def __init__(self, address, prefix=()):
        self.address = address
        self.prefix = list(prefix)


class Loopback:
    """The hosts of a run without namespaces."""

    def __init__(self):
        self._n = 0

    def host(self, extra=0):
        self._n += 1
        return Host(f"127.77.{self._n}.2")

    def sources(self, host, n):
        return [host.address] * n

    def close(self):
        pass


class Network:
    """The hosts of a run in namespaces."""

    def __init__(self):
        self._holders = []
        self._cuts = Counter()  # two faults may cut the same
        _ip("link set lo up")
        _ip(f"address add {ROUTER}/32 dev lo")
        for name, value in {"ip_forward": 1, "tcp_rto_max_ms": 1000}.items():
            _sysctl(name, value)

    def host(self, extra=0):
        """A new one; extra: more addresses that it shall have, after its own."""
        # A namespace lives as long as a process in it: cat, which ends when we do.
        holder = subprocess.Popen(
            ["unshare", "--net", "cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        self._holders.append(holder)
        _until_in_another(holder.pid)
        n = len(self._holders)
        host = Host(f"10.77.{n}.2", ["nsenter", f"--net=/proc/{holder.pid}/ns/net"])
        _ip(f"link add v{n} type veth peer name eth0 netns {holder.pid}")
        _ip(f"link set v{n} up")
        for address in [host.address, *self.sources(host, extra)]:
            _ip(f"address add {address}/32 dev eth0", host)
        for words in ("link set lo up", "link set eth0 up", f"route add {ROUTER} dev eth0",
                      f"route add default via {ROUTER} src {host.address}"):  # fmt: skip
            _ip(words, host)
        _ip(f"route add 10.77.{n}.0/24 dev v{n} src {ROUTER}")
        _sysctl("tcp_rto_max_ms", 1000, host)
        return host

    def sources(self, host, n):
        return [host.address.rpartition(".")[0] + f".{10 + i}" for i in range(n)]

    def cut(self, one, other=HOSTS):
        """Between two addresses, or between one and all hosts."""
        self._cuts[one, other] += 1
        if self._cuts[one, other] == 1:
            self._rules("add", one, other)

    def heal(self, one, other=HOSTS):
        self._cuts[one, other] -= 1
        if self._cuts[one, other] == 0:
            self._rules("delete", one, other)

    @staticmethod
    def _rules(what, one, other):
        _ip(f"rule {what} from {one} to {other} blackhole")
        _ip(f"rule {what} from {other} to {one} blackhole")

    def close(self):
        for holder in self._holders:
            holder.kill()
            holder.wait()


def _sysctl(name, value, host=None):
    """A setting of IPv4; one that this kernel does not have is left."""
    prefix = host.prefix if host else []
    words = ["sh", "-c", f"echo {value} > /proc/sys/net/ipv4/{name}"]
    subprocess.run([*prefix, *words], stderr=subprocess.DEVNULL)


def _until_in_another(pid):
    ours = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{pid}/ns/net") == ours:
        time.sleep(0.005)
