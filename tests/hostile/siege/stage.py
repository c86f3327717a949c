# SPDX-License-Identifier: BSD-3-Clause
"""A switch under siege: the honest pair, the prober, and one attack after the other.

Each attack is run on ports of its own, which are added for it and deleted after it. Before and after, while
the prober rests, what the switch holds is counted: descriptors, mappings, memory.
"""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Iterator, Optional, Sequence

from siege.attack import ENDED, Attack
from siege.honest import HonestPair, Interval
from siege.outcome import Outcome
from siege.prober import PORT, Prober, Probes, patiently, shake_hands
from siege.spoken import Spoken
from support.process import ProcessFailed, Registry
from support.switch import Switch
from support.waiting import WaitTimeout, wait_until
from vswitch.client import Client

NICE = ("/usr/bin/nice", "-n", "10")
READY_LIMIT = 60.0
END_LIMIT = 30.0
LEAK_LIMIT = 20.0
ASK_TRIES = 10
ATTACK_TAIL = 0.3  # seconds that an attack goes on after it was measured, for a look at its ports
CALIBRATION = 0.5  # seconds
PART_OF_FULL_RATE = 0.8
RSS_SLACK_KIB = 24 * 1024  # heap that the allocator keeps, and pages that are touched once
# Opened once: for calls of the honest ports that the machine has made slow, and a clock a thread.
FOR_GOOD = {"anon_inode:[eventfd]": 4, "schedstat": 16}
OUR_PORTS = ("b", "c", PORT)


@dataclass(frozen=True)
class Held:
    """What a switch holds at a moment."""

    descriptors: Counter[str]  # by what they are
    mappings: int
    rss_kib: int

    @classmethod
    def by(cls, pid: int) -> Held:
        status = Path(f"/proc/{pid}/status").read_text()
        rss = sum(int(kib) for kib in re.findall(r"Rss(?:Anon|Shmem):\s+(\d+) kB", status))
        maps = Path(f"/proc/{pid}/maps").read_text()
        if "libasan" in maps:  # which keeps what was freed
            rss = 0
        return cls(kinds_of_descriptors(pid), maps.count("memfd:"), rss)

    def beyond(self, before: Held) -> list[str]:
        """What is held besides what was held before, in words."""
        more = self.descriptors - before.descriptors
        words = [f"{n} more descriptors: {kind}" for kind, n in more.items()]
        numbers = (
            ("mappings of memfds", self.mappings, before.mappings),
            ("KiB of memory", self.rss_kib, before.rss_kib + RSS_SLACK_KIB),
        )
        words += [f"{now} {what} held, {then} before" for what, now, then in numbers if now > then]
        return words

    def or_for_good(self, first: Held) -> Held:
        """The same, but that as many descriptors as may be opened for good count as held already."""
        for_good = first.descriptors + Counter(FOR_GOOD)
        return Held(self.descriptors | for_good, self.mappings, self.rss_kib)


def kinds_of_descriptors(pid: int) -> Counter[str]:
    """How many there are of each kind: eventfds, sockets, ..., or a path."""
    kinds: Counter[str] = Counter()
    for entry in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            kind = re.sub(r"/proc/\d+/task/\d+/", "", os.readlink(entry))
            kinds[re.sub(r":\[\d+\]| \(deleted\)", "", kind)] += 1
    return kinds


def nice_python(registry: Registry, name: str, *arguments: str) -> Spoken:
    """Its temporary files are the registry's: an attacker is killed, and removes none itself."""
    argv = ["/usr/bin/env", f"TMPDIR={registry.directory}", "/usr/bin/python3", *arguments]
    return Spoken(registry, name, [*NICE, *argv])


@contextlib.contextmanager
def burners(registry: Registry, count: int) -> Iterator[None]:
    """So many processes that do nothing but burn CPU time, as polite as the attackers."""
    made = [
        registry.start("burner", [*NICE, "/bin/sh", "-c", "while :; do :; done"])
        for _ in range(count)
    ]
    try:
        yield
    finally:
        for burner in made:
            burner.kill()


