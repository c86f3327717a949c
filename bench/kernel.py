# SPDX-License-Identifier: BSD-3-Clause
"""Peers that join two network namespaces: the two switches by interfaces of theirs, and the kernel.

Nobody is pinned here: the two ends, which are the kernel and the programs that use it, and a
switch's thread share two CPUs as the scheduler thinks best, and every peer is treated alike.
"""

from __future__ import annotations

import os

from bench.ours import Ours
from bench.ovs import Ovs
from bench.peer import Peer, Topology
from support.namespaces import end_address, new_namespace
from support.switch import Switch

NO_ROOT = "network namespaces and interfaces take root"


class WithInterfaces(Peer):
    """What the peers of this file have in common: two ends, and no thread with a CPU of its own."""

    def refuses(self, topology: Topology) -> str | None:
        return None if os.geteuid() == 0 else NO_ROOT

    def thread(self) -> tuple[int, int]:
        raise NotImplementedError(f"{self.name}: the kernel works wherever it is called")

    def waited(self) -> float:
        return 0.0

    def make_ends(self) -> None:
        self.ends = [new_namespace(self.registry, f"end{number}") for number in (0, 1)]


class KernelOurs(WithInterfaces, Ours):
    """Two ports of the kind `kernel`, all options at their defaults; one worker, not pinned."""

    @classmethod
    def settings(cls) -> str:
        return "kernel ports, all options and the switch's at their defaults"

    def start(self, topology: Topology) -> None:
        self.make_ends()
        self.switch = Switch(self.registry, self.directory / "s", memory=256)
        self.switch.start()
        for number, end in enumerate(self.ends):
            self.switch.call("port.add", {
                "name": f"k{number}", "type": "kernel", "netns": end.path, "ifname": f"k{number}",
                "ip": [f"{end_address(number)}/24"],
            })
        if topology.ports > len(self.ends):
            self.switch.add_port("dpdk")
            self.sockets.append(self.switch.path("dpdk"))


class KernelOvs(WithInterfaces, Ovs):
    """Two `internal` ports, which the userspace datapath makes TAP devices; all else default."""

    @classmethod
    def settings(cls) -> str:
        return "internal ports, which are TAP devices, all options at their defaults"

    def start(self, topology: Topology) -> None:
        self.make_ends()
        self.home = new_namespace(self.registry, "home")
        self._start_stack(topology)
        for number, end in enumerate(self.ends):
            name = f"k{number}"
            self._vsctl("add-port", "br0", name, "--", "set", "Interface", name, "type=internal")
            self.home.ip("link", "set", name, "netns", str(end.pid))
            end.address(name, f"{end_address(number)}/24")
        if topology.ports > len(self.ends):
            self.sockets.append(self._add_port("v0"))

    def _masks(self) -> dict[str, str]:
        return {}

    def _wrapper(self) -> list[str]:
        return self.home.command()


class Bridge(WithInterfaces):
    """The kernel's own bridge in a namespace, with two pairs of veth: no switch process at all."""

    name = "bridge"
    title = "Linux bridge"

    @classmethod
    def version(cls) -> str:
        return os.uname().release

    @classmethod
    def settings(cls) -> str:
        return "two pairs of veth, all options at their defaults"

    def start(self, topology: Topology) -> None:
        self.make_ends()
        home = new_namespace(self.registry, "home")
        home.ip("link", "add", "br0", "type", "bridge")
        home.ip("link", "set", "br0", "up")
        for number, end in enumerate(self.ends):
            name = f"v{number}"
            home.ip("link", "add", name, "type", "veth", "peer", "name", f"k{number}")
            home.ip("link", "set", f"k{number}", "netns", str(end.pid))
            home.ip("link", "set", name, "master", "br0", "up")
            end.address(f"k{number}", f"{end_address(number)}/24")
