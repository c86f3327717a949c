# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark run for real, but short: what is checked is what it leaves, not how fast it was."""

from __future__ import annotations

import json
import os
import re
import signal
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, Type

import pytest

from bench.cases import CASES
from bench.machine import cpus_of_this_machine, thread_count, threads
from bench.ours import Ours
from bench.peer import Peer, Place, Topology
from bench.peers import PEERS
from bench.rounds import Plan, Rounds
from bench.testpmd_vhost import TestpmdVhost
from support import Process, Registry, wait_until
from support.process import PROJECT

LIMIT = 50.0


def start(registry: Registry, workdir: Path, *words: str) -> Process:
    """`python -m bench` with all its temporary files below `workdir`."""
    build = Path(os.environ.get("VSWITCH_BUILD", "build"))
    env = {
        "TMPDIR": str(workdir / "t"),
        "VSWITCH_BUILD": str(build if build.is_absolute() else PROJECT / build),
    }
    (workdir / "t").mkdir()
    files = ["--json", str(workdir / "b.json"), "--svg", str(workdir / "b.svg")]
    argv = ["/usr/bin/python3", "-m", "bench", "--huge", "off", *files, *words]
    return registry.start("bench", argv, env)


def left_behind(workdir: Path) -> list[str]:
    """Processes whose command line names the temporary directory, and what is in that."""
    found = [str(path) for path in (workdir / "t").iterdir()]
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            line = (directory / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(workdir / "t") in line:
            found.append(line)
    return found


def document(workdir: Path) -> Any:
    return json.loads((workdir / "b.json").read_text())


def test_one_case_from_start_to_plot(registry: Registry, workdir: Path) -> None:
    words = ["--quick", "--rounds", "2", "--peers", "vswitch,testpmd", "64"]
    bench = start(registry, workdir, *words)
    assert bench.wait(LIMIT) == 0, bench.tail()
    result = document(workdir)
    seen = [(s["peer"], s["round"], s["error"]) for s in result["samples"]]
    assert seen == [("vswitch", 0, ""), ("testpmd", 0, ""), ("vswitch", 1, ""), ("testpmd", 1, "")]
    for sample in result["samples"]:
        assert sample["probe"] > 0
        assert 1 < sample["value"] < 1e6
        assert sample["numbers"]["received"] > 1000
        # A backend that waited for its CPU may get more than its peer has buffers for.
        assert sample["numbers"]["lost"] == 0 or sample["disturbed"]
    assert {row["peer"] for row in result["rows"]} == {"vswitch", "testpmd"}
    ElementTree.parse(workdir / "b.svg")
    assert re.search(r"^64 +testpmd io +(near|far) +cycles/frame ", bench.out(), re.M)
    assert left_behind(workdir) == []


@pytest.mark.parametrize(
    ("number", "case"),
    [(signal.SIGINT, "64"), (signal.SIGTERM, "64"), (signal.SIGINT, "kernel-udp")],
)
def test_an_interrupt_leaves_a_table_and_nothing_else(
    registry: Registry, workdir: Path, number: int, case: str
) -> None:
    bench = start(registry, workdir, "--quick", "--peers", "vswitch", "--rounds", "1000", case)

    def measures() -> bool:
        assert bench.status is None, bench.tail()
        return " 2/1000 vswitch" in bench.out()

    wait_until("it measures", measures, LIMIT, bench.tail)
    assert left_behind(workdir) != []
    assert bench.end(number) == 130
    assert "interrupted" in bench.out()
    unit = CASES[case].measurement.metric.unit
    assert re.search(rf"^{case} +vswitch +(near|far) +{unit} ", bench.out(), re.M)
    assert document(workdir)["interrupted"] is True
    assert left_behind(workdir) == []


class Broken(TestpmdVhost):
    """A peer that cannot start."""

    __test__ = False

    def start(self, topology: Topology) -> None:
        process = self.registry.start("broken", ["/bin/sh", "-c", "echo no such thing >&2; exit 3"])
        process.wait_log("I am ready")


def test_a_peer_that_does_not_start_is_named_and_the_others_go_on(
    workdir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken: Type[Peer] = Broken
    monkeypatch.setitem(PEERS, "testpmd", broken)
    plan = Plan([CASES["64"]], 1, 0.1, ["vswitch", "testpmd"])
    said: list[str] = []
    rounds = Rounds(plan, cpus_of_this_machine(), False, workdir, said.append)
    result = rounds.run()
    assert [sample.peer for sample in result.samples] == ["vswitch"]
    assert "no such thing" in result.absent[0]


def state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_a_peer_rests_and_goes_on(workdir: Path) -> None:
    """Stopped it uses no CPU; only the worker may run on the backend's."""
    cpus = cpus_of_this_machine()
    peer = Ours(Place(workdir, cpus, False))
    try:
        peer.start(Topology())
        pid, worker = peer.thread()
        assert [t for t in threads(pid) if cpus.backend in os.sched_getaffinity(t)] == [worker]
        peer.pause()
        wait_until("it is stopped", lambda: state(pid) == "T")
        before = thread_count(pid, worker)
        peer.resume()
        wait_until("it goes on", lambda: state(pid) != "T")
        assert peer.switch.call("port.list")[0]["state"] == "waiting"
        assert thread_count(pid, worker).run_seconds >= before.run_seconds
        peer.pause()
    finally:
        peer.stop()
    assert not peer.alive()
