/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One port an interface: two on the same one would send each frame round for ever. Interfaces in other
 * network namespaces than the switch's own are not compared, because their names say nothing here.
 */
#include "port_kind.h"

#include <errno.h>
#include <string.h>

#include "text/text.h"

static bool
has_interface(const struct port *port, const char *ifname)
{
	char taken[IFNAMSIZ];

	return port->ops->interface != NULL && port->ops->interface(port, taken) &&
			strcmp(ifname, taken) == 0;
}

int
port_refuse_interface(const struct port *port, const char *ifname, char *err, size_t err_size)
{
	const struct port *other;

	for (other = port_table_first(); other != NULL; other = TAILQ_NEXT(other, link))
		if (other != port && has_interface(other, ifname))
			return text_fail(err, err_size, -EEXIST,
					"add-port %s: port %s has interface %s already, and frames "
					"would go round for ever; delete that port first, or name "
					"another interface",
					port->name, other->name, ifname);
	return 0;
}
