/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about stations: fdb.add, delete, flush. fdb.list: rpc_fdb_list.c. */
#include "rpc_fdb.h"

#include "rpc_tables.h"

#include <errno.h>
#include <string.h>

#include "control_context.h"
#include "switching/fdb.h"
#include "ports/port.h"
#include "rpc.h"
#include "rpc_lookup.h"
#include "rpc_params.h"
#include "text/text.h"

static void
read_key(const json_t *params, struct fdb_key *key)
{
	memset(key, 0, sizeof(*key));
	(void)text_parse_mac(rpc_params_text(params, "mac", ""), key->mac, NULL, 0);
	key->vlan = (uint16_t)rpc_params_integer(params, "vlan", 0);
}

/* Not by json_pack(), which takes three times as long: a full table has 65,536 of these. */
json_t *
rpc_fdb_entry(const struct fdb_entry *entry, const char *port)
{
	json_t *object = json_object();
	char mac[TEXT_MAC_SIZE];
	int failed;

	failed = json_object_set_new(
			object, "mac", json_string(text_format_mac(entry->key.mac, mac)));
	failed |= json_object_set_new(object, "vlan", json_integer(entry->key.vlan));
	failed |= json_object_set_new(object, "domain", json_integer(entry->key.domain));
	failed |= json_object_set_new(
			object, "port", port[0] != '\0' ? json_string(port) : json_null());
	failed |= json_object_set_new(
			object, "type", json_string(entry->is_static ? "static" : "dynamic"));
	failed |= json_object_set_new(
			object, "age_s", entry->is_static ? json_null() : json_real(entry->age));
	if (failed == 0)
		return object;
	json_decref(object);
	return NULL;
}

bool
rpc_fdb_find_port(struct rpc_call *call, const json_t *params, uint16_t *id)
{
	const char *name = rpc_params_text(params, "port", NULL);
	const struct port *port;

	*id = FDB_NO_PORT;
	if (name == NULL)
		return true;
	port = rpc_lookup_port(call, name);
	if (port != NULL)
		*id = port_id(port);
	return port != NULL;
}

static void
add(struct rpc_call *call, const json_t *params)
{
	struct fdb_entry entry = { .is_static = true };
	int ret;

	read_key(params, &entry.key);
	if (!rpc_fdb_find_port(call, params, &entry.port))
		return;
	ret = fdb_add_static(rpc_context(call)->fdb, &entry.key, entry.port);
	if (ret == 0)
		rpc_reply(call, rpc_fdb_entry(&entry, port_name(port_by_id(entry.port))));
	else if (ret == -ENOSPC)
		rpc_fail(call, JSONRPC_REFUSED, NULL,
				"the table is full of static entries (%d); delete some first",
				FDB_ENTRIES_MAX);
	else
		rpc_fail(call, JSONRPC_INVALID_PARAMS, json_pack("{s:s}", "param", "mac"),
				"mac: this is the address of a group or of nobody; "
				"give the address of one station");
}

static void delete (struct rpc_call *call, const json_t *params)
{
	struct fdb_key key;

	read_key(params, &key);
	if (fdb_delete(rpc_context(call)->fdb, &key) == 0)
		rpc_reply(call, json_pack("{s:i}", "deleted", 1));
	else
		rpc_fail(call, JSONRPC_NOT_FOUND, NULL,
				"no such station is known in VLAN %u; fdb tells those that are",
				key.vlan);
}

static void
flush(struct rpc_call *call, const json_t *params)
{
	uint16_t id;

	if (rpc_fdb_find_port(call, params, &id))
		rpc_reply(call,
				json_pack("{s:i}", "flushed",
						(int)fdb_flush(rpc_context(call)->fdb, id, false)));
}

/* clang-format off */
static const struct rpc_param add_params[] = {
	{ .name = "mac", .type = RPC_MAC, .required = true, .help = "address of the station" },
	{ .name = "port", .type = RPC_NAME, .required = true, .help = "where it is" },
	{ .name = "vlan", .type = RPC_VLAN, .default_text = "0",
	  .help = "VLAN; 0 is untagged, and there is no other yet" },
};

static const struct rpc_param delete_params[] = {
	{ .name = "mac", .type = RPC_MAC, .required = true, .help = "address of the station" },
	{ .name = "vlan", .type = RPC_VLAN, .default_text = "0",
	  .help = "VLAN; 0 is untagged, and there is no other yet" },
};

static const struct rpc_param flush_params[] = {
	{ .name = "port", .type = RPC_NAME, .help = "only entries of this port; else all" },
};

static const struct rpc_method methods[] = {
	{ .name = "fdb.add", .command = "add-fdb", .run = add, RPC_PARAMS(add_params),
	  .summary = "Adds a static entry, which neither ages nor moves.",
	  .result = "ENTRY" },
	{ .name = "fdb.delete", .command = "del-fdb", .run = delete,
	  RPC_PARAMS(delete_params),
	  .summary = "Deletes an entry, static or dynamic.",
	  .result = "`deleted` (1)" },
	{ .name = "fdb.flush", .command = "flush-fdb", .run = flush, RPC_PARAMS(flush_params),
	  .summary = "Forgets dynamic entries.",
	  .result = "`flushed` (how many)" },
};
/* clang-format on */

const struct rpc_table rpc_fdb_methods = RPC_TABLE(methods);
