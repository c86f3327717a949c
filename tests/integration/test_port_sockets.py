# SPDX-License-Identifier: BSD-3-Clause
"""The public socket of a port: what may stand in its place, and whose it is."""

from __future__ import annotations

import os
import resource
import socket
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Optional

import pytest
from hostile import open_descriptors
from support import RawFrontend, Switch, wait_until
from support.fixture_types import MakeSwitch
from support.process import give_away, ordinary_user
from vswitch import RpcError

NOBODY = ordinary_user()


def refusal(switch: Switch, method: str, **params: Any) -> str:
    with pytest.raises(RpcError) as caught:
        switch.call(method, params)
    return caught.value.message


def dead_socket(path: Path) -> None:
    """A socket that nobody serves any more."""
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))


@pytest.fixture
def modest(make_switch: MakeSwitch, workdir: Path) -> Switch:
    """A switch of an ordinary user."""
    home = workdir / "home"
    home.mkdir()
    give_away(home, NOBODY)
    env = {"XDG_RUNTIME_DIR": str(home), "HOME": str(home)}
    return make_switch(directory=home / "s", user=NOBODY, env=env)


def test_program_too_busy_to_accept(switch: Switch, workdir: Path) -> None:
    """Its queue is full, so nobody can say who it is; its socket stays its own."""
    path = workdir / "busy.sock"
    with socket.socket(socket.AF_UNIX) as busy, socket.socket(socket.AF_UNIX) as first:
        busy.bind(str(path))
        busy.listen(0)
        first.connect(str(path))
        words = refusal(switch, "port.add", name="a", socket=str(path))
        assert str(path) in words and "already does" in words and "choose another" in words
        assert path.exists()


def test_socket_of_another_type(switch: Switch, workdir: Path) -> None:
    path = workdir / "datagrams.sock"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.bind(str(path))
        words = refusal(switch, "port.add", name="a", socket=str(path))
        assert str(path) in words and "a program already does; choose another" in words
        assert path.exists()


def test_socket_that_the_switch_may_not_ask(modest: Switch, workdir: Path) -> None:
    path = workdir / "home" / "closed.sock"
    dead_socket(path)
    path.chmod(0)
    words = refusal(modest, "port.add", name="a", socket=str(path))
    assert str(path) in words and "cannot tell" in words and "Permission denied" in words
    assert path.exists()


def test_dead_socket_that_cannot_be_removed(modest: Switch, workdir: Path) -> None:
    directory = workdir / "home" / "others"
    directory.mkdir()
    path = directory / "dead.sock"
    dead_socket(path)
    path.chmod(0o666)
    directory.chmod(0o555)
    words = refusal(modest, "port.add", name="a", socket=str(path))
    assert str(path) in words and "cannot be removed" in words and "remove it" in words
    assert path.exists()
    directory.chmod(0o755)


def test_owner_that_only_root_may_give(modest: Switch) -> None:
    """The refusal says so, and the socket has the rights that it had."""
    modest.add_port("a", mode="0640")
    path = modest.path("a")
    before = path.stat()
    words = refusal(modest, "port.set", name="a", owner="0", mode="0604")
    assert str(path) in words and "only root" in words
    after = path.stat()
    assert (after.st_uid, after.st_gid) == (before.st_uid, before.st_gid)
    assert stat.S_IMODE(after.st_mode) == 0o640
    assert modest.port("a")["mode"] == "0640"


def test_new_port_with_an_owner_that_only_root_may_give(modest: Switch) -> None:
    words = refusal(modest, "port.add", name="a", owner="0")
    assert "only root" in words
    assert not modest.path("a").exists(), "what was half made is removed"
    modest.add_port("a")


def test_socket_that_somebody_removed(switch: Switch) -> None:
    switch.add_port("a")
    switch.path("a").unlink()
    words = refusal(switch, "port.set", name="a", mode="0666")
    assert str(switch.path("a")) in words and "add it again" in words
    assert switch.port("a")["mode"] == "0600"
    assert switch.call("port.delete", name="a")["deleted"]


