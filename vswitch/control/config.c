/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See config.h. Each object of the file is checked like the parameters of a method, by a table of
 * its keys, so that a key means the same in both places and is refused in the same words.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_file.h"
#include "jsonrpc/json_memory.h"
#include "text/nearest.h"
#include "settings_json.h"
#include "options/port_options.h"
#include "rpc_params.h"
#include "text/text.h"

#define PLACE_MAX 48

#define KEYS(list) .params = (list), .n_params = sizeof(list) / sizeof((list)[0])

/* clang-format off */
static const struct rpc_param switch_keys[] = {
	{ .name = "ageing-time", .type = RPC_INTEGER, .min = 1, .max = 86400 },
};

static const struct rpc_param port_keys[] = {
	{ .name = "name", .type = RPC_NAME, .required = true },
	{ .name = "type", .type = RPC_WORD, .words = port_kinds_text },
};

static const struct rpc_param station_keys[] = {
	{ .name = "mac", .type = RPC_MAC, .required = true },
	{ .name = "port", .type = RPC_NAME, .required = true },
	{ .name = "vlan", .type = RPC_VLAN },
};
/* clang-format on */

static const struct rpc_method switch_shape = { .name = "switch", KEYS(switch_keys) };
static const struct rpc_method port_shape = { .name = "a port",
	KEYS(port_keys),
	.options = RPC_OPTIONS_ALL };
static const struct rpc_method station_shape = { .name = "an entry", KEYS(station_keys) };

/* What is being read, and where the words go. */
struct reading {
	const char *path;
	struct config *config;
	char *err;
	size_t err_size;
};

