/* SPDX-License-Identifier: BSD-3-Clause */
/* See port_kinds.h. Their names stand in common/options/port_options.c too. */
#include "port_kinds.h"

#include <stddef.h>

#include "ports/ethdev/port_ethdev.h"
#include "ports/kernel/port_kernel.h"
#include "ports/vhost/port_vhost.h"

const struct port_ops *const port_kinds[] = {
	&port_vhost_ops,
	&port_kernel_ops,
	&port_ethdev_ops,
	NULL,
};
