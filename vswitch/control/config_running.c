/* SPDX-License-Identifier: BSD-3-Clause */
/* See config_running.h. */
#include "config_running.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "jsonrpc/jsonrpc.h"
#include "netlink/netns.h"
#include "options/port_options.h"
#include "report_port.h"
#include "text/text.h"

#define ERR_SIZE 768

/* A configuration that is being applied, one port after the other. */
struct application {
	const struct config *config;
	struct fdb *fdb;
	config_running_done done;
	void *arg;
	bool strict;
	uint16_t *ids; /* of the first n_ports of the configuration's */
	uint32_t n_ports;
	bool adding;  /* port_add() has not returned */
	bool waiting; /* a port is being added */
	char err[ERR_SIZE];
};

static void
add_stations(struct application *a)
{
	const struct config_station *station;
	char mac[TEXT_MAC_SIZE];
	uint32_t i;
	int ret;

	for (i = 0; i < a->config->n_stations && a->err[0] == '\0'; i++) {
		station = &a->config->stations[i];
		ret = fdb_add_static(a->fdb, &station->key, a->ids[station->port]);
		if (ret != 0)
			snprintf(a->err, sizeof(a->err), "fdb[%u]: mac: %s: %s", i,
					text_format_mac(station->key.mac, mac),
					ret == -ENOSPC ? "the table is full; name fewer stations"
						       : "the address of a group or of nobody; give that of one station");
	}
}

static void go_on(struct application *a);

static void
on_added(void *arg, struct port *port, const char *err)
{
	struct application *a = arg;

	if (err != NULL)
		snprintf(a->err, sizeof(a->err), "ports[%u]: %s", a->n_ports, err);
	else
		a->ids[a->n_ports++] = port_id(port);
	a->waiting = false;
	if (!a->adding)
		go_on(a);
}

/* Ports that are there at once are added in a loop, not in a recursion. */
static void
go_on(struct application *a)
{
	const struct config *config = a->config;
	const struct config_port *port;

	while (a->err[0] == '\0' && a->n_ports < config->n_ports) {
		port = &config->ports[a->n_ports];
		a->adding = a->waiting = true;
		if (a->strict)
			port_add(port->name, port->type, &port->settings, on_added, a);
		else
			port_add_patiently(port->name, port->type, &port->settings, on_added, a);
		a->adding = false;
		if (a->waiting)
			return;
	}
	add_stations(a);
	a->done(a->arg, a->err[0] != '\0' ? a->err : NULL);
	free(a->ids);
	free(a);
}

void
config_running_apply(const struct config *config, bool strict, struct fdb *fdb,
		config_running_done done, void *arg)
{
	struct application *a = calloc(1, sizeof(*a));
	uint16_t *ids = calloc(config->n_ports + 1, sizeof(*ids));

	if (a == NULL || ids == NULL) {
		free(a);
		free(ids);
		done(arg, "out of memory");
		return;
	}
	a->config = config;
	a->fdb = fdb;
	a->done = done;
	a->arg = arg;
	a->ids = ids;
	a->strict = strict;
	if (config->ageing_time != 0)
		fdb_set_ageing(fdb, config->ageing_time);
	go_on(a);
}

/* Accounts that were not said are left out: they mean whoever runs the switch. */
static bool
is_default_account(const struct port_settings *settings, const struct port_option *option)
{
	const void *value = port_settings_value(settings, option);

	return (option->type == PORT_OPTION_USER && *(const uid_t *)value == (uid_t)-1) ||
			(option->type == PORT_OPTION_GROUP && *(const gid_t *)value == (gid_t)-1);
}

static json_t *
describe_port(const struct port *port)
{
	const struct port_settings *settings = port_settings(port);
	json_t *object = json_pack("{s:s, s:s}", "name", port_name(port), "type", port_type(port));
	json_t *value;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		value = report_port_option(port, &port_options[i]);
		if (json_is_null(value) || is_default_account(settings, &port_options[i]))
			json_decref(value);
		else
			json_object_set_new(object, port_options[i].key, value);
	}
	return object;
}

static json_t *
report_station(const struct fdb_entry *entry)
{
	const struct port *port = port_by_id(entry->port);
	char mac[TEXT_MAC_SIZE];

	if (!entry->is_static || port == NULL)
		return NULL;
	return json_pack("{s:s, s:s, s:i}", "mac", text_format_mac(entry->key.mac, mac), "port",
			port_name(port), "vlan", (int)entry->key.vlan);
}

/* By VLAN and address: the table's order is another one in each switch. */
static int
compare_stations(const void *a, const void *b)
{
	const struct fdb_key *left = &((const struct fdb_entry *)a)->key;
	const struct fdb_key *right = &((const struct fdb_entry *)b)->key;

	if (left->vlan != right->vlan)
		return left->vlan < right->vlan ? -1 : 1;
	return memcmp(left->mac, right->mac, sizeof(left->mac));
}

static json_t *
report_stations(struct fdb *fdb)
{
	struct fdb_entry *entries = malloc(FDB_ENTRIES_MAX * sizeof(*entries));
	json_t *list = entries != NULL ? json_array() : NULL;
	json_t *station;
	uint32_t n, i;

	if (entries == NULL)
		return NULL;
	n = fdb_list(fdb, FDB_NO_PORT, clock_seconds(), entries, FDB_ENTRIES_MAX);
	qsort(entries, n, sizeof(*entries), compare_stations);
	for (i = 0; i < n; i++) {
		station = report_station(&entries[i]);
		if (station != NULL)
			json_array_append_new(list, station);
	}
	free(entries);
	return list;
}

json_t *
config_running_report(struct fdb *fdb)
{
	json_t *ports = json_array();
	const struct port *port;

	for (port = port_first(); port != NULL; port = port_next(port))
		json_array_append_new(ports, describe_port(port));
	return json_pack("{s:i, s:{s:i}, s:o, s:o}", "version", CONFIG_VERSION, "switch",
			"ageing-time", (int)fdb_ageing(fdb), "ports", ports, "fdb",
			report_stations(fdb));
}

json_t *
config_running_warnings(void)
{
	json_t *warnings = json_array();
	const char *netns;
	const struct port *port;
	char text[PORT_NAME_MAX + PORT_PATH_MAX + 160];

	for (port = port_first(); port != NULL; port = port_next(port)) {
		netns = port_settings(port)->netns;
		if (netns_process_digits(netns) == 0)
			continue;
		snprintf(text, sizeof(text),
				"port %s: network namespace %s is that of a process, which will have "
				"another number when it is started again; give the namespace a name, as "
				"`ip netns attach NAME PID` does",
				port_name(port), netns);
		json_array_append_new(warnings, jsonrpc_text(text));
	}
	return warnings;
}
