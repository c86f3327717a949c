/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the program as a whole is made of: filled in by main while it starts, read by the methods
 * of the control protocol. Control thread only.
 */
#ifndef VSWITCH_DAEMON_H
#define VSWITCH_DAEMON_H

#include <stdint.h>

#include "daemon_options.h"
#include "eal.h"
#include "rundir.h"

struct event_base;
struct fdb;

struct daemon {
	struct daemon_options options;
	struct rundir rundir;
	struct eal_memory memory;
	struct event_base *base;
	struct fdb *fdb;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
};

#endif
