# SPDX-License-Identifier: BSD-3-Clause
"""The benchmark's arithmetic, its table, its plot and its comparison, on samples made up here."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from bench import compare, plot, report
from bench.cases import CASES, by_topology, choose_cases
from bench.machine import BenchError, Cpus, HugePages, choose_cpus, parse_cpu_list, stolen_seconds
from bench.measure import bisect_rate, limiting_side
from bench.measure_kernel import stream_numbers
from bench.rounds import Plan, Result, disturbances
from bench.statistics import Sample, mark_phase_changes, paired_ratios, phase_of, spread
from support.process import PROJECT

NEAR, FAR = 300.0, 1500.0


def sample(peer: str, number: int, value: float, probe: float = NEAR, **more: Any) -> Sample:
    return Sample("64", peer, number, probe, value, "backend", {"fps": 1e9 / value}, **more)


def three_rounds() -> list[Sample]:
    """Ratios 3, 2 and 4, near, and one of 10, far."""
    return [
        sample("vswitch", 0, 40), sample("testpmd", 0, 120),
        sample("vswitch", 1, 50), sample("testpmd", 1, 100),
        sample("vswitch", 2, 30), sample("testpmd", 2, 120),
        sample("vswitch", 3, 90, FAR), sample("testpmd", 3, 900, FAR),
    ]


# CPUs.


def test_cpus_apart_from_each_other_are_chosen() -> None:
    threads = {0: frozenset({0, 1}), 1: frozenset({0, 1})}
    assert choose_cpus({0, 1, 2, 3}, threads) == Cpus(0, 2)
    assert choose_cpus({0, 1}, threads) == Cpus(0, 1)
    assert choose_cpus({6, 4}, {}) == Cpus(4, 6)


def test_one_cpu_is_not_enough() -> None:
    with pytest.raises(BenchError, match="cannot measure on 1 CPU"):
        choose_cpus({3}, {})


def test_cpu_lists_as_the_kernel_writes_them() -> None:
    assert parse_cpu_list("0-2,5\n") == {0, 1, 2, 5}


def test_stolen_time_is_that_of_our_two_cpus() -> None:
    stat = "cpu  9 9 9 9 9 9 9 900 0 0\n" + "".join(
        f"cpu{cpu} 1 1 1 1 1 1 1 {100 * 10 ** cpu} 0 0\n" for cpu in range(4)
    )
    assert stolen_seconds(Cpus(0, 2), stat) * 100 == pytest.approx(100 + 10000)


def test_hugepages_are_reserved_and_given_back(tmp_path: Path) -> None:
    """The kernel's two files, played by ordinary ones: it grants what it is asked for."""
    number, free = tmp_path / "nr_hugepages", tmp_path / "free_hugepages"
    number.write_text("16")
    free.write_text("6")

    class Granting(HugePages):
        def _reserve(self) -> None:
            super()._reserve()
            free.write_text(str(int(number.read_text()) - 10))

    with Granting(100, number) as pages:
        assert pages.there
        assert number.read_text() == "60"
    assert number.read_text() == "16"


def test_hugepages_that_the_kernel_has_not_are_not_kept(tmp_path: Path) -> None:
    number = tmp_path / "nr_hugepages"
    number.write_text("0")
    (tmp_path / "free_hugepages").write_text("0")
    with HugePages(100, number) as pages:
        assert not pages.there
        assert "0 MiB of the 100" in pages.why
        assert number.read_text() == "0"


# Statistics.


def test_phases() -> None:
    assert [phase_of(599), phase_of(600), phase_of(0)] == ["near", "far", "any"]


def test_ratios_join_samples_of_one_round_and_one_phase() -> None:
    samples = three_rounds()
    samples += [sample("vswitch", 4, 10), sample("testpmd", 4, 1000, FAR)]
    assert paired_ratios(samples, "vswitch", "testpmd", "near", True) == [3, 2, 4]
    assert paired_ratios(samples, "vswitch", "testpmd", "far", True) == [10]


def test_ratios_of_rates_are_the_other_way_round() -> None:
    samples = [sample("vswitch", 0, 30), sample("ovs", 0, 10)]
    assert paired_ratios(samples, "vswitch", "ovs", "near", False) == [3]


def test_disturbed_and_failed_samples_make_no_ratio() -> None:
    samples = three_rounds()
    samples[0].disturbed.append("somebody came by")
    samples[3].value = None
    assert paired_ratios(samples, "vswitch", "testpmd", "near", True) == [4]
    assert paired_ratios(samples, "vswitch", "testpmd", "near", True, True) == [3, 4]


def test_a_phase_that_changes_marks_the_sample_before() -> None:
    samples = [sample("vswitch", 0, 40), sample("testpmd", 0, 90, FAR), sample("ovs", 0, 9, FAR)]
    mark_phase_changes(samples, NEAR)
    assert [bool(s.disturbed) for s in samples] == [True, False, True]
    assert "300 to 1500" in samples[0].disturbed[0]


def test_spread() -> None:
    assert spread([]) is None
    values = spread([5, 1, 3])
    assert values is not None
    assert (values.median, values.low, values.high, values.n) == (3, 1, 5, 3)


def test_disturbances_are_named() -> None:
    assert disturbances(1.0, 0.01, 0.0) == []
    waited, stolen = disturbances(1.0, 0.05, 0.02)
    assert "waited 50 ms" in waited and "took 20 ms" in stolen


def test_limiting_side() -> None:
    assert limiting_side(1.0, 0.4) == "backend"
    assert limiting_side(1.0, 0.01) == "frontend"
    assert limiting_side(0.5, 0.01) == "frontend"
    assert limiting_side(0.5, 0.4) == "neither"


@pytest.mark.parametrize("capacity", [0.0, 1.0, 12345.0, 500000.0, 999999.0, 1e7])
def test_bisection_finds_the_highest_rate_without_loss(capacity: float) -> None:
    trials: list[float] = []

    def lossless(rate: float) -> bool:
        trials.append(rate)
        return rate <= capacity

    found = bisect_rate(1e6, lossless)
    assert found <= capacity
    assert found >= min(capacity, 1e6) - 0.02e6
    assert len(trials) <= 8


# Cases.


def test_all_cases_of_the_table_are_chosen_or_those_named() -> None:
    assert choose_cases([], False) == list(CASES.values())
    assert [case.name for case in choose_cases(["imix", "64"], False)] == ["64", "imix"]
    assert all(case.quick for case in choose_cases([], True))


def test_the_beginning_of_a_name_chooses_all_that_begin_so() -> None:
    chosen = choose_cases(["kernel"], False)
    assert [case.name for case in chosen] == [
        "kernel-stream", "kernel-udp", "kernel-udp-p99", "kernel-tcp", "kernel-tcp-p99",
        "kernel-idle", "kernel-idle-dpdk",
    ]
    assert all(case.topology.kernel for case in chosen)
    assert [case.name for case in choose_cases(["memory", "64"], False)] == [
        "64", "memory-4k", "memory-huge",
    ]
    with pytest.raises(BenchError, match="no case 'kern'"):
        choose_cases(["kern"], False)


def test_an_unknown_case_gets_the_nearest_name() -> None:
    with pytest.raises(BenchError, match="did you mean 'flood8'"):
        choose_cases(["flod8"], False)


def test_quick_takes_under_two_minutes_and_all_under_an_hour() -> None:
    peers = ["vswitch", "testpmd", "ovs"]
    assert Plan(choose_cases([], True), 7, 0.25, peers).estimate() < 120
    assert Plan(choose_cases([], False), 11, 1.0, peers).estimate() < 3600


def test_peers_that_poll_anyway_take_part_in_few_rounds() -> None:
    idle = CASES["idle"]
    assert [idle.rounds(peer, 11) for peer in idle.peers] == [11, 3, 3]
    assert [CASES["64"].rounds(peer, 11) for peer in idle.peers] == [11, 11, 11]


def test_each_topology_is_started_once() -> None:
    groups = by_topology(list(CASES.values()))
    assert len({topology for topology, _ in groups}) == len(groups)
    assert sum(len(cases) for _, cases in groups) == len(CASES)


# What is shown.


def rows() -> list[report.Row]:
    return report.rows_of(CASES["64"], three_rounds())


def test_rows_have_median_ratio_and_target() -> None:
    by_key = {row.key: row for row in rows()}
    near = by_key["64", "testpmd", "near"]
    assert near.ratio is not None and near.ratio.median == 3
    assert (near.target, near.target_met) == (2.5, True)
    far = by_key["64", "testpmd", "far"]
    assert far.ratio is not None and far.ratio.median == 10
    assert far.target_met is None
    ours = by_key["64", "vswitch", "near"]
    assert ours.value is not None and ours.value.median == 40
    assert ours.ratio is None


def test_a_missed_target_is_said() -> None:
    samples = [sample("vswitch", 0, 50), sample("testpmd", 0, 100)]
    text = report.table(report.rows_of(CASES["64"], samples), CASES)
    assert "2.5 MISSED" in text


def test_what_we_must_stay_below() -> None:
    samples = [Sample("idle", "vswitch", 0, NEAR, 0.4), Sample("idle", "vswitch", 1, FAR, 1.4)]
    near, far = report.rows_of(CASES["idle"], samples)
    assert (near.target_met, far.target_met) == (True, False)


def test_what_is_not_disturbed_has_no_phase_and_its_target_counts() -> None:
    values = {"vswitch": 0.1, "ovs": 0.3}
    samples = [Sample("kernel-idle", peer, 0, 0.0, value) for peer, value in values.items()]
    ours, ovs = report.rows_of(CASES["kernel-idle"], samples)
    assert (ours.phase, ours.target_met) == ("any", True)
    assert (ovs.phase, ovs.target_met) == ("any", True)


def test_targets_between_interfaces_hold_in_either_phase() -> None:
    samples = [
        Sample("kernel-stream", "vswitch", 0, FAR, 9.0), Sample("kernel-stream", "ovs", 0, FAR, 2.0)
    ]
    ours, ovs = report.rows_of(CASES["kernel-stream"], samples)
    assert (ours.target_met, ovs.target_met) == (None, True)
    assert ovs.ratio is not None and ovs.ratio.median == 4.5


def test_table_shows_disturbed_values_and_marks_them() -> None:
    samples = [sample("vswitch", 0, 40), sample("testpmd", 0, 120, disturbed=["late"])]
    text = report.table(report.rows_of(CASES["64"], samples), CASES)
    line = next(line for line in text.splitlines() if "testpmd" in line)
    assert "120.0 *" in line and "3.00 (1)" in line
    assert "late" in report.notes(Result(samples))


def test_cycles_are_a_bound_when_the_backend_was_not_the_limit() -> None:
    samples = [sample("vswitch", 0, 40)]
    samples[0].limit = "frontend"
    assert "<= 40.0" in report.table(report.rows_of(CASES["64"], samples), CASES)


def test_failed_samples_stand_in_the_notes() -> None:
    samples = [Sample("64", "ovs", 2, NEAR, error="it fell over")]
    assert report.rows_of(CASES["64"], samples) == []
    assert "64 ovs, round 3: it fell over" in report.notes(Result(samples))


SVG = "{http://www.w3.org/2000/svg}"


def test_plot_is_svg_with_axes_legend_and_a_bar_for_each_row() -> None:
    idle = report.rows_of(CASES["idle"], [Sample("idle", "vswitch", 0, FAR, 0.4)])
    tree = ElementTree.fromstring(plot.svg(rows() + idle, "a <machine> & more"))
    assert tree.tag == f"{SVG}svg"
    texts = [element.text or "" for element in tree.iter(f"{SVG}text")]
    for wanted in ("a <machine> & more", "vswitch", "testpmd io", "64", "idle (far)",
                   "cycles/frame: lower is better", "% CPU: lower is better",
                   "Cycles a frame: vswitch does 3.0 times as well as testpmd io"):
        assert wanted in texts, texts
    bars = [r for r in tree.iter(f"{SVG}rect") if r.get("x") == str(plot.LEFT)]
    assert len(bars) == 3  # two of the case 64, near only, and one of idle
    assert float(bars[1].get("width", "0")) == pytest.approx(
        3 * float(bars[0].get("width", "0")), rel=0.01
    )
    assert "prefers-color-scheme: dark" in (tree.findtext(f"{SVG}style") or "")


