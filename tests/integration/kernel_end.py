# SPDX-License-Identifier: BSD-3-Clause
"""The kernel's end of a kernel port: a namespace, its interface, and real programs in it."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any, Iterator, Optional, Protocol

import pytest
from support import Process, ProcessFailed, Registry, Switch, wait_until
from support.fixture_types import MakeSwitch
from support.namespaces import Namespace, new_namespace, run_tool

IPERF_PORT = 5201
COPY_PORT = 7000
FILE_SIZE = 1_000_000
LIMIT = 30.0


class KernelEnd:
    """One namespace with an interface of a port in it."""

    def __init__(self, registry: Registry, name: str, space: Optional[Namespace] = None) -> None:
        self.registry = registry
        self.name = name
        self.space = space or new_namespace(registry, name)

    @property
    def path(self) -> str:
        return self.space.path

    def command(self, *argv: str) -> list[str]:
        return self.space.command(*argv)

    def run(self, *argv: str, limit: float = LIMIT) -> str:
        return run_tool(self.command(*argv), limit)

    def start(self, name: str, *argv: str) -> Process:
        return self.registry.start(f"{self.name}-{name}", self.command(*argv))

    def ip(self, *words: str) -> str:
        return self.space.ip(*words)

    def links(self) -> dict[str, dict[str, Any]]:
        """All but the loopback, by name."""
        found = json.loads(self.ip("-json", "-details", "address"))
        return {link["ifname"]: link for link in found if link["ifname"] != "lo"}

    def addresses(self, ifname: str) -> set[str]:
        info = self.links()[ifname]["addr_info"]
        return {f"{a['local']}/{a['prefixlen']}" for a in info if a["scope"] != "link"}

    def ping(self, address: str, count: int = 3, *more: str) -> None:
        """Every answer must come, on a busy machine late.

        One at a time: after the first answer ping waits for the last no longer than it took.
        """
        for _ in range(count):
            out = self.run("/usr/bin/ping", "-n", "-c", "1", "-W", "10", *more, address)
            assert "1 received" in out, out

    def with_ipv6(self) -> KernelEnd:
        """Namespaces of the tests are silent, without IPv6, until they are asked to have it."""
        conf = "/proc/sys/net/ipv6/conf"
        self.run("/bin/sh", "-c", f"for c in all default; do echo 0 >{conf}/$c/disable_ipv6; done")
        return self

    def serve(self, name: str, port: int, *argv: str) -> Process:
        """Starts a server, and returns when it listens."""
        process = self.start(name, *argv)

        def listens() -> bool:
            if process.status is not None:
                raise ProcessFailed(process.report("ended before it listened"))
            return bool(self.ip_sockets(port))

        wait_until(f"{name} listens", listens, LIMIT, process.tail)
        return process

    def ip_sockets(self, port: int) -> str:
        return self.run("/usr/bin/ss", "-Hltn", f"sport = :{port}")

    def iperf(self, server: KernelEnd, address: str, *more: str) -> float:
        """TCP to the server for a second; Gbit/s as the receiver saw them."""
        process = server.serve("iperf3", IPERF_PORT, "/usr/bin/iperf3", "-s", "-1")
        report = json.loads(self.run("/usr/bin/iperf3", "-J", "-c", address, "-t", "1", *more))
        assert process.wait(LIMIT) == 0
        return float(report["end"]["sum_received"]["bits_per_second"]) / 1e9

    def copy(self, receiver: KernelEnd, address: str, size: int = FILE_SIZE) -> None:
        """A file over TCP; what arrives must have the digest of what was sent."""
        directory = self.registry.directory
        sent = directory / self.registry.unique("sent")
        seen = directory / self.registry.unique("seen")
        sent.write_bytes(os.urandom(size))
        family = 6 if ":" in address else 4
        server = receiver.serve(
            "socat", COPY_PORT, "/usr/bin/socat", "-u", f"TCP{family}-LISTEN:{COPY_PORT},reuseaddr",
            f"CREATE:{seen}",
        )
        target = f"[{address}]" if family == 6 else address
        self.run("/usr/bin/socat", "-u", f"FILE:{sent}", f"TCP{family}:{target}:{COPY_PORT}")
        assert server.wait(LIMIT) == 0
        assert digest(seen) == digest(sent)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class MakeEnd(Protocol):
    """Makes a namespace for an interface; it ends with the test."""

    def __call__(self, name: str) -> KernelEnd: ...


@pytest.fixture
def make_end(registry: Registry) -> MakeEnd:
    def make(name: str) -> KernelEnd:
        return KernelEnd(registry, name)

    return make


@pytest.fixture
def home(make_end: MakeEnd) -> KernelEnd:
    """Where `home_switch` runs, so that nothing of this machine's own network is touched."""
    return make_end("home")


@pytest.fixture
def home_switch(make_switch: MakeSwitch, home: KernelEnd) -> Switch:
    return make_switch(wrapper=home.command())


@pytest.fixture
def netns_name() -> Iterator[str]:
    """A name for `ip netns add`; what has it at the end is removed."""
    name = f"vswitch-test-{os.getpid()}"
    yield name
    if Path("/run/netns", name).exists():
        run_tool(["/usr/sbin/ip", "netns", "delete", name])


@pytest.fixture
def named_netns(netns_name: str) -> str:
    """A namespace as of `ip netns add`; removed at the end, unless the test did so."""
    run_tool(["/usr/sbin/ip", "netns", "add", netns_name])
    return netns_name
