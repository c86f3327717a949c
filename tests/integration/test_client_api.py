# SPDX-License-Identifier: BSD-3-Clause
"""The Python client: results, events, the end of waiting, and the end of a connection."""

from __future__ import annotations

import json
import re
import select
import socket
from pathlib import Path
from typing import Any, Iterator

import pytest
from support import RawFrontend, Registry, Switch, wait_until
from support.process import PROJECT
from vswitch import Client, RpcError


class Peer:
    """What the client takes for a switch: it says what a test has it say."""

    def __init__(self, path: Path) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            listener.bind(str(path))
            listener.listen()
            self.client = Client(path, 5.0)
            self.connection, _ = listener.accept()

    def say(self, *messages: Any) -> None:
        for message in messages:
            self.connection.sendall(json.dumps(message).encode() + b"\n")

    def let_time_out(self, *calls: str) -> None:
        """As one batch, or as one request."""
        self.client.timeout = 0.02
        with pytest.raises(TimeoutError, match=r"no reply within 0\.02 s"):
            if len(calls) == 1:
                self.client.call(calls[0])
            else:
                self.client.batch([(call, None) for call in calls])
        self.client.timeout = 5.0


@pytest.fixture
def peer(workdir: Path) -> Iterator[Peer]:
    peer = Peer(workdir / "p.sock")
    yield peer
    peer.client.close()
    peer.connection.close()


def reply(number: int | None, result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "result": result}


def event(name: str, **fields: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": "event", "params": {"event": name, **fields}}


@pytest.fixture
def watcher(switch: Switch) -> Iterator[Client]:
    with Client(switch.control) as client:
        client.subscribe()
        yield client


def test_event_that_does_not_come(switch: Switch, watcher: Client) -> None:
    """What came instead is dropped, and the client goes on."""
    switch.add_port("a")
    with pytest.raises(TimeoutError, match=r"no event port\.added port=b within 0\.1 s"):
        watcher.wait_event("port.added", 0.1, port="b")
    switch.add_port("b")
    assert watcher.wait_event("port.added", port="b")["port"] == "b"


def test_events_are_an_iterator(switch: Switch, watcher: Client) -> None:
    for name in ("a", "b", "c"):
        switch.add_port(name)
    seen = []
    with pytest.raises(TimeoutError):
        for told in watcher.events(0.5):
            seen.append((told["event"], told["port"]))
    assert seen == [("port.added", name) for name in ("a", "b", "c")]


def test_events_wait_as_long_as_it_takes(switch: Switch, watcher: Client) -> None:
    """The descriptor is for loops that wait for more than one thing."""
    assert select.select([watcher], [], [], 0) == ([], [], [])
    switch.add_port("a")
    assert select.select([watcher], [], [], 10.0)[0] == [watcher]
    assert next(watcher.events())["port"] == "a"


def test_events_before_a_reply_are_kept(peer: Peer) -> None:
    peer.say(event("port.added", port="a"), reply(1, []))
    assert peer.client.call("port.list") == []
    assert next(peer.client.events(0))["port"] == "a"
    with pytest.raises(TimeoutError):
        next(peer.client.events(0))


def test_reply_that_comes_late_is_dropped(peer: Peer) -> None:
    peer.let_time_out("port.list")
    peer.say(reply(1, "late"), reply(2, "in time"))
    answer: object = peer.client.call("port.list")
    assert answer == "in time"


def test_batch_that_comes_late_is_dropped(peer: Peer) -> None:
    peer.let_time_out("port.list", "fdb.list")
    peer.say([reply(1, "late"), reply(2, "late")], [reply(4, "fdb"), reply(3, "ports")])
    assert peer.client.batch([("port.list", None), ("fdb.list", None)]) == ["ports", "fdb"]
    assert peer.client.batch([]) == []


def test_half_a_reply_is_not_lost(peer: Peer) -> None:
    line = json.dumps(reply(1, "late")).encode() + b"\n"
    peer.connection.sendall(line[:9])
    peer.let_time_out("port.list")
    peer.connection.sendall(line[9:])
    peer.say(reply(2, "in time"))
    answer: object = peer.client.call("port.list")
    assert answer == "in time"


def test_reply_to_no_request(peer: Peer) -> None:
    """The switch says so to a client that it turns away. Another one is a mistake."""
    peer.say({"jsonrpc": "2.0", "id": None, "error": {"code": -32000, "message": "too many clients"}})
    with pytest.raises(ConnectionError, match="port.list: too many clients"):
        peer.client.call("port.list")
    peer.say(reply(7, []))
    with pytest.raises(ConnectionError, match="not to request 2"):
        peer.client.call("port.list")


def test_end_of_the_switch(peer: Peer) -> None:
    peer.connection.close()
    with pytest.raises(ConnectionError):
        next(peer.client.events())
    with pytest.raises(ConnectionError):
        peer.client.call("port.list")


def test_refused_request_has_the_switches_words(switch: Switch) -> None:
    with Client(str(switch.control)) as client:
        with pytest.raises(RpcError) as raised:
            client.call("port.show", name="nobody")
        assert raised.value.code < 0 and "nobody" in raised.value.message
        first, second = client.batch([("port.list", None), ("port.show", {"name": "nobody"})])
        assert first == [] and isinstance(second, RpcError)


def test_no_switch_there(workdir: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Client(workdir / "control.sock")


def test_example_of_the_readme(switch: Switch, registry: Registry) -> None:
    page = (PROJECT / "python" / "README.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    example = example.replace("/run/vswitch/control.sock", str(switch.control))
    told = registry.start("example", ["/usr/bin/python3", "-u", "-c", example])
    wait_until("its port is there", switch.path("p0").exists, 20.0, told.tail)
    with RawFrontend(switch.path("p0")) as frontend:
        frontend.handshake()
        wait_until("it tells", lambda: "port.attached p0" in told.out(), 20.0, told.tail)
