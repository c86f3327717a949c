# SPDX-License-Identifier: BSD-3-Clause
"""How `./dev test` shares the files of the suite out: dev.d/lanes.py."""

from __future__ import annotations

from pathlib import Path

from lanes import ALONE, BUSY, in_order, whole_suite
from support.process import PROJECT


def test_each_file_is_run_once() -> None:
    parts = whole_suite(Path("build"))
    assert sorted(in_order(parts)) == sorted(parts)
    for path in PROJECT.glob("tests/*/test_*.py"):
        file = str(path.relative_to(PROJECT))
        found = [part for part in parts if file == part or file.startswith(f"{part}/")]
        assert len(found) == 1, (file, found)


def test_each_name_is_one_of_the_suite() -> None:
    """One that was renamed would be run beside others, or late."""
    assert {*ALONE, *BUSY} <= set(whole_suite(Path("build")))


def test_fuzzers_are_left_out_beside_other_builds() -> None:
    parts = set(whole_suite(Path("build"))) - set(whole_suite(Path("build-asan")))
    assert parts == {"tests/fuzz/test_fuzz.py"}
