# SPDX-License-Identifier: BSD-3-Clause
"""The control protocol: framing, the rules of JSON-RPC 2.0, and what every method refuses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from typing import Any, Iterator

import pytest
from support import RawClient, Switch, wait_until
from support.fixture_types import MakeStation
from support.process import PROJECT, binary
from vswitch import RpcError

PARSE, INVALID, NO_METHOD, PARAMS = -32700, -32600, -32601, -32602
REFUSED, NOT_FOUND, EXISTS = -32000, -32001, -32002


@pytest.fixture
def client(switch: Switch) -> Iterator[RawClient]:
    with RawClient(switch.control) as connection:
        yield connection


def refused(client: RawClient, method: str, params: Any = None) -> RpcError:
    with pytest.raises(RpcError) as caught:
        client.call(method, params)
    return caught.value


def said(client: RawClient, line: bytes) -> Any:
    client.send_bytes(line + b"\n")
    reply = client.read_line()
    assert reply is not None
    return json.loads(reply)


# Lines that are no request.

NOT_JSON = [
    b"", b"   ", b"{", b"nonsense", b'{"jsonrpc":"2.0"', b"{'a':1}", b'{"a":1,}', b"[1,2",
    b'{"jsonrpc":"2.0","method":"port.list","id":1} trailing',
    b'{"jsonrpc":"2.0","method":"port.list","id":1}{}',
    b'{"jsonrpc":"2.0","method":"port.list","method":"port.list","id":1}',
    b'{"jsonrpc":"2.0","method":"port.show","params":{"name":"a","name":"b"},"id":1}',
    b'{"jsonrpc":"2.0","method":"port.\xff\xfe","id":1}',
    b'{"jsonrpc":"2.0","method":"port\x00list","id":1}', b"\x00\x01\x02",
    b'{"a":' + b"[" * 3000 + b"]" * 3000 + b"}",
]


@pytest.mark.parametrize("line", NOT_JSON, ids=range(len(NOT_JSON)))
def test_line_that_is_no_json(client: RawClient, line: bytes) -> None:
    reply = said(client, line)
    assert reply["error"]["code"] == PARSE, reply
    assert reply["id"] is None
    assert reply["jsonrpc"] == "2.0"
    assert client.call("port.list") == []


NOT_REQUESTS = [
    {}, 1, "x", None, True, {"jsonrpc": "2.0"}, {"jsonrpc": "1.0", "method": "port.list", "id": 1},
    {"method": "port.list", "id": 1}, {"jsonrpc": "2.0", "method": 7, "id": 1},
    {"jsonrpc": "2.0", "method": "port.list", "params": 7, "id": 1},
    {"jsonrpc": "2.0", "method": "port.list", "params": "x", "id": 1},
    {"jsonrpc": "2.0", "method": "port.list", "id": {}},
    {"jsonrpc": "2.0", "method": "port.list", "id": [1]},
    {"jsonrpc": "2.0", "method": "port.list", "id": True},
    [],
]


@pytest.mark.parametrize("request_", NOT_REQUESTS, ids=range(len(NOT_REQUESTS)))
def test_json_that_is_no_request(client: RawClient, request_: Any) -> None:
    reply = said(client, json.dumps(request_).encode())
    assert reply["error"]["code"] == INVALID, reply
    assert client.call("port.list") == []


@pytest.mark.parametrize("number", [0, -1, 2**53, 1.5, "text", "", None])
def test_id_comes_back_as_it_was(client: RawClient, number: Any) -> None:
    request = {"jsonrpc": "2.0", "method": "port.list", "id": number}
    reply = said(client, json.dumps(request).encode())
    assert reply == {"jsonrpc": "2.0", "id": number, "result": []}


NUMBERS = [
    "0", "-0", "9223372036854775807", "-9223372036854775808", "9223372036854775808",
    "-9223372036854775809", "18446744073709551615", "1" * 300, "-" + "9" * 40, "1.0", "1.50",
    "0.1", "1e2", "1E+2", "-1e-7", "3.14159265358979323846264338327950288", "1e400", "-1e400",
    "1e-400", "0.0",
]


@pytest.mark.parametrize("number", NUMBERS)
def test_number_comes_back_as_it_was_written(client: RawClient, number: str) -> None:
    """In a result, in an error, in a long answer and in a batch."""
    for method, params in (("port.list", "{}"), ("port.show", '{"name":"none"}'), ("no", "{}")):
        request = f'{{"jsonrpc":"2.0","id":{number},"method":"{method}","params":{params}}}'
        for line, opened, closed in ((request, "{", "}"), (f"[{request}]", "[{", "}]")):
            client.send_bytes(line.encode() + b"\n")
            reply = client.read_line(10.0)
            assert reply is not None
            text = reply.decode().strip()
            assert text.startswith(opened) and text.endswith(f'"id":{number}{closed}'), text


@pytest.mark.parametrize("number", [n for n in NUMBERS if len(n) > 5 and "." not in n])
def test_number_that_no_parameter_may_be(client: RawClient, number: str) -> None:
    """Refused as the parameter that it is, under the request's id."""
    line = f'{{"jsonrpc":"2.0","id":7,"method":"port.add","params":{{"name":"a","mtu":{number}}}}}'
    reply = said(client, line.encode())
    assert (reply["id"], reply["error"]["code"]) == (7, -32602), reply
    assert "mtu" in reply["error"]["message"]


