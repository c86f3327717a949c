/* SPDX-License-Identifier: BSD-3-Clause */
/* The snapshot that forward.c and deliver.c read: how the control thread makes it, and its end. */
#include "forward.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "observer.h"
#include "policy.h"

struct forward_table *
forward_table_create(uint32_t n_groups, uint32_t n_sinks)
{
	struct forward_table *table = calloc(1,
			sizeof(*table) + n_sinks * sizeof(struct sink *) +
					n_groups * sizeof(struct flood_group *));

	if (table != NULL)
		table->groups = (const struct flood_group **)&table->sinks[n_sinks];
	return table;
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

/* Entries point to what only the control thread changes: its holders. */
static struct shared *
shared_of_group(const struct flood_group *group)
{
	return &((struct flood_group *)(uintptr_t)group)->shared;
}

static struct shared *
shared_of_policy(const struct policy *policy)
{
	return &((struct policy *)(uintptr_t)policy)->shared;
}

uint16_t
forward_table_add_group(struct forward_table *table, struct flood_group *group)
{
	shared_hold(&group->shared);
	table->groups[table->n_groups] = group;
	return table->n_groups++;
}

void
forward_table_set_policy(struct forward_table *table, uint16_t port, struct policy *policy)
{
	shared_hold(&policy->shared);
	table->ports[port].policy = policy;
	table->has_policies = true;
}

void
forward_table_set_observer(struct forward_table *table, struct observer *observer)
{
	shared_hold(&observer->shared);
	table->observer = observer;
}

static void
release_group(struct shared *shared)
{
	free((uint8_t *)shared - offsetof(struct flood_group, shared));
}

struct flood_group *
flood_group_create(uint32_t max)
{
	struct flood_group *group = calloc(1, sizeof(*group) + max * sizeof(group->ports[0]));

	if (group != NULL)
		group->shared.release = release_group;
	return group;
}

void
forward_table_free(struct forward_table *table)
{
	for (uint32_t i = 0; i < table->n_groups; i++)
		shared_drop(shared_of_group(table->groups[i]));
	for (uint32_t port = 0; port < PORTS_MAX && table->has_policies; port++)
		if (table->ports[port].policy != NULL)
			shared_drop(shared_of_policy(table->ports[port].policy));
	if (table->observer != NULL)
		shared_drop(&table->observer->shared);
	free(table);
}
