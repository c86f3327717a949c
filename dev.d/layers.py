# SPDX-License-Identifier: BSD-3-Clause
"""The layers of vswitchd, as vswitch/layers lists them, and the check that the code keeps to them.

`layers.py BUILD` looks at what is compiled in the directory BUILD. It finds
- an include or a symbol of a layer that does not stand below the one that uses it, or that stands
  beside it (two folders of one parent);
- a circle of files, in any program: files that use each other's symbols, and headers that include
  each other;
- a row of docs/architecture.md that is not the list's.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
LIST = PROJECT / "vswitch" / "layers"
PAGE = PROJECT / "docs" / "architecture.md"
PROGRAMS = {"vswitch": "vswitchd.p", "client": "vuser-client.p", "ctl": "vswitchctl.p",
            "common": "libcommon.a.p"}
INCLUDE = re.compile(r'^#include "([^"]+)"', re.M)

Graph = dict[Path, dict[Path, str]]  # file, and what it uses, each with the reason


def read() -> dict[str, str]:
    """The folders below vswitch/, top to bottom, each with its duty."""
    lines = (line.split(maxsplit=1) for line in LIST.read_text().splitlines())
    return {words[0]: words[1] for words in lines if words and words[0] != "#"}


def includes(top: str) -> Graph:
    """Which of a program's files include which. Paths are those below the project."""
    folder = PROJECT / top
    graph: Graph = {}
    for path in sorted([*folder.rglob("*.c"), *folder.rglob("*.h")]):
        uses = graph.setdefault(path.relative_to(PROJECT), {})
        for name in INCLUDE.findall(path.read_text()):
            target = next((t for t in (path.parent / name, folder / name) if t.exists()), None)
            if target is not None:
                uses[target.relative_to(PROJECT)] = "includes it"
    return graph


def symbols(object_file: Path) -> tuple[set[str], set[str]]:
    """What an object gives to others, and what it takes."""
    done = subprocess.run(["nm", "-P", str(object_file)], capture_output=True, text=True, check=True)
    given, taken = set(), set()
    for name, kind, *_ in (line.split() for line in done.stdout.splitlines()):
        if kind == "U":
            taken.add(name)
        elif kind.isupper():
            given.add(name)
    return given, taken


def calls(build: Path, top: str) -> Graph:
    """Which of a program's files use the symbols of which."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        output = build / entry["output"]
        if output.parent == build / top / PROGRAMS[top]:
            file = (build / entry["file"]).resolve().relative_to(PROJECT)
            found[file] = symbols(output)
    owners = {name: file for file, (given, _) in found.items() for name in given}
    graph: Graph = {file: {} for file in found}
    for file, (_, taken) in found.items():
        for name in sorted(taken & owners.keys()):
            graph[file].setdefault(owners[name], f"uses {name}")
    return graph


def upward(graph: Graph, order: list[str]) -> Iterator[str]:
    for file, uses in sorted(graph.items()):
        for target, how in sorted(uses.items()):
            mine, other = (str(path.parent.relative_to("vswitch")) for path in (file, target))
            if mine == other or mine not in order or other not in order:
                continue
            parents = {mine.rpartition("/")[0], other.rpartition("/")[0]}
            if order.index(other) < order.index(mine):
                yield f"{file}: {how}, but {target} stands above it"
            elif len(parents) == 1 and parents != {""}:
                yield f"{file}: {how}, but {target} stands beside it"


def circles(graph: Graph) -> list[list[Path]]:
    """The strongly connected parts of more than one file, by Tarjan's way."""
    index: dict[Path, int] = {}
    low: dict[Path, int] = {}
    stack: list[Path] = []
    found: list[list[Path]] = []

    def visit(file: Path) -> None:
        index[file] = low[file] = len(index)
        stack.append(file)
        for target in graph.get(file, {}):
            if target not in index:
                visit(target)
                low[file] = min(low[file], low[target])
            elif target in stack:
                low[file] = min(low[file], index[target])
        if low[file] == index[file]:
            part = stack[stack.index(file):]
            del stack[stack.index(file):]
            if len(part) > 1:
                found.append(sorted(part))

    for file in graph:
        if file not in index:
            visit(file)
    return found


def faults(build: Path) -> Iterator[str]:
    duties = read()
    for top in PROGRAMS:
        for graph in (includes(top), calls(build, top)):
            if top == "vswitch":
                yield from upward(graph, list(duties))
            for circle in circles(graph):
                files = ", ".join(path.name for path in circle)
                yield f"{top}: a circle of {len(circle)} files: {files}"
    folders = {str(path.parent.relative_to(PROJECT / "vswitch"))
               for path in (PROJECT / "vswitch").rglob("*.[ch]")}
    for folder in sorted(folders ^ set(duties)):
        yield f"vswitch/{folder}: it must be a folder with sources and a line of vswitch/layers"
    page = PAGE.read_text()
    for folder, duty in duties.items():
        if f"\n| `{folder}` | {duty} |\n" not in page:
            yield f"docs/architecture.md: no row says: | `{folder}` | {duty} |"


def main(build: Path) -> int:
    found = list(faults(build.resolve()))
    for line in found:
        print(line)
    return 1 if found else 0


if __name__ == "__main__":
    if len(sys.argv) != 2 or not (Path(sys.argv[1]) / "compile_commands.json").exists():
        sys.exit("usage: layers.py BUILD, a directory that ./dev build has made")
    sys.exit(main(Path(sys.argv[1])))
