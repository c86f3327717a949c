/* SPDX-License-Identifier: BSD-3-Clause */
/* Methods of the control protocol about ports: port.add, delete, set, list, show. */
#include "rpc_tables.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "control_context.h"
#include "ports/port.h"
#include "settings_json.h"
#include "options/port_options.h"
#include "report_port.h"
#include "rpc.h"
#include "rpc_lookup.h"
#include "rpc_params.h"
#include "rpc_port_rows.h"
#include "text/text.h"

#define ERR_SIZE 512
#define DEFAULT_TYPE "vhost-user"

static void
fail_param(struct rpc_call *call, const char *param, const char *words)
{
	rpc_fail(call, JSONRPC_INVALID_PARAMS, json_pack("{s:s}", "param", param), "%s", words);
}

static void
reply_added(struct rpc_call *call, const struct port *port)
{
	rpc_reply(call, report_port_as(&report_port_added, port, rpc_context(call)->fdb));
}

/* The value of an option as JSON text in `text`. */
static const char *
show_value(const struct port_settings *settings, const struct port_option *option, char *text,
		size_t size)
{
	json_t *value = settings_json_value(settings, option);
	char *shown = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	snprintf(text, size, "%s", json_is_null(value) ? "none" : shown != NULL ? shown : "?");
	free(shown);
	json_decref(value);
	return text;
}

/* What was left to its default is as the port chose it. */
static struct port_settings
present_settings(const struct port *port)
{
	struct port_settings present = *port_settings(port);
	struct port_device device;

	if (present.connect[0] == '\0')
		snprintf(present.socket, sizeof(present.socket), "%s", port_path(port));
	if (present.ifname[0] == '\0' && port_device(port, &device))
		snprintf(present.ifname, sizeof(present.ifname), "%s", device.ifname);
	return present;
}

static void
refuse_other_type(struct rpc_call *call, const struct port *port, const char *type)
{
	rpc_fail(call, JSONRPC_EXISTS, json_pack("{s:s}", "param", "type"),
			"the port is there already, but of type %s and not %s; choose another name, or "
			"delete it first",
			port_type(port), type);
}

/* The name is taken. Fine when the caller said so and the port is as he wants it. */
static void
answer_existing(struct rpc_call *call, const struct port *port, const json_t *params,
		const struct port_settings *wanted)
{
	const char *type = rpc_params_text(params, "type", DEFAULT_TYPE);
	struct port_settings present = present_settings(port);
	const struct port_option *option;
	char is[PORT_DEVARGS_MAX], want[PORT_DEVARGS_MAX];

	if (!rpc_params_bool(params, "may-exist", false)) {
		rpc_fail(call, JSONRPC_EXISTS, NULL,
				"a port of that name is there already; choose another name, or use --may-exist");
		return;
	}
	if (strcmp(type, port_type(port)) != 0) {
		refuse_other_type(call, port, type);
		return;
	}
	option = settings_json_difference(params, wanted, &present);
	if (option == NULL) {
		reply_added(call, port);
		return;
	}
	rpc_fail(call, JSONRPC_EXISTS, json_pack("{s:s}", "param", option->key),
			"the port is there already, but with %s %s and not %s; %s", option->key,
			show_value(&present, option, is, sizeof(is)),
			show_value(wanted, option, want, sizeof(want)),
			option->add_only ? "delete it first, or leave that out"
					 : "change it with set-port, or delete it first");
}

static void
on_added(void *arg, struct port *port, const char *err)
{
	struct rpc_call *call = arg;

	if (err == NULL)
		reply_added(call, port);
	else
		rpc_refuse(call, err);
}

static void
add(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);
	const char *type = rpc_params_text(params, "type", DEFAULT_TYPE);
	struct port_settings settings;
	const struct port *existing;
	const char *key = "name";
	char err[ERR_SIZE];
	int ret;

	port_settings_default(&settings);
	ret = text_check_port_name(name, err, sizeof(err));
	if (ret == 0)
		ret = settings_json_read(params, &settings, &key, err, sizeof(err));
	if (ret != 0) {
		fail_param(call, key, err);
		return;
	}
	existing = port_find(name);
	if (existing != NULL)
		answer_existing(call, existing, params, &settings);
	else
		port_add(name, type, &settings, on_added, call);
}

/* A deletion under way. */
struct deletion {
	struct rpc_call *call;
	char name[PORT_NAME_MAX];
};

struct deleted_told {
	const char *name;
	bool deleted;
};

/* clang-format off */
static const struct report_field deleted_fields[] = {
	{ REPORT_VALUE("name", struct deleted_told, name), .meaning = "which port" },
	{ REPORT_VALUE("deleted", struct deleted_told, deleted), .meaning = "false: there was none" },
};
/* clang-format on */

static const struct report_object deleted_object = { REPORT_FIELDS(deleted_fields) };

static void
reply_deleted(struct rpc_call *call, const char *name, bool deleted)
{
	const struct deleted_told told = { .name = name, .deleted = deleted };

	rpc_reply(call, report_make(&deleted_object, &told));
}

static void
on_deleted(void *arg)
{
	struct deletion *deletion = arg;

	reply_deleted(deletion->call, deletion->name, true);
	free(deletion);
}

