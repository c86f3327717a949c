# SPDX-License-Identifier: BSD-3-Clause
"""Starts that must work, starts that must fail and say why, and how the switch leaves."""

from __future__ import annotations

import os
import re
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Optional

import pytest
from support import Registry, Switch, VuserClient, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.process import as_user, binary, give_away, ordinary_user
from vswitch import Client

NOBODY = ordinary_user()


def fails(switch: Switch, *words: str, status: Optional[int] = None) -> str:
    """Starts it; it must end by itself and say all the words. Returns its log."""
    process = switch.launch()
    seen = process.wait(20.0)
    log = process.log()
    assert seen > 0, process.report("should have failed")
    assert status is None or seen == status, process.report(f"should have left with {status}")
    for word in words:
        assert re.search(word, log, re.IGNORECASE), (word, log)
    process.check_sanitizers()
    return log


def test_directory_and_sockets_have_their_modes(switch: Switch) -> None:
    assert stat.S_IMODE(switch.directory.stat().st_mode) == 0o711
    assert stat.S_IMODE(switch.control.stat().st_mode) == 0o600
    for path in switch.directory.iterdir():
        if path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_leaves_cleanly_and_removes_its_sockets(
    switch: Switch, station: MakeStation, number: int
) -> None:
    """With frontends attached, one of them under way in a handshake."""
    station(switch, "a")
    switch.add_port("b")
    with socket.socket(socket.AF_UNIX) as half:
        half.connect(str(switch.path("b")))
        half.send(b"\x01\x00")
        switch.stop(number)
    assert not list(switch.directory.rglob("*.sock")), list(switch.directory.rglob("*"))


def test_control_socket_answers_without_a_service_manager(make_switch: MakeSwitch) -> None:
    switch = make_switch(start=False)
    process = switch.launch()
    wait_until("it answers", lambda: answers(switch), 20.0, lambda: process.report("is silent"))
    switch.stop()


def answers(switch: Switch) -> bool:
    try:
        with Client(switch.control) as client:
            return bool(client.call("port.list") == [])
    except (FileNotFoundError, ConnectionRefusedError):
        return False


def test_second_switch_in_the_same_directory(switch: Switch, make_switch: MakeSwitch) -> None:
    switch.add_port("a")
    other = make_switch(directory=switch.directory, start=False)
    fails(other, str(switch.directory), str(switch.pid), "vswitchd")
    assert [port["name"] for port in switch.call("port.list")] == ["a"]
    assert switch.path("a").exists()


def test_sockets_of_a_dead_switch_are_replaced(make_switch: MakeSwitch) -> None:
    first = make_switch()
    first.add_port("a")
    first.kill()
    assert first.control.exists() and first.path("a").exists()
    second = make_switch(directory=first.directory)
    assert second.call("port.list") == []
    second.add_port("a")
    assert second.port("a")["state"] == "waiting"


def test_socket_that_a_living_program_serves(switch: Switch, workdir: Path) -> None:
    """The message names the program and its pid."""
    path = workdir / "taken.sock"
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(path))
        other.listen()
        done = switch.ctl("add-port", "a", "--socket", str(path))
        assert done.returncode == 1
        assert str(path) in done.stderr and f"pid {os.getpid()}" in done.stderr
        assert "add-port a" in done.stderr or "port a" in done.stderr
        other.settimeout(1.0)
    assert path.exists()
    assert switch.ctl("add-port", "a", "--socket", str(path)).returncode == 0


def test_control_socket_that_another_program_serves(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    switch = make_switch(start=False)
    switch.directory.mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(switch.control))
        other.listen()
        fails(switch, str(switch.control))
    assert switch.control.exists()


def test_control_socket_of_another_type(make_switch: MakeSwitch) -> None:
    """A living program's, although nobody can connect to it; it stays."""
    switch = make_switch(start=False)
    switch.directory.mkdir()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(switch.control))
        fails(switch, str(switch.control), "a program already does; stop it")
        assert switch.control.exists()


def test_control_socket_that_the_switch_may_not_ask(
    make_switch: MakeSwitch, workdir: Path
) -> None:
    home = workdir / "home"
    home.mkdir()
    switch = make_switch(directory=home, start=False, user=NOBODY)
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(switch.control))
        switch.control.chmod(0)
        other.listen()
        give_away(home, NOBODY)
        fails(switch, str(switch.control), "cannot tell", "permission denied")
        assert switch.control.exists()


def test_directory_without_permission(make_switch: MakeSwitch, workdir: Path) -> None:
    locked = workdir / "locked"
    locked.mkdir()
    locked.chmod(0)  # not even for the owner, who may be running this
    switch = make_switch(directory=locked / "s", start=False, user=NOBODY)
    fails(switch, str(locked), "permission denied")
    locked.chmod(0o700)


def test_directory_that_is_a_file(make_switch: MakeSwitch, workdir: Path) -> None:
    path = workdir / "file"
    path.write_text("")
    fails(make_switch(directory=path, start=False), str(path), "directory")
    assert path.read_text() == ""


def test_path_that_is_too_long(make_switch: MakeSwitch, workdir: Path) -> None:
    switch = make_switch(directory=workdir / ("d" * 100), start=False)
    fails(switch, "107", "d" * 100)


