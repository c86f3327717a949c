# SPDX-License-Identifier: BSD-3-Clause
"""The fuzzers find nothing in twenty seconds each; and what `./dev fuzz` says when one does.

Left out where the suite runs under sanitizers or measures coverage (tests/conftest.py): fuzzers have
a build of their own. The corpora are played there too, by the tests of meson.build.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from support.process import PROJECT
from support.waiting import wait_until

FUZZ = PROJECT / "dev.d" / "fuzz.py"
SOURCES = PROJECT / "tests" / "fuzz"
NAMES = sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.c"))
ONE = "text"  # a name that the runner knows; the fuzzer of that name is made here

# A fault that two bytes are enough for, and so are found at once.
FAULTY = """
#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size >= 2 && data[0] == 'o' && data[1] == 'h')
        __builtin_trap();
    return 0;
}
"""

FAULTLESS = FAULTY.replace("size >= 2", "size > 1000000")


def build_fuzzer(build: Path, source: str) -> None:
    directory = build / "tests" / "fuzz"
    directory.mkdir(parents=True)
    (directory / "target.c").write_text(source)
    subprocess.run(["clang", "-fsanitize=fuzzer,address", "target.c", "-o", f"fuzz_{ONE}"],
                   cwd=directory, check=True)


def fuzz(build: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, str(FUZZ), str(build), *words], cwd=PROJECT,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


def fuzzers_in(build: Path) -> list[int]:
    """Processes whose program is in this build directory."""
    pids = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and build in Path(os.readlink(entry / "exe")).parents:
                pids.append(int(entry.name))
        except OSError:
            continue
    return pids


@pytest.mark.timeout(900)
def test_nothing_is_found_in_twenty_seconds_of_each() -> None:
    done = subprocess.run(["./dev", "fuzz"], cwd=PROJECT, stdout=subprocess.PIPE, text=True,
                          timeout=800)
    assert done.returncode == 0, done.stdout
    rows = dict(re.findall(r"^(\w+) +([\d,]+) ", done.stdout, re.MULTILINE))
    assert sorted(rows) == NAMES
    assert all(int(executions.replace(",", "")) > 100 for executions in rows.values()), rows


@pytest.mark.timeout(180)
def test_a_finding_is_told_and_can_be_repeated(tmp_path: Path) -> None:
    build_fuzzer(tmp_path, FAULTY)
    done = fuzz(tmp_path, ONE, "--time", "60")
    assert done.returncode == 1, done.stdout
    found = re.search(r"repeat: (\S+) (\S+)", done.stdout)
    assert found is not None, done.stdout
    assert Path(found[2]).read_bytes().startswith(b"oh")
    assert re.search(rf"^{ONE} .* 1$", done.stdout, re.MULTILINE), done.stdout
    again = subprocess.run(found.groups(), capture_output=True, timeout=60)
    assert again.returncode != 0


@pytest.mark.timeout(180)
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_every_fuzzer(tmp_path: Path, number: signal.Signals) -> None:
    build_fuzzer(tmp_path, FAULTLESS)
    runner = subprocess.Popen([sys.executable, str(FUZZ), str(tmp_path), ONE, "--time", "600"],
                              cwd=PROJECT, stdout=subprocess.DEVNULL)
    try:
        wait_until("the fuzzer runs", lambda: fuzzers_in(tmp_path), timeout=60)
        runner.send_signal(number)
        assert runner.wait(timeout=60) == 130
        assert fuzzers_in(tmp_path) == []
    finally:
        runner.kill()
        runner.wait()
        for pid in fuzzers_in(tmp_path):
            os.kill(pid, signal.SIGKILL)


def test_wrong_words_are_refused(tmp_path: Path) -> None:
    done = fuzz(tmp_path, "ringz")
    assert done.returncode == 2
    assert "there is no fuzzer 'ringz'" in done.stdout and "rings" in done.stdout
    assert fuzz(tmp_path, ONE, "--time", "0").returncode == 2


def test_each_target_has_a_corpus() -> None:
    corpora = sorted(path.name for path in (SOURCES / "corpus").iterdir())
    assert corpora == NAMES
    files = [path for path in (SOURCES / "corpus").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 2 << 20
