# SPDX-License-Identifier: BSD-3-Clause
"""`dpdk-testpmd` with vhost ports as a peer: DPDK's own two-copy path, and nothing but it."""

from __future__ import annotations


from bench.peer import START_LIMIT, HUGE_MIB, Peer, Topology, program_version
from support.process import ProcessFailed
from support.waiting import wait_until

TESTPMD = "/usr/bin/dpdk-testpmd"
# Enough for all rings of two ports, bursts and caches; more outgrows the CPU's cache.
MBUFS = 16384
JUMBO_MBUFS = 65536


class TestpmdVhost(Peer):
    """Two `net_vhost` ports joined by `--forward-mode=io`, as DPDK's vhost sample guide does it.

    `io` neither reads nor learns addresses: a backend on DPDK's library can hardly cost less.
    The forwarding lcore has the backend's CPU, the main one the frontend's. Frames of 9,014 B need
    --max-pkt-len and more mbufs, which other cases do not get.
    """

    __test__ = False  # its name looks like a test to pytest
    name = "testpmd"
    title = "testpmd io"

    @classmethod
    def version(cls) -> str:
        return program_version(["/usr/bin/dpkg-query", "-W", "dpdk-dev"], r"([0-9]\S*)")

    @classmethod
    def settings(cls) -> str:
        return f"net_vhost ports, --forward-mode=io, one lcore, {MBUFS} mbufs, bursts of 32"

    def refuses(self, topology: Topology) -> str | None:
        return None if topology.ports == 2 else "io joins two ports and no more"

    def start(self, topology: Topology) -> None:
        cpus = self.place.cpus
        memory = ["--in-memory"] if self.place.huge else ["--no-huge"]
        argv = [
            "/usr/bin/stdbuf", "-oL", TESTPMD, *memory, "-m", str(HUGE_MIB), "--no-pci",
            "--no-telemetry", "--file-prefix", f"bench-{self.place.directory.name}",
            "--lcores", f"0@{cpus.frontend},1@{cpus.backend}",
        ]
        for number in range(topology.ports):
            path = self.directory / f"p{number}.sock"
            argv.append(f"--vdev=net_vhost{number},iface={path},queues=1")
            self.sockets.append(path)
        jumbo = topology.mtu > 1500
        argv += [
            "--", "-i", "--nb-cores=1", "--forward-mode=io", "--auto-start", "--no-mlockall",
            f"--total-num-mbufs={JUMBO_MBUFS if jumbo else MBUFS}",
        ]
        if jumbo:
            argv.append(f"--max-pkt-len={topology.mtu + 18}")
        directory = str(self.directory)
        env = {"XDG_RUNTIME_DIR": directory, "RUNTIME_DIRECTORY": directory}
        self.process = self.registry.start("testpmd", argv, env, stdin=True)
        wait_until("testpmd listens", self._listens, START_LIMIT, self.process.tail)

    def _listens(self) -> bool:
        if self.process.status is not None:
            raise ProcessFailed(self.process.report("ended as it started"))
        return "testpmd> " in self.process.out() and all(path.exists() for path in self.sockets)

    def thread(self) -> tuple[int, int]:
        return self.find_thread(self.process, "rte-worker-1", "dpdk-worker1")  # since DPDK 23.11
