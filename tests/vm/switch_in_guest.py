# SPDX-License-Identifier: BSD-3-Clause
"""A guest that has the whole switch inside, where /dev/vhost-net is real.

Programs come from the build directory. Everything is asked for by `vswitchctl --json` in the guest.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Iterator

import pytest
from support.process import binary
from support.vm import Guest
from support.vm_plugin import Site

DIRECTORY = "/run/vs"
VSWITCHD, VSWITCHCTL, VUSER_CLIENT = "vswitch/vswitchd", "ctl/vswitchctl", "client/vuser-client"


def program(name: str) -> str:
    """How to start a program of ours in the guest: with what sanitizers are told outside."""
    told = [f"{key}={value}" for key, value in os.environ.items() if key.endswith("SAN_OPTIONS")]
    return " ".join(["env", *told, str(binary(name))])


class SwitchInGuest:
    def __init__(self, guest: Guest) -> None:
        self.guest = guest
        guest.start("vswitchd", f"{program(VSWITCHD)} --socket-dir {DIRECTORY} --huge off")
        guest.wait("grep -q ready /run/vswitchd.log", 90.0)

    def ctl(self, *words: str) -> Any:
        command = f"{program(VSWITCHCTL)} --socket-dir {DIRECTORY} --json {' '.join(words)}"
        return json.loads(self.guest.run(command))

    def client(self, name: str, port: str, words: str) -> None:
        """Starts `vuser-client` on a port, which is added if need be; returns when it is ready."""
        self.ctl("add-port", port, "--may-exist")
        self.guest.start(name, self.client_command(port, words))
        self.guest.wait(f"grep -q ready /run/{name}.log")

    @staticmethod
    def client_command(port: str, words: str) -> str:
        return f"{program(VUSER_CLIENT)} --path {DIRECTORY}/{port}.sock --json {words}"

    def report(self, name: str) -> dict[str, Any]:
        """Ends a client as Ctrl-C does, and returns its report."""
        out = self.guest.stop(name, "INT")
        report: dict[str, Any] = json.loads(out[out.index("\n{") if "\n{" in out else 0:])
        return report

    def ping(self, to: str, namespace: str = "", payload: int = 56) -> None:
        where = f"ip netns exec {namespace} " if namespace else ""
        out = self.guest.run(f"{where}busybox ping -c 3 -i 0.2 -W 10 -s {payload} {to}")
        assert "3 packets received" in out, out

    def iperf(self, to: str, namespace: str, *options: str) -> float:
        """TCP between the host's namespace, where `to` is, and another; Mbit/s as received."""
        self.guest.start("iperf", "iperf3 -s -1 --forceflush")
        self.guest.wait("grep -q listening /run/iperf.log")
        command = f"ip netns exec {namespace} iperf3 -c {to} -n 16M -f m {' '.join(options)}"
        out = self.guest.run(command)
        self.guest.wait("! [ -d /proc/$(cat /run/iperf.pid) ]")
        found = re.findall(r"([\d.]+) Mbits/sec +receiver", out)
        assert found, out
        return float(found[-1])

    def add_kernel_port(self, name: str, address: str, *options: str) -> dict[str, Any]:
        words = ("add-port", name, "--type", "kernel", "--ip", address, *options)
        port: dict[str, Any] = self.ctl(*words)
        return port

    def threads(self, port: str) -> int:
        """How many of the kernel's vhost threads carry a port; by the pids that it names."""
        pids = self.ctl("show-port", port)["device"]["vhost_pids"]
        names = [self.guest.run(f"cat /proc/{pid}/comm") for pid in pids]
        assert all(name.startswith("vhost-") for name in names), names
        return len(set(pids))


@pytest.fixture(scope="session")
def guest_switch(site: Site) -> Iterator[SwitchInGuest]:
    """Shared by all tests that use it; the switch must leave cleanly after the last."""
    build = binary(VSWITCHD).parents[1]
    guest_switch = SwitchInGuest(site.guest("switch", memory=512, shares=[build]).boot())
    yield guest_switch
    guest_switch.guest.stop("vswitchd")
    guest_switch.guest.kill()
