# SPDX-License-Identifier: BSD-3-Clause
"""`./dev demo`: three clients and a switch, and the host's kernel on it (`./dev demo kernel`)."""
