/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel port: an interface of the kernel whose other end is this switch. Private to
 * kernel_*.c.
 *
 * Threads: what makes, changes and removes interfaces runs as jobs on the helper thread, one after
 * the other (kernel_job.c, kernel_if.c and the backends); everything else is the control
 * thread's. A job has its own copy of the settings and of what it found out; of the port it touches
 * the backend's part alone, which the control thread leaves alone between the start and the stop.
 */
#ifndef VSWITCH_KERNEL_PORT_H
#define VSWITCH_KERNEL_PORT_H

#include <sys/queue.h>

#include "devices/ethdev.h"
#include "netlink/netif.h"
#include "ports/port_kind.h"
#include "netlink/prefix.h"
#include "devices/tap.h"
#include "devices/tap_endpoint.h"

#define KERNEL_ERR_MAX (2 * PORT_TEXT_MAX)

struct kernel_port;

/* A way to the kernel. Functions marked (h) run on the helper thread. */
struct kernel_backend {
	const char *name;
	/*
	 * (h) Makes the interface in the switch's own namespace, whose handle is `own`; with `ifname`
	 * NULL under any name. 0: it is new; 1: it was there before and stays afterwards; or -errno
	 * with words, and nothing was made.
	 */
	int (*open)(struct kernel_port *port, struct netif *own, const char *ifname,
			const struct port_settings *settings, char *err, size_t err_size);
	/* (h) The part of a change that is the backend's own. 0, or -errno with words and no change. */
	int (*change)(struct kernel_port *port, const struct port_settings *wanted, char *err,
			size_t err_size);
	void (*close)(struct kernel_port *port); /* (h) */
	/* The port has this backend from now on: its sources and sinks. */
	void (*choose)(struct kernel_port *port);
	int (*run)(struct kernel_port *port); /* frames flow from here on; 0 or -errno */
	/* Calls quiet(port), at once or from the event loop, when no worker uses the interface. */
	void (*halt)(struct kernel_port *port, void (*quiet)(void *port));
	/* Whether a change between these settings needs the port halted. */
	bool (*must_halt)(const struct port_settings *now, const struct port_settings *wanted);
	/* A change or the start has worked: the workers' part of it, where that is not run()'s. */
	void (*changed)(struct kernel_port *port, const struct port_settings *settings);
	/* Fills what show-port says of the backend: offloads, interrupts, pids. */
	void (*describe)(const struct kernel_port *port, struct port_device *device);
};

extern const struct kernel_backend kernel_tap;
extern const struct kernel_backend kernel_vhost_net;

/* What of an interface can be configured. */
struct kernel_config {
	uint32_t mtu;
	uint8_t mac[6];
	bool up;
	size_t n_addresses;
	struct prefix addresses[PORT_ADDRESSES_MAX];
};

enum kernel_fate {
	KERNEL_ALIVE,
	KERNEL_DELETED,	   /* the interface alone */
	KERNEL_NETNS_GONE, /* with its namespace */
	KERNEL_BROKEN,	   /* its device does not run any more */
};

/* What the helper thread found out about an interface. */
struct kernel_view {
	enum kernel_fate fate;
	struct netif_link link; /* as it was last seen */
	int nsid;		/* of its namespace, for the monitor */
	bool netns_known;
	char netns[PORT_PATH_MAX]; /* what that is called; "" = the switch's own */
};

/* What the helper thread is to do, and what came of it. One owner at a time. */
struct kernel_job {
	struct kernel_port *port;
	const struct kernel_backend *backend; /* a start chooses it */
	/* The port's, which stay as they are while a start, a change or the close is under way. */
	const struct port_settings *old, *wanted;
	char netns[PORT_PATH_MAX]; /* the setting, for a look, which may be under way at any time */
	bool assert_all; /* also what is to stay as it is, should somebody else have changed it */
	char why[PORT_TEXT_MAX];
	bool adopted;
	struct kernel_config found;
	struct kernel_view view;
	int ret;
	char err[KERNEL_ERR_MAX];
};

struct kernel_tap_queue {
	struct tap_source source;
	struct tap_sink sink;
};

struct kernel_port {
	struct port base;
	TAILQ_ENTRY(kernel_port) link; /* in the monitor's list */
	const struct kernel_watcher *watcher;
	const struct kernel_backend *backend; /* NULL: not started */
	char why[PORT_TEXT_MAX];	      /* this backend */
	struct kernel_view view;
	struct kernel_job change; /* start, set or stop: one at a time */
	struct kernel_job look;
	bool looking;		    /* a look at the interface is under way ... */
	bool look_again;	    /* ... and another is due */
	bool look_failed;	    /* the last one */
	bool adopted;		    /* the interface was there before */
	struct kernel_config found; /* ... and like this */
	void (*stopped)(void *arg);
	void *stopped_arg;
	bool halted; /* for a change that is under way */
	/* The interface's descriptors; with vhost-net the device's own, to look at it and no more. */
	struct tap tap;
	uint16_t n_queues;
	/* The vhost-net backend's. */
	struct ethdev dev;
	uint32_t n_pids;
	pid_t pids[PORT_QUEUES_MAX];
	/* The tap backend's, n_queues of them. */
	struct kernel_tap_queue tap_queue[];
};

static inline struct kernel_port *
kernel_port(const struct port *port)
{
	return (struct kernel_port *)(uintptr_t)port;
}

/* ---- kernel_if.c: the interface as netlink sees it; helper thread ---- */

/* The configuration that an interface has, without addresses. */
void kernel_if_found(const struct netif_link *link, struct kernel_config *config);

/*
 * Brings an interface from one configuration to another, all or nothing. `from` is how it is; its
 * addresses are those that the switch gave it.
 */
int kernel_if_apply(struct netif *n, uint32_t index, const struct kernel_config *from,
		const struct kernel_config *to, char *err, size_t err_size);

/* Appends the settings' addresses to a configuration that has none. */
void kernel_if_addresses(const struct port_settings *settings, struct kernel_config *config);

/*
 * Without CAP_NET_ADMIN some settings cannot be: names the first of them. `link`: the interface that
 * is to have them, NULL: not known yet.
 */
int kernel_if_refuse(const struct port_settings *settings, const struct netif_link *link, char *err,
		size_t err_size);

/* ---- kernel_job.c: whole changes; helper thread. `arg`: a struct kernel_job ---- */

void kernel_job_start(void *arg);
void kernel_job_set(void *arg);
void kernel_job_look(void *arg);
void kernel_job_close(void *arg);

/* ---- kernel_vhost_net.c; helper thread ---- */

/* 0: /dev/vhost-net can be used. Else -errno with words. */
int kernel_vhost_net_usable(char *err, size_t err_size);

/* ---- kernel_monitor.c: changes made by others; control thread ---- */

/* What the monitor tells of a port. */
struct kernel_watcher {
	/* Something about its interface may have changed. */
	void (*look)(struct kernel_port *port);
	void (*gone)(struct kernel_port *port, enum kernel_fate fate);
};

/* Before a port's start, and after its end. 0, or -errno with words. `watcher` stays. */
int kernel_monitor_enter(struct kernel_port *port, const struct kernel_watcher *watcher, char *err,
		size_t err_size);
void kernel_monitor_leave(struct kernel_port *port);

/* ---- kernel_port.c ---- */

extern const struct port_ops kernel_port_ops;

#endif
