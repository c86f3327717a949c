/* SPDX-License-Identifier: BSD-3-Clause */
/* See config_running.h. */
#include "config_running.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "port_json.h"
#include "port_options.h"
#include "text.h"

static int
add_ports(const struct config *config, struct port **ports, char *err, size_t err_size)
{
	const struct config_port *port;
	char why[512];
	uint32_t i;
	int ret;

	for (i = 0; i < config->n_ports; i++) {
		port = &config->ports[i];
		ret = port_add(port->name, port->type, &port->settings, &ports[i], why,
				sizeof(why));
		if (ret != 0)
			return text_fail(err, err_size, ret, "ports[%u]: %s", i, why);
	}
	return 0;
}

static int
add_stations(const struct config *config, struct port **ports, struct fdb *fdb, char *err,
		size_t err_size)
{
	const struct config_station *station;
	char mac[TEXT_MAC_SIZE];
	uint32_t i;
	int ret;

	for (i = 0; i < config->n_stations; i++) {
		station = &config->stations[i];
		ret = fdb_add_static(fdb, &station->key, port_id(ports[station->port]));
		if (ret != 0)
			return text_fail(err, err_size, ret, "fdb[%u]: mac: %s: %s", i,
					text_format_mac(station->key.mac, mac),
					ret == -ENOSPC ? "the table is full; name fewer stations"
						       : "the address of a group or of nobody; give that of one station");
	}
	return 0;
}

int
config_running_apply(const struct config *config, struct fdb *fdb, char *err, size_t err_size)
{
	struct port **ports = calloc(config->n_ports + 1, sizeof(struct port *));
	int ret;

	if (ports == NULL)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	if (config->ageing_time != 0)
		fdb_set_ageing(fdb, config->ageing_time);
	ret = add_ports(config, ports, err, err_size);
	if (ret == 0)
		ret = add_stations(config, ports, fdb, err, err_size);
	free(ports);
	return ret;
}

/* Accounts that were not said are left out: they mean whoever runs the switch. */
static bool
is_default_account(const struct port_settings *settings, const char *key)
{
	return (strcmp(key, "owner") == 0 && settings->owner == (uid_t)-1) ||
			(strcmp(key, "group") == 0 && settings->group == (gid_t)-1);
}

static json_t *
report_port(const struct port *port)
{
	const struct port_settings *settings = port_settings(port);
	json_t *object = json_pack("{s:s, s:s}", "name", port_name(port), "type", port_type(port));
	json_t *value;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		value = port_json_value(settings, &port_options[i]);
		if (json_is_null(value) || is_default_account(settings, port_options[i].key))
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
		json_array_append_new(ports, report_port(port));
	return json_pack("{s:i, s:{s:i}, s:o, s:o}", "version", CONFIG_VERSION, "switch",
			"ageing-time", (int)fdb_ageing(fdb), "ports", ports, "fdb",
			report_stations(fdb));
}
