# SPDX-License-Identifier: BSD-3-Clause
"""Python's side of vswitch: a client of the control socket, and what tests and the demo start.

`Client` speaks JSON-RPC to a running switch. `Switch`, `VuserClient` and `Testpmd` start real
processes and stop them. `RawFrontend` is a vhost-user frontend in pure Python that can put any
byte anywhere. The pytest fixtures are in `vswitch.pytest_plugin`.
"""

from vswitch.client import Client, RpcError
from vswitch.frontend import RawFrontend, Setup
from vswitch.process import Process, ProcessFailed, Registry
from vswitch.switch import Switch
from vswitch.testpmd import Testpmd
from vswitch.vuser import VuserClient
from vswitch.waiting import WaitTimeout, wait_until

__all__ = [
    "Client",
    "Process",
    "ProcessFailed",
    "RawFrontend",
    "Registry",
    "RpcError",
    "Setup",
    "Switch",
    "Testpmd",
    "VuserClient",
    "WaitTimeout",
    "wait_until",
]
