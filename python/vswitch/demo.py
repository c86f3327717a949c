# SPDX-License-Identifier: BSD-3-Clause
"""`./dev demo`: a switch, three clients, a ping and a burst, each with the command behind it.

Needs neither root nor hugepages. Takes everything down again, also on Ctrl-C, SIGTERM and
failure; leaves with status 0 only if every step worked.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Optional

from vswitch.process import Process, ProcessFailed, Registry, binary
from vswitch.switch import Switch
from vswitch.waiting import WaitTimeout

PORTS = ("p0", "p1", "p2")
RECEIVER = "02:00:00:00:00:03"
BURST = "100000"
RATE = "50k"
# Room for 160 ms: three clients and a switch may share two CPUs with whatever else runs here.
QUEUE = "8192"
FAILURES = (ProcessFailed, WaitTimeout, OSError, subprocess.TimeoutExpired)


class Demo:
    """The steps, in their order. Commands are shown as a person would type them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.registry = Registry(directory)
        self.sockets = directory / "vswitch"
        self.switch = Switch(self.registry, self.sockets, memory=256)

    def run(self) -> None:
        self.start_switch()
        self.add_ports()
        self.ping()
        self.burst()
        self.look_around()
        self.switch.stop()
        print("\nAll of it worked; the switch has left. The tour by hand is in README.md.")

    def start_switch(self) -> None:
        self.step("A switch: an ordinary process, no hugepages, no root")
        self.command("DIR=$(mktemp -d)/vswitch")
        self.command("build/vswitch/vswitchd --socket-dir $DIR --huge off &")
        self.switch.start()
        self.show(self.switch.process.log())

    def add_ports(self) -> None:
        self.step("Three ports")
        for port in PORTS:
            self.ctl("add-port", port)

    def ping(self) -> None:
        self.step("A client that answers, and one that pings it")
        self.client("respond", "p0", "--ip", "10.0.0.1/24", "respond", background=True)
        self.client(
            "ping", "p1", "--ip", "10.0.0.2/24", "ping", "10.0.0.1", "--count", "10",
            "--interval", "0.1",
        )

    def burst(self) -> None:
        self.step("A receiver does not speak: tell the switch where it is")
        self.ctl("add-fdb", RECEIVER, "p2")
        self.step(f"A burst of {int(BURST):,} numbered frames, and a client that checks each")
        receiver = self.client(
            "receive", "p2", "--mac", RECEIVER, "--queue-size", QUEUE, "receive",
            "--count", BURST, "--time", "10", background=True,
        )
        self.client(
            "send", "p1", "send", "--dst-mac", RECEIVER, "--rate", RATE, "--count", BURST
        )
        self.finish(receiver)
        self.show(receiver.out())

    def look_around(self) -> None:
        for title, command in (
            ("Who is where: the MAC table", "fdb"),
            ("What each port has seen", "stats"),
            ("What was dropped, why, and what to do about it", "drops"),
            ("All on one screen", "status"),
        ):
            self.step(title)
            self.ctl(command)

    # How a step is done and shown.

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


def leave(number: int, frame: Optional[FrameType]) -> None:
    """SIGTERM and SIGHUP end the demo as Ctrl-C does."""
    raise KeyboardInterrupt


def main() -> int:
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, leave)
    directory = Path(tempfile.mkdtemp(prefix="vsw-demo-"))
    demo = Demo(directory)
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
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        demo.registry.end_all()
        shutil.rmtree(directory, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
