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

struct entry_told {
	const struct fdb_entry *entry;
	const char *port;
};

static const struct fdb_entry *
entry_of(const void *subject)
{
	return ((const struct entry_told *)subject)->entry;
}

static json_t *
get_mac(const void *subject)
{
	char mac[TEXT_MAC_SIZE];

	return json_string(text_format_mac(entry_of(subject)->key.mac, mac));
}

static json_t *
get_vlan(const void *subject)
{
	return json_integer(entry_of(subject)->key.vlan);
}

static json_t *
get_domain(const void *subject)
{
	return json_integer(entry_of(subject)->key.domain);
}

static json_t *
get_type(const void *subject)
{
	return json_string(entry_of(subject)->is_static ? "static" : "dynamic");
}

static json_t *
get_age(const void *subject)
{
	return entry_of(subject)->is_static ? json_null() : json_real(entry_of(subject)->age);
}

/* clang-format off */
static const struct report_field entry_fields[] = {
	{ REPORT_GET("mac", REPORT_TEXT, get_mac), .meaning = "which station" },
	{ REPORT_GET("vlan", REPORT_INTEGER, get_vlan), .meaning = "in which VLAN; 0 is untagged" },
	{ REPORT_GET("domain", REPORT_INTEGER, get_domain), .meaning = "always 0" },
	{ REPORT_VALUE("port", struct entry_told, port), .nullable = true,
	  .meaning = "where it is; null: the port has just gone" },
	{ REPORT_GET("type", REPORT_TEXT, get_type), .words = "dynamic|static",
	  .meaning = "`dynamic` (learned) or `static`" },
	{ REPORT_GET("age_s", REPORT_NUMBER, get_age), .nullable = true,
	  .meaning = "since it was last heard; null for static entries" },
};
/* clang-format on */

const struct report_object rpc_fdb_entry_object = { .name = "ENTRY", REPORT_FIELDS(entry_fields) };

json_t *
rpc_fdb_entry(const struct fdb_entry *entry, const char *port)
{
	const struct entry_told told = { .entry = entry, .port = port };

	return report_make(&rpc_fdb_entry_object, &told);
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

struct count_told {
	uint32_t n;
};

/* clang-format off */
static const struct report_field deleted_fields[] = {
	{ REPORT_VALUE("deleted", struct count_told, n), .meaning = "1" },
};

static const struct report_field flushed_fields[] = {
	{ REPORT_VALUE("flushed", struct count_told, n), .meaning = "how many" },
};
/* clang-format on */

static const struct report_object deleted_object = { REPORT_FIELDS(deleted_fields) };
static const struct report_object flushed_object = { REPORT_FIELDS(flushed_fields) };

static void
reply_count(struct rpc_call *call, const struct report_object *object, uint32_t n)
{
	const struct count_told told = { .n = n };

	rpc_reply(call, report_make(object, &told));
}

static void
delete_entry(struct rpc_call *call, const json_t *params)
{
	struct fdb_key key;

	read_key(params, &key);
	if (fdb_delete(rpc_context(call)->fdb, &key) == 0)
		reply_count(call, &deleted_object, 1);
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
		reply_count(call, &flushed_object, fdb_flush(rpc_context(call)->fdb, id, false));
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
	  RPC_RESULT(&rpc_fdb_entry_object, "the entry") },
	{ .name = "fdb.delete", .command = "del-fdb", .run = delete_entry,
	  RPC_PARAMS(delete_params),
	  .summary = "Deletes an entry, static or dynamic.",
	  RPC_RESULT(&deleted_object, "what was done") },
	{ .name = "fdb.flush", .command = "flush-fdb", .run = flush, RPC_PARAMS(flush_params),
	  .summary = "Forgets dynamic entries.",
	  RPC_RESULT(&flushed_object, "what was done") },
};
/* clang-format on */

const struct rpc_table rpc_fdb_methods = RPC_TABLE(methods);
