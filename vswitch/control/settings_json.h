/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's settings from JSON and to JSON: what port.add, port.set and the configuration file
 * share. The options are those of common/options/port_options.h. Control thread; knows neither DPDK nor
 * libevent, but asks the system for the names of users and groups.
 */
#ifndef VSWITCH_SETTINGS_JSON_H
#define VSWITCH_SETTINGS_JSON_H

#include <stddef.h>

#include <jansson.h>

#include "ports/port.h"

struct port_option;

/*
 * Changes `settings` as the options in `object` say; its other keys are ignored. Each value has
 * passed port_option_check(). 0, or -EINVAL with words in `err` that begin with the key, which
 * is `*key`; then `settings` is half changed.
 */
int settings_json_read(const json_t *object, struct port_settings *settings, const char **key,
		char *err, size_t err_size);

/*
 * The value of one option, new: accounts by their names, JSON null where the port has no such
 * thing (`socket` left to its default, `mode` of a port that connects). NULL: no memory.
 */
json_t *settings_json_value(const struct port_settings *settings, const struct port_option *option);

/*
 * The first option in `object` that the two settings differ in, or the direction ("connect");
 * NULL: they agree.
 */
const struct port_option *settings_json_difference(const json_t *object,
		const struct port_settings *wanted, const struct port_settings *present);

#endif
