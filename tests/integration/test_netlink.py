# SPDX-License-Identifier: BSD-3-Clause
"""common/netlink against namespaces of the kernel: runs the programs in C of this directory.

Each program enters namespaces of its own and needs no rights. It runs once; each of its cases is a test.
"""

from __future__ import annotations

import os
import re
import subprocess
from functools import lru_cache
from pathlib import Path

import pytest
from support.process import binary

SOURCES = sorted(Path(__file__).parent.glob("test_net*.c"))
LIMIT = 100.0  # seconds for a program


def cases_of(source: Path) -> list[str]:
    return re.findall(r"(?:\bcmocka_unit_test\w*|_TEST)\((test_\w+)", source.read_text())


CASES = [(source.stem, case) for source in SOURCES for case in cases_of(source)]


@lru_cache(maxsize=None)
def run(program: str) -> tuple[int, str]:
    """The status and the lines of the Test Anything Protocol."""
    done = subprocess.run(
        [binary(f"tests/integration/{program}")], env={**os.environ, "CMOCKA_MESSAGE_OUTPUT": "TAP"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        timeout=LIMIT)
    return done.returncode, done.stdout


@pytest.mark.parametrize(("program", "case"), CASES)
def test_case(program: str, case: str) -> None:
    _, out = run(program)
    assert re.search(rf"^\s*ok \d+ - {case}$", out, re.MULTILINE), out


@pytest.mark.parametrize("program", [source.stem for source in SOURCES])
def test_program(program: str) -> None:
    """It has run the cases that its source lists, and has left without a sanitizer's finding."""
    status, out = run(program)
    assert status == 0, out
    number = [name for name, _ in CASES].count(program)
    assert re.search(rf"^\s*1\.\.{number}$", out, re.MULTILINE), out