static void
start_deletion(struct rpc_call *call, struct port *port)
{
	struct deletion *deletion = malloc(sizeof(*deletion));
	int ret = -ENOMEM;

	if (deletion != NULL) {
		deletion->call = call;
		snprintf(deletion->name, sizeof(deletion->name), "%s", port_name(port));
		ret = port_delete(port, on_deleted, deletion);
	}
	if (ret == 0)
		return;
	free(deletion);
	rpc_fail(call, JSONRPC_REFUSED, NULL, "cannot delete the port: %s; try again",
			strerror(-ret));
}

static void
delete_port(struct rpc_call *call, const json_t *params)
{
	const char *name = rpc_params_text(params, "name", NULL);
	struct port *port;

	if (port_find(name) == NULL && rpc_params_bool(params, "if-exists", false)) {
		reply_deleted(call, name, false);
		return;
	}
	port = rpc_lookup_port(call, name);
	if (port != NULL)
		start_deletion(call, port);
}

/* The first option given that only a port with a socket of its own has; NULL: none. */
static const char *
find_listen_only(const json_t *params)
{
	size_t i;

	for (i = 0; i < port_options_count; i++)
		if (port_options[i].listen_only &&
				json_object_get(params, port_options[i].key) != NULL)
			return port_options[i].key;
	return NULL;
}

static void
on_set(void *arg, struct port *port, const char *err)
{
	struct rpc_call *call = arg;

	if (err == NULL)
		rpc_reply(call, report_port(port, rpc_context(call)->fdb));
	else
		rpc_refuse(call, err);
}

/* Whether this port has the options; if not, *key has to go. */
static int
check_has_options(const struct port *port, const json_t *params, const char **key, char *err,
		size_t err_size)
{
	const char *connect = port_settings(port)->connect;
	int ret = port_options_check_kind(
			params, port_kind_find(port_type(port)), key, err, err_size);

	if (ret != 0 || connect[0] == '\0')
		return ret;
	*key = find_listen_only(params);
	if (*key == NULL)
		return 0;
	return text_fail(err, err_size, -EINVAL,
			"%s: this port connects to %s and has no socket of its own; leave it out",
			*key, connect);
}

static void
set(struct rpc_call *call, const json_t *params)
{
	struct port *port = rpc_lookup_port(call, rpc_params_text(params, "name", NULL));
	struct port_settings settings;
	const char *key = NULL;
	char err[ERR_SIZE];

	if (port == NULL)
		return;
	settings = *port_settings(port);
	if (check_has_options(port, params, &key, err, sizeof(err)) != 0 ||
			settings_json_read(params, &settings, &key, err, sizeof(err)) != 0)
		fail_param(call, key, err);
	else
		port_set(port, &settings, on_set, call);
}

static void
list(struct rpc_call *call, const json_t *params)
{
	(void)params;
	rpc_reply_rows(call, rpc_port_rows(report_port, rpc_context(call)->fdb, NULL, NULL));
}

static void
show(struct rpc_call *call, const json_t *params)
{
	struct port *port = rpc_lookup_port(call, rpc_params_text(params, "name", NULL));

	if (port != NULL)
		rpc_reply(call, report_port_as(&report_port_shown, port, rpc_context(call)->fdb));
}

/* clang-format off */
static const struct rpc_param add_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true,
	  .help = "letters, digits, `_`, `.` and `-`, at most 63; not `control`" },
	{ .name = "type", .type = RPC_WORD, .words = port_kinds_text,
	  .default_text = "\"vhost-user\"",
	  .help = "what is behind the port: a frontend, an interface of the kernel, a device of DPDK" },
	{ .name = "may-exist", .type = RPC_BOOL, .default_text = "false",
	  .help = "a port of that name with the options given is no error" },
};

static const struct rpc_param delete_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true, .help = "the port" },
	{ .name = "if-exists", .type = RPC_BOOL, .default_text = "false",
	  .help = "no such port is no error" },
};

static const struct rpc_param one_port_params[] = {
	{ .name = "name", .type = RPC_NAME, .required = true, .help = "the port" },
};

static const struct rpc_method methods[] = {
	{ .name = "port.add", .command = "add-port", .run = add, RPC_PARAMS(add_params),
	  .options = RPC_OPTIONS_ALL,
	  .summary = "Adds a port and starts it; answers when it can be used.",
	  RPC_RESULT(&report_port_added, "the port") },
	{ .name = "port.delete", .command = "del-port", .run = delete_port,
	  RPC_PARAMS(delete_params),
	  .summary = "Deletes a port; answers when it is gone and its name is free.",
	  RPC_RESULT(&deleted_object, "what was done") },
	{ .name = "port.set", .command = "set-port", .run = set, RPC_PARAMS(one_port_params),
	  .options = RPC_OPTIONS_CHANGEABLE,
	  .summary = "Changes options of a port, all of those given or none.",
	  RPC_RESULT(&report_port_port, "the port as it is now") },
	{ .name = "port.list", .command = "list-ports", .run = list,
	  .only_tells = true,
	  .summary = "Tells all ports, ordered by their names.",
	  RPC_RESULTS(&report_port_port, "the ports") },
	{ .name = "port.show", .command = "show-port", .run = show, RPC_PARAMS(one_port_params),
	  .only_tells = true,
	  .summary = "Tells all about one port, and what its frontend has negotiated.",
	  RPC_RESULT(&report_port_shown, "the port") },
};
/* clang-format on */

const struct rpc_table rpc_port_methods = RPC_TABLE(methods);