class Stage:
    """One switch with its honest ports; `run` may be called again and again until it breaks."""

    def __init__(self, registry: Registry, forgives_crowds: bool = False) -> None:
        """`forgives_crowds`: when an attack's own frames have filled C's ring, no loss is blamed on it.

        That depends on how often C gets a CPU, which is not for every machine to say.
        """
        self.registry = registry
        self.forgives_crowds = forgives_crowds
        self.switch = Switch(registry, registry.directory / registry.unique("s")).start()
        self.switch.conserves = False  # ports are deleted under traffic
        self.pair = HonestPair(registry, self.switch)
        self.prober = Prober(registry, self.switch)
        self.frames_per_second = 0.0
        self.collapsed = False
        self.first: Optional[Held] = None  # before the first attack

    # What is undisturbed.

    def calibrate(self, processes: int = 1) -> float:
        """Sets the rate to 80 % of what comes through beside so many burners; returns it."""
        with burners(self.registry, processes):
            self.pair.full_rate()
            self.pair.cut()
            time.sleep(CALIBRATION)
            full = self.pair.cut()
        self.set_rate(full.seen / full.seconds * PART_OF_FULL_RATE)
        return self.frames_per_second

    def set_rate(self, frames_per_second: float) -> None:
        self.frames_per_second = frames_per_second
        self.pair.rate(frames_per_second)
        self.pair.cut()

    def undisturbed(self, processes: int, seconds: float) -> Interval:
        """Beside as many burners as the attack has processes."""
        with burners(self.registry, processes):
            self.pair.cut()
            time.sleep(seconds)
            return self.pair.cut()

    # The attack.

    def run(self, attack: Attack, seconds: float, quiet: Optional[Interval] = None) -> Outcome:
        """`quiet` is the undisturbed interval, where it was measured before."""
        ports = [f"a{number}" for number in range(attack.ports)]
        self.prober.rest()
        before = Held.by(self.switch.pid)
        self.first = self.first or before
        before = before.or_for_good(self.first)
        for port in ports:
            self._ask("port.add", name=port)
        if quiet is None:
            quiet = self.undisturbed(attack.processes, seconds)
        self.prober.go()
        self.prober.cut()
        try:
            under, probes, got, broken = self._attack(attack, ports, seconds)
            broken += self._leaks(before)
        except (ProcessFailed, WaitTimeout, *ENDED) as error:
            return self._collapsed(attack, quiet, error)
        return Outcome(attack, got, quiet, under, probes, broken)

    def _attack(
        self, attack: Attack, ports: Sequence[str], seconds: float
    ) -> tuple[Interval, Probes, str, list[str]]:
        attackers = [
            nice_python(
                self.registry, attack.name, "-m", "siege.attacker", attack.name,
                str(self.switch.directory), str(self.switch.pid), str(rank), str(seconds + ATTACK_TAIL),
                *ports,
            )
            for rank in range(attack.processes)
        ]
        try:
            for attacker in attackers:
                attacker.wait_mark("ready", READY_LIMIT)
            rested = self._honest_rest()
            self.pair.cut()
            self.prober.cut()
            for attacker in attackers:
                attacker.say("go")
            time.sleep(seconds)
            under, probes = self.pair.cut(), self.prober.cut()
            states = self._states(ports)
            told, broken = self._ends(attackers)
            rested = self._honest_rest() - rested
            got = "; ".join(filter(None, [
                *told, *states, *self._rests(ports), *self._drops(ports),
                f"honest ports rested {rested:.2f} s" if rested > 0 else "",
            ]))
        finally:
            for attacker in attackers:
                attacker.process.kill()
        after = self._clear_away()
        broken += self._honest_faults()
        forgiven = self._crowded_out() if attack.crowds and self.forgives_crowds else 0
        broken += [
            *under.wrongs(forgiven), *(f"afterwards {wrong}" for wrong in after.wrongs(forgiven))
        ]
        if attack.probed:
            failures = Counter(probes.failures)
            broken += [f"{n} probes failed: {words}" for words, n in failures.items()]
        return under, probes, got, broken

    def _ask(self, method: str, **params: Any) -> Any:
        """On a connection of its own: the switch may end an idle one to let others in."""
        for _ in range(ASK_TRIES - 1):
            with contextlib.suppress(ConnectionError):
                return self._ask_once(method, params)
        return self._ask_once(method, params)

    def _ask_once(self, method: str, params: dict[str, Any]) -> Any:
        # an attack moves the socket's directory away, again and again
        with patiently(lambda: Client(self.switch.control), FileNotFoundError) as client:
            return client.call(method, params)

    def _port(self, name: str) -> dict[str, Any]:
        shown: dict[str, Any] = self._ask("port.show", name=name)
        return shown

    def _ends(self, attackers: Sequence[Spoken]) -> tuple[list[str], list[str]]:
        """What the attackers tell, and those that failed otherwise than by the switch's hand."""
        told, broken = [], []
        for attacker in attackers:
            try:
                told.append(str(attacker.wait_mark("done", END_LIMIT)["got"]))
            except (ProcessFailed, WaitTimeout):
                last = (attacker.process.log().splitlines() or ["it hangs"])[-1]
                broken.append(f"the attack itself failed: {last}")
        return told, broken

    def _states(self, ports: Sequence[str]) -> list[str]:
        """What the switch says of the attacker's ports, but for those that nobody is attached to."""
        return sorted({
            port["state_text"] for port in self._shown(ports)
            if port["state"] not in ("waiting", "up")
        })

    def _shown(self, ports: Sequence[str]) -> list[dict[str, Any]]:
        """Those that are there: an attack may delete and add its own."""
        listed: list[dict[str, Any]] = self._ask("port.list")
        return [port for port in listed if port["name"] in ports]

    def _rests(self, ports: Sequence[str]) -> list[str]:
        """Times that the attacker's ports cost, and how long they were left alone for it."""
        times = [port["time"] for port in self._shown(ports)]
        sums = {key: sum(time[key] for time in times) for key in ("slow_turns", "stalls", "rested_s")}
        words = (
            (sums["rested_s"], f"rested {sums['rested_s']:.2f} s"),
            (sums["stalls"], f"{sums['stalls']} stalls"),
            (sums["slow_turns"], f"{sums['slow_turns']} slow turns"),
        )
        return [word for value, word in words if value]

    def _honest_rest(self) -> float:
        """For how many seconds ports that did nothing wrong were left alone: it should be none."""
        return sum(float(port["time"]["rested_s"]) for port in self._shown(("b", "c")))

    def _drops(self, ports: Sequence[str]) -> list[str]:
        """Frames that the attacker's ports cost, by reason."""
        counts: Counter[str] = Counter()
        for port in self._shown(ports):
            counts.update(port["stats"]["drops"])
        return [f"{reason} {count:,}" for reason, count in counts.items() if count]

    def _clear_away(self) -> Interval:
        """Removes what the attack has left; the honest frames go on meanwhile."""
        for port in self._ask("port.list"):
            if port["name"] not in OUR_PORTS:
                self._ask("port.delete", name=port["name"])
        return self.pair.cut()

    def _crowded_out(self) -> int:
        """Frames for which C's ring had no room, whosever they were."""
        return int(self._port("c")["stats"]["drops"]["ring-full"])

    def _honest_faults(self) -> list[str]:
        """Honest ports that are blamed; the probe's may be, where there was nothing left for it."""
        faults = {name: self._port(name)["fault"] for name in ("b", "c")}
        return [f"port {name} is at fault: {fault['text']}" for name, fault in faults.items() if fault]

    def _leaks(self, before: Held) -> list[str]:
        self.prober.rest()
        shake_hands(str(self.switch.path(PORT)))
        pid = self.switch.pid
        try:
            wait_until(
                "the switch holds no more than before",
                lambda: not Held.by(pid).beyond(before), LEAK_LIMIT,
            )
        except WaitTimeout:
            return Held.by(pid).beyond(before)
        return []

    def _collapsed(self, attack: Attack, quiet: Interval, error: Exception) -> Outcome:
        """The switch, or somebody honest, did not outlive it: this stage is of no more use."""
        nothing = Interval(**{**quiet.__dict__, **dict.fromkeys(quiet.__dict__, 0)})
        status = self.switch.process.status
        lines = [line for line in str(error).splitlines() if not line.startswith("{")]
        words = f"{lines[0]}: {lines[-1]}" if lines else type(error).__name__
        if status is not None:
            words = f"the switch ended with status {status}"
        self.collapsed = True
        return Outcome(attack, words, quiet, nothing, Probes(0, 0, 0, 0, []), [words])

    def close(self) -> list[str]:
        """Ends everything; what was still wrong, in words."""
        if self.collapsed:
            self.switch.kill()
            return []
        self.prober.rest()
        wrongs = self.pair.end().wrongs()
        self.switch.stop()
        return wrongs
