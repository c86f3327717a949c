/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The method fdb.list of the control protocol. A full table has 65,536 stations, so the answer is
 * one of rows (rpc_rows.h). It is the table as it is when the request is run: stations and names of
 * ports are copied then, which takes about a millisecond, and put in order and into words when
 * their rows are due, by a heap. Control thread.
 */
#include "rpc_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "control_context.h"
#include "switching/fdb.h"
#include "ports/port.h"
#include "rpc.h"
#include "rpc_fdb.h"

/* Entries that are put in their places in the heap at once. */
#define HEAP_PIECE 1024

struct fdb_rows {
	struct rpc_rows rows;
	struct fdb_entry *entries; /* a heap whose least is the first, when `unordered` is 0 */
	uint32_t n;		   /* entries that are left */
	uint32_t unordered;	   /* entries below this are not in their places yet */
	char names[PORTS_MAX][PORT_NAME_MAX];
};

static bool
is_less(const struct fdb_entry *a, const struct fdb_entry *b)
{
	if (a->key.domain != b->key.domain)
		return a->key.domain < b->key.domain;
	if (a->key.vlan != b->key.vlan)
		return a->key.vlan < b->key.vlan;
	return memcmp(a->key.mac, b->key.mac, sizeof(a->key.mac)) < 0;
}

/* Puts the entry at `at` in its place among those below it, which are in theirs. */
static void
sift_down(struct fdb_entry *entries, uint32_t n, uint32_t at)
{
	struct fdb_entry entry = entries[at];
	uint32_t child;

	while ((child = 2 * at + 1) < n) {
		if (child + 1 < n && is_less(&entries[child + 1], &entries[child]))
			child++;
		if (!is_less(&entries[child], &entry))
			break;
		entries[at] = entries[child];
		at = child;
	}
	entries[at] = entry;
}

static void
order_piece(struct fdb_rows *list)
{
	for (int i = 0; i < HEAP_PIECE && list->unordered > 0; i++)
		sift_down(list->entries, list->n, --list->unordered);
}

static int
next_station(struct rpc_rows *rows, const char **name, json_t **row)
{
	struct fdb_rows *list = (struct fdb_rows *)rows;
	struct fdb_entry least;

	(void)name;
	if (list->n == 0)
		return 0;
	if (list->unordered > 0) {
		order_piece(list);
		return -EAGAIN;
	}
	least = list->entries[0];
	list->entries[0] = list->entries[--list->n];
	sift_down(list->entries, list->n, 0);
	*row = rpc_fdb_entry(&least, list->names[least.port]);
	return *row != NULL ? 1 : -ENOMEM;
}

static void
release(struct rpc_rows *rows)
{
	struct fdb_rows *list = (struct fdb_rows *)rows;

	free(list->entries);
	free(list);
}

static void
copy_names(struct fdb_rows *list)
{
	const struct port *port;

	for (port = port_first(); port != NULL; port = port_next(port))
		snprintf(list->names[port_id(port)], PORT_NAME_MAX, "%s", port_name(port));
}

struct list_told {
	uint32_t count, max;
};

/* clang-format off */
static const struct report_field list_fields[] = {
	{ REPORT_VALUE("count", struct list_told, count), .meaning = "how many there are" },
	{ REPORT_VALUE("max", struct list_told, max), .meaning = "entries that the table has room for" },
	{ REPORT_ROWS("entries", &rpc_fdb_entry_object), .shape = REPORT_LIST,
	  .meaning = "the stations" },
};
/* clang-format on */

static const struct report_object list_object = { REPORT_FIELDS(list_fields) };

/* NULL: no memory. */
static struct rpc_rows *
make_list(struct fdb *fdb, uint16_t port)
{
	struct fdb_rows *list = calloc(1, sizeof(*list));
	struct list_told told = { .max = FDB_ENTRIES_MAX };

	if (list == NULL)
		return NULL;
	list->entries = malloc(FDB_ENTRIES_MAX * sizeof(*list->entries));
	if (list->entries == NULL) {
		free(list);
		return NULL;
	}
	list->n = fdb_list(fdb, port, clock_seconds(), list->entries, FDB_ENTRIES_MAX);
	told.count = list->n;
	list->unordered = list->n / 2;
	copy_names(list);
	list->rows = (struct rpc_rows){ .next = next_station,
		.release = release,
		.rest = report_make(&list_object, &told),
		.key = report_rows(&list_object)->name };
	return &list->rows;
}

static void
list(struct rpc_call *call, const json_t *params)
{
	uint16_t id;

	if (rpc_fdb_find_port(call, params, &id))
		rpc_reply_rows(call, make_list(rpc_context(call)->fdb, id));
}

/* clang-format off */
static const struct rpc_param params[] = {
	{ .name = "port", .type = RPC_NAME, .help = "only entries of this port; else all" },
};

static const struct rpc_method methods[] = {
	{ .name = "fdb.list", .command = "fdb", .run = list, RPC_PARAMS(params),
	  .only_tells = true,
	  .summary = "Tells which stations are known, ordered by VLAN and address.",
	  RPC_RESULT(&list_object, "the table") },
};
/* clang-format on */

const struct rpc_table rpc_fdb_list_methods = RPC_TABLE(methods);
