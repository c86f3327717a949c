# SPDX-License-Identifier: BSD-3-Clause
"""A client of the control socket: JSON-RPC 2.0, one object or batch a line."""

from __future__ import annotations

import json
import math
import socket
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike, fspath
from types import TracebackType
from typing import Any, TypeVar

from vswitch.results import Calls, Params

Event = dict[str, Any]
Self = TypeVar("Self", bound="Client")

CHUNK = 1 << 16  # bytes that are read at once


class RpcError(Exception):
    """A request that the switch refused: `code`, `message` and `data` as the reply has them."""

    def __init__(self, error: Mapping[str, Any], method: str = "") -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Mapping[str, Any] = error.get("data") or {}
        super().__init__(f"{method or 'request'}: {self.message} ({self.code}, {dict(self.data)})")


class Client(Calls):
    """One connection to a control socket, for one thread.

    Each method that waits raises TimeoutError at the end of its time, and ConnectionError when the
    switch has closed the connection. After a TimeoutError the connection can be used again: a reply
    that comes late is dropped. Events that arrive while a reply is awaited are kept for `events`.
    """

    def __init__(self, path: str | PathLike[str], timeout: float = 20.0) -> None:
        """Connects; `timeout` is in seconds, for the connection and then for each reply."""
        self.timeout = timeout
        self._last_id = 0
        self._buffer = bytearray()
        self._events: deque[Event] = deque()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(fspath(path))
        except OSError:
            self.socket.close()
            raise

    def _call(self, method: str, params: Params | None, named: Params) -> Any:
        request = self._request(method, self._merge(params, named), self._new_id())
        self._send(request)
        (reply,) = self._read_replies_to(request["id"], method)
        return self._result(reply, method)

    def batch(self, calls: Sequence[tuple[str, Params | None]]) -> list[Any]:
        """The results of one batch in the order of `calls`; an error is an RpcError in its place."""
        if not calls:
            return []
        requests = [self._request(method, params, self._new_id()) for method, params in calls]
        self._send(requests)
        replies = self._read_replies_to(requests[-1]["id"], "batch")
        by_id = {reply["id"]: reply for reply in replies}
        return [self._outcome(by_id[request["id"]], request["method"]) for request in requests]

    def notify(self, method: str, params: Params | None = None) -> None:
        """A request without an id: it has no reply."""
        self._send(self._request(method, params, None))

    def subscribe(self, *events: str) -> list[str]:
        """Asks for events by name, or for all when no name is given; returns those that will come."""
        params = {"events": list(events)} if events else None
        return [*self.call("event.subscribe", params)["subscribed"]]

    def events(self, timeout: float | None = None) -> Iterator[Event]:
        """Events as they come, without end.

        TimeoutError when none has come for `timeout` seconds; None waits as long as it takes.
        """
        while True:
            yield self._next_event(math.inf if timeout is None else time.monotonic() + timeout)

    def _wait_event(self, name: str, timeout: float, fields: Params) -> Event:
        deadline = time.monotonic() + timeout
        while True:
            try:
                event = self._next_event(deadline)
            except TimeoutError:
                wanted = " ".join([name, *(f"{key}={value}" for key, value in fields.items())])
                raise TimeoutError(f"no event {wanted} within {timeout:g} s") from None
            if event["event"] == name and all(event.get(k) == v for k, v in fields.items()):
                return event

    def fileno(self) -> int:
        """For select and poll.

        Events that came together with others, or before a reply, are read already: take all that
        there are by `events(0)` before waiting.
        """
        return self.socket.fileno()

    def close(self) -> None:
        self.socket.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _send(self, message: Any) -> None:
        self.socket.sendall(json.dumps(message).encode() + b"\n")

    def _next_event(self, deadline: float) -> Event:
        while not self._events:
            message = self._read_message(deadline)
            if isinstance(message, dict) and message.get("method") == "event":
                return dict(message["params"])
        return self._events.popleft()

    def _read_replies_to(self, number: int, what: str) -> list[dict[str, Any]]:
        """The reply to the request with this id, or those to the batch whose last id this is.

        Replies with lower ids are to requests that have timed out: they are dropped.
        """
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                message = self._read_reply(deadline)
            except TimeoutError:
                raise TimeoutError(f"{what}: no reply within {self.timeout:g} s") from None
            replies = message if isinstance(message, list) else [message]
            answered = max(reply.get("id") or 0 for reply in replies)
            if answered == number:
                return replies
            if answered == 0 and "error" in replies[0]:  # to no request: it turns the client away
                raise ConnectionError(f"{what}: {replies[0]['error']['message']}")
            if not 0 < answered < number:
                raise ConnectionError(f"{what}: the reply is not to request {number}: {message}")

    def _read_reply(self, deadline: float) -> Any:
        """The next message that is no event; events that come before it are kept."""
        while True:
            message = self._read_message(deadline)
            if not isinstance(message, dict) or message.get("method") != "event":
                return message
            self._events.append(dict(message["params"]))

    def _read_message(self, deadline: float) -> Any:
        return json.loads(self._read_line(deadline))

    def _read_line(self, deadline: float) -> bytes:
        """One line without its end. What has come of a line stays for the next call."""
        while b"\n" not in self._buffer:
            self._buffer += self._receive(deadline)
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line

    def _receive(self, deadline: float) -> bytes:
        left = deadline - time.monotonic()
        before = self.socket.gettimeout()
        self.socket.settimeout(None if math.isinf(left) else max(0.0, left))
        try:
            data = self.socket.recv(CHUNK)
        except (TimeoutError, BlockingIOError):  # the latter when no time is left
            raise TimeoutError("the switch has sent nothing in time") from None
        finally:
            self.socket.settimeout(before)
        if not data:
            raise ConnectionError("the switch closed the control connection")
        return data

    def _new_id(self) -> int:
        self._last_id += 1
        return self._last_id

    @staticmethod
    def _merge(params: Params | None, named: Params) -> Params | None:
        merged = dict(params or {})
        merged.update({key.replace("_", "-"): value for key, value in named.items()})
        return merged or params

    @staticmethod
    def _request(method: str, params: Params | None, number: int | None) -> dict[str, Any]:
        request: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
        if params is not None:
            request["params"] = params
        if number is not None:
            request["id"] = number
        return request

    @staticmethod
    def _result(reply: Mapping[str, Any], method: str) -> Any:
        if "error" in reply:
            raise RpcError(reply["error"], method)
        return reply["result"]

    def _outcome(self, reply: Mapping[str, Any], method: str) -> Any:
        try:
            return self._result(reply, method)
        except RpcError as error:
            return error
