# SPDX-License-Identifier: BSD-3-Clause
"""A helper process that takes commands on its standard input and tells JSON lines."""

from __future__ import annotations

import json
from typing import Any, Optional, Sequence

from support.process import Process, ProcessFailed, Registry
from support.waiting import wait_until

ANSWER_LIMIT = 30.0


class Spoken:
    """One such process; each answer is found by its member `mark`."""

    def __init__(self, registry: Registry, name: str, argv: Sequence[str]) -> None:
        self.process: Process = registry.start(name, argv, stdin=True)
        self._told = 0  # bytes of its output that were read
        self._lines: list[dict[str, Any]] = []
        self._marks = 0

    def say(self, line: str) -> None:
        try:
            self.process.stdin.write(line.encode() + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise ProcessFailed(self.process.report(f"ended before '{line}'")) from None

    def wait_mark(self, name: str, limit: float = ANSWER_LIMIT) -> dict[str, Any]:
        """The first line that has this mark and was not returned yet."""

        def find() -> Optional[dict[str, Any]]:
            ended = self.process.status is not None
            self._read()
            for line in self._lines:
                if line["mark"] == name:
                    self._lines.remove(line)
                    return line
            if ended:
                raise ProcessFailed(self.process.report(f"ended without telling '{name}'"))
            return None

        return wait_until(
            f"{self.process.name} tells '{name}'", find, limit,
            lambda: self.process.report("runs"),
        )

    def _read(self) -> None:
        with self.process.out_path.open("rb") as out:
            out.seek(self._told)
            data = out.read()
        whole = data[:data.rfind(b"\n") + 1]
        self._told += len(whole)
        self._lines += [json.loads(line) for line in whole.splitlines()]

    def ask(self, command: str = "mark", limit: float = ANSWER_LIMIT) -> dict[str, Any]:
        """Says `command NAME` with a name of its own, and returns what is told with it."""
        self._marks += 1
        name = f"m{self._marks}"
        self.say(f"{command} {name}")
        return self.wait_mark(name, limit)
