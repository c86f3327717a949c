# SPDX-License-Identifier: BSD-3-Clause
"""Long answers, large batches, many clients: whole for who reads them, cheap for all others."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from contextlib import ExitStack
from typing import Any, Callable, Iterator

import pytest
from hostile import paused
from support import RawClient, RawFrontend, Setup, Switch, wait_until
from support.fixture_types import MakeStation, MakeSwitch
from support.frames import mac_text
from support.memory import MIB, RegionSpec

REFUSED = -32000
CLIENTS_KEPT = 64
KEPT = 0.25  # seconds that a new client keeps its place
SMALL = Setup(ring_size=64, regions=(RegionSpec(MIB),), rx_fill=4, with_call=False)

# Far above what a quiet machine shows (milliseconds), and far below what a client that is not
# served at all would see.
SOON = 5.0


def add_stations(switch: Switch, port: str, numbers: range) -> None:
    for first in range(numbers.start, numbers.stop, 1000):
        entries = [{"mac": mac_text(number), "port": port}
                   for number in range(first, min(first + 1000, numbers.stop))]
        switch.client.batch([("fdb.add", entry) for entry in entries])


class SlowReader:
    """Asks for something long and reads a piece of the answer when told."""

    def __init__(self, switch: Switch, line: bytes) -> None:
        self.client = RawClient(switch.control)
        self.client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.got = bytearray()
        self.client.send_bytes(line + b"\n")

    def read(self, size: int) -> None:
        while size > 0:
            data = self.client.socket.recv(size)
            assert data, "the switch closed the connection"
            self.got += data
            size -= len(data)

    def read_line(self) -> Any:
        while not self.got.endswith(b"\n"):
            data = self.client.socket.recv(1 << 20)
            assert data, "the switch closed the connection"
            self.got += data
        return json.loads(self.got)

    def __enter__(self) -> SlowReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()


def request(method: str, number: int = 1, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params, "id": number}


def line(message: Any) -> bytes:
    return json.dumps(message).encode()


# Whole, in order, and once.

def test_full_table_is_listed_in_order(full_switch: Switch) -> None:
    answer = full_switch.call("fdb.list")
    macs = [entry["mac"] for entry in answer["entries"]]
    assert answer["count"] == answer["max"] == len(macs)
    assert macs == sorted(macs) and len(set(macs)) == len(macs)
    assert {entry["port"] for entry in answer["entries"]} == {"a"}


def test_listing_is_of_one_moment(switch: Switch) -> None:
    """What is added, deleted or renumbered while the answer is read is not in it."""
    switch.add_port("a")
    switch.add_port("b")
    add_stations(switch, "a", range(10000))
    add_stations(switch, "b", range(10000, 12000))
    before = switch.call("fdb.list")
    with SlowReader(switch, line(request("fdb.list"))) as reader:
        reader.read(4096)
        switch.call("fdb.delete", mac=mac_text(11999))
        add_stations(switch, "a", range(12000, 13000))
        switch.call("port.delete", name="b")
        switch.add_port("c")  # has the number that b had
        answer = reader.read_line()
    assert answer["result"]["entries"] == before["entries"]
    assert answer["result"]["count"] == len(before["entries"])


@pytest.mark.parametrize("method", ["port.list", "stats.get", "switch.status"])
def test_ports_that_come_and_go_during_a_listing(switch: Switch, method: str) -> None:
    """A port that is there all the while is listed once, and the order is that of names."""
    switch.conserves = False
    stay = {f"p{number:03}" for number in range(0, 400, 2)}
    names = [f"p{number:03}" for number in range(400)]
    switch.client.batch([("port.add", {"name": name}) for name in names])
    with SlowReader(switch, line(request(method))) as reader:
        for number in range(1, 400, 40):
            reader.read(4096)
            switch.call("port.delete", name=f"p{number:03}")
            switch.call("port.delete", name=f"p{400 - number:03}")
            switch.add_port(f"p{number:03}x")
        result = reader.read_line()["result"]
    ports = result if isinstance(result, list) else result["ports"]
    listed = list(ports) if method == "stats.get" else [port["name"] for port in ports]
    assert listed == sorted(set(listed))
    assert stay - {f"p{400 - number:03}" for number in range(1, 400, 40)} <= set(listed)
    assert not any(name.endswith("x") and name[:-1] in stay for name in listed)


def test_long_answers_in_a_batch(full_switch: Switch) -> None:
    """They stand in the batch's array, each with its id, between short ones."""
    batch = [request("port.list", 1), request("fdb.list", 2), request("fdb.list", 3, port="no"),
             {"jsonrpc": "2.0", "method": "fdb.list"}, request("stats.get", 4), 17,
             request("rpc.discover", 5)]
    with SlowReader(full_switch, line(batch)) as reader:
        reader.read(100000)
        replies = reader.read_line()
    assert [reply["id"] for reply in replies] == [1, 2, 3, 4, None, 5]
    assert ["result" in reply for reply in replies] == [True, True, False, True, False, True]
    assert len(replies[1]["result"]["entries"]) == replies[1]["result"]["count"]


