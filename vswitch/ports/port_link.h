/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_link.c; what ports report is declared in port_kind.h. */
#ifndef VSWITCH_PORT_LINK_H
#define VSWITCH_PORT_LINK_H

struct fdb;

/* By port_init(), before there are ports. */
void port_link_init(struct fdb *fdb);

#endif
