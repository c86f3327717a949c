# SPDX-License-Identifier: BSD-3-Clause
"""`vuser-client bench` against a switch and against DPDK's backend, and frames of IMIX sizes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest
from support import Registry, Switch, Testpmd, VuserClient, wait_until
from support.fixture_types import MakeSwitch
from support.process import binary

OK, FAILED, USAGE, GONE, NO_RESULT = 0, 1, 2, 6, 10
REMARKS = {
    "clean": "", "lost": "", "held": "full rings held back", "missed": "own ring full",
    "short": "own (CPU share|limit)",
}
IMIX = [60, 590, 60, 60, 590, 60, 60, 590, 60, 1514, 590, 60]


def bench(registry: Registry, a: Path, b: Path, *more: str, time: float = 0.5) -> VuserClient:
    return VuserClient(registry, a, "bench", "--path", str(b), "--time", str(time), *more)


def two_ports(switch: Switch) -> tuple[Path, Path]:
    switch.add_port("a")
    switch.add_port("b")
    return switch.path("a"), switch.path("b")


def tx_frames(switch: Switch) -> int:
    return int(switch.stats("b")["tx_frames"])


def stamped(report: dict[str, Any]) -> list[float]:
    """The latencies of a report, which rise with their percentiles."""
    latency = report["latency_us"]
    seen = [latency[key] for key in ("min", "p50", "p90", "p99", "p99.9", "max")]
    assert seen == sorted(seen) and seen[0] >= 0
    assert latency["min"] <= latency["avg"] <= latency["max"]
    return seen


def test_as_fast_as_goes(switch: Switch, registry: Registry) -> None:
    report = bench(registry, *two_ports(switch)).result()
    assert (report["ended_by"], report["status"]) == ("done", OK)
    assert report["sent"] == report["received"] + report["lost"] > 1000
    assert report["reordered"] == 0
    assert report["size"] == 64 and not report["imix"] and not report["both"]
    assert report["received_bps"] == pytest.approx(report["received_fps"] * 64 * 8, rel=1e-6)
    assert report["line_bps"] == pytest.approx(report["received_fps"] * 88 * 8, rel=1e-6)
    assert report["limit"] in ("cpu", "backend", "client")
    assert "latency_us" not in report and "rate_fps" not in report
    assert [way["sent"] for way in report["directions"]] == [report["sent"]]


@pytest.mark.parametrize("options", [
    [], ["--both"], ["--size", "1514"], ["--queue-size", "256"], ["--mrg-rxbuf", "off"],
], ids=lambda options: "-".join(options).strip("-") or "default")
def test_at_a_rate(switch: Switch, registry: Registry, options: list[str]) -> None:
    """Nothing is lost at a low rate, and each frame has its latency."""
    a, b = two_ports(switch)
    report = bench(registry, a, b, "--rate", "2k", *options).result()
    ways = 2 if "--both" in options else 1
    assert report["lost"] == report["reordered"] == 0
    assert 0 < report["sent"] == report["received"] <= 1001 * ways
    assert report["latency_samples"] == report["received"]
    assert report["rate_fps"] == 2000
    assert stamped(report)[0] > 0
    assert len(report["directions"]) == ways
    for way, (source, target) in zip(report["directions"], [(a, b), (b, a)]):
        assert (way["from"], way["to"]) == (str(source), str(target))
        assert 0 < way["sent"] == way["received"]
    assert sum(way["sent"] for way in report["directions"]) == report["sent"]


def test_the_switch_counts_the_same(switch: Switch, registry: Registry) -> None:
    """The switch has seen what bench sent, and the introductions, no fewer and no others."""
    report = bench(registry, *two_ports(switch), "--rate", "1k", "--size", "imix").result()
    for port in ("a", "b"):
        switch.wait_state(port, "waiting")
    stats = switch.stats("b")
    extra = stats["tx_frames"] - report["received"]
    assert 0 < extra < 2000 and report["lost"] == 0
    assert stats["tx_bytes"] == size_of(report["received"]) + extra * IMIX[0]
    assert report["imix"] is True


def size_of(count: int) -> int:
    """Bytes of so many frames of IMIX sizes."""
    return count // 12 * sum(IMIX) + sum(IMIX[: count % 12])


def test_search_without_loss(switch: Switch, registry: Registry) -> None:
    """However busy the machine is: the best trial that lost nothing, and what stood above it."""
    a, b = two_ports(switch)
    client = bench(registry, a, b, "--no-loss", time=0.1)
    status = client.process.wait(50.0)
    assert status is not None
    report = client.result(status=status)
    trials = report["trials"]
    whole = [trial["sent_fps"] for trial in trials if trial["lost"] == 0]
    assert report["no_loss_fps"] == 0 or any(
        report["no_loss_fps"] == pytest.approx(rate, rel=1e-6) for rate in whole)
    assert report["conclusive"] == (report["no_loss_limit"] in ("loss", "backend"))
    found = OK if report["no_loss_fps"] > 0 else FAILED
    assert status == (found if report["conclusive"] else NO_RESULT)
    assert ("no result" in report.get("error", "")) == (not report["conclusive"])
    assert trials[0]["rate_fps"] is None
    lines = re.findall(r"trial (\d+): (.*)", client.process.log())
    assert [int(number) for number, _ in lines] == list(range(1, len(trials) + 1))
    for trial, (_, line) in zip(trials, lines):
        assert trial["sent"] == trial["received"] + trial["lost"]
        assert re.search(REMARKS[trial["outcome"]], line) and len(line) <= 70
        assert (trial["outcome"] in ("lost", "missed")) == (trial["lost"] > 0)
        assert trial["outcome"] != "missed" or trial["receive_ring_full"] > 0


@pytest.fixture
def one_cpu() -> Iterator[None]:
    """What the test starts has one CPU."""
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    yield
    os.sched_setaffinity(0, cpus)


def test_search_that_has_to_share_its_cpu(
    one_cpu: None, switch: Switch, registry: Registry
) -> None:
    """It says that it was itself the limit, has tried more than once, and has no result."""
    a, b = two_ports(switch)
    client = bench(registry, a, b, "--no-loss", "--queue-size", "4096", time=0.2)
    report = client.result(timeout=50, status=NO_RESULT)
    assert not report["conclusive"]
    assert report["no_loss_limit"] in ("cpu", "receiver")
    assert "no result" in report["error"] and "taskset" in report["error"]
    assert len(report["trials"]) >= 3
    assert all(trial["outcome"] in ("clean", "short", "missed") for trial in report["trials"])


def test_jumbo_frames_of_several_buffers(switch: Switch, registry: Registry) -> None:
    switch.add_port("a", mtu=9000)
    switch.add_port("b", mtu=9000)
    client = bench(registry, switch.path("a"), switch.path("b"), "--both", "--size", "9014")
    report = client.result()
    assert report["received"] > 0 and report["reordered"] == 0
    assert report["received_bps"] == pytest.approx(report["received_fps"] * 9014 * 8, rel=1e-6)


def test_dpdk_backend(registry: Registry, workdir: Path) -> None:
    """Any vhost-user backend will do: testpmd's ports, which pass everything on."""
    a, b = workdir / "a.sock", workdir / "b.sock"
    vdevs = [f"net_vhost{number},iface={path}" for number, path in enumerate((a, b))]
    testpmd = Testpmd(registry, vdevs)
    testpmd.forward("io")
    report = bench(registry, a, b, "--rate", "500").result()
    assert 0 < report["sent"] == report["received"]
    stamped(report)
    testpmd.stop_forwarding()
    testpmd.quit()


