# SPDX-License-Identifier: BSD-3-Clause
"""`./dev demo`: a switch, three clients, a ping and a burst, each with the command behind it.

Needs neither root nor hugepages. `./dev demo kernel` is another: kernel.py.
"""

from __future__ import annotations

import sys

from demo.kernel import KernelDemo, enter
from demo.stage import Stage, play

PORTS = ("p0", "p1", "p2")
RECEIVER = "02:00:00:00:00:03"
BURST = "40000"
RATE = "20k"
# Room for 400 ms: three clients and a switch may share two CPUs with whatever else runs here.
QUEUE = "8192"
USAGE = "usage: ./dev demo [kernel]"


class Demo(Stage):
    """Three clients."""

    def run(self) -> None:
        self.step("A switch: an ordinary process, no hugepages, no root")
        self.start_switch()
        self.add_ports()
        self.ping()
        self.burst()
        self.look_around()
        self.switch.stop()
        print("\nAll of it worked; the switch has left. The tour by hand is in README.md.")

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


def main(arguments: list[str]) -> int:
    if arguments == ["kernel"]:
        enter()
        return play(KernelDemo)
    if arguments:
        print(f"demo: there is no demo '{' '.join(arguments)}'\n{USAGE}", file=sys.stderr)
        return 2
    return play(Demo)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