def test_events_wait_for_the_end_of_an_answer(full_switch: Switch) -> None:
    """Nothing comes in the middle of a line."""
    with RawClient(full_switch.control) as client:
        client.subscribe("port.added")
        client.send_request("fdb.list")
        first = client.socket.recv(4096)
        full_switch.add_port("b")
        full_switch.add_port("c")
        client._buffer += first
        assert len(client.read_reply()["result"]["entries"]) > 0
        assert client.wait_event("port.added", port="b")
        assert client.wait_event("port.added", port="c")


def test_switch_stops_while_an_answer_is_read(full_switch: Switch) -> None:
    with SlowReader(full_switch, line([request("fdb.list", n) for n in range(10)])) as reader:
        reader.read(4096)
        full_switch.conserves = False
        full_switch.stop()


# What others notice.

Load = Callable[[Switch, threading.Event], None]


def send_all(client: RawClient, data: bytes) -> None:
    try:
        client.socket.sendall(data)
    except OSError:
        pass  # the test is over


def repeat(data: bytes) -> Load:
    """Sends it and reads the answer, again and again."""

    def run(switch: Switch, stop: threading.Event) -> None:
        with RawClient(switch.control) as client:
            while not stop.is_set():
                sender = threading.Thread(target=send_all, args=(client, data + b"\n"))
                sender.start()
                while not client.socket.recv(1 << 20).endswith(b"\n"):
                    pass
                sender.join()

    return run


def listens_slowly(switch: Switch, stop: threading.Event) -> None:
    with SlowReader(switch, line(request("fdb.list"))) as reader:
        while not stop.wait(0.01):
            reader.read(10)


def padded_batch(method: str) -> bytes:
    one = line(request(method))
    return b"[" + b",".join([one.ljust(1040)] * 1000) + b"]"


LOADS: dict[str, list[Load]] = {
    "a full table": [repeat(line(request("fdb.list")))] * 3,
    "a full table, read slowly": [listens_slowly] * 20,
    "batches of a mebibyte": [repeat(padded_batch("rpc.discover"))] * 2,
    "nested values": [repeat(line(request("port.set", x=[[]] * 250000)))] * 2,
    "many keys": [repeat(line(request("port.set", **{str(n): 1 for n in range(80000)})))] * 2,
}


@pytest.fixture
def under_load(full_switch: Switch, request: pytest.FixtureRequest) -> Iterator[Switch]:
    stop = threading.Event()
    threads = [threading.Thread(target=load, args=(full_switch, stop))
               for load in LOADS[request.param]]
    for thread in threads:
        thread.start()
    try:
        yield full_switch
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)


@pytest.mark.parametrize("under_load", LOADS, indirect=True)
def test_others_under_load(under_load: Switch) -> None:
    """Requests and handshakes of others are served all the time."""
    slowest = 0.0
    for _ in range(20):
        begin = time.monotonic()
        with RawClient(under_load.control) as client:
            assert [port["name"] for port in client.call("port.list")] == ["a"]
        with RawFrontend(under_load.path("a"), SMALL) as frontend:
            frontend.handshake()
        slowest = max(slowest, time.monotonic() - begin)
    assert slowest < SOON


# Places.

def test_idle_clients_make_room(switch: Switch) -> None:
    """The one that was silent longest goes, and is told; one with a subscription stays."""
    switch.close_client()
    with ExitStack() as stack:
        clients = [stack.enter_context(RawClient(switch.control)) for _ in range(CLIENTS_KEPT)]
        clients[1].subscribe()
        for client in clients[2:]:
            client.call("port.list")
        clients[0].call("port.list")
        for gone in (2, 3):
            with RawClient(switch.control) as client:
                assert client.call("port.list") == []
                reply = clients[gone].read_reply()
                assert (reply["error"]["code"], reply["id"]) == (REFUSED, None)
                assert "connect again" in reply["error"]["message"]
                with pytest.raises(ConnectionError):
                    clients[gone].read_line()
            stack.enter_context(RawClient(switch.control)).call("port.list")
        for client in clients[:2] + clients[6:]:
            assert client.call("port.list") == []
        log = switch.process.log()
        assert re.search(r"control socket: client \(pid \d+\) makes room .* silence", log)