def test_no_directory_for_an_ordinary_user(registry: Registry) -> None:
    """Without --socket-dir and XDG_RUNTIME_DIR there is nowhere to go."""
    process = registry.start(
        "vswitchd", ["/usr/bin/env", "-u", "XDG_RUNTIME_DIR", str(binary("vswitch/vswitchd"))],
        user=NOBODY,
    )
    assert process.wait(20.0) == 2
    assert "--socket-dir" in process.log() and "XDG_RUNTIME_DIR" in process.log()


USAGE = [
    (["--sokcet-dir", "/x"], "--socket-dir"), (["--workers", "0"], "workers"),
    (["--workers", "many"], "workers"), (["--cpus", "999"], "999"), (["--cpus", "x"], "cpus"),
    (["--huge", "maybe"], "auto"), (["--memory", "1"], "memory"), (["--poll", "never"], "adaptive"),
    (["--log-level", "loud"], "debug"), (["--workers"], "workers"), (["stray"], "stray"),
]


@pytest.mark.parametrize("arguments, word", USAGE, ids=lambda part: str(part)[:20])
def test_wrong_usage(make_switch: MakeSwitch, arguments: list[str], word: str) -> None:
    fails(make_switch(*arguments, start=False), word, status=2)


def test_help_and_version() -> None:
    for option, word in (("--help", "--socket-dir"), ("--version", "vswitchd")):
        done = subprocess.run(
            [str(binary("vswitch/vswitchd")), option], capture_output=True, text=True, timeout=20
        )
        assert done.returncode == 0
        assert word in done.stdout


def test_install(workdir: Path) -> None:
    """The three programs go where meson says, and run from there."""
    build = binary("vswitch/vswitchd").parent.parent
    subprocess.run(
        ["/usr/bin/meson", "install", "-C", str(build), "--no-rebuild", "--destdir", str(workdir)],
        check=True, capture_output=True, timeout=60,
    )
    programs = [path for path in workdir.rglob("bin/*") if path.is_file()]
    assert sorted(path.name for path in programs) == ["vswitchctl", "vswitchd", "vuser-client"]
    for path in programs:
        done = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20)
        assert (done.returncode, done.stdout) == (0, f"{path.name} 0.1.0\n")


def test_hugepages_that_are_not_there(make_switch: MakeSwitch) -> None:
    """`--huge on` where none are free is refused; where there are some, they are used."""
    switch = make_switch("--huge", "on", start=False)
    if free_hugepages() == 0:
        fails(switch, "hugepage")
    else:
        switch.start()
        switch.stop()


def free_hugepages() -> int:
    with open("/proc/meminfo", encoding="ascii") as meminfo:
        (line,) = [line for line in meminfo if line.startswith("HugePages_Free")]
    return int(line.split()[1])


def test_ordinary_user_at_both_ends(
    make_switch: MakeSwitch, registry: Registry, workdir: Path
) -> None:
    """No root, no hugepages: a switch and two clients of a user without any right."""
    home = workdir / "home"
    home.mkdir()
    give_away(home, NOBODY)
    env = {"XDG_RUNTIME_DIR": str(home), "HOME": str(home)}
    switch = make_switch(directory=home / "s", user=NOBODY, env=env)
    for port in ("a", "b"):
        switch.add_port(port)
    responder = VuserClient(
        registry, switch.path("a"), "respond", user=NOBODY, runtime=home, ip="10.0.0.1/24"
    )
    responder.wait_ready()
    ping = VuserClient(
        registry, switch.path("b"), "ping", "10.0.0.1", user=NOBODY, runtime=home,
        ip="10.0.0.2/24", count=3, interval=0.05,
    )
    ping.result()
    responder.stop()
    assert Path(f"/proc/{switch.pid}").stat().st_uid != 0
    switch.conservation()


def test_ordinary_user_may_not_use_the_control_socket(switch: Switch) -> None:
    switch.control.chmod(0)  # not even for the owner, who may be running this
    done = subprocess.run(
        [*as_user(NOBODY), str(binary("ctl/vswitchctl")), "--control", str(switch.control),
         "list-ports"],
        capture_output=True, text=True, timeout=20,
    )
    assert done.returncode == 3
    assert str(switch.control) in done.stderr
    assert "permission denied" in done.stderr.lower()
    switch.control.chmod(0o600)


def test_mode_of_a_ports_socket_decides(switch: Switch) -> None:
    switch.add_port("a", mode="0000")
    script = f"import socket; socket.socket(socket.AF_UNIX).connect({str(switch.path('a'))!r})"
    command = [*as_user(NOBODY), "/usr/bin/python3", "-c", script]
    assert subprocess.run(command, capture_output=True, timeout=20).returncode == 1
    switch.call("port.set", {"name": "a", "mode": "0666"})
    subprocess.run(command, check=True, timeout=20)


def test_many_starts_and_stops(make_switch: MakeSwitch, workdir: Path) -> None:
    for _ in range(10):
        switch = make_switch(directory=workdir / "same")
        switch.add_port("a")
        switch.stop()


def test_nothing_is_left_of_dpdk(make_switch: MakeSwitch, registry: Registry) -> None:
    """No runtime files anywhere but in the switch's own directory, and none there at the end."""
    runtime = registry.directory / "runtime"
    runtime.mkdir()
    switch = make_switch(env={"XDG_RUNTIME_DIR": str(runtime), "HOME": str(runtime)})
    assert list(runtime.iterdir()) == []
    switch.add_port("a")
    switch.stop()
    assert [path for path in switch.directory.rglob("*") if not path.is_dir()] == []
