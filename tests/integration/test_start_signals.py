# SPDX-License-Identifier: BSD-3-Clause
"""Signals that end a switch whose start goes on: a file or a device does not answer."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
from support import Switch, wait_until
from support.fixture_types import MakeSwitch
from support.process import Process
from unclosable import DeadFiles

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
CONFIG: dict[str, Any] = {"version": 1, "ports": [{"name": "a"}]}
LIMIT_S = 5.0  # a start that is not interrupted has none


@pytest.fixture
def fifo(workdir: Path) -> Path:
    path = workdir / "fifo"
    os.mkfifo(path)
    return path


def relatives(switch: Switch) -> list[int]:
    """Processes of this switch: all that were started with its directory, and still have memory."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and str(switch.directory).encode() in (
                (entry / "cmdline").read_bytes().split(b"\0")
            ):
                found.append(int(entry.name))
        except OSError:
            pass  # it has ended
    return found


def ends(switch: Switch, number: int) -> None:
    """At once, cleanly, and with nothing left."""
    process = switch.process
    process.send_signal(number)
    assert process.wait(LIMIT_S) == 0, process.report("should have left with 0")
    process.check_sanitizers()
    assert f"{signal.Signals(number).name}: leaving" in process.log()
    assert not switch.directory.exists()
    assert "error" not in process.log()


def no_process_is_left(switch: Switch) -> None:
    wait_until("no process is left", lambda: relatives(switch) == [])


def held_up_by(make_switch: MakeSwitch, path: Path) -> Switch:
    switch = make_switch("--config", str(path), start=False)
    process = switch.launch()
    wait_until("it takes signals", lambda: process.holds_back(signal.SIGTERM))
    return switch


@pytest.mark.parametrize("number", SIGNALS)
def test_configuration_that_nobody_writes(
    make_switch: MakeSwitch, fifo: Path, number: int
) -> None:
    switch = held_up_by(make_switch, fifo)
    ends(switch, number)
    no_process_is_left(switch)


def test_configuration_that_stays_half(make_switch: MakeSwitch, fifo: Path) -> None:
    switch = held_up_by(make_switch, fifo)
    with fifo.open("wb", buffering=0) as writer:
        writer.write(b'{"version": 1,')
        ends(switch, signal.SIGTERM)
        no_process_is_left(switch)


def test_configuration_on_a_dead_mount(make_switch: MakeSwitch, dead_files: DeadFiles) -> None:
    """What waits for its server is the kernel's, and ends when that is gone."""
    switch = held_up_by(make_switch, dead_files.directory / "file")
    assert dead_files.opened.wait(20.0)
    ends(switch, signal.SIGTERM)
    dead_files.close()
    no_process_is_left(switch)


def test_configuration_that_comes_late(make_switch: MakeSwitch, fifo: Path) -> None:
    """A pipe is a file like any other when its writer comes."""
    switch = held_up_by(make_switch, fifo)
    with fifo.open("w") as writer:
        json.dump(CONFIG, writer)
    wait_until("it answers", switch.control.exists, 20.0, lambda: switch.process.report("runs"))
    assert [port["name"] for port in switch.call("port.list")] == ["a"]
    switch.stop()


def test_hangup_that_is_ignored(make_switch: MakeSwitch, fifo: Path) -> None:
    """As nohup has it: the start goes on."""
    switch = make_switch("--config", str(fifo), start=False,
                         wrapper=["/bin/sh", "-c", 'trap "" HUP; exec "$0" "$@"'])
    process = switch.launch()
    wait_until("it takes signals", lambda: process.holds_back(signal.SIGTERM))
    process.send_signal(signal.SIGHUP)
    with fifo.open("w") as writer:
        json.dump(CONFIG, writer)
    wait_until("it answers", switch.control.exists, 20.0, lambda: process.report("runs"))
    switch.stop()


@pytest.mark.parametrize("number", SIGNALS)
def test_device_that_does_not_open(make_switch: MakeSwitch, fifo: Path, number: int) -> None:
    """Ports that are there already go with it."""
    slow = {"name": "slow", "type": "ethdev", "devargs": f"net_pcap0,rx_pcap={fifo}"}
    late = {"name": "z"}
    switch = make_switch(
        config={"version": 1, "ports": [{"name": "a"}, slow, late]}, start=False
    )
    process = switch.launch()
    wait_until("a listens", switch.path("a").exists, 20.0, lambda: process.report("runs"))
    wait_until("the device is opened", lambda: opens(process, fifo))
    ends(switch, number)
    no_process_is_left(switch)


def opens(process: Process, fifo: Path) -> bool:
    """Whether a thread of it waits for the other end of a FIFO."""
    waits = {"wait_for_partner", "fifo_open"}
    for task in Path(f"/proc/{process.pid}/task").iterdir():
        if (task / "wchan").read_text() in waits:
            return True
    return False