def test_unknown_method_names_the_nearest(client: RawClient) -> None:
    error = refused(client, "port.lst")
    assert error.code == NO_METHOD
    assert error.data["nearest"] == "port.list"
    assert "port.lst" in error.message and "port.list" in error.message
    error = refused(client, "xylophone")
    assert (error.code, error.data.get("nearest")) == (NO_METHOD, None)


def test_parameters_by_position_are_refused_with_their_names(client: RawClient) -> None:
    client.send({"jsonrpc": "2.0", "method": "port.show", "params": ["a"], "id": 1})
    error = client.read_reply()["error"]
    assert error["code"] == PARAMS
    assert "name" in error["message"]


# Batches, notifications, pipelining.

def test_batch_is_answered_as_one(client: RawClient) -> None:
    ports, missing, unknown = client.batch(
        [("port.list", None), ("port.show", {"name": "a"}), ("port.nothing", {})]
    )
    assert ports == []
    assert (missing.code, unknown.code) == (NOT_FOUND, NO_METHOD)


def test_batch_with_notifications_and_rubbish(client: RawClient) -> None:
    batch = [
        {"jsonrpc": "2.0", "method": "port.add", "params": {"name": "a"}},
        1,
        {"jsonrpc": "2.0", "method": "port.list", "id": "x"},
    ]
    client.send(batch)
    line = client.read_line()
    assert line is not None
    replies = json.loads(line)
    assert sorted(str(reply["id"]) for reply in replies) == ["None", "x"]
    wait_until("the port is there", lambda: len(client.call("port.list")) == 1)


def test_batch_of_notifications_has_no_answer(client: RawClient) -> None:
    client.send([{"jsonrpc": "2.0", "method": "port.add", "params": {"name": "a"}}] * 2)
    assert [port["name"] for port in client.call("port.list")] == ["a"]


def test_notification_has_no_answer_even_when_it_fails(client: RawClient) -> None:
    client.notify("port.nothing")
    client.notify("port.show", {"name": "nobody"})
    client.notify("port.add", {"name": "a"})
    assert [port["name"] for port in client.call("port.list")] == ["a"]


def test_requests_of_one_client_are_done_in_order(client: RawClient) -> None:
    """A hundred ports added and deleted without waiting for an answer.

    Sent at once, for a client that sends on and on and reads nothing holds up itself.
    """
    calls: list[tuple[str, dict[str, str]]] = [
        (f"port.{what}", {"name": f"p{number}"}) for what in ("add", "delete") for number in range(100)
    ]
    calls.append(("port.list", {}))
    lines = [
        json.dumps({"jsonrpc": "2.0", "method": method, "params": params, "id": number})
        for number, (method, params) in enumerate(calls)
    ]
    client.send_bytes(("\n".join(lines) + "\n").encode())
    replies = [client.read_reply() for _ in calls]
    assert [reply["id"] for reply in replies] == list(range(len(calls)))
    assert all("result" in reply for reply in replies), replies
    assert replies[-1]["result"] == []


def test_many_clients_at_once(switch: Switch) -> None:
    clients = [RawClient(switch.control) for _ in range(50)]
    for number, client in enumerate(clients):
        client.send_request("port.add", {"name": f"p{number}"})
    for client in clients:
        assert "result" in client.read_reply()
    assert len(switch.call("port.list")) == 50
    for client in clients:
        client.close()


# Sizes.

def test_line_in_single_bytes_and_without_hurry(client: RawClient) -> None:
    for byte in b'{"jsonrpc":"2.0","method":"port.list","id":1}\n':
        client.send_bytes(bytes([byte]))
    assert client.read_reply()["result"] == []


def test_line_of_a_mebibyte(client: RawClient) -> None:
    head, tail = b'{"jsonrpc":"2.0","method":"port.list","id":1', b"}"
    line = head + b" " * ((1 << 20) - len(head) - len(tail)) + tail
    assert said(client, line)["result"] == []


def test_line_over_a_mebibyte_ends_the_connection(switch: Switch, client: RawClient) -> None:
    try:
        client.send_bytes(b" " * (3 << 20) + b"\n")
        line = client.read_line()
        assert line is not None and json.loads(line)["error"]["code"] in (PARSE, INVALID)
        assert client.read_line() is None
    except (ConnectionError, BrokenPipeError):
        pass
    assert switch.call("port.list") == []