@pytest.mark.parametrize("options", [["--rate", "1k"], [], ["--no-loss"]], ids=str)
def test_interrupt(switch: Switch, registry: Registry, options: list[str]) -> None:
    """Ctrl-C ends it at once, with the report up to then."""
    client = bench(registry, *two_ports(switch), *options, time=50).wait_ready()
    wait_until("frames flow", lambda: tx_frames(switch) > 500, 20.0)
    client.process.end(signal.SIGINT)
    report = client.result(status=NO_RESULT if "--no-loss" in options else OK)
    assert report["ended_by"] == "signal"
    assert report["sent"] >= report["received"] > 0
    assert report["seconds"] < 49


@pytest.mark.parametrize("options", [["--rate", "1k"], [], ["--no-loss"]], ids=str)
def test_backend_that_stops(switch: Switch, registry: Registry, options: list[str]) -> None:
    client = bench(registry, *two_ports(switch), *options, time=50).wait_ready()
    wait_until("frames flow", lambda: tx_frames(switch) > 500, 20.0)
    switch.kill()
    report = client.result(status=GONE)
    assert report["ended_by"] == "backend gone"
    assert report["received"] > 0
    assert "is gone" in report["error"]


def test_ports_that_do_not_meet(
    switch: Switch, make_switch: MakeSwitch, registry: Registry
) -> None:
    """Two switches are not connected: it says what did not come, and what to look at."""
    other = make_switch()
    switch.add_port("a")
    other.add_port("b")
    client = bench(registry, switch.path("a"), other.path("b"))
    report = client.result(timeout=40, status=FAILED)
    assert report["sent"] == report["received"] == 0
    for word in ("no frame came", str(switch.path("a")), str(other.path("b")), "show-port"):
        assert word in report["error"]