def test_socket_that_somebody_replaced(switch: Switch) -> None:
    """What stands there now is not the port's: neither opened up nor removed."""
    switch.add_port("a")
    path = switch.path("a")
    path.unlink()
    path.write_text("another's")
    path.chmod(0o600)
    words = refusal(switch, "port.set", name="a", mode="0666")
    assert "no longer the socket of this port" in words
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert switch.call("port.delete", name="a")["deleted"]
    assert path.read_text() == "another's"


@contextmanager
def out_of_descriptors(switch: Switch) -> Iterator[None]:
    """While this lasts the switch can open nothing."""
    soft, hard = resource.prlimit(switch.pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{switch.pid}/fd")}
    lowest_free = next(fd for fd in range(len(used) + 1) if fd not in used)
    resource.prlimit(switch.pid, resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.prlimit(switch.pid, resource.RLIMIT_NOFILE, (soft, hard))


def test_out_of_descriptors(switch: Switch) -> None:
    """A frontend that cannot be accepted waits and is served later; a new port is refused."""
    switch.add_port("a")
    with out_of_descriptors(switch):
        frontend = RawFrontend(switch.path("a"))
        wait_until("it says so", lambda: "port a: cannot accept" in switch.process.log())
        words = refusal(switch, "port.add", name="b")
        assert "RLIMIT_NOFILE" in words and "raise the limit" in words
        port = switch.port("a")
        assert port["peer"] is None and frontend.is_silent()
        assert port["state"] == "waiting" and "waiting for" not in port["state_text"]
        assert str(switch.path("a")) in port["state_text"], port["state_text"]
        assert "Too many open files; raise" in port["state_text"] and "ulimit -n" in port["state_text"]
    with frontend:
        frontend.handshake()
        switch.wait_state("a", "up")
        assert switch.process.log().count("cannot accept") == 1
    switch.add_port("b")


def test_shortage_that_is_over_is_not_told_any_more(switch: Switch) -> None:
    """Also when nobody who waited then is there any longer."""
    switch.add_port("a")
    with out_of_descriptors(switch):
        frontend = RawFrontend(switch.path("a"))
        wait_until("it says so", lambda: "cannot accept" in switch.port("a")["state_text"])
        frontend.close()
    wait_until("it waits", lambda: "waiting for" in switch.port("a")["state_text"])


def test_path_that_is_too_long_and_a_link_to_its_directory(
    switch: Switch, workdir: Path
) -> None:
    """The words say what helps, and it does."""
    deep = workdir / ("d" * 100)
    deep.mkdir()
    words = refusal(switch, "port.add", name="a", socket=str(deep / "a.sock"))
    assert "107" in words and "symbolic link" in words, words
    (workdir / "d").symlink_to(deep)
    switch.add_port("a", socket=str(workdir / "d" / "a.sock"))
    assert (deep / "a.sock").is_socket()
    with RawFrontend(workdir / "d" / "a.sock") as frontend:
        frontend.handshake()
        switch.wait_state("a", "up")


def test_frontends_that_come_and_go_in_a_loop(switch: Switch) -> None:
    """More than are accepted in a second: the rest wait their turn, and the last one is served."""
    switch.add_port("a")
    before = open_descriptors(switch)
    for _ in range(250):
        with socket.socket(socket.AF_UNIX) as visitor:
            visitor.connect(str(switch.path("a")))
    frontend = wait_until("there is room in the queue", lambda: come(switch))
    with frontend:
        frontend.handshake()
        switch.wait_state("a", "up")
    switch.wait_state("a", "waiting")
    wait_until("no descriptor is lost", lambda: open_descriptors(switch) <= before)


def come(switch: Switch) -> Optional[RawFrontend]:
    try:
        return RawFrontend(switch.path("a"))
    except BlockingIOError:
        return None
