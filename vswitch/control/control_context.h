/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the control socket and the methods know of the program: filled in by main while it starts,
 * read on the control thread until the control socket is closed.
 */
#ifndef VSWITCH_CONTROL_CONTEXT_H
#define VSWITCH_CONTROL_CONTEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct event_base;
struct fdb;

/* Nothing in it is owned. */
struct control_context {
	struct event_base *base;
	struct fdb *fdb;
	const char *control;	/* absolute path of the control socket */
	gid_t control_group;	/* may use it; (gid_t)-1 = none */
	const char *socket_dir; /* absolute path */
	const char *config;	/* absolute path; NULL = none */
	bool poll_always;
	bool hugepages;
	uint32_t memory_mib;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
};

#endif
