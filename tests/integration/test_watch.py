# SPDX-License-Identifier: BSD-3-Clause
"""`vswitchctl stats --watch`: rates of real traffic, and how watching begins and ends."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any, Callable

import pytest
from support import Process, Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation
from support.process import binary
from support.station import introduce
from support.switch import run_ctl
from traffic import PairTraffic

DONE, REFUSED, USAGE, NO_SWITCH = 0, 1, 2, 3
FIELDS = {"rx_fps", "rx_bps", "tx_fps", "tx_bps", "drop_fps"}


def watch_argv(switch: Switch, *arguments: str) -> list[str]:
    return [str(binary("ctl/vswitchctl")), "--control", str(switch.control), "stats", *arguments]


def watch(switch: Switch, registry: Registry, *arguments: str) -> Process:
    return registry.start("watch", watch_argv(switch, *arguments))


def lines(process: Process) -> list[dict[str, Any]]:
    """The whole lines so far, each a JSON object."""
    return [json.loads(line) for line in process.out().rpartition("\n")[0].splitlines()]


def wait_line(process: Process, what: str, good: Callable[[dict[str, Any]], bool]) -> None:
    """Waits for a line of which this holds, beginning with the next one."""
    seen = len(lines(process))
    wait_until(what, lambda: any(good(line) for line in lines(process)[seen:]), 20.0, process.out)


def cpu_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def test_rates_are_those_of_the_traffic(switch: Switch, registry: Registry) -> None:
    """A sender of 2,000 frames of 100 bytes a second, and a station that is not there."""
    switch.add_port("a")
    switch.add_port("b")
    receiver = VuserClient(registry, switch.path("b"), "receive").wait_ready()
    sender = VuserClient(
        registry, switch.path("a"), "send", rate="2000", size=100, time=60
    ).wait_ready()
    process = watch(switch, registry, "--watch", "0.5", "--json")

    def steady(line: dict[str, Any]) -> bool:
        a, b = line["ports"]["a"], line["ports"]["b"]
        return bool(
            1600 < a["rx_fps"] < 2400
            and abs(a["rx_bps"] - 800 * a["rx_fps"]) < 1
            and 1600 < b["tx_fps"] < 2400
            and abs(b["tx_bps"] - 800 * b["tx_fps"]) < 1
            and a["tx_fps"] == b["rx_fps"] == b["drop_fps"] == 0
        )

    wait_line(process, "the rates are the sender's", steady)
    sender.stop()
    receiver.stop()
    wait_line(process, "the rates are 0",
              lambda line: (line["ports"]["a"]["rx_fps"], line["ports"]["b"]["tx_fps"]) == (0, 0))
    assert cpu_seconds(process.pid) < 0.1 * sum(line["seconds"] for line in lines(process)) + 0.2
    assert process.end(signal.SIGINT) == DONE
    assert process.log() == ""
    for line in lines(process):
        assert 0.2 < line["seconds"] and set(line["ports"]["a"]) == FIELDS


def test_ports_that_come_and_go_and_are_cleared(
    switch: Switch, registry: Registry, station: MakeStation
) -> None:
    a, b = station(switch, "a"), station(switch, "b")
    introduce([a, b])
    switch.conserves = False
    process = watch(switch, registry, "--watch", "0.05", "--json")
    with PairTraffic(a, b):
        wait_line(process, "traffic", lambda line: (line["ports"]["a"]["rx_fps"] or 0) > 0)
        switch.add_port("c")
        wait_line(process, "c has come",
                  lambda line: dict(line["ports"].get("c", {})).get("rx_fps") == 0)
        switch.call("port.delete", name="c")
        wait_line(process, "c has gone", lambda line: "c" not in line["ports"])
        for _ in range(5):
            switch.call("stats.clear")
            wait_line(process, "after clearing",
                      lambda line: (line["ports"]["a"]["rx_fps"] or 0) > 0)
    assert process.end(signal.SIGTERM) == DONE
    first_of_c = next(line for line in lines(process) if "c" in line["ports"])
    assert set(first_of_c["ports"]["c"].values()) == {None}
    for line in lines(process):
        for rates in line["ports"].values():
            assert all(rate is None or rate >= 0 for rate in rates.values()), line


def test_only_the_ports_that_are_named(switch: Switch, registry: Registry) -> None:
    for name in ("uplink", "b", "c"):
        switch.add_port(name)
    process = watch(switch, registry, "c", "--watch=0.2", "uplink")
    wait_until("two tables", lambda: process.out().count("PORT") == 2, 20.0, process.out)
    assert process.end(signal.SIGINT) == DONE
    names = {line.split()[0] for line in process.out().splitlines() if line and line[0].isalpha()}
    assert names == {"PORT", "c", "uplink"}
    assert "\x1b" not in process.out()
    done = run_ctl(watch_argv(switch, "--watch", "1", "b", "uplnk")[1:])
    assert (done.returncode, done.stdout) == (REFUSED, "")
    assert "uplnk" in done.stderr and "uplink" in done.stderr


@pytest.mark.parametrize("arguments, word", [
    (["--watch", "0"], "0.01 or more"), (["--watch", "-1"], "--watch"), (["--watch"], "SECONDS"),
    (["--watch", "soon"], "soon"),
])
def test_wrong_usage_is_told_before_the_switch_is_asked(arguments: list[str], word: str) -> None:
    done = run_ctl(["--control", "/nonexistent/control.sock", "stats", *arguments])
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert word in done.stderr


def has_socket(pid: int) -> bool:
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):  # closed meanwhile
            if os.readlink(path).startswith("socket:"):
                return True
    return False


def test_the_switch_stops(switch: Switch, registry: Registry) -> None:
    """Noticed at once, not at the next table."""
    process = watch(switch, registry, "--watch", "3600")
    wait_until("it is connected", lambda: has_socket(process.pid), 20.0)
    switch.stop()
    assert process.wait(20.0) == NO_SWITCH
    assert str(switch.control) in process.log() and process.out() == ""


@pytest.mark.parametrize("arguments", [["0.05"], ["0.05", "--json"], ["3600"]])
def test_the_reader_leaves(switch: Switch, arguments: list[str]) -> None:
    """After the first line, or long before it."""
    switch.add_port("a")
    with subprocess.Popen(
        watch_argv(switch, "--watch", *arguments), stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    ) as process:
        try:
            assert process.stdout is not None and process.stderr is not None
            assert arguments == ["3600"] or process.stdout.readline() != ""
            process.stdout.close()
            assert process.wait(20.0) == DONE
            assert process.stderr.read() == ""
        finally:
            process.kill()


class Terminal:
    """The screen's side of a terminal: all that was written to it."""

    def __init__(self) -> None:
        self.master, self.slave = pty.openpty()
        self.text = ""
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        try:
            while data := os.read(self.master, 4096):
                self.text += data.decode()
        except OSError:  # nobody has it open any more
            pass

    def close(self) -> None:
        os.close(self.slave)
        self._thread.join(20.0)
        os.close(self.master)


def test_a_terminal_is_redrawn_in_place(switch: Switch) -> None:
    """Also with more ports than lines, of which there are 24 when a terminal does not say."""
    for number in range(40):
        switch.add_port(f"p{number}")
    screen = Terminal()
    process = subprocess.Popen(
        watch_argv(switch, "--watch", "0.1"), stdin=screen.slave, stdout=screen.slave,
        stderr=screen.slave, env={**os.environ, "TERM": "xterm"},
    )
    try:
        wait_until("three tables", lambda: screen.text.count("DROPS/S") >= 3, 20.0,
                   lambda: screen.text)
        process.send_signal(signal.SIGINT)
        assert process.wait(20.0) == DONE
    finally:
        process.kill()
        process.wait(20.0)
        screen.close()
    frames = screen.text.split("\x1b[H")[1:]
    assert len(frames) >= 3 and screen.text.count("\x1b[2J") == 1
    for frame in frames[:-1]:
        assert frame.count("\n") == 23 and "(20 lines more)" in frame
        assert frame.endswith("\x1b[J")