@pytest.mark.parametrize("arguments, word", [
    ("bench", "two ports, not 1"), ("bench --path y --rate 0", "--rate"),
    ("bench --path y --size big", "'big'.*imix"), ("bench --path y --no-los", "--no-loss"),
    ("bench --path y --flows 2", "send"), ("send --size imxi", "imix"),
])
def test_wrong_usage(workdir: Path, arguments: str, word: str) -> None:
    argv = [str(binary("client/vuser-client")), "--path", str(workdir / "x"), *arguments.split()]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20)
    assert done.returncode == USAGE, done.stderr
    assert re.search(word, done.stderr), done.stderr


def test_output_for_people(switch: Switch, registry: Registry) -> None:
    a, b = two_ports(switch)
    argv = [str(binary("client/vuser-client")), "--path", str(a), "--path", str(b), "bench"]
    done = subprocess.run(
        [*argv, "--rate", "1k", "--time", "0.2"], capture_output=True, text=True, timeout=20,
        env={"XDG_RUNTIME_DIR": str(registry.directory)},
    )
    assert done.returncode == OK, done.stderr
    for word in ("0 lost", "fps", "bit/s", "the limit was", "p50/p90/p99/p99.9/max"):
        assert word in done.stdout


@pytest.mark.parametrize("options", [[], ["--flows", "5"], ["--no-check"]], ids=str)
def test_send_imix(switch: Switch, registry: Registry, options: list[str]) -> None:
    """receive proves frames of mixed sizes as any others; the sizes are those of the mix."""
    a, b = two_ports(switch)
    count = 1205
    checked = "--no-check" not in options
    receiver = VuserClient(registry, b, "receive").wait_ready()
    switch.wait_state("b", "up")
    sender = VuserClient(
        registry, a, "send", "--size", "imix", "--rate", "5k", "--count", str(count), *options
    )
    sent = sender.result()
    assert (sent["frames"], sent["bytes"], sent["imix"]) == (count, size_of(count), True)
    switch.wait_stats("b", 20.0, tx_frames=count, tx_bytes=size_of(count))
    receiver.process.end(signal.SIGINT)
    report = receiver.result(status=OK if checked else FAILED)
    assert (report["frames"], report["lost"]) == (count if checked else 0, 0)
    assert report["bytes"] == (size_of(count) if checked else 0)
