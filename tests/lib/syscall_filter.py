"""Run a program as systemd would with these SystemCallFilter= lines; what they leave out fails with EPERM.

    syscall_filter.py '@system-service' '~@privileged @resources' -- PROGRAM ARGUMENT...

The groups are those of systemd-analyze(1), the filter is made by libseccomp.
"""

import ctypes
import errno
import os
import subprocess
import sys

ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def groups():
    """{"@group": its words}"""
    told = subprocess.run(
        ["systemd-analyze", "syscall-filter", "--no-pager"],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    found, words = {}, []
    for line in told.splitlines():
        word = line.strip()
        if line.startswith("@"):
            found[word] = words = []
        elif word and not word.startswith("#"):
            words.append(word)
    return found


def names(word, known):
    """The system calls of a word, groups in groups included."""
    if not word.startswith("@"):
        return {word}
    return set().union(*(names(inner, known) for inner in known[word]))


def allowed(lines):
    known, calls = groups(), names("@default", groups())
    for line in lines:
        of_line = set().union(*(names(word, known) for word in line.lstrip("~").split()))
        calls = calls - of_line if line.startswith("~") else calls | of_line
    return calls


def restrict(calls):
    lib = ctypes.CDLL("libseccomp.so.2")
    lib.seccomp_init.restype = ctypes.c_void_p
    lib.seccomp_init.argtypes = [ctypes.c_uint32]
    lib.seccomp_rule_add.argtypes = [ctypes.c_void_p, ctypes.c_uint32, ctypes.c_int, ctypes.c_uint]
    lib.seccomp_load.argtypes = [ctypes.c_void_p]
    filter_ = lib.seccomp_init(ERRNO | errno.EPERM)
    for call in calls:
        number = lib.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:  # others are of other architectures
            lib.seccomp_rule_add(filter_, ALLOW, number, 0)
    if lib.seccomp_load(filter_) != 0:
        raise SystemExit("the kernel does not take the filter")


if __name__ == "__main__":
    at = sys.argv.index("--")
    restrict(allowed(sys.argv[1:at]))
    os.execv(sys.argv[at + 1], sys.argv[at + 1 :])
