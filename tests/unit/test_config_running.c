/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Checks vswitch/control/config_running.c: ports of a configuration are added one after the other, whether
 * they are there at once or later, and the end is told once. Ports and the table of stations are
 * stand-ins.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/config_running.h"
#include "options/port_options.h"
#include "control/report_port.h"

#define MANY 3000 /* ports: so many calls inside one another would not fit the stack */

/* A port is its number in the order of adding, never looked into. */
static char places[MANY];
static uint32_t n_added, n_pinned, n_ended, ageing;
static uint16_t pinned_at;
static bool strict;	 /* ports are not patient */
static bool later;	 /* port_add() tells its end only when finish_add() is called */
static uint32_t failing; /* number of the port that cannot be added; MANY: none */
static int pin_result;
static port_done pending;
static void *pending_arg;
static char end_words[256];

static struct port *
port_of(uint32_t number)
{
	return (struct port *)(void *)&places[number];
}

static void
finish_add(void)
{
	port_done done = pending;
	uint32_t number = n_added++;

	pending = NULL;
	if (number == failing)
		done(pending_arg, NULL, "add-port x: cannot; do something");
	else
		done(pending_arg, port_of(number), NULL);
}

static void
take_port(const char *name, const char *type, const struct port_settings *settings, port_done done,
		void *arg)
{
	char expected[PORT_NAME_MAX];

	snprintf(expected, sizeof(expected), "p%u", n_added);
	assert_string_equal(name, expected);
	assert_string_equal(type, "kernel");
	assert_int_equal(settings->mtu, n_added);
	assert_null(pending);
	pending = done;
	pending_arg = arg;
	if (!later)
		finish_add();
}

void
port_add(const char *name, const char *type, const struct port_settings *settings, port_done done,
		void *arg)
{
	assert_true(strict);
	take_port(name, type, settings, done, arg);
}

void
port_add_patiently(const char *name, const char *type, const struct port_settings *settings,
		port_done done, void *arg)
{
	assert_false(strict);
	take_port(name, type, settings, done, arg);
}

uint16_t
port_id(const struct port *port)
{
	return (uint16_t)((const char *)(const void *)port - places);
}

int
fdb_add_static(struct fdb *fdb, const struct fdb_key *key, uint16_t port)
{
	(void)fdb;
	assert_int_equal(key->vlan, 7);
	pinned_at = port;
	n_pinned++;
	return pin_result;
}

void
fdb_set_ageing(struct fdb *fdb, uint32_t seconds)
{
	(void)fdb;
	ageing = seconds;
}

/* What config_running_report() calls, which is not looked at here. */
uint32_t
fdb_ageing(const struct fdb *fdb)
{
	(void)fdb;
	return 0;
}

uint32_t
fdb_list(struct fdb *fdb, uint16_t port, uint32_t now, struct fdb_entry *out, uint32_t max)
{
	(void)fdb;
	(void)port;
	(void)now;
	(void)out;
	(void)max;
	return 0;
}

struct port *
port_first(void)
{
	return NULL;
}

struct port *
port_next(const struct port *port)
{
	(void)port;
	return NULL;
}

struct port *
port_by_id(uint16_t id)
{
	(void)id;
	return NULL;
}

const char *
port_name(const struct port *port)
{
	(void)port;
	return "";
}

const char *
port_type(const struct port *port)
{
	(void)port;
	return "";
}

const struct port_settings *
port_settings(const struct port *port)
{
	(void)port;
	return NULL;
}

json_t *
report_port_option(const struct port *port, const struct port_option *option)
{
	(void)port;
	(void)option;
	return NULL;
}

static void
on_end(void *arg, const char *err)
{
	assert_ptr_equal(arg, places);
	snprintf(end_words, sizeof(end_words), "%s", err != NULL ? err : "");
	n_ended++;
}

/* Begins to apply `n` ports and a station at the last one. */
static void
apply(struct config *config, uint32_t n)
{
	static struct config_station station = { .key = { .vlan = 7 } };
	uint32_t i;

	n_added = n_pinned = n_ended = 0;
	station.port = n - 1;
	*config = (struct config){ .ageing_time = 60, .n_ports = n, .n_stations = 1 };
	config->stations = &station;
	config->ports = calloc(n, sizeof(*config->ports));
	for (i = 0; i < n; i++) {
		snprintf(config->ports[i].name, sizeof(config->ports[i].name), "p%u", i);
		snprintf(config->ports[i].type, sizeof(config->ports[i].type), "kernel");
		config->ports[i].settings.mtu = i;
	}
	config_running_apply(config, strict, NULL, on_end, places);
}

static int
reset(void **state)
{
	(void)state;
	failing = MANY;
	pin_result = 0;
	later = strict = false;
	pending = NULL;
	return 0;
}

static void
test_ports_that_are_there_at_once(void **state)
{
	struct config config;

	(void)state;
	apply(&config, MANY);
	assert_int_equal(n_ended, 1);
	assert_string_equal(end_words, "");
	assert_int_equal(n_added, MANY);
	assert_int_equal(n_pinned, 1);
	assert_int_equal(pinned_at, MANY - 1);
	assert_int_equal(ageing, 60);
	free(config.ports);
}

static void
test_ports_that_take_their_time(void **state)
{
	struct config config;
	uint32_t i;

	(void)state;
	later = true;
	apply(&config, 3);
	for (i = 0; i < 3; i++) {
		assert_int_equal(n_ended, 0);
		assert_int_equal(n_pinned, 0);
		assert_int_equal(n_added, i);
		assert_non_null(pending);
		finish_add();
	}
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_pinned, 1);
	assert_null(pending);
	free(config.ports);
}

static void
test_first_that_fails_is_the_end(void **state)
{
	struct config config;

	(void)state;
	failing = 1;
	apply(&config, 3);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_added, 2);
	assert_int_equal(n_pinned, 0);
	assert_string_equal(end_words, "ports[1]: add-port x: cannot; do something");
	free(config.ports);
	later = true;
	apply(&config, 3);
	finish_add();
	finish_add();
	assert_null(pending);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_pinned, 0);
	free(config.ports);
}

static void
test_strict(void **state)
{
	struct config config;

	(void)state;
	strict = true;
	apply(&config, 3);
	assert_int_equal(n_ended, 1);
	assert_int_equal(n_added, 3);
	free(config.ports);
}

static void
test_station_that_cannot_be_there(void **state)
{
	struct config config;

	(void)state;
	pin_result = -ENOSPC;
	apply(&config, 1);
	assert_int_equal(n_ended, 1);
	assert_non_null(strstr(end_words, "fdb[0]: mac: 00:00:00:00:00:00: the table is full"));
	free(config.ports);
}

static void
test_nothing_to_do(void **state)
{
	struct config config = { 0 };

	(void)state;
	n_ended = 0;
	ageing = 0;
	config_running_apply(&config, false, NULL, on_end, places);
	assert_int_equal(n_ended, 1);
	assert_string_equal(end_words, "");
	assert_int_equal(ageing, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_ports_that_are_there_at_once, reset),
		cmocka_unit_test_setup(test_ports_that_take_their_time, reset),
		cmocka_unit_test_setup(test_first_that_fails_is_the_end, reset),
		cmocka_unit_test_setup(test_strict, reset),
		cmocka_unit_test_setup(test_station_that_cannot_be_there, reset),
		cmocka_unit_test_setup(test_nothing_to_do, reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