static int __attribute__((format(printf, 3, 4)))
fail(const struct reading *r, const char *place, const char *format, ...)
{
	char words[RPC_TEXT_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(words, sizeof(words), format, args);
	va_end(args);
	return text_fail(r->err, r->err_size, -EINVAL, "%s: %s%s%s", r->path, place,
			place[0] != '\0' ? ": " : "", words);
}

static int
check_shape(const struct reading *r, const char *place, const struct rpc_method *shape,
		const json_t *object)
{
	struct rpc_problem problem;

	if (!json_is_object(object))
		return fail(r, place, "is not an object; write {...}");
	if (rpc_params_check(shape, object, &problem) != 0)
		return fail(r, place, "%s", problem.text);
	return 0;
}

static int
read_switch(const struct reading *r, const json_t *object)
{
	int ret = check_shape(r, "switch", &switch_shape, object);

	if (ret == 0)
		r->config->ageing_time = (uint32_t)rpc_params_integer(object, "ageing-time", 0);
	return ret;
}

/* Index of a port that was read already, or -1. */
static int64_t
find_port(const struct config *config, const char *name)
{
	uint32_t i;

	for (i = 0; i < config->n_ports; i++)
		if (strcmp(config->ports[i].name, name) == 0)
			return i;
	return -1;
}

static int
read_port(const struct reading *r, const char *place, const json_t *object)
{
	struct config_port *port = &r->config->ports[r->config->n_ports];
	const char *name, *key;
	char why[256];
	int ret;

	ret = check_shape(r, place, &port_shape, object);
	if (ret != 0)
		return ret;
	name = rpc_params_text(object, "name", NULL);
	if (text_check_port_name(name, why, sizeof(why)) != 0)
		return fail(r, place, "name: %s", why);
	if (find_port(r->config, name) >= 0)
		return fail(r, place,
				"name: there is a port '%s' above already; choose another name",
				name);
	port_settings_default(&port->settings);
	if (settings_json_read(object, &port->settings, &key, why, sizeof(why)) != 0)
		return fail(r, place, "%s", why);
	snprintf(port->name, sizeof(port->name), "%s", name);
	snprintf(port->type, sizeof(port->type), "%s",
			rpc_params_text(object, "type", "vhost-user"));
	r->config->n_ports++;
	return 0;
}

static int
fail_no_port(const struct reading *r, const char *place, const char *name)
{
	struct nearest near;
	char hint[80];
	uint32_t i;

	nearest_init(&near, name);
	for (i = 0; i < r->config->n_ports; i++)
		nearest_offer(&near, r->config->ports[i].name);
	return fail(r, place, "port: the file has no port '%.64s'%s", name,
			near.best != NULL ? nearest_hint(&near, hint, sizeof(hint))
					  : "; name one of its ports");
}

static int
read_station(const struct reading *r, const char *place, const json_t *object)
{
	struct config_station *station = &r->config->stations[r->config->n_stations];
	const char *name;
	int64_t port;
	int ret;

	ret = check_shape(r, place, &station_shape, object);
	if (ret != 0)
		return ret;
	name = rpc_params_text(object, "port", NULL);
	port = find_port(r->config, name);
	if (port < 0)
		return fail_no_port(r, place, name);
	memset(&station->key, 0, sizeof(station->key));
	(void)text_parse_mac(rpc_params_text(object, "mac", ""), station->key.mac, NULL, 0);
	station->key.vlan = (uint16_t)rpc_params_integer(object, "vlan", 0);
	station->port = (uint32_t)port;
	r->config->n_stations++;
	return 0;
}

static int
read_array(const struct reading *r, const char *key, const json_t *array,
		int (*read_one)(const struct reading *r, const char *place, const json_t *object))
{
	char place[PLACE_MAX];
	size_t i;
	int ret = 0;

	if (!json_is_array(array))
		return fail(r, key, "is not an array; write [...]");
	for (i = 0; i < json_array_size(array) && ret == 0; i++) {
		snprintf(place, sizeof(place), "%s[%zu]", key, i);
		ret = read_one(r, place, json_array_get(array, i));
	}
	return ret;
}

static int
read_ports(const struct reading *r, const json_t *array)
{
	r->config->ports = calloc(json_array_size(array) + 1, sizeof(*r->config->ports));
	if (r->config->ports == NULL)
		return fail(r, "ports", "out of memory");
	return read_array(r, "ports", array, read_port);
}

static int
read_stations(const struct reading *r, const json_t *array)
{
	r->config->stations = calloc(json_array_size(array) + 1, sizeof(*r->config->stations));
	if (r->config->stations == NULL)
		return fail(r, "fdb", "out of memory");
	return read_array(r, "fdb", array, read_station);
}

static int
check_version(const struct reading *r, const json_t *version)
{
	if (version == NULL)
		return fail(r, "version", "is missing; write \"version\": %d", CONFIG_VERSION);
	if (!json_is_integer(version))
		return fail(r, "version", "is not a whole number; write \"version\": %d",
				CONFIG_VERSION);
	if (json_integer_value(version) != CONFIG_VERSION)
		return fail(r, "version",
				"is %lld, and this vswitchd reads version %d; write the file "
				"anew with config.save of this one",
				(long long)json_integer_value(version), CONFIG_VERSION);
	return 0;
}

/* In the order in which they are read: entries of the FDB name ports. */
static const struct {
	const char *key;
	int (*read)(const struct reading *r, const json_t *value);
} sections[] = {
	{ "version", check_version },
	{ "switch", read_switch },
	{ "ports", read_ports },
	{ "fdb", read_stations },
};

#define N_SECTIONS (sizeof(sections) / sizeof(sections[0]))

static int
check_sections(const struct reading *r, json_t *root)
{
	struct nearest near;
	const char *key;
	char hint[80];
	json_t *value;
	size_t i;

	if (!json_is_object(root))
		return fail(r, "", "is not an object; write {\"version\": %d, ...}",
				CONFIG_VERSION);
	json_object_foreach (root, key, value) {
		nearest_init(&near, key);
		for (i = 0; i < N_SECTIONS && strcmp(sections[i].key, key) != 0; i++)
			nearest_offer(&near, sections[i].key);
		if (i == N_SECTIONS)
			return fail(r, "", "'%.60s' is not known here%s", key,
					near.best != NULL
							? nearest_hint(&near, hint, sizeof(hint))
							: "; a file has version, switch, ports and fdb");
	}
	return 0;
}

static int
read_root(const struct reading *r, json_t *root)
{
	const json_t *value;
	size_t i;
	int ret;

	ret = check_sections(r, root);
	for (i = 0; i < N_SECTIONS && ret == 0; i++) {
		value = json_object_get(root, sections[i].key);
		if (value != NULL || i == 0)
			ret = sections[i].read(r, value);
	}
	return ret;
}

int
config_parse(const char *path, const char *text, size_t len, struct config *config, char *err,
		size_t err_size)
{
	struct reading r = { path, config, err, err_size };
	json_error_t error;
	json_t *root;
	int ret;

	*config = (struct config){ 0 };
	(void)json_memory_failed();
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
	if (json_memory_failed()) {
		json_decref(root); /* a member may be missing */
		return text_fail(err, err_size, -ENOMEM, "%s: out of memory to read it", path);
	}
	if (root == NULL)
		return text_fail(err, err_size, -EINVAL,
				"%s: line %d, column %d: not JSON: %s; correct it there", path,
				error.line, error.column, error.text);
	ret = read_root(&r, root);
	json_decref(root);
	if (ret != 0)
		config_release(config);
	return ret;
}

int
config_read(const char *path, int stop_fd, struct config *config, char *err, size_t err_size)
{
	char *text = NULL;
	size_t len;
	int ret;

	*config = (struct config){ 0 };
	ret = config_file_read(path, stop_fd, &text, &len);
	if (ret == -ENOENT)
		return 0;
	if (ret != 0)
		return text_fail(err, err_size, ret,
				"%s: cannot read the configuration: %s; correct that, or start without "
				"--config",
				path, strerror(-ret));
	ret = config_parse(path, text, len, config, err, err_size);
	free(text);
	return ret;
}

void
config_release(struct config *config)
{
	free(config->ports);
	free(config->stations);
	*config = (struct config){ 0 };
}
