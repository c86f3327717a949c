# SPDX-License-Identifier: BSD-3-Clause
"""Which lines of C the tests have run, by layer, and whether the guarded layers have enough of it.

Called by `run_tests.py --coverage`, before the tests and after them; alone, as
`coverage_report.py BUILD_DIRECTORY`, it reports anew on what the last run has left. The counters
are those of gcc's --coverage: each program adds its own to the .gcda files beside its objects when
it leaves by itself. What a killed program did is not counted.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import layers

PROJECT = Path(__file__).resolve().parent.parent
LISTING = "coverage.txt"

# A guarded layer fails the run when fewer of its lines were run.
GUARD_PERCENT = 95.0


@dataclass
class Layer:
    name: str
    patterns: tuple[str, ...]  # without the ending: a header belongs to its file
    guarded: bool = False


# The first layer with a pattern that fits has the file. The switch's are its folders.
GUARDED = {"gate", "switching", "rings"}
LAYERS = [
    Layer("JSON-RPC", ("common/jsonrpc/*", "vswitch/control/rpc*",
                       "vswitch/control/control_client"), guarded=True),
    *(Layer(name, (f"vswitch/{name}/*",), guarded=name in GUARDED)
      for name in layers.read()),
    Layer("client", ("client/*",)),
    Layer("ctl", ("ctl/*",)),
    Layer("common", ("common/*",)),
]


@dataclass
class Source:
    """One file's lines of code, each with how often it was run."""

    path: Path  # below the project
    lines: dict[int, int] = field(default_factory=dict)

    @property
    def run(self) -> int:
        return sum(1 for count in self.lines.values() if count)

    def missed(self) -> list[tuple[int, int]]:
        """First and last line of each stretch that nothing has run."""
        stretches: list[tuple[int, int]] = []
        within = False
        for line in sorted(self.lines):
            if self.lines[line]:
                within = False
            elif within:
                stretches[-1] = (stretches[-1][0], line)
            else:
                stretches.append((line, line))
                within = True
        return stretches


def percent(run: int, lines: int) -> float:
    return 100.0 * run / lines if lines else 100.0


def prepare(build: Path) -> None:
    """Forgets what earlier runs counted. Empty counters that all may write are put in place:
    the tests run some programs as a user who may not make files in the build directory."""
    for counters in build.rglob("*.gcda"):
        counters.unlink()
    for notes in build.rglob("*.gcno"):
        counters = notes.with_suffix(".gcda")
        counters.touch()
        counters.chmod(0o666)


def gcov(build: Path, notes: list[Path]) -> Iterator[Any]:
    """gcov's account of the objects with these notes, one document each."""
    command = ["gcov", "--json-format", "--stdout", *(str(path) for path in notes)]
    done = subprocess.run(command, cwd=build, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"coverage: gcov failed on {build}: {done.stderr.strip()}; build it anew")
    return (json.loads(line) for line in done.stdout.splitlines() if line.startswith("{"))


def collect(build: Path) -> list[Source]:
    """Every file of the project that was compiled, whichever programs it is part of."""
    sources: dict[Path, Source] = {}
    for empty in build.rglob("*.gcda"):
        if empty.stat().st_size == 0:
            empty.unlink()
    for document in gcov(build, sorted(build.rglob("*.gcno"))):
        for file in document["files"]:
            path = Path(os.path.normpath(build / file["file"]))
            if not path.is_relative_to(PROJECT) or not path.exists():
                continue
            path = path.relative_to(PROJECT)
            source = sources.setdefault(path, Source(path))
            for line in file["lines"]:
                number = line["line_number"]
                source.lines[number] = source.lines.get(number, 0) + line["count"]
    return sorted(sources.values(), key=lambda source: source.path)


def layer_of(path: Path) -> Layer | None:
    stem = str(path.with_suffix(""))
    for layer in LAYERS:
        if any(fnmatch(stem, pattern) for pattern in layer.patterns):
            return layer
    return None  # tests/


def ranges(source: Source) -> str:
    return " ".join(str(a) if a == b else f"{a}-{b}" for a, b in source.missed())


def row(name: str, sources: Iterable[Source], remark: str = "") -> str:
    sources = list(sources)
    run, lines = sum(s.run for s in sources), sum(len(s.lines) for s in sources)
    return f"{name:<34}{run:>6} of {lines:>5}{percent(run, lines):>7.1f} %  {remark}".rstrip()


def table(members: dict[str, list[Source]]) -> list[str]:
    text = [f"{'lines run by the tests':<34}{'run':>6}    {'lines':>5}"]
    for layer in LAYERS:
        sources = members[layer.name]
        goal = f"guarded: {GUARD_PERCENT:g} % at least" if layer.guarded else ""
        text += ["", row(layer.name, sources, goal)]
        for source in sources:
            remark = f"not run: {ranges(source)}" if layer.guarded and source.missed() else ""
            text.append(row(f"  {source.path}", [source], remark))
    return text


def listing(sources: Iterable[Source]) -> Iterator[str]:
    """Each file's text, each line after how often it was run; ##### is never."""
    for source in sources:
        yield f"==== {row(str(source.path), [source])}"
        text = (PROJECT / source.path).read_text().splitlines()
        for number, line in enumerate(text, 1):
            count = source.lines.get(number)
            mark = "" if count is None else "#####" if count == 0 else str(count)
            yield f"{mark:>12}:{number:>5}: {line}"


def failings(members: dict[str, list[Source]]) -> Iterator[str]:
    for layer in LAYERS:
        sources = members[layer.name]
        run, lines = sum(s.run for s in sources), sum(len(s.lines) for s in sources)
        if layer.guarded and (lines == 0 or percent(run, lines) < GUARD_PERCENT):
            more = max(1, round(lines * GUARD_PERCENT / 100 + 0.5) - run)
            yield (f"coverage: {layer.name} has {percent(run, lines):.1f} % of {lines} lines and "
                   f"needs {GUARD_PERCENT:g} %: test {more} more, or remove what nothing reaches")


def report(build: Path, judges: bool = True) -> bool:
    """Prints the table and writes the listing. When it judges: False, with words, if a guarded
    layer has less than it must."""
    members: dict[str, list[Source]] = {layer.name: [] for layer in LAYERS}
    for source in collect(build):
        layer = layer_of(source.path)
        if layer is not None:
            members[layer.name].append(source)
    text = table(members)
    body = (line for sources in members.values() for line in listing(sources))
    (build / LISTING).write_text("\n".join([*text, "", *body]) + "\n")
    print("\n".join(["", *text, "", f"line by line: {build / LISTING}"]))
    words = list(failings(members)) if judges else []
    for line in words:
        print(line)
    return not words


if __name__ == "__main__":
    sys.exit(0 if report(Path(sys.argv[1]).resolve()) else 1)
