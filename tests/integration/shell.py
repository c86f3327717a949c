# SPDX-License-Identifier: BSD-3-Clause
"""An interactive bash on a terminal of its own, and so with jobs in fore- and background."""

from __future__ import annotations

import fcntl
import os
import pty
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

from support import wait_until


class Shell:
    def __init__(self, directory: Path, **env: str) -> None:
        """Its environment is `env`, and what a prompt needs."""
        self.master, slave = pty.openpty()
        os.set_blocking(self.master, False)
        self.text = ""
        self.process = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile", "-i"], stdin=slave, stdout=slave, stderr=slave,
            cwd=directory, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**env, "TERM": "dumb", "PS1": "$ "},
        )
        os.close(slave)

    def type(self, text: str) -> None:
        os.write(self.master, text.encode())

    def read(self) -> str:
        with suppress(BlockingIOError):
            self.text += os.read(self.master, 65536).decode(errors="replace")
        return self.text

    def wait(self, text: str, timeout: float = 20.0) -> None:
        wait_until(f"bash shows '{text}'", lambda: text in self.read(), timeout, lambda: self.text)

    def close(self) -> None:
        self.process.kill()
        self.process.wait(20.0)
        os.close(self.master)
