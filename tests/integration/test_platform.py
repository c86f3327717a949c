# SPDX-License-Identifier: BSD-3-Clause
"""What releases of Debian and DPDK, and containers, do otherwise than the machine next to you."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from support import Registry, Switch, VuserClient, wait_until
from support.process import Process, binary

# rte_dev_probe() of DPDK since June 2026 refuses device arguments that are longer.
PROBE_MAX = 127
SOCKET_PATH = 100  # bytes; the kernel takes 107
NO_START = 8
WITHOUT_SYS = 'mount -t tmpfs none /sys && exec "$@"'


def long_path(workdir: Path) -> Path:
    """Of a socket that does not exist yet, in a directory that does."""
    name = "long.sock"
    filler = SOCKET_PATH - len(str(workdir)) - len(name) - 2
    directory = workdir / ("d" * filler)
    directory.mkdir()
    return directory / name


def test_client_at_a_long_path(switch: Switch, registry: Registry, workdir: Path) -> None:
    path = long_path(workdir)
    switch.add_port("a", socket=str(path))
    client = VuserClient(registry, path, "respond", ip="10.0.0.1/24").wait_ready()
    switch.wait_state("a", "up")
    assert client.stop()["ended_by"] == "signal"


def test_device_with_long_arguments(switch: Switch, workdir: Path) -> None:
    path = long_path(workdir)
    devargs = f"net_memif0,role=server,id=0,socket-abstract=no,socket={path}"
    assert len(devargs) > PROBE_MAX
    switch.add_port("m", type="ethdev", devargs=devargs)
    assert path.is_socket()
    switch.call("port.delete", name="m")
    switch.add_port("m", type="ethdev", devargs=devargs)  # nothing of the first is left


def aborted(process: Process, program: str) -> None:
    process.send_signal(signal.SIGABRT)
    assert process.wait() == -signal.SIGABRT
    assert f"{program}: aborted" in process.log(), process.report("aborted in silence")


def test_aborted_switch_says_so(switch: Switch) -> None:
    switch.conserves = False
    aborted(switch.process, "vswitchd")
    switch.kill()


def test_aborted_client_says_so(switch: Switch, registry: Registry) -> None:
    switch.add_port("a")
    client = VuserClient(registry, switch.path("a"), "respond", ip="10.0.0.1/24").wait_ready()
    aborted(client.process, "vuser-client")


def test_aborted_control_program_says_so(switch: Switch, registry: Registry) -> None:
    argv = [binary("ctl/vswitchctl"), "--control", switch.control, "stats", "--watch", "1"]
    watcher = registry.start("watch", [str(word) for word in argv])
    wait_until("a table is there", watcher.out, 20.0)
    aborted(watcher, "vswitchctl")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may hide /sys from a process")
def test_client_without_sys(switch: Switch, registry: Registry) -> None:
    """A container may have none; EAL would print its usage, and blame --lcores."""
    switch.add_port("a")
    argv = ["/usr/bin/unshare", "--mount", "/bin/sh", "-c", WITHOUT_SYS, "sh",
            str(binary("client/vuser-client")), "--path", str(switch.path("a")), "--ip",
            "10.0.0.1/24", "respond"]
    client = registry.start("without-sys", argv)
    assert client.wait() == NO_START
    assert "mount /sys here" in client.log()
    assert "Usage:" not in client.log()
