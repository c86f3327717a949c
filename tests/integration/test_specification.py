# SPDX-License-Identifier: BSD-3-Clause
"""Each sentence of docs/specification.md names a test that is there.

A guarantee is an item of a list, one sentence, and below it the tests that hold it:

    - A frame is counted once.
      - `tests/integration/test_traffic.py::test_ping`, `test_chain: test_single`, `hostile: thief`

Nothing is run and nothing is built: files of Python are parsed, unit tests are looked for in C.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import pytest
from siege.attacks import ATTACKS

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "specification.md"
PAGES = (PAGE, PROJECT / "docs" / "threat-model.md")
KINDS = ["Isolation", "Conservation", "Time", "Memory", "Start and end", "Limits"]
FREE = ["How to read this page", "What is not guaranteed"]  # prose, without tests

NAME = re.compile(r"(?:tests/[\w/]+\.py::\w+|test_\w+: \w+|hostile: [\w-]+)")
SENTENCE_END = re.compile(r"[.!?](?=\s|$)")


@dataclass
class Guarantee:
    kind: str
    line: int
    text: str
    tests: list[str] = field(default_factory=list)


@dataclass
class Page:
    kinds: list[str] = field(default_factory=list)
    guarantees: list[Guarantee] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def read_tests(guarantee: Guarantee, text: str, page: Page) -> None:
    names = re.findall(r"`([^`]*)`", text)
    if re.sub(r"`[^`]*`|[\s,]", "", text):
        page.wrong.append(f"line {guarantee.line}: below a sentence stand names of tests only: {text}")
    for name in names:
        if not NAME.fullmatch(name):
            page.wrong.append(f"line {guarantee.line}: not the name of a test: {name}")
    guarantee.tests += names


def read(text: str) -> Page:
    """The guarantees of a page, and what is out of form in it."""
    page, last, in_tests = Page(), None, False
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("## "):
            page.kinds.append(line[3:].strip())
            last = None
        elif not page.kinds or page.kinds[-1] in FREE or not line.strip():
            continue
        elif line.startswith("- "):
            last, in_tests = Guarantee(page.kinds[-1], number, line[2:]), False
            page.guarantees.append(last)
        elif last is not None and line.startswith("  - "):
            in_tests = True
            read_tests(last, line[4:], page)
        elif last is not None and line.startswith("    ") and in_tests:
            read_tests(last, line, page)
        elif last is not None and line.startswith("  ") and not in_tests:
            last.text += " " + line.strip()
        else:
            page.wrong.append(f"line {number}: neither a guarantee nor a test: {line}")
    for guarantee in page.guarantees:
        if len(SENTENCE_END.findall(guarantee.text)) != 1 or guarantee.text[-1] not in ".!?":
            page.wrong.append(f"line {guarantee.line}: not one sentence: {guarantee.text}")
        if not guarantee.tests:
            page.wrong.append(f"line {guarantee.line}: no test: {guarantee.text}")
    return page


@lru_cache(maxsize=None)
def functions_of(path: Path) -> frozenset[str]:
    tree = ast.parse(path.read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@lru_cache(maxsize=None)
def unit_tests_of(path: Path) -> frozenset[str]:
    """Those that the program really runs: from the tables of cmocka."""
    text = path.read_text()
    defined = re.findall(r"^(\w+)\(void \*\*\w+\)$", text, re.MULTILINE)
    listed = set(re.findall(r"\b(?:cmocka_unit_test\w*|TEST)\(\s*(\w+)", text))
    return frozenset(name for name in defined if name in listed)


@lru_cache(maxsize=None)
def unit_programs() -> frozenset[str]:
    """Those that are built."""
    build = (PROJECT / "tests" / "unit" / "meson.build").read_text()
    return frozenset(re.findall(r"(?:^ +|executable\()'(test_\w+)'[:,]", build, re.MULTILINE))


def exists(name: str) -> bool:
    if name.startswith("hostile: "):
        return name.removeprefix("hostile: ") in ATTACKS
    if "::" in name:
        words, function = name.split("::")
        path = PROJECT / words
        return (function.startswith("test_") and path.name.startswith("test_")
                and path.is_file() and function in functions_of(path))
    program, function = name.split(": ")
    path = PROJECT / "tests" / "unit" / f"{program}.c"
    return program in unit_programs() and path.is_file() and function in unit_tests_of(path)


def test_each_sentence_names_its_tests() -> None:
    page = read(PAGE.read_text())
    assert not page.wrong, "\n".join(page.wrong)
    assert [kind for kind in page.kinds if kind not in FREE] == KINDS
    held = {guarantee.kind for guarantee in page.guarantees}
    assert held == set(KINDS), f"nothing is guaranteed of {set(KINDS) - held}"


def test_each_test_that_is_named_is_there() -> None:
    missing = [
        f"line {guarantee.line}: there is no {name}"
        for guarantee in read(PAGE.read_text()).guarantees for name in guarantee.tests
        if not exists(name)
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.name))
def test_names_in_prose_are_there(path: Path) -> None:
    """Of tests, and of files of this tree, wherever a page names one."""
    quoted = re.findall(r"`([^`\n]+)`", path.read_text())
    # what may be a file that a build makes, or a path on a host, is none of ours
    files = [name for name in quoted if re.fullmatch(r"(?:tests|vswitch|docs|dev\.d)/[\w./-]+", name)]
    tests = [name for name in quoted if NAME.fullmatch(name)]
    missing = [name for name in files if not (PROJECT / name).exists()]
    missing += [name for name in tests if not exists(name)]
    assert not missing, missing


GOOD = "## Time\n- A frame\n  passes.\n  - `test_chain: test_single`,\n    `hostile: thief`\n"


def test_a_good_page() -> None:
    page = read(GOOD)
    assert page.wrong == []
    (guarantee,) = page.guarantees
    assert guarantee.text == "A frame passes."
    assert guarantee.tests == ["test_chain: test_single", "hostile: thief"]
    assert all(exists(name) for name in guarantee.tests)


@pytest.mark.parametrize("change, word", [
    ((GOOD[GOOD.index("  - `test"):], ""), "no test"),
    (("passes.", "passes. Another does."), "not one sentence"),
    (("passes.", "passes"), "not one sentence"),
    (("`test_chain: test_single`", "`test_chain`"), "not the name of a test"),
    (("`test_chain: test_single`", "the tests of chains"), "names of tests only"),
    (("## Time\n", "## Time\nFrames are never late.\n"), "neither"),
], ids=["no-test", "two-sentences", "no-sentence", "no-name", "words", "prose"])
def test_a_page_out_of_form(change: tuple[str, str], word: str) -> None:
    page = read(GOOD.replace(*change))
    assert page.wrong and word in page.wrong[0], page.wrong


@pytest.mark.parametrize("name", [
    "hostile: nothing", "test_chain: test_nothing", "test_chain: setup", "test_nothing: test_single",
    "tests/integration/test_nothing.py::test_ping", "tests/integration/test_traffic.py::test_nothing",
    "tests/integration/traffic.py::PairTraffic",
])
def test_a_test_that_is_not_there(name: str) -> None:
    assert NAME.fullmatch(name)
    assert not exists(name)
