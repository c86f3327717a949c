/* SPDX-License-Identifier: BSD-3-Clause */
/* The snapshot that forward.c and deliver.c read: how the control thread makes it, and its end. */
#include "forward.h"

#include <stdlib.h>
#include <string.h>

struct forward_table *
forward_table_create(uint32_t n_sinks)
{
	return calloc(1, sizeof(struct forward_table) + n_sinks * sizeof(struct sink *));
}

void
forward_table_set_sinks(
		struct forward_table *table, uint16_t port, struct sink *const *sinks, uint32_t n)
{
	struct sink **own = &table->sinks[table->n_sinks];

	memcpy(own, sinks, n * sizeof(struct sink *));
	table->n_sinks += n;
	table->ports[port].sinks = own;
	table->ports[port].n_sinks = (uint16_t)n;
}

void
forward_table_free(struct forward_table *table)
{
	free(table);
}
