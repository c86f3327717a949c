# SPDX-License-Identifier: BSD-3-Clause
"""`./dev demo kernel`: the host's kernel, a container's, and a DPDK application that shares its
address with a kernel, on one switch.

All of it runs in a mount and a network namespace of its own, which stands for the host: the
namespaces that it names and the interfaces in them are nobody else's, and are gone with its last
process, however it ends.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

from demo.stage import Stage
from support.process import Process, ProcessFailed
from support.waiting import wait_until

NEW_MOUNTS, NEW_NETWORK = 0x00020000, 0x40000000  # CLONE_NEWNS, CLONE_NEWNET
RIGHTS = (
    "demo: it needs root, for network namespaces and interfaces of its own (CAP_SYS_ADMIN, "
    "CAP_NET_ADMIN); run sudo ./dev demo kernel"
)
TOOL_LIMIT = 20.0
HOST, CONTAINER, STATION, APPLICATION = "10.0.0.254", "10.0.0.2", "10.0.0.10", "10.0.0.1"
GREETING = "hello from the kernel behind app0"


def enter() -> None:
    """Leaves the namespaces of the host, or exits with words."""
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() != 0 or libc.unshare(NEW_MOUNTS | NEW_NETWORK) != 0:
        reason = os.strerror(ctypes.get_errno()) if os.geteuid() == 0 else "not root"
        sys.exit(f"{RIGHTS} ({reason})")
    for command in (
        ("mount", "--make-rprivate", "/"), ("mount", "-t", "tmpfs", "demo", "/run"),
        ("ip", "link", "set", "lo", "up"),
    ):
        subprocess.run(command, check=True)
    Path("/run/netns").mkdir()


class KernelDemo(Stage):
    """The host, a container, and a DPDK application."""

    def run(self) -> None:
        self.step("A switch. What is called the host here is a network namespace of this demo")
        self.start_switch()
        self.host()
        self.container()
        self.application()
        self.step("All ports of this switch")
        self.ctl("stats")
        self.switch.stop()
        print("\nAll of it worked; the switch and its interfaces are gone.")

    def host(self) -> None:
        self.step("1. The host's kernel on a port: an interface like any other")
        self.ctl(
            "add-port", "host0", "--type", "kernel", "--ifname", "vsw0", "--ip", f"{HOST}/24"
        )
        self.ctl("add-port", "p0")
        self.client("respond", "p0", "--ip", f"{STATION}/24", "respond", background=True)
        dump = self.tool(
            "tcpdump", "tcpdump", "-i", "vsw0", "-n", "-l", "-t", "-c", "4", "icmp", background=True
        )
        dump.wait_log("listening on")
        self.tool("ping", "ping", "-c", "3", "-i", "0.2", STATION)
        self.finish(dump)
        self.command("fg                                    # what tcpdump has seen")
        self.show(dump.out())
        self.ctl("show-port", "host0")

    def container(self) -> None:
        self.step("2. A container's namespace on a port: neighbour of DPDK applications")
        self.tool("netns", "ip", "netns", "add", "blue")
        self.ctl(
            "add-port", "blue0", "--type", "kernel", "--ifname", "eth0", "--netns", "blue",
            "--ip", f"{CONTAINER}/24",
        )
        self.tool("ping", "ping", "-c", "3", "-i", "0.2", STATION, netns="blue")
        self.step("TCP between the host and the container")
        server = self.tool("iperf3", "iperf3", "-s", "-1", netns="blue", background=True)
        self.wait_listening("blue", 5201)
        self.tool("iperf3", "iperf3", "-c", CONTAINER, "-t", "2", "-i", "0")
        self.finish(server)

    def application(self) -> None:
        self.step("3. A DPDK application that shares its address with a kernel")
        self.tool("netns", "ip", "netns", "add", "app")
        self.ctl("add-port", "p1")
        application = self.client(
            "application", "p1", "--ip", f"{APPLICATION}/24", "kernel", "--ifname", "app0",
            "--fast-udp", "7", "--netns", "app", background=True,
        )
        self.show(application.log())
        self.step("ARP, ping and TCP: the kernel answers")
        self.tool("ping", "ping", "-c", "3", "-i", "0.2", APPLICATION)
        server = self.tool(
            "server", "socat", "TCP-LISTEN:22,reuseaddr", f"SYSTEM:echo {GREETING}", netns="app",
            background=True,
        )
        self.wait_listening("app", 22)
        self.tool("tcp", "socat", "-u", f"TCP:{APPLICATION}:22", "-")
        self.finish(server)
        self.step("UDP port 7: the application answers, the kernel sees nothing of it")
        self.udp_echo("the fast path")
        self.step("Ctrl-C to the application: its report, and the interface is gone")
        if application.end(signal.SIGINT) != 0:
            raise ProcessFailed(application.report("did not leave cleanly"))
        self.show(application.out())

    def udp_echo(self, words: str) -> None:
        self.command(f"echo {words} | socat -t 2 - UDP:{APPLICATION}:7")
        done = subprocess.run(
            ["socat", "-t", "2", "-", f"UDP:{APPLICATION}:7"], input=f"{words}\n",
            capture_output=True, text=True, timeout=TOOL_LIMIT,
        )
        self.show(done.stdout)
        if done.stdout != f"{words}\n":
            raise ProcessFailed(f"the fast path answered '{done.stdout}' {done.stderr}")

    # How a step is done and shown.

    def tool(
        self, name: str, *argv: str, netns: str | None = None, background: bool = False
    ) -> Process:
        """Runs a command of the system; unless it stays in the background, shows its output."""
        words = [*(("ip", "netns", "exec", netns) if netns else ()), *argv]
        line = " ".join(f"'{word}'" if " " in word else word for word in words)
        self.command(line + (" &" if background else ""))
        process = self.registry.start(name, words)
        if not background:
            self.finish(process)
            self.show(process.out())
        return process

    @staticmethod
    def wait_listening(netns: str, port: int) -> None:
        def listens() -> bool:
            done = subprocess.run(
                ["ip", "netns", "exec", netns, "ss", "-ltnH", f"sport = :{port}"],
                capture_output=True, text=True, timeout=TOOL_LIMIT, check=True,
            )
            return done.stdout != ""

        wait_until(f"somebody listens at port {port} in {netns}", listens, TOOL_LIMIT)
