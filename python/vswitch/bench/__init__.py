# SPDX-License-Identifier: BSD-3-Clause
"""`./dev bench`: vhost-user backends measured side by side, by frontends that do not stand in the way.

`cases` has the table of what is measured, `rounds` runs it, `peer` says what a backend must be able to
do, and `report`, `plot` and `compare` show what came out.
"""