def test_clients_that_never_read_make_room(full_switch: Switch) -> None:
    full_switch.close_client()
    with ExitStack() as stack:
        for number in range(CLIENTS_KEPT):
            client = stack.enter_context(RawClient(full_switch.control))
            client.send([request("fdb.list", number)] * 10)
            assert client.socket.recv(1) != b""
        for _ in range(3):
            with RawClient(full_switch.control) as client:
                assert [port["name"] for port in client.call("port.list")] == ["a"]


def is_heard_in_a_crowd(switch: Switch) -> bool:
    """False: this process was too slow to tell."""
    with ExitStack() as stack:
        began = time.monotonic()
        client = stack.enter_context(RawClient(switch.control))
        for _ in range(CLIENTS_KEPT + 30):
            stack.enter_context(socket.socket(socket.AF_UNIX)).connect(str(switch.control))
        time.sleep(KEPT / 3)  # time enough to be sent away
        client.send_request("port.list")
        in_time = time.monotonic() - began <= KEPT
        if in_time:
            assert client.read_reply()["result"] == []
    return in_time


def test_a_new_client_is_heard_before_it_makes_room(switch: Switch) -> None:
    """Those that come behind it and say nothing wait for a place."""
    switch.close_client()
    assert any(is_heard_in_a_crowd(switch) for _ in range(20))


def test_clients_that_do_not_read_make_room_for_all(full_switch: Switch) -> None:
    """Also where all have subscribed to events, and have requests under way for a long time."""
    full_switch.close_client()
    with ExitStack() as stack:
        for number in range(CLIENTS_KEPT):
            deaf = stack.enter_context(RawClient(full_switch.control))
            deaf.subscribe("port.added")
            deaf.send([request("fdb.list", number)] * 10)
        with RawClient(full_switch.control) as owner:
            assert [port["name"] for port in owner.call("port.list")] == ["a"]


def is_served(switch: Switch) -> bool:
    """False: there is no room in the backlog."""
    try:
        with RawClient(switch.control) as client:
            return bool(client.call("port.list") == [])
    except BlockingIOError:
        return False


def test_who_has_left_makes_room(switch: Switch) -> None:
    """A crowd that does not wait for its answers keeps nobody out for long."""
    switch.close_client()
    asked = line(request("switch.status")) + b"\n"
    with paused(switch):
        for _ in range(CLIENTS_KEPT + 30):
            with socket.socket(socket.AF_UNIX) as crowd:
                crowd.connect(str(switch.control))
                crowd.sendall(asked * 20)
    wait_until("a client is served", lambda: is_served(switch), 30.0)


def test_listeners_make_room_last(switch: Switch) -> None:
    switch.close_client()
    with ExitStack() as stack:
        clients = [stack.enter_context(RawClient(switch.control)) for _ in range(CLIENTS_KEPT)]
        for client in clients:
            client.subscribe("port.added")
        with RawClient(switch.control) as client:
            assert client.call("port.list") == []
            assert clients[0].read_reply()["error"]["code"] == REFUSED


# The log.

def test_lines_of_a_port_are_bounded(make_switch: MakeSwitch, station: MakeStation) -> None:
    """A frontend that comes and goes all the time costs some lines, and the others are counted."""
    switch = make_switch()
    switch.add_port("loud")
    for _ in range(200):
        with RawFrontend(switch.path("loud"), SMALL) as frontend:
            frontend.negotiate()
    switch.add_port("calm")
    with RawFrontend(switch.path("calm"), SMALL) as frontend:
        frontend.handshake()

    def told() -> bool:
        log = switch.process.log()
        lines = len(re.findall(r"port loud: frontend", log))
        more = [int(count.replace(",", ""))
                for count in re.findall("loud: and ([0-9,]+) more", log)]
        return lines + sum(more) == 400 and lines < 200 and "port calm: frontend attached" in log

    wait_until("all lines are written or counted", told, 30.0, switch.process.log)
