# SPDX-License-Identifier: BSD-3-Clause
"""A running `vswitchd`, and what a test asks of it."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from support.process import Process, ProcessFailed, Registry, binary
from support.waiting import WaitTimeout, readable, wait_until
from vswitch.client import Client

DATA_PATH_LIMIT = 10.0


class Switch:
    """`vswitchd` in a directory of its own; started by `start` or `with`, ended by `stop`."""

    def __init__(
        self,
        registry: Registry,
        directory: Path,
        *arguments: str,
        config: Mapping[str, Any] | None = None,
        user: int | None = None,
        memory: int = 64,
        env: Mapping[str, str] | None = None,
        wrapper: Sequence[str] = (),
    ) -> None:
        """`wrapper` is a command to start the program by, such as `prlimit --nofile=300`."""
        self.registry = registry
        self.wrapper = wrapper
        self.directory = directory
        self.control = directory / "control.sock"
        self.arguments = [
            "--socket-dir", str(directory), "--huge", "off", "--memory", str(memory), *arguments,
        ]
        self.user = user
        self.env = env
        if config is not None:
            path = registry.directory / f"{registry.unique('config')}.json"
            path.write_text(json.dumps(config))
            self.arguments += ["--config", str(path)]
        self.conserves = True  # cleared by who deletes ports or clears counters under traffic
        self._running = False
        self._process: Process | None = None
        self._client: Client | None = None

    @property
    def process(self) -> Process:
        assert self._process is not None, "the switch was not started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def client(self) -> Client:
        """One connection, opened at first use."""
        if self._client is None:
            self._client = Client(self.control)
        return self._client

    def launch(self) -> Process:
        """Starts the program and does not wait; for starts that must fail."""
        argv = [*self.wrapper, str(binary("vswitch/vswitchd")), *self.arguments]
        self._process = self.registry.start("vswitchd", argv, self.env, self.user)
        return self._process

    def start(self, timeout: float = 30.0) -> Switch:
        """Starts the program; returns when it has told its service manager that it is ready."""
        path = self.registry.directory / f"{self.registry.unique('notify')}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notify:
            notify.bind(str(path))
            os.chmod(path, 0o666)
            self.env = {**(self.env or {}), "NOTIFY_SOCKET": str(path)}
            process = self.launch()
            wait_until(
                "vswitchd is ready",
                lambda: self._notified(notify, process),
                timeout,
                lambda: process.report("did not say READY=1"),
            )
        path.unlink()
        self._running = True
        return self

    @staticmethod
    def _notified(notify: socket.socket, process: Process) -> bool:
        if readable(notify, 0.02):
            return "READY=1" in notify.recv(4096).decode().splitlines()
        if process.status is not None:
            raise ProcessFailed(process.report("ended before it was ready"))
        return False

    def stop(self, number: int = signal.SIGTERM, timeout: float = 30.0) -> None:
        """By a signal; ProcessFailed unless it leaves with status 0 and no sanitizer's finding."""
        self.close_client()
        self._running = False
        status = self.process.end(number, timeout)
        self.process.check_sanitizers()
        if status != 0:
            raise ProcessFailed(self.process.report(f"did not leave cleanly on signal {number}"))

    def kill(self) -> None:
        self.close_client()
        self._running = False
        self.process.kill()

    def finish(self) -> None:
        """What every switch must do at the end of its test, unless it was stopped there."""
        if self._running and self.process.status is None and self.conserves:
            self.conservation()
        if self._running:
            self.stop()

    def close_client(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def __enter__(self) -> Switch:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.stop()
        else:
            self.kill()

    def call(self, method: str, params: Mapping[str, Any] | None = None, /, **named: Any) -> Any:
        return self.client.call(method, params, **named)

    def is_sanitized(self) -> bool:
        """Whether it is built with a sanitizer, whose work makes turns so long that ports must rest."""
        maps = Path(f"/proc/{self.pid}/maps").read_text()
        return "libasan" in maps or "libtsan" in maps

    def path(self, port: str) -> Path:
        """Where a port listens unless `socket` said otherwise."""
        return self.directory / f"{port}.sock"

    def add_port(self, name: str, **options: Any) -> dict[str, Any]:
        port: dict[str, Any] = self.call("port.add", {"name": name}, **options)
        return port

    def port(self, name: str) -> dict[str, Any]:
        port: dict[str, Any] = self.call("port.show", {"name": name})
        return port

    def stats(self, name: str) -> dict[str, Any]:
        stats: dict[str, Any] = self.call("stats.get", {"name": name})["ports"][name]
        return stats

    def drops(self, name: str) -> dict[str, int]:
        """Only the reasons that have counted something."""
        return {reason: n for reason, n in self.stats(name)["drops"].items() if n}

    def fdb(self) -> dict[str, str]:
        """MAC address to port."""
        entries = self.call("fdb.list")["entries"]
        return {entry["mac"]: entry["port"] for entry in entries}

    def wait_state(self, name: str, state: str, timeout: float = DATA_PATH_LIMIT) -> dict[str, Any]:
        """Waits until a port is `up`, `waiting`, or in another state of docs/ports.md."""

        def check() -> dict[str, Any] | None:
            port = self.port(name)
            return port if port["state"] == state else None

        return wait_until(
            f"port {name} is {state}", check, timeout, lambda: f"it is: {self._state_of(name)}"
        )

    def _state_of(self, name: str) -> str:
        port = self.port(name)
        return f"{port['state']} ({port['state_text']})"

    def wait_stats(self, name: str, timeout: float = DATA_PATH_LIMIT, **wanted: int) -> None:
        """Waits until counters of a port have exactly these values, of one look.

        Offloads done and drop reasons are counters as any other; a reason is written with `_`.
        """

        def check() -> bool:
            counters = self._counters(name)
            return all(counters[key] == value for key, value in wanted.items())

        wait_until(f"{name} counts {wanted}", check, timeout, lambda: str(self.stats(name)))

    def wait_only(self, name: str, timeout: float = DATA_PATH_LIMIT, **wanted: int) -> None:
        """The same, and all other counters of the port are 0."""

        def check() -> bool:
            return {key: n for key, n in self._counters(name).items() if n} == wanted

        wait_until(f"{name} counts {wanted} alone", check, timeout, lambda: str(self.stats(name)))

    def wait_drops(
        self, name: str, wanted: Mapping[str, int], timeout: float = DATA_PATH_LIMIT
    ) -> None:
        """Waits until exactly these drops of a port are counted, by their reasons."""
        wait_until(
            f"{name} counts the drops {wanted}", lambda: self.drops(name) == wanted, timeout,
            lambda: str(self.drops(name)),
        )

    def _counters(self, name: str) -> dict[str, int]:
        stats = self.stats(name)
        stats.pop("device_drops", None)
        drops = {reason.replace("-", "_"): n for reason, n in stats.pop("drops").items()}
        return {**stats.pop("offload"), **stats, **drops}

    def conservation(self, timeout: float = DATA_PATH_LIMIT) -> dict[str, int]:
        """Once traffic has stopped: every copy due was delivered or counted as dropped.

        Waits until the counters rest, checks them, and returns the sums. Of what was counted as
        taken from a vhost-user port before, every copy is in them. Frames that wait in a ring are
        in no counter: who has sent some waits until they are taken first, by `wait_stats`.
        """
        last: Any = None

        def rest() -> bool:
            nonlocal last
            before = self.call("stats.get")["ports"]
            resting = all(self._between_turns(name) for name in before)
            last = self.call("stats.get")["ports"]
            return resting and before == last and self._balanced(last)

        try:
            wait_until("the counters rest and balance", rest, timeout)
        except WaitTimeout as error:
            raise WaitTimeout(f"{error}: {self._sums(last)} of {last}") from None
        return self._sums(last)

    def _between_turns(self, name: str) -> bool:
        """Whether no worker is in a turn of this port's transmit queue.

        A turn has counted everything when it has given its chains back. Ports of other kinds do not
        tell.
        """
        session = self.port(name).get("session")
        if session is None:
            return True
        queue = session["vrings"][1]
        return bool(queue["avail_idx"] == queue["used_idx"])

    @staticmethod
    def _due(stats: Mapping[str, Any]) -> int:
        """Copies, where a frame that was cut for its receiver counts as its segments."""
        work = stats["offload"]
        due: int = stats["copies_due"] - work["segmented"] + work["segments"]
        return due

    @classmethod
    def _sums(cls, ports: Mapping[str, Any]) -> dict[str, int]:
        return {
            "due": sum(cls._due(stats) for stats in ports.values()),
            "delivered": sum(stats["tx_frames"] for stats in ports.values()),
            "dropped": sum(sum(stats["drops"].values()) for stats in ports.values()),
        }

    @classmethod
    def _balanced(cls, ports: Mapping[str, Any]) -> bool:
        sums = cls._sums(ports)
        return sums["due"] == sums["delivered"] + sums["dropped"]

    def ctl(self, *arguments: str, timeout: float = 20.0) -> subprocess.CompletedProcess[str]:
        """Runs the real `vswitchctl` against this switch; its status is the caller's to check."""
        return run_ctl(["--control", str(self.control), *arguments], timeout)


def run_ctl(
    arguments: Sequence[str], timeout: float = 20.0, env: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(binary("ctl/vswitchctl")), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        env={**os.environ, **(env or {})},
    )
