# SPDX-License-Identifier: BSD-3-Clause
"""Starts processes, keeps their output in files, and ends every one of them by its pid.

A Registry belongs to one test or one demo. Each child also asks the kernel to be killed when
its parent dies, so that nothing outlives a test run that was itself killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from support import interrupts
from support.waiting import wait_until

PROJECT = Path(__file__).resolve().parent.parent.parent
# Where a Python that tests start finds the client, the benchmark and the demo, and what tests share.
PYTHON_FOLDERS = (".", "python", "tests", "tests/hostile")
PYTHON_PATH = ":".join(str(PROJECT / folder) for folder in PYTHON_FOLDERS)
SANITIZER_SIGNS = (
    "ERROR: AddressSanitizer", "ERROR: LeakSanitizer", "runtime error:", "WARNING: ThreadSanitizer",
)


class ProcessFailed(AssertionError):
    """A process ended, or ended otherwise than it should; the message has the end of its log."""


def binary(program: str) -> Path:
    """A program by its path below the build directory, such as `ctl/vswitchctl`."""
    build = Path(os.environ.get("VSWITCH_BUILD", "build"))
    path = (build if build.is_absolute() else PROJECT / build) / program
    if not path.exists():
        raise FileNotFoundError(f"{path} is not built: run `./dev build`, or set VSWITCH_BUILD")
    return path


def ordinary_user() -> int | None:
    """A user without any right to start a process as: `nobody` for root, else oneself (None)."""
    return 65534 if os.geteuid() == 0 else None


def as_user(user: int | None) -> list[str]:
    """What to put before a command so that it runs as this user, and ends with its parent."""
    launcher = ["/usr/bin/setpriv", "--pdeathsig", "KILL"]
    if user is not None:
        launcher += ["--reuid", str(user), "--regid", str(user), "--clear-groups"]
    return [*launcher, "--"]


def give_away(path: Path, user: int | None) -> None:
    """Makes a file or directory that user's own."""
    if user is not None:
        os.chown(path, user, user)


class Process:
    """One child: its standard output in `NAME.out`, its standard error in `NAME.log`."""

    def __init__(
        self,
        name: str,
        argv: Sequence[str],
        directory: Path,
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        stdin: bool = False,
    ) -> None:
        self.name = name
        self.argv = [str(word) for word in argv]
        self.out_path = directory / f"{name}.out"
        self.log_path = directory / f"{name}.log"
        with self.out_path.open("ab") as out, self.log_path.open("ab") as log:
            self._popen = subprocess.Popen(
                [*as_user(user), *self.argv],
                stdin=subprocess.PIPE if stdin else subprocess.DEVNULL,
                stdout=out,
                stderr=log,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )
        self.pid = self._popen.pid

    @property
    def stdin(self) -> IO[bytes]:
        assert self._popen.stdin is not None, f"{self.name} was started without a standard input"
        return self._popen.stdin

    @property
    def status(self) -> int | None:
        """None while it runs; else the exit status, or minus the signal that ended it."""
        return self._popen.poll()

    def out(self) -> str:
        return self.out_path.read_text(errors="replace")

    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def send_signal(self, number: int) -> None:
        if self.status is None:
            self._popen.send_signal(number)

    def holds_back(self, number: int) -> bool:
        """Whether it has begun to take this signal its own way."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            name, _, mask = line.partition(":")
            if name in ("SigBlk", "SigCgt") and int(mask, 16) >> (number - 1) & 1:
                return True
        return False

    def wait(self, timeout: float = 20.0) -> int:
        """The exit status; ProcessFailed if it still runs after `timeout` seconds."""
        try:
            return self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ProcessFailed(self.report(f"still runs after {timeout:g} s")) from None

    def end(self, number: int = signal.SIGTERM, timeout: float = 20.0) -> int:
        """Sends a signal and returns the exit status."""
        self.send_signal(number)
        return self.wait(timeout)

    def kill(self) -> None:
        """Ends it at once, as a crash does."""
        self.end(signal.SIGKILL)
        if self._popen.stdin:
            self._popen.stdin.close()

    def wait_log(self, text: str, timeout: float = 20.0) -> str:
        """The first line of the log that has `text`; ProcessFailed if the process ends before."""

        def find() -> str | None:
            ended = self.status is not None
            for line in self.log().splitlines():
                if text in line:
                    return line
            if ended:
                raise ProcessFailed(self.report(f"ended before it said '{text}'"))
            return None

        return wait_until(f"{self.name} says '{text}'", find, timeout, lambda: self.report("runs"))

    def check_sanitizers(self) -> None:
        log = self.log()
        for sign in SANITIZER_SIGNS:
            if sign in log:
                raise ProcessFailed(self.report(f"has a finding: {sign}"))

    def report(self, what: str) -> str:
        return (
            f"{self.name} (pid {self.pid}, status {self.status}) {what}\n"
            f"command: {' '.join(self.argv)}\n{self.tail()}"
        )

    def tail(self, lines: int = 60) -> str:
        text = ""
        for title, path in (("stdout", self.out_path), ("stderr", self.log_path)):
            if not path.exists():  # the directory of the test is gone already
                continue
            content = path.read_text(errors="replace").splitlines()[-lines:]
            if content:
                text += f"--- {self.name}: {title}\n" + "\n".join(content) + "\n"
        return text


class Registry:
    """Every process of one test or demo, in the order of their start."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.processes: list[Process] = []
        self._numbers: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """The name itself, then with a number."""
        number = self._numbers.get(name, 0)
        self._numbers[name] = number + 1
        return f"{name}-{number}" if number else name

    def start(
        self,
        name: str,
        argv: Sequence[str],
        env: Mapping[str, str] | None = None,
        user: int | None = None,
        stdin: bool = False,
    ) -> Process:
        with interrupts.held_back():
            process = Process(self.unique(name), argv, self.directory, env, user, stdin)
            self.processes.append(process)
        return process

    def end_all(self) -> None:
        """Kills what still runs, the youngest first."""
        for process in reversed(self.processes):
            process.kill()

    def report(self) -> str:
        return "".join(process.tail() for process in self.processes)
