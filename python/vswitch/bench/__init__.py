# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench`: vhost-user backends side by side, measured by frontends that are not in the way.

`cases` has the table of what is measured, `rounds` runs it, `peer` says what a backend must be able
to do, and `report`, `plot` and `compare` show what came out.
"""
