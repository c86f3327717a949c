/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a kind of port implements, and the part of a port that is the same for all kinds. Private
 * to port*.c here and in the kinds' folders; control thread only.
 */
#ifndef VSWITCH_PORT_KIND_H
#define VSWITCH_PORT_KIND_H

#include <sys/queue.h>

#include "datapath/endpoint.h"
#include "port.h"

struct port_ops {
	const char *type;
	/* What it is made of may be missing (-ENOENT, -ENODEV, -ENXIO of a start), and come later. */
	bool may_await;
	/* Once, before the first port of this kind. 0 or -errno. NULL: nothing to do. */
	int (*init)(struct event_base *base);
	/*
	 * Makes a port of this kind, not started, with the sources and sinks that the settings ask for.
	 * NULL: no memory.
	 */
	struct port *(*create)(uint16_t id, const struct port_settings *settings);
	/*
	 * Begins its life. 0, or -errno with words, and then it is freed by release(); or
	 * -EINPROGRESS: port_started() will be called, from the event loop.
	 */
	int (*start)(struct port *port, char *err, size_t err_size);
	/*
	 * The sources belong to workers now: from here on worker_watch() may be called. 0 or -errno
	 * with words, then stop() follows. NULL: nothing to do.
	 */
	int (*launch)(struct port *port, char *err, size_t err_size);
	/* Ends its life: no frame comes or goes when `done` is called, from the event loop. */
	void (*stop)(struct port *port, void (*done)(void *arg), void *arg);
	void (*release)(struct port *port);
	/*
	 * Applies what of `settings` the kind itself must know. 0, -errno with words, or -EINPROGRESS:
	 * port_changed() will be called. port->settings are the old ones until it has succeeded.
	 */
	int (*set)(struct port *port, const struct port_settings *settings, char *err,
			size_t err_size);
	/* So long after its link is gone a port may be back as it was: its stations stay known. */
	uint64_t link_grace_ns;
	enum port_state (*state)(const struct port *port);
	/* The state in words. */
	void (*state_text)(const struct port *port, char *text, size_t size);
	/* A kind has the first four or the last one; the others are NULL. */
	const struct socket_peer *(*peer)(const struct port *port);
	const struct session *(*session)(const struct port *port);
	bool (*vring_info)(const struct port *port, uint32_t index, struct port_vring_info *info);
	uint64_t (*rejected)(const struct port *port);
	void (*device)(const struct port *port, struct port_device *device);
	/*
	 * The interface in the switch's own network namespace that the port has, or will have. False:
	 * none that is known. NULL: a port of this kind never has one.
	 */
	bool (*interface)(const struct port *port, char ifname[IFNAMSIZ]);
};

struct port {
	TAILQ_ENTRY(port) link; /* in the order of names */
	const struct port_ops *ops;
	char name[PORT_NAME_MAX];
	uint16_t id;
	char path[PORT_PATH_MAX]; /* set by start() of a kind that has a socket; else "" */
	struct port_settings settings;
	/*
	 * One a queue, for as long as the port; of those that it has the first n_sources are workers', and
	 * the first n_sinks are given frames. The others, from a NULL on or not, do nothing.
	 */
	struct source *sources[PORT_QUEUES_MAX];
	struct sink *sinks[PORT_QUEUES_MAX];
	uint32_t n_sources, n_sinks;
	uint32_t peer_mtu; /* what the frontend or the device said; 0 = nothing: settings.mtu alone */
	bool starting;	   /* start() goes on */
	bool patient;	   /* added by port_add_patiently() */
	bool awaits;	   /* something is missing: it is seen, but nobody works for it */
	uint64_t tried_ns;	     /* when the last start() began, and when ... */
	uint64_t retry_ns;	     /* ... the next may; CLOCK_MONOTONIC */
	char missing[PORT_TEXT_MAX]; /* what it awaits, in words */
	bool deleting;
	bool withdrawn;		   /* deleting, and out of what workers read */
	uint64_t link_lost_ns;	   /* CLOCK_MONOTONIC; 0: it has one */
	struct port_fault fault;   /* the last one, kept when the frontend leaves */
	struct port_stats cleared; /* counters at the last clear-stats */
	struct port_stats sampled; /* counters a second ago */
	struct port_time sampled_time;
	uint64_t sampled_ns;
	struct port_rates rates;
	struct port_settings
			wanted; /* while set() goes on; before that the kind's, for its start */
	port_done changed;	/* of port_add() or port_set() under way; NULL: none is */
	void *changed_arg;
	void (*deleted)(void *arg);
	void *deleted_arg;
};

/*
 * The ends of start() and set() that answered -EINPROGRESS. `err` NULL: well; of a start `ret` is 0
 * then, else -errno.
 */
void port_started(struct port *port, int ret, const char *err);
void port_changed(struct port *port, const char *err);

/*
 * How many queues each way the port uses from now on; between a start and a stop, by a kind whose device
 * may come back with another number. 0 or -ENOMEM.
 */
int port_use_queues(struct port *port, uint32_t n);

/* A kind's reports to the control layer. */
void port_attached(struct port *port, const struct socket_peer *peer);
void port_detached(struct port *port);
void port_set_fault(struct port *port, const char *text);
/*
 * The link may have come or gone: PORT_UP and not disabled is one. Without it, learned stations are
 * forgotten, at once or after the kind's grace. Called once a second for each port, too.
 */
void port_link_changed(struct port *port);
/* A station is behind the port from now on. */
void port_announced(struct port *port, const uint8_t mac[6]);

/* port_table.c: all ports, those not started yet or being deleted included. */
struct port *port_table_find(const char *name);
int port_table_free_id(void); /* -ENOSPC */
void port_table_enter(struct port *port);
bool port_table_leave(struct port *port); /* true: it was the last */
struct port *port_table_first(void);	  /* the others by TAILQ_NEXT() */
/* Builds the workers' view of the ports that are seen and publishes it. 0 or -ENOMEM. */
int port_table_publish(void);

/*
 * port_interface.c. What a port opens has one user: 0, or -EEXIST with words when another port of any
 * kind has the interface, in the switch's own network namespace, that this new one is to have.
 */
int port_refuse_interface(const struct port *port, const char *ifname, char *err, size_t err_size);

/* The event loop that the ports live on. */
struct event_base *port_base(void);

/* Where sockets are by default. */
const char *port_socket_dir(void);

/* port_info.c; called once a second for each port. */
void port_sample_rates(struct port *port);

#endif
