/* SPDX-License-Identifier: BSD-3-Clause */
/* A port of kind ethdev. Private to ethdev_port*.c; control thread. */
#ifndef VSWITCH_ETHDEV_PORT_H
#define VSWITCH_ETHDEV_PORT_H

#include <sys/queue.h>

#include "devices/ethdev.h"
#include "ports/port_kind.h"

struct ethdev_port {
	struct port base;
	struct ethdev dev;
	TAILQ_ENTRY(ethdev_port) link; /* in the list of ethdev_port_watch.c */
	bool launched, stopping;
	bool looking;		     /* a look or a return is under way; the helper writes `seen` */
	bool returning;		     /* the device is being brought back */
	bool paused;		     /* for a change that is under way */
	struct ethdev_status status; /* the last that was seen */
	struct ethdev_status seen;
	struct ethdev_config wanted; /* of the start, change or return under way */
	int ret;		     /* of that; written by the helper */
	char err[PORT_TEXT_MAX];
	uint32_t patience;	     /* looks before a peer that is missed is called again */
	uint64_t tried_ns, retry_ns; /* a return began, and the next may; CLOCK_MONOTONIC */
	char trouble[PORT_TEXT_MAX]; /* why the last return failed; "" = it did not */
	void (*stopped)(void *arg);
	void *stopped_arg;
};

static inline struct ethdev_port *
ethdev_port(const struct port *port)
{
	return (struct ethdev_port *)(uintptr_t)port;
}

/* ---- ethdev_port.c ---- */

extern const struct port_ops ethdev_port_ops;

/* ---- ethdev_port_device.c ---- */

/* The configuration of its device that the settings of a port ask for. */
void ethdev_port_config(const struct port_settings *settings, struct ethdev_config *config);
bool ethdev_port_same(const struct ethdev_config *a, const struct ethdev_config *b);

/* Gives the device to the workers, with the queues that it has now. 0 or -errno. */
int ethdev_port_run(struct ethdev_port *port);

/* Workers and looks have left the device. */
void ethdev_port_close(struct ethdev_port *port);

/* ---- ethdev_port_watch.c ---- */

int ethdev_port_watch_init(struct event_base *base);

/* From the launch on the device is looked at, until its port stops. */
void ethdev_port_watch(struct ethdev_port *port);
void ethdev_port_unwatch(struct ethdev_port *port);

/* What a look or a change has seen. */
void ethdev_port_accept(struct ethdev_port *port, const struct ethdev_status *status);

/* Why it is gone, and what comes next. Returns text. */
const char *ethdev_port_gone_text(const struct ethdev_port *port, char *text, size_t size);

/* ---- ethdev_port_user.c ---- */

/*
 * What is opened has one user: 0, or -EEXIST or -EINVAL with words when another port has what
 * these arguments name, under whatever name of a device.
 */
int ethdev_port_refuse_second(const struct port *port, char *err, size_t err_size);

/* struct port_ops's: the name that its interface has now, or that its arguments give. */
bool ethdev_port_interface(const struct port *port, char ifname[IFNAMSIZ]);

#endif
