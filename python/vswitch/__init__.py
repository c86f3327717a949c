# SPDX-License-Identifier: BSD-3-Clause
"""A client of vswitch: `Client` speaks JSON-RPC to a running switch."""

from vswitch.client import Client, RpcError

__all__ = ["Client", "RpcError"]
