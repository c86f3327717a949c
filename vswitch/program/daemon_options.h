/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The command line of vswitchd, read once by main. Knows neither DPDK nor libevent.
 */
#ifndef VSWITCH_DAEMON_OPTIONS_H
#define VSWITCH_DAEMON_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "options/options.h"
#include "system/paths.h"
#include "base/switch_limits.h"

enum huge_mode {
	HUGE_AUTO, /* where enough pages are free */
	HUGE_ON,
	HUGE_OFF,
};

struct daemon_options {
	char socket_dir[PATHS_SIZE]; /* absolute */
	char control[PATHS_SIZE];    /* absolute */
	gid_t control_group;	     /* may use the control socket; (gid_t)-1 = none */
	char *config;		     /* absolute; NULL = none */
	bool config_strict;	     /* ports of it do not wait for what is missing */
	uint32_t workers;
	bool pinned; /* --cpus was given: cpus[0 .. workers - 1] */
	int cpus[WORKERS_MAX];
	enum huge_mode huge;
	uint32_t memory_mib;
	bool poll_always;
	bool any_driver;
	enum log_level log_level;
	bool print_control_doc;
	bool print_control_schema;
};

extern const struct options_program daemon_options_program;

/*
 * Reads the command line; answers --help and --version. OPTIONS_GO_ON (common/options/options.h), or the
 * status to exit with. Release what it filled in, also when --help ended it.
 */
int daemon_options_read(int argc, char *argv[], struct daemon_options *options);

void daemon_options_release(struct daemon_options *options);

#endif
