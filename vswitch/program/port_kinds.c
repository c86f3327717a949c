/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_kinds.h. Their names stand in common/options/port_options.c too. */
#include "port_kinds.h"

#include <stddef.h>

#include "ports/ethdev/ethdev_port.h"
#include "ports/kernel/kernel_port.h"
#include "ports/vhost/vhost_port.h"

const struct port_ops *const port_kinds[] = {
	&vhost_port_ops,
	&kernel_port_ops,
	&ethdev_port_ops,
	NULL,
};
