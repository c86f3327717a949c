# SPDX-License-Identifier: BSD-3-Clause
"""Clients of the control socket that leave early, ask for too much, or stop within a line."""

from __future__ import annotations

import json
import socket
from typing import Any, Callable

import pytest
from support import RawClient, Switch, wait_until
from support.fixture_types import MakeStation

PARSE, REFUSED = -32700, -32000


def test_client_that_goes_before_its_answer(switch: Switch, station: MakeStation) -> None:
    """What it asked for is done; the answer finds nobody, and nobody else notices."""
    switch.conserves = False
    for round_number in range(10):
        name = f"p{round_number}"
        station(switch, name)
        with RawClient(switch.control) as client:
            client.subscribe()
            client.send_request("port.delete", {"name": name})
        wait_until("the port is gone", lambda: not switch.call("port.list"))
    switch.add_port("p0")


def test_client_that_goes_with_requests_left(switch: Switch, station: MakeStation) -> None:
    """Events reach a client that has left while it still has requests in a batch."""
    switch.conserves = False
    for round_number in range(10):
        name = f"p{round_number}"
        station(switch, name)
        batch = [
            {"jsonrpc": "2.0", "method": "port.delete", "params": {"name": name}, "id": 1},
            *({"jsonrpc": "2.0", "method": "port.list", "id": n} for n in range(2, 100)),
        ]
        with RawClient(switch.control) as client:
            client.subscribe("port.deleted", "port.detached")
            client.send(batch)
        wait_until("the port is gone", lambda: not switch.call("port.list"))
    assert len(switch.call("switch.status")["ports"]) == 0


PORTS_LEFT = 60


def many_requests() -> list[dict[str, Any]]:
    """Ports one after the other, with more to say in between than a connection holds."""
    requests: list[dict[str, Any]] = []
    for number in range(PORTS_LEFT):
        requests.append({"method": "port.add", "params": {"name": f"p{number}"}, "id": number})
        requests += [{"method": "rpc.discover", "id": f"x{n}"} for n in range(4)]
    return [{"jsonrpc": "2.0", **request} for request in requests]


def lines(requests: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(request).encode() + b"\n" for request in requests)


def batches(requests: list[dict[str, Any]]) -> bytes:
    """Ten, and the last has no answer."""
    each = len(requests) // 10
    parts = [requests[at:at + each] for at in range(0, len(requests), each)]
    for request in parts[-1]:
        del request["id"]
    return b"".join(json.dumps(part).encode() + b"\n" for part in parts)


@pytest.mark.parametrize("shape", [lines, batches])
@pytest.mark.parametrize("how", ["unread", "after-one-answer", "reads-no-more"])
def test_all_that_was_sent_before_the_end_is_done(
    switch: Switch, shape: Callable[[list[dict[str, Any]]], bytes], how: str
) -> None:
    """In order, although nobody is left to be answered."""
    with RawClient(switch.control) as watcher, RawClient(switch.control) as client:
        watcher.subscribe("port.added")
        if how == "reads-no-more":
            client.socket.shutdown(socket.SHUT_RD)
        client.send_bytes(shape(many_requests()))
        if how == "after-one-answer":
            client.read_line(10.0)
        client.close()
        added = [watcher.wait_event("port.added")["port"] for _ in range(PORTS_LEFT)]
    assert added == [f"p{number}" for number in range(PORTS_LEFT)]
    assert len(switch.call("port.list")) == PORTS_LEFT


def test_what_follows_a_slow_request_is_done(switch: Switch, station: MakeStation) -> None:
    """The port's frontend has to leave first; meanwhile the client is gone."""
    switch.conserves = False
    station(switch, "slow")
    delete = {"jsonrpc": "2.0", "method": "port.delete", "params": {"name": "slow"}, "id": 1}
    add = {"jsonrpc": "2.0", "method": "port.add", "params": {"name": "late"}, "id": 2}
    with RawClient(switch.control) as client:
        client.subscribe()
        client.send_bytes(lines([delete, add]))
    wait_until(
        "only the second is there",
        lambda: [port["name"] for port in switch.call("port.list")] == ["late"],
    )


def test_line_that_never_ended(switch: Switch) -> None:
    """What came before it is answered, then the line is named as the fault."""
    whole = b'{"jsonrpc":"2.0","method":"port.list","id":1}'
    with RawClient(switch.control) as client:
        client.send_bytes(whole + b"\n" + whole[:20])
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_reply()["result"] == []
        reply = client.read_reply()
        assert (reply["error"]["code"], reply["id"]) == (PARSE, None)
        assert "newline" in reply["error"]["message"]
        with pytest.raises(ConnectionError):
            client.read_line()


def test_batch_with_too_much_to_say(switch: Switch) -> None:
    """The replies of a batch are bounded: what is over is refused, each by its id, and not run."""
    switch.add_port("p")
    macs = [f"02:00:00:00:{n >> 8:02x}:{n & 255:02x}" for n in range(500)]
    batch: list[dict[str, Any]] = [
        {"jsonrpc": "2.0", "method": "fdb.list", "id": number} for number in range(900)
    ]
    batch.append({"jsonrpc": "2.0", "method": "port.add", "params": {"name": "a"}})
    batch.append({"jsonrpc": "2.0", "method": "port.add", "params": {"name": "b"}, "id": "last"})
    with RawClient(switch.control, 60.0) as client:  # megabytes
        client.batch([("fdb.add", {"mac": mac, "port": "p"}) for mac in macs])
        client.send(batch)
        line = client.read_line()
        assert line is not None and len(line) < 9 << 20
        replies = json.loads(line)
        assert [reply["id"] for reply in replies] == [*range(900), "last"]
        good = [reply for reply in replies if "result" in reply]
        bad = [reply["error"] for reply in replies if "error" in reply]
        assert len(good) > 10 and replies[:len(good)] == good
        assert {error["code"] for error in bad} == {REFUSED}
        assert all("send what is left in another" in error["message"] for error in bad)
        assert [port["name"] for port in client.call("port.list")] == ["p"]
