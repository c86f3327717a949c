# SPDX-License-Identifier: BSD-3-Clause
"""More clients of the control socket than there are places, all busy; and descriptors they send."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from typing import Iterator

import pytest
from hostile import open_descriptors, paused
from support import RawClient, Switch, wait_until
from unclosable import LINGER_S, Lingering, give

CLIENTS_MAX = 128
REQUEST = b'{"jsonrpc":"2.0","id":1,"method":"port.list"}\n'
LISTS = b'{"jsonrpc":"2.0","id":1,"method":"fdb.list"}\n' * 50


class Crowd:
    """Clients of this process that have long answers under way all the time, and read them."""

    def __init__(self, switch: Switch, size: int) -> None:
        self._switch = switch
        self._selector = selectors.DefaultSelector()
        self._done = threading.Event()
        self.answered = 0  # bytes
        for _ in range(size):
            self._come()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _come(self) -> None:
        client = socket.socket(socket.AF_UNIX)
        client.connect(str(self._switch.control))
        with suppress(OSError):  # turned away already
            client.sendall(LISTS)
        self._selector.register(client, selectors.EVENT_READ)

    def _read(self) -> None:
        """Who is sent away comes again."""
        while not self._done.is_set():
            for key, _ in self._selector.select(0.1):
                assert isinstance(key.fileobj, socket.socket)
                data = b""
                with suppress(OSError):
                    data = key.fileobj.recv(1 << 16)
                self.answered += len(data)
                if not data:
                    self._leave(key.fileobj)
                    self._come()

    def _leave(self, client: socket.socket) -> None:
        self._selector.unregister(client)
        client.close()

    def __enter__(self) -> Crowd:
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._reader.join()
        for key in list(self._selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            self._leave(key.fileobj)


def is_served(switch: Switch) -> bool:
    """Whether this process has a place again: what its crowd had asked for before it left is done."""
    with suppress(ConnectionError):
        with RawClient(switch.control) as client:
            return client.call("port.list") is not None
    return False


@pytest.mark.parametrize("size", [64, CLIENTS_MAX, CLIENTS_MAX + 20])
def test_busy_clients_of_one_process(full_switch: Switch, size: int) -> None:
    """However many requests it has under way, another process's client is served."""
    full_switch.close_client()
    without = open_descriptors(full_switch)
    with Crowd(full_switch, size) as crowd:
        wait_until("the crowd is served", lambda: crowd.answered > 1 << 20, 30.0)
        for _ in range(5):
            shown = full_switch.ctl("list-ports", timeout=20.0)
            assert shown.returncode == 0, shown.stderr
    wait_until("the crowd was accepted, to its last", lambda: is_served(full_switch), 30.0)
    wait_until("it has left", lambda: open_descriptors(full_switch) <= without, 30.0)
    if size > CLIENTS_MAX:
        assert "is turned away: there are 128 already" in full_switch.process.log()


def is_told_in_a_crowd(switch: Switch) -> bool:
    """False: this process was too slow for all of them to be new at the same time."""
    with ExitStack() as stack:
        with paused(switch):
            crowd = [stack.enter_context(RawClient(switch.control)) for _ in range(CLIENTS_MAX + 1)]
        line = crowd[-1].read_line(0.5)
        if line is None or b"with fewer" not in line:
            return False
        with pytest.raises(ConnectionError):
            crowd[-1].read_line()
        assert crowd[1].call("port.list") == []
    return True


def test_a_process_with_too_many_clients_is_told(switch: Switch) -> None:
    """Its newest one goes, and those that are there stay."""
    switch.close_client()
    assert any(is_told_in_a_crowd(switch) for _ in range(20))


# Descriptors.

@contextmanager
def nobody_waits(switch: Switch, lingering: Lingering) -> Iterator[None]:
    began = time.monotonic()
    yield
    assert switch.call("port.list") is not None
    assert time.monotonic() - began < LINGER_S / 2
    wait_until("all that was sent is closed", lingering.all_closed, LINGER_S / 2)


@pytest.mark.parametrize("nested", [False, True])
def test_descriptors_with_a_request(switch: Switch, lingering: Lingering, nested: bool) -> None:
    """They end the connection in words, and their own end is nobody's."""
    make = lingering.make_nested if nested else lingering.make
    with nobody_waits(switch, lingering), RawClient(switch.control) as client:
        client.send_bytes(REQUEST)
        assert client.read_reply()["result"] == []
        with paused(switch):
            give(client.socket, REQUEST, [make() for _ in range(3)])
        assert "descriptors" in client.read_reply()["error"]["message"]
        with pytest.raises(ConnectionError):
            client.read_line()


def test_descriptors_that_are_never_read(full_switch: Switch, lingering: Lingering) -> None:
    """In a connection whose client leaves with a long answer unread."""
    with nobody_waits(full_switch, lingering):
        with RawClient(full_switch.control) as client:
            client.send_bytes(LISTS)
            assert client.socket.recv(1) != b""
            with paused(full_switch):
                give(client.socket, REQUEST, [lingering.make(), lingering.make_nested()])


def test_descriptors_in_the_backlog_at_the_end(switch: Switch, lingering: Lingering) -> None:
    with ExitStack() as stack:
        os.kill(switch.process.pid, signal.SIGSTOP)
        goes_on = threading.Timer(0.5, os.kill, (switch.process.pid, signal.SIGCONT))
        goes_on.start()
        stack.callback(goes_on.join)
        for _ in range(20):
            client = stack.enter_context(RawClient(switch.control))
            give(client.socket, REQUEST, [lingering.make()])
        began = time.monotonic()
        switch.stop()  # which has the signal before it goes on
        assert time.monotonic() - began < LINGER_S / 2
