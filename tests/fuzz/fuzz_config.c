/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any text as a configuration file: refused in words that name the file and leave nothing behind, or
 * read into settings that are within their ranges and come out of JSON as they went into it.
 *
 * The input is the file, so that a fuzzer's dictionary fits (json.dict).
 */
#include <stdbool.h>
#include <string.h>

#include "control/config.h"
#include "fuzz.h"
#include "control/settings_json.h"
#include "options/port_options.h"
#include "text/text.h"

#define PATH "/etc/vswitch.json"

/* Writes every option as JSON, reads that anew, and gets the same. */
static void
check_round(const struct port_settings *settings)
{
	struct port_settings again;
	json_t *object = json_object();
	const char *key = NULL;
	char err[256] = "";

	for (size_t i = 0; i < port_options_count; i++) {
		const struct port_option *option = &port_options[i];
		json_t *value = settings_json_value(settings, option);

		FUZZ_CHECK(value != NULL);
		if (json_is_null(value)) {
			json_decref(value);
			continue;
		}
		if (port_option_check(option, value, err, sizeof(err)) != 0)
			FUZZ_FAIL("%s is written as what is refused: %s", option->key, err);
		json_object_set_new(object, option->key, value);
	}
	port_settings_default(&again);
	if (settings_json_read(object, &again, &key, err, sizeof(err)) != 0)
		FUZZ_FAIL("what was written is not read: %s", err);
	if (settings_json_difference(object, settings, &again) != NULL)
		FUZZ_FAIL("%s is read as another",
				settings_json_difference(object, settings, &again)->key);
	json_decref(object);
}

static void
check_port(const struct config *config, uint32_t i)
{
	const struct config_port *port = &config->ports[i];
	const struct port_settings *settings = &port->settings;

	FUZZ_CHECK(text_check_port_name(port->name, NULL, 0) == 0);
	for (uint32_t k = 0; k < i; k++)
		FUZZ_CHECK(strcmp(config->ports[k].name, port->name) != 0);
	FUZZ_CHECK(port_kind_find(port->type) != 0);
	FUZZ_CHECK(settings->mtu >= PORT_MTU_MIN && settings->mtu <= PORT_MTU_MAX);
	FUZZ_CHECK(settings->queues >= 1 && settings->queues <= PORT_QUEUES_MAX);
	FUZZ_CHECK(settings->ip.n <= PORT_ADDRESSES_MAX);
	check_round(settings);
}

static void
check_config(const struct config *config)
{
	FUZZ_CHECK(config->ageing_time <= 86400);
	for (uint32_t i = 0; i < config->n_ports; i++)
		check_port(config, i);
	for (uint32_t i = 0; i < config->n_stations; i++) {
		FUZZ_CHECK(config->stations[i].port < config->n_ports);
		FUZZ_CHECK(config->stations[i].key.vlan <= 4094);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct config config = { 0 };
	char err[1024] = "";

	if (config_parse(PATH, (const char *)data, size, &config, err, sizeof(err)) == 0) {
		check_config(&config);
		config_release(&config);
		return 0;
	}
	FUZZ_CHECK(strncmp(err, PATH ": ", strlen(PATH ": ")) == 0);
	FUZZ_CHECK(err[strlen(PATH ": ")] != '\0');
	FUZZ_CHECK(config.ports == NULL && config.stations == NULL && config.n_ports == 0);
	return 0;
}
