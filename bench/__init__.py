# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench`: switches side by side, measured by frontends and programs that are not in the way.

`cases` has the table of what is measured, `rounds` runs it, `peer` says what a backend must be able
to do, `kernel` has those that join interfaces instead of frontends, and `report`, `plot` and `compare` show what came out.
"""
