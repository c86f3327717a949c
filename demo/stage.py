# SPDX-License-Identifier: BSD-3-Clause
"""What every demo stands on: a switch in a directory of its own, and commands that are shown.

A demo takes everything down again, also on Ctrl-C, SIGTERM and failure; it leaves with status 0
only if every step worked.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from support import interrupts
from support.process import Process, ProcessFailed, Registry, binary
from support.switch import Switch
from support.waiting import WaitTimeout

FAILURES = (ProcessFailed, WaitTimeout, OSError, subprocess.TimeoutExpired)


class Stage(ABC):
    """Commands are shown as a person would type them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry = Registry(directory)
        self.sockets = directory / "vswitch"
        self.switch = Switch(self.registry, self.sockets, memory=256)

    @abstractmethod
    def run(self) -> None:
        """The steps, in their order."""

    def start_switch(self) -> None:
        self.command("DIR=$(mktemp -d)/vswitch")
        self.command("build/vswitch/vswitchd --socket-dir $DIR --huge off &")
        self.switch.start()
        self.show(self.switch.process.log())

    def ctl(self, *arguments: str) -> None:
        self.command(f"build/ctl/vswitchctl --socket-dir $DIR {' '.join(arguments)}")
        done = self.switch.ctl(*arguments)
        self.show(done.stdout)
        if done.returncode != 0:
            raise ProcessFailed(f"vswitchctl {' '.join(arguments)}: {done.stderr}")

    def client(
        self, name: str, port: str, *arguments: str, background: bool = False
    ) -> Process:
        line = f"build/client/vuser-client --path $DIR/{port}.sock {' '.join(arguments)}"
        self.command(line + (" &" if background else ""))
        argv = [
            str(binary("client/vuser-client")), "--path", str(self.switch.path(port)), *arguments
        ]
        env = {"XDG_RUNTIME_DIR": str(self.directory)}
        process = self.registry.start(name, argv, env)
        if background:
            process.wait_log("ready")
        else:
            self.finish(process)
            self.show(process.out())
        return process

    @staticmethod
    def finish(process: Process) -> None:
        if process.wait(20.0) != 0:
            raise ProcessFailed(process.report("did not succeed"))

    @staticmethod
    def step(title: str) -> None:
        print(f"\n== {title}", flush=True)

    @staticmethod
    def command(line: str) -> None:
        print(f"   $ {line}", flush=True)

    @staticmethod
    def show(text: str) -> None:
        for line in text.rstrip().splitlines():
            print(f"   {line}", flush=True)


def play(make: Callable[[Path], Stage]) -> int:
    """Runs a demo to its end, whichever; returns the exit status."""
    interrupts.catch()
    directory = Path(tempfile.mkdtemp(prefix="vsw-demo-"))
    demo = make(directory)
    begin = time.monotonic()
    try:
        demo.run()
        print(f"Took {time.monotonic() - begin:.1f} s on {len(os.sched_getaffinity(0))} CPUs.")
        return 0
    except FAILURES as error:
        print(f"\ndemo: {error}\n{demo.registry.report()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ndemo: interrupted; taking everything down", file=sys.stderr)
        return 130
    finally:
        interrupts.ignore()
        demo.registry.end_all()
        shutil.rmtree(directory, ignore_errors=True)
