# SPDX-License-Identifier: BSD-3-Clause
"""What tests, the benchmark and the demo start and speak with.

`Switch`, `VuserClient` and `Testpmd` start real processes and stop them. `RawFrontend` is a
vhost-user frontend in pure Python that can put any byte anywhere; `RawClient` can say anything
to the control socket. The pytest fixtures are in
`support.pytest_plugin`.
"""

from support.frontend import RawFrontend, Setup
from support.process import Process, ProcessFailed, Registry
from support.raw_client import RawClient
from support.switch import Switch
from support.testpmd import Testpmd
from support.vuser import VuserClient
from support.waiting import WaitTimeout, wait_until

__all__ = [
    "Process",
    "ProcessFailed",
    "RawClient",
    "RawFrontend",
    "Registry",
    "Setup",
    "Switch",
    "Testpmd",
    "VuserClient",
    "WaitTimeout",
    "wait_until",
]
