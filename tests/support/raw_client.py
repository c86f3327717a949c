# SPDX-License-Identifier: BSD-3-Clause
"""A client of the control socket that can say anything at all, and reads what comes as it comes."""

from __future__ import annotations

import time
from typing import Any

from vswitch.client import Client
from vswitch.results import Params


class RawClient(Client):
    """Its requests and their replies may be apart; what it sends need not be a request."""

    def send_request(self, method: str, params: Params | None = None) -> int:
        """Sends a request without waiting for its reply; returns its id."""
        number = self._new_id()
        self._send(self._request(method, params, number))
        return number

    def send(self, message: Any) -> None:
        self._send(message)

    def send_bytes(self, data: bytes) -> None:
        self.socket.sendall(data)

    def read_reply(self) -> dict[str, Any]:
        """The next reply object; events that come before it are kept."""
        reply = self._read_reply(time.monotonic() + self.timeout)
        if not isinstance(reply, dict):
            raise ConnectionError(f"the reply is not an object: {reply}")
        return reply

    def read_line(self, timeout: float | None = None) -> bytes | None:
        """One line without its end, None when none came in time; ConnectionError at the end."""
        try:
            return self._read_line(time.monotonic() + (self.timeout if timeout is None else timeout))
        except TimeoutError:
            return None
