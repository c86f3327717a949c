# SPDX-License-Identifier: BSD-3-Clause
"""Brings the fixtures of the package `vswitch` to every test below this directory."""

pytest_plugins = ["vswitch.pytest_plugin"]