def test_client_that_does_not_read_holds_up_itself(switch: Switch, client: RawClient) -> None:
    """No more is answered than it reads, whatever it asks for; then all of it is, in order."""
    client.socket.setblocking(False)
    sent = 0

    def is_held_up() -> bool:
        nonlocal sent
        try:
            for _ in range(100):
                line = b'{"jsonrpc":"2.0","method":"rpc.discover","id":%d}\n' % sent
                if client.socket.send(line) < len(line):
                    return True
                sent += 1
        except BlockingIOError:
            return True
        assert switch.call("port.list") == []
        return False

    wait_until("nothing is read from it", is_held_up, 30.0, lambda: f"{sent} were sent")
    assert resident(switch) < 1 << 18, f"{resident(switch)} KiB"
    client.socket.setblocking(True)
    for number in range(sent):
        assert client.read_reply()["id"] == number


def resident(switch: Switch) -> int:
    with open(f"/proc/{switch.pid}/status", encoding="ascii") as status:
        (line,) = [line for line in status if line.startswith("VmRSS")]
    return int(line.split()[1])


def test_client_that_goes_within_a_line(switch: Switch) -> None:
    for cut in range(1, 40, 3):
        with RawClient(switch.control) as client:
            client.send_bytes(b'{"jsonrpc":"2.0","method":"port.list","id":1}'[:cut])
    with RawClient(switch.control) as client:
        client.send_request("port.add", {"name": "a"})
    wait_until("its request was done", lambda: len(switch.call("port.list")) == 1)


def test_line_without_end_at_the_end(switch: Switch) -> None:
    """A client that shuts its side down after its last request still gets the answer."""
    with RawClient(switch.control) as client:
        client.send_request("port.list")
        client.socket.shutdown(socket.SHUT_WR)
        assert client.read_reply()["result"] == []
        with pytest.raises(ConnectionError):
            client.read_line()


# Discovery and documentation.

def test_discover_names_every_method(client: RawClient) -> None:
    document = client.call("rpc.discover")
    assert document["openrpc"].startswith("1.")
    methods = {method["name"]: method for method in document["methods"]}
    assert set(methods) >= {
        "switch.status", "switch.set", "port.add", "port.delete", "port.set", "port.list",
        "port.show", "stats.get", "stats.clear", "fdb.list", "fdb.add", "fdb.delete", "fdb.flush",
        "event.subscribe", "config.save", "log.set", "rpc.discover",
    }
    for method in methods.values():
        assert method["summary"].endswith(".")
        assert "result" in method
        for parameter in method["params"]:
            assert set(parameter) >= {"name", "schema"}
    mtu = {p["name"]: p for p in methods["port.add"]["params"]}["mtu"]
    assert (mtu["schema"]["minimum"], mtu["schema"]["maximum"]) == (68, 65535)


def method_parameters(client: RawClient) -> list[tuple[str, list[dict[str, Any]]]]:
    document = client.call("rpc.discover")
    return [(method["name"], method["params"]) for method in document["methods"]]


def test_every_method_refuses_a_parameter_that_it_has_not(client: RawClient) -> None:
    for method, _ in method_parameters(client):
        error = refused(client, method, {"bogus-parameter": 1})
        assert error.code == PARAMS, (method, error)
        assert error.data["param"] == "bogus-parameter"
        assert "bogus-parameter" in error.message


def test_every_parameter_refuses_the_wrong_type(client: RawClient) -> None:
    """An object is the type of none of them."""
    for method, parameters in method_parameters(client):
        for parameter in parameters:
            params = {"name": "a", "mac": "02:00:00:00:00:01", "port": "a", "level": "info"}
            wanted = {p["name"] for p in parameters}
            given = {key: value for key, value in params.items() if key in wanted}
            given[parameter["name"]] = {"wrong": "type"}  # type: ignore[assignment]
            error = refused(client, method, given)
            assert error.code == PARAMS, (method, parameter["name"], error)
            assert error.data["param"] == parameter["name"]


def test_every_required_parameter_is_missed_by_name(client: RawClient) -> None:
    seen = 0
    for method, parameters in method_parameters(client):
        required = [p["name"] for p in parameters if p.get("required")]
        if required:
            error = refused(client, method, {})
            assert error.code == PARAMS
            assert error.data["param"] == required[0]
            assert required[0] in error.message
            seen += 1
    assert seen >= 8


def test_misspelt_parameter_names_the_nearest(client: RawClient) -> None:
    error = refused(client, "port.add", {"name": "a", "mtuu": 1500})
    assert (error.code, error.data["param"], error.data["nearest"]) == (PARAMS, "mtuu", "mtu")
    assert client.call("port.list") == []


def test_documentation_is_not_stale() -> None:
    """The page in docs/ is what the table of methods says now."""
    made = subprocess.run(
        [str(binary("vswitch/vswitchd")), "--print-control-doc"],
        capture_output=True, text=True, timeout=30, check=True,
    ).stdout
    page = PROJECT / "docs" / "control-protocol.md"
    assert page.read_text() == made, "run `vswitchd --print-control-doc` into docs/"


def test_peer_of_a_port(switch: Switch, station: MakeStation) -> None:


    station(switch, "a")
    peer = switch.port("a")["peer"]
    assert peer["pid"] == os.getpid()
    assert peer["uid"] == os.getuid()
    assert peer["program"].startswith("python") or peer["program"] == "pytest"
