/* SPDX-License-Identifier: BSD-3-Clause */
/* See rpc_stand_ins.h. */
#include "rpc_stand_ins.h"

#include <stdlib.h>
#include <string.h>

#include "control/rpc_tables.h"

#define METHODS_MAX 64

static struct rpc_method methods[METHODS_MAX];
static struct rpc_table table = { .methods = methods };
static const struct rpc_table *const tables[] = { &table, NULL };

void
rpc_stand_ins(const struct rpc_stand_in *stand_ins,
		void (*otherwise)(struct rpc_call *call, const json_t *params))
{
	const struct rpc_stand_in *stand_in;
	const struct rpc_method *method;

	rpc_init(rpc_tables);
	while ((method = rpc_method_at(table.n)) != NULL) {
		if (table.n == METHODS_MAX)
			abort();
		for (stand_in = stand_ins; stand_in->method != NULL; stand_in++)
			if (strcmp(stand_in->method, method->name) == 0)
				break;
		methods[table.n] = *method;
		methods[table.n++].run = stand_in->method != NULL ? stand_in->run : otherwise;
	}
	rpc_init(tables);
}
