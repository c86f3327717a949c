# SPDX-License-Identifier: BSD-3-Clause
"""Network namespaces that end with the benchmark, whatever ends it.

Each is held by a process that sleeps and that the kernel kills when its parent dies: there is no
name to be left behind, and nothing of the host's network is touched.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from support.process import Process, ProcessFailed, Registry
from support.waiting import wait_until

# Silence: without IPv6 an interface has nothing to say by itself.
HOLD = (
    "for conf in all default; do echo 1 >/proc/sys/net/ipv6/conf/$conf/disable_ipv6; done; "
    "exec /bin/sleep infinity"
)
TOOL_LIMIT = 20.0
NETWORK = "198.18.0"  # of RFC 2544, for benchmarks


@dataclass(frozen=True)
class Namespace:
    """One namespace, held by a process."""

    pid: int

    @property
    def path(self) -> str:
        return f"/proc/{self.pid}/ns/net"

    def command(self, *argv: str) -> list[str]:
        """What runs a program inside."""
        return ["/usr/bin/nsenter", f"--net={self.path}", "--", *argv]

    def ip(self, *words: str) -> str:
        return run_tool(self.command("/usr/sbin/ip", *words))

    def address(self, interface: str, address: str) -> None:
        """Gives an interface that is inside an address, and brings it up."""
        self.ip("address", "add", address, "dev", interface)
        self.ip("link", "set", interface, "up")


def end_address(number: int) -> str:
    """Of the two namespaces that a peer joins, in a network of 24 bits."""
    return f"{NETWORK}.{number + 1}"


def new_namespace(registry: Registry, name: str) -> Namespace:
    """Returns when it is there; the registry ends it."""
    process = registry.start(name, ["/usr/bin/unshare", "--net", "--", "/bin/sh", "-c", HOLD])
    wait_until(f"namespace {name} is there", lambda: _holds(process), TOOL_LIMIT, process.tail)
    return Namespace(process.pid)


def _holds(process: Process) -> bool:
    if process.status is not None:
        raise ProcessFailed(process.report("ended at once"))
    return Path(f"/proc/{process.pid}/comm").read_text().strip() == "sleep"


def run_tool(argv: Sequence[str], limit: float = TOOL_LIMIT) -> str:
    """Standard output of a short command; ProcessFailed says what it complained of."""
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=limit
    )
    if done.returncode != 0:
        raise ProcessFailed(f"{' '.join(argv)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout
