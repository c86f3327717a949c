# SPDX-License-Identifier: BSD-3-Clause
"""What `./dev test` says at its end: dev.d/run_tests.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from run_tests import Count, count_of, print_slowest

PYTEST = """<testsuites><testsuite name="pytest" time="9">
<testcase classname="integration.test_l2" name="a" time="1.5"/>
<testcase classname="integration.test_l2" name="b" time="2.5"><failure/></testcase>
<testcase classname="vm.test_vm_published" name="c" time="30.25"/>
</testsuite></testsuites>"""
MESON = """<testsuites><testsuite name="vswitch.test_chain" time="0.5">
<testcase name="1 - test_single" classname="vswitch.test_chain"/>
<testcase name="2 - test_linked" classname="vswitch.test_chain"/>
</testsuite><testsuite name="vswitch" time="7"><testcase name="memcheck" classname="vswitch" time="7"/>
</testsuite></testsuites>"""


def test_slowest_files_and_programs_are_named(
    workdir: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    total = Count()
    for text in (PYTEST, MESON):
        report = workdir / "report.xml"
        report.write_text(text)
        total.add(count_of(report, 0))
    assert (total.passed, total.failed, total.names) == (5, 1, ["integration.test_l2::b"])
    print_slowest(total.seconds)
    assert capsys.readouterr().out.splitlines() == [
        "the slowest of 4 files and programs:",
        "  30.2 s  tests/vm/test_vm_published.py",
        "   7.0 s  memcheck",
        "   4.0 s  tests/integration/test_l2.py",
        "   0.5 s  test_chain",
    ]


def test_no_more_than_ten_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    total = Count()
    total.seconds.update({f"program-{number}": number for number in range(20)})
    print_slowest(total.seconds)
    assert [line.split()[-1] for line in capsys.readouterr().out.splitlines()[1:]] == [
        f"program-{number}" for number in range(19, 9, -1)]
