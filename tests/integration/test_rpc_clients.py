# SPDX-License-Identifier: BSD-3-Clause
"""Clients of the control socket that leave early, ask for too much, or stop within a line."""

from __future__ import annotations

import json
import socket
from typing import Any

import pytest
from vswitch import Client, Switch, wait_until
from vswitch.fixture_types import MakeStation

PARSE, REFUSED = -32700, -32000


def test_client_that_goes_before_its_answer(switch: Switch, station: MakeStation) -> None:
    """What it asked for is done; the answer finds nobody, and nobody else notices."""
    switch.conserves = False
    for round_number in range(10):
        name = f"p{round_number}"
        station(switch, name)
        with Client(switch.control) as client:
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
        with Client(switch.control) as client:
            client.subscribe("port.deleted", "port.detached")
            client.send(batch)
        wait_until("the port is gone", lambda: not switch.call("port.list"))
    assert len(switch.call("switch.status")["ports"]) == 0


def test_line_that_never_ended(switch: Switch) -> None:
    """What came before it is answered, then the line is named as the fault."""
    whole = b'{"jsonrpc":"2.0","method":"port.list","id":1}'
    with Client(switch.control) as client:
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
    with Client(switch.control, 60.0) as client:  # megabytes
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
