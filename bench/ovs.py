# SPDX-License-Identifier: BSD-3-Clause
"""OVS-DPDK as a peer, beside whatever Open vSwitch the machine may run already.

Database, sockets, pid files and logs all lie in the benchmark's own directory.
"""

from __future__ import annotations

import os
from pathlib import Path

from bench.peer import HUGE_MIB, START_LIMIT, Peer, Topology, program_version
from support.namespaces import run_tool
from support.process import Process, ProcessFailed
from support.waiting import wait_until

VSWITCHD = "/usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"
MAC_TABLE_DEFAULT = 8192
MAC_TABLE_LARGE = 65536
# Flows unused for `max-idle` are deleted, and a switch that rests uses none.
MAX_IDLE_MS = 3_600_000


class Ovs(Peer):
    """A bridge of the userspace datapath with its default flow, the NORMAL action.

    As `Documentation/intro/install/dpdk.rst` and `topics/dpdk/` advise: dpdk-init, a mask of one
    CPU for the one PMD thread and another for the rest, dpdk-alloc-mem, mtu_request for jumbo
    frames; EMC, SMC and burst sizes as they come. Its ports are of the type dpdkvhostuser,
    where the switch has the server's end of the socket; the advised dpdkvhostuserclient differs
    in who connects, not in how a frame goes. mac-table-size is raised where more stations than its
    8,192 are measured, and max-idle so that the flows survive the turns of the others.
    """

    name = "ovs"
    title = "OVS-DPDK"

    @classmethod
    def version(cls) -> str:
        return program_version([VSWITCHD, "--version"], r"Open vSwitch\) ([0-9][0-9.]*)")

    @classmethod
    def settings(cls) -> str:
        return (
            "NORMAL action, one PMD thread, dpdkvhostuser ports, EMC on, "
            f"mac-table-size {MAC_TABLE_LARGE} for cases of more than {MAC_TABLE_DEFAULT} stations"
        )

    def start(self, topology: Topology) -> None:
        self._start_stack(topology)
        for number in range(topology.ports):
            self.sockets.append(self._add_port(f"v{number}"))

    def _start_stack(self, topology: Topology) -> None:
        """Database, daemon and an empty bridge."""
        self.topology = topology
        self._start_database()
        self._configure()
        self._start_daemon()
        bridge = ["add-br", "br0", "--", "set", "Bridge", "br0", "datapath_type=netdev"]
        if topology.stations > MAC_TABLE_DEFAULT:
            bridge.append(f"other_config:mac-table-size={MAC_TABLE_LARGE}")
        self._vsctl(*bridge)

    def thread(self) -> tuple[int, int]:
        return self.find_thread(self.daemon, "pmd-c")

    def add_ports(self) -> tuple[Path, Path]:
        return self._add_port("new0"), self._add_port("new1")

    def delete_ports(self) -> None:
        for name in ("new0", "new1"):
            self._vsctl("del-port", "br0", name)

    def _environment(self) -> dict[str, str]:
        directory = str(self.directory)
        names = ("OVS_RUNDIR", "OVS_DBDIR", "OVS_LOGDIR", "OVS_SYSCONFDIR", "XDG_RUNTIME_DIR")
        return {name: directory for name in names} | {"RUNTIME_DIRECTORY": directory}

    def _daemon(self, name: str, *argv: str) -> Process:
        own = [
            f"--unixctl={self.directory}/{name}.ctl", f"--pidfile={self.directory}/{name}.pid",
            "--no-chdir", "-vconsole:info", "-vsyslog:off",
        ]
        return self.registry.start(name, [*argv, *own], self._environment())

    def _start_database(self) -> None:
        database = self.directory / "conf.db"
        run_tool(["/usr/bin/ovsdb-tool", "create", str(database), SCHEMA])
        self.database = self.directory / "db.sock"
        process = self._daemon(
            "ovsdb", "/usr/sbin/ovsdb-server", str(database), f"--remote=punix:{self.database}"
        )
        self._wait_path(process, self.database)
        self._vsctl("--no-wait", "init")

    def _masks(self) -> dict[str, str]:
        cpus = self.place.cpus
        return {
            "dpdk-lcore-mask": hex(1 << cpus.frontend), "pmd-cpu-mask": hex(1 << cpus.backend)
        }

    def _wrapper(self) -> list[str]:
        """A command to start the daemon by.

        It makes a TAP of each bridge, which outlives it (TUNSETPERSIST) but not its namespace.
        """
        return ["/usr/bin/unshare", "--net", "--"] if os.geteuid() == 0 else []

    def _configure(self) -> None:
        # OVS adds --in-memory by itself, unless it is told --legacy-mem, without which EAL refuses
        # ordinary pages.
        ordinary = "" if self.place.huge else "--no-huge --legacy-mem "
        config = {
            "dpdk-init": "true",
            "dpdk-alloc-mem": str(HUGE_MIB),
            "dpdk-extra": f"{ordinary}--no-pci --no-telemetry",
            "max-idle": str(MAX_IDLE_MS),
            **self._masks(),
        }
        words = [f"other_config:{key}=\"{value}\"" for key, value in config.items()]
        self._vsctl("--no-wait", "set", "Open_vSwitch", ".", *words)

    def _start_daemon(self) -> None:
        argv = [*self._wrapper(), VSWITCHD, f"unix:{self.database}"]
        self.daemon = self._daemon("vswitchd", *argv)
        self._wait_path(self.daemon, self.directory / "vswitchd.ctl")
        initialized = ["--no-headings", "get", "Open_vSwitch", ".", "dpdk_initialized"]
        wait_until(
            "OVS has started DPDK",
            lambda: self._running() and self._vsctl("--no-wait", *initialized).strip() == "true",
            START_LIMIT,
            self.daemon.tail,
        )

    def _running(self) -> bool:
        if self.daemon.status is not None:
            raise ProcessFailed(self.daemon.report("ended as it started"))
        return True

    def _wait_path(self, process: Process, path: Path) -> None:
        def there() -> bool:
            if process.status is not None:
                raise ProcessFailed(process.report("ended as it started"))
            return path.exists()

        wait_until(f"{path.name} is there", there, START_LIMIT, process.tail)

    def _add_port(self, name: str) -> Path:
        words = ["add-port", "br0", name, "--", "set", "Interface", name, "type=dpdkvhostuser"]
        if self.topology.mtu > 1500:
            words.append(f"mtu_request={self.topology.mtu}")
        self._vsctl(*words)
        path = self.directory / name
        self._wait_path(self.daemon, path)
        return path

    def _vsctl(self, *words: str) -> str:
        tool = ["/usr/bin/ovs-vsctl", f"--db=unix:{self.database}", f"--timeout={START_LIMIT:.0f}"]
        return run_tool([*tool, *words], START_LIMIT + 10)