def test_everything_drawn_lies_within_the_picture() -> None:
    tree = ElementTree.fromstring(plot.svg(rows(), "x"))
    height = float(tree.get("height", "0"))
    for element in tree.iter(f"{SVG}rect"):
        assert float(element.get("x", "0")) + float(element.get("width", "0")) <= plot.WIDTH
        assert float(element.get("y", "0")) + float(element.get("height", "0")) <= height
    assert all(float(text.get("y", "0")) < height for text in tree.iter(f"{SVG}text"))


def test_picture_of_the_page_has_the_figures_of_its_tables() -> None:
    """`PYTHONPATH=.:python:tests python3 docs/performance_plot.py` draws it anew."""
    where = PROJECT / "docs" / "performance_plot.py"
    spec = spec_from_file_location("performance_plot", where)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    drawn = list(module.rows(module.PAGE.read_text()))
    assert len(drawn) > 40 and {row.unit for row in drawn} == {"cycles/frame", "frames/s"}
    assert module.picture() == module.PICTURE.read_text()
    assert len(plot.headline(drawn)) * 9 < plot.WIDTH - 20


@pytest.mark.parametrize(
    ("highest", "step"), [(1.0, 0.2), (4.9, 1), (99, 20), (250, 50), (22e6, 5e6), (0.0, 2e-10)]
)
def test_axis_steps(highest: float, step: float) -> None:
    assert plot.nice_step(highest) == pytest.approx(step)


def test_numbers_on_the_plot_are_short() -> None:
    assert [plot.number(n) for n in (0.5, 33.14, 250.4, 12345, 22.4e6)] == [
        "0.5", "33.1", "250", "12.3 k", "22.4 M"
    ]


# An earlier run beside.


def document() -> Any:
    result = Result(three_rounds())
    return json.loads(json.dumps(report.document(result, rows(), {}, {})))


def test_comparison_says_what_changed() -> None:
    samples = three_rounds()
    for own in samples:
        if own.peer == "vswitch" and own.value is not None:
            own.value /= 2
    text = compare.compare(document(), report.rows_of(CASES["64"], samples))
    ours, theirs = text.splitlines()[1:3]
    assert "-50.0 %" in ours
    assert theirs.split()[-2:] == ["3.00", "6.00"]


def test_runs_with_nothing_in_common_are_said_to_be() -> None:
    rows_idle = report.rows_of(CASES["idle"], [Sample("idle", "vswitch", 0, NEAR, 0.4)])
    assert compare.compare(document(), rows_idle).startswith("Nothing to compare")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 0}'])
def test_a_file_that_is_no_result_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "old.json"
    path.write_text(content)
    with pytest.raises(BenchError, match="old.json"):
        compare.load(path)


def test_the_file_says_how_peers_were_set_up() -> None:
    content = document()
    assert "one worker" in content["peers"]["vswitch"]["settings"]
    assert "kernel ports" in content["peers_with_interfaces"]["vswitch"]["settings"]


def test_samples_survive_the_file() -> None:
    samples = three_rounds()
    assert [Sample.from_json(data) for data in document()["samples"]] == samples


# What iperf3 says.


def iperf(received: int) -> Any:
    return {"end": {
        "sum_sent": {"bytes": 5000, "bits_per_second": 9e9, "retransmits": 3, "seconds": 2.0},
        "sum_received": {"bytes": received, "bits_per_second": 8.5e9, "seconds": 2.1},
        "cpu_utilization_percent": {"host_total": 50.0, "remote_total": 60.0},
    }}


def test_a_stream_counts_what_arrived() -> None:
    assert stream_numbers(iperf(4000)) == {
        "gbps": 8.5, "seconds": 2.1, "retransmits": 3,
        "sender_cpu_percent": 50.0, "receiver_cpu_percent": 60.0,
    }
    with pytest.raises(ValueError, match="no byte"):
        stream_numbers(iperf(0))


# Its command line.


def bench(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=PROJECT,
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30,
    )


def test_list_names_every_case() -> None:
    done = bench("--list")
    assert done.returncode == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(CASES)


@pytest.mark.parametrize(
    ("words", "said"),
    [(["addresses-500"], "did you mean 'addresses-50000'"), (["--rounds", "none"], "'none'"),
     (["--peers", "vpp"], "no peer 'vpp'"), (["--fast"], "--fast")],
)
def test_wrong_usage_leaves_with_status_2(words: list[str], said: str) -> None:
    done = bench(*words)
    assert done.returncode == 2
    assert said in done.stderr
