# SPDX-License-Identifier: BSD-3-Clause
"""A client of the control socket: JSON-RPC 2.0, one object or batch a line."""

from __future__ import annotations

import json
import socket
import time
from collections import deque
from os import PathLike
from types import TracebackType
from typing import Any, Iterator, Mapping, Optional, Sequence, Type, Union

Params = Mapping[str, Any]


class RpcError(Exception):
    """What the switch refused: `code`, `message` and `data` as the reply has them."""

    def __init__(self, error: Mapping[str, Any], method: str = "") -> None:
        self.code: int = error["code"]
        self.message: str = error["message"]
        self.data: Mapping[str, Any] = error.get("data") or {}
        super().__init__(f"{method or 'request'}: {self.message} ({self.code}, {dict(self.data)})")


class Client:
    """One connection to a control socket.

    Events that arrive while a reply is awaited are kept for `events`.
    """

    def __init__(self, path: Union[str, PathLike[str]], timeout: float = 20.0) -> None:
        self.timeout = timeout
        self._next_id = 0
        self._buffer = bytearray()
        self._events: deque[dict[str, Any]] = deque()
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise

    def call(self, method: str, params: Optional[Params] = None, /, **named: Any) -> Any:
        """The result of one request; raises RpcError for an error reply.

        Named parameters may be given as keywords, with `_` for `-`.
        """
        wanted = self.send_request(method, self._merge(params, named))
        reply = self.read_reply()
        if reply.get("id") != wanted:
            raise ConnectionError(f"{method}: the reply has id {reply.get('id')}, not {wanted}")
        return self._result(reply, method)

    def batch(self, calls: Sequence[tuple[str, Optional[Params]]]) -> list[Any]:
        """The results of one batch in the order of `calls`; an error is an RpcError in its place."""
        requests = [self._request(method, params, self._new_id()) for method, params in calls]
        self.send(requests)
        by_id = {reply.get("id"): reply for reply in self._read_until(list)}
        return [self._outcome(by_id[request["id"]], request["method"]) for request in requests]

    def notify(self, method: str, params: Optional[Params] = None) -> None:
        """A request without an id: it has no reply."""
        self.send(self._request(method, params, None))

    def subscribe(self, *events: str) -> list[str]:
        """Asks for events by name (all, when none is named); returns those that will come."""
        params = {"events": list(events)} if events else None
        subscribed: list[str] = self.call("event.subscribe", params)["subscribed"]
        return subscribed

    def events(self, timeout: float = 10.0) -> Iterator[dict[str, Any]]:
        """Events as they come; ends when none has come for `timeout` seconds."""
        while True:
            while self._events:
                yield self._events.popleft()
            line = self.read_line(timeout)
            if line is None:
                return
            self._keep_event(json.loads(line))

    def wait_event(self, name: str, timeout: float = 10.0, **fields: Any) -> dict[str, Any]:
        """The next event `name` whose fields are as given; those before it are dropped."""
        deadline = time.monotonic() + timeout
        for event in self.events(timeout):
            if event["event"] == name and all(event.get(k) == v for k, v in fields.items()):
                return event
            if time.monotonic() > deadline:
                break
        raise AssertionError(f"no event {name} {fields} came within {timeout:g} s")

    # What tests use to say anything at all.

    def send_request(self, method: str, params: Optional[Params] = None) -> int:
        """Sends a request without waiting for its reply; returns its id."""
        number = self._new_id()
        self.send(self._request(method, params, number))
        return number

    def send(self, message: Any) -> None:
        self.send_bytes(json.dumps(message).encode() + b"\n")

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_reply(self) -> dict[str, Any]:
        """The next reply object; events that come before it are kept."""
        reply: dict[str, Any] = self._read_until(dict)
        return reply

    def read_line(self, timeout: Optional[float] = None) -> Optional[bytes]:
        """One line without its end, None when none came in time; ConnectionError at the end."""
        deadline = time.monotonic() + (self.timeout if timeout is None else timeout)
        while b"\n" not in self._buffer:
            data = self._receive(max(0.0, deadline - time.monotonic()))
            if data is None:
                return None
            if not data:
                raise ConnectionError("the switch closed the control connection")
            self._buffer += data
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line

    def _receive(self, seconds: float) -> Optional[bytes]:
        """What has come; None when nothing came in time."""
        before = self.socket.gettimeout()
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(1 << 16)
        except (TimeoutError, BlockingIOError):  # the latter after 0 seconds
            return None
        finally:
            self.socket.settimeout(before)

    def close(self) -> None:
        self.socket.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self,
        kind: Optional[Type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def _read_until(self, kind: type) -> Any:
        while True:
            line = self.read_line()
            if line is None:
                raise TimeoutError(f"no reply within {self.timeout:g} s")
            message = json.loads(line)
            if isinstance(message, dict) and message.get("method") == "event":
                self._keep_event(message)
                continue
            if not isinstance(message, kind):
                raise ConnectionError(f"the reply is not a {kind.__name__}: {message}")
            return message

    def _keep_event(self, message: Mapping[str, Any]) -> None:
        self._events.append(dict(message["params"]))

    def _new_id(self) -> int:
        self._next_id += 1
        return self._next_id

    @staticmethod
    def _merge(params: Optional[Params], named: Params) -> Optional[Params]:
        merged = dict(params or {})
        merged.update({key.replace("_", "-"): value for key, value in named.items()})
        return merged or params

    @staticmethod
    def _request(method: str, params: Optional[Params], number: Optional[int]) -> dict[str, Any]:
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
