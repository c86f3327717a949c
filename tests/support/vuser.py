# SPDX-License-Identifier: BSD-3-Clause
"""A running `vuser-client`."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

from support.process import ProcessFailed, Registry, binary


class VuserClient:
    """`vuser-client` in one role; its report is the JSON object that it prints at its end.

    `arguments` are the role and what follows it, `options` become `--key value`, with `_` for `-`;
    True stands for an option without a value.
    """

    def __init__(
        self,
        registry: Registry,
        path: Path,
        *arguments: str,
        user: int | None = None,
        runtime: Path | None = None,
        **options: Any,
    ) -> None:
        argv = [str(binary("client/vuser-client")), "--path", str(path), "--json"]
        for key, value in options.items():
            argv.append("--" + key.replace("_", "-"))
            if value is not True:
                argv.append(str(value))
        argv += arguments
        env = {"XDG_RUNTIME_DIR": str(runtime or registry.directory)}
        self.process = registry.start(f"vuser-{arguments[0]}", argv, env, user)

    def wait_ready(self, timeout: float = 20.0) -> VuserClient:
        """Returns when its link is up and its role has begun."""
        self.process.wait_log("ready", timeout)
        return self

    def stop(self, timeout: float = 20.0) -> dict[str, Any]:
        """Ends it as Ctrl-C does, and returns its report."""
        self.process.end(signal.SIGINT, timeout)
        return self.result(timeout)

    def result(self, timeout: float = 20.0, status: int = 0) -> dict[str, Any]:
        """Waits for its end; ProcessFailed unless its exit status is `status`."""
        seen = self.process.wait(timeout)
        self.process.check_sanitizers()
        if seen != status:
            raise ProcessFailed(self.process.report(f"left with status {seen}, not {status}"))
        try:
            report: dict[str, Any] = json.loads(self.process.out())
        except ValueError:
            raise ProcessFailed(self.process.report("printed no JSON object")) from None
        return report

    def kill(self) -> None:
        self.process.kill()
