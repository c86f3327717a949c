/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_port_rows.h. */
#include "rpc_port_rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ports/port.h"

struct port_rows {
	struct rpc_rows rows;
	rpc_port_row row;
	const struct fdb *fdb;
	char last[PORT_NAME_MAX]; /* name of the port whose row was the last one */
};

static int
next_port(struct rpc_rows *rows, const char **name, json_t **row)
{
	struct port_rows *ports = (struct port_rows *)rows;
	const struct port *port = port_after(ports->last);

	if (port == NULL)
		return 0;
	snprintf(ports->last, sizeof(ports->last), "%s", port_name(port));
	*name = ports->last;
	*row = ports->row(port, ports->fdb);
	return *row != NULL ? 1 : -ENOMEM;
}

static void
release(struct rpc_rows *rows)
{
	free(rows);
}

struct rpc_rows *
rpc_port_rows(rpc_port_row row, const struct fdb *fdb, const struct report_object *result,
		json_t *rest)
{
	struct port_rows *ports = calloc(1, sizeof(*ports));
	const struct report_field *field = result != NULL ? report_rows(result) : NULL;

	if (ports == NULL || (result != NULL && rest == NULL)) {
		free(ports);
		json_decref(rest);
		return NULL;
	}
	ports->rows = (struct rpc_rows){ .next = next_port, .release = release, .rest = rest };
	if (field != NULL) {
		ports->rows.key = field->name;
		ports->rows.named = field->shape == REPORT_MAP;
	}
	ports->row = row;
	ports->fdb = fdb;
	return &ports->rows;
}
