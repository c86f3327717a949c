/* SPDX-License-Identifier: BSD-3-Clause */
/* The kinds of ports that this program has, for port_init(). */
#ifndef VSWITCH_PORT_KINDS_H
#define VSWITCH_PORT_KINDS_H

struct port_ops;

extern const struct port_ops *const port_kinds[]; /* NULL ends them */

#endif
