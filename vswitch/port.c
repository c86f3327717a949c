/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The table of ports and a port's life.
 *
 * Adding: create, start, attach the source to a worker, publish a table with the port. Deleting
 * goes the other way: publish a table without it, so that no new frame is sent to it; stop it,
 * which ends its session; detach the source; wait for the workers; only then forget its stations
 * and free it. A worker that still had the old table may have learned a station meanwhile, which is
 * why the FDB is flushed last, and why the id is not used again before.
 */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "clock.h"
#include "fdb.h"
#include "forward.h"
#include "grace.h"
#include "port_kind.h"
#include "worker.h"

static const struct port_ops *const kinds[] = {
	&port_vhost_ops,
};

static struct {
	struct event_base *base;
	const char *socket_dir;
	struct fdb *fdb;
	struct port_listener listener;
	TAILQ_HEAD(port_list, port) ports;
	struct port *by_id[PORTS_MAX];
	uint32_t n; /* without those being deleted */
	struct event *second;
	void (*all_deleted)(void *arg);
	void *all_deleted_arg;
} table = { .ports = TAILQ_HEAD_INITIALIZER(table.ports) };

struct event_base *
port_base(void)
{
	return table.base;
}

void
port_report_attached(struct port *port, const struct gate_peer *peer)
{
	if (table.listener.attached != NULL)
		table.listener.attached(port, peer);
}

void
port_report_detached(struct port *port)
{
	if (table.listener.detached != NULL)
		table.listener.detached(port);
}

void
port_report_fault(struct port *port, const char *text)
{
	snprintf(port->fault.text, sizeof(port->fault.text), "%s", text);
	port->fault.time_ns = clock_ns();
	if (table.listener.fault != NULL)
		table.listener.fault(port, port->fault.text);
}

void
port_report_station(struct port *port, const uint8_t mac[6])
{
	struct fdb_key key = { 0 };

	if (port->deleting || !port->settings.enabled)
		return;
	memcpy(key.mac, mac, sizeof(key.mac));
	fdb_learn(table.fdb, &key, port->id, port->settings.mac_limit, clock_seconds());
}

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct port *port;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH (port, &table.ports, link)
		port_sample_rates(port);
}

int
port_init(struct event_base *base, const char *socket_dir, struct fdb *fdb,
		const struct port_listener *listener)
{
	const struct timeval second = { .tv_sec = 1 };

	table.base = base;
	table.socket_dir = socket_dir;
	table.fdb = fdb;
	table.listener = *listener;
	table.second = event_new(base, -1, EV_PERSIST, on_second, NULL);
	if (table.second == NULL || event_add(table.second, &second) < 0)
		return -ENOMEM;
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		int ret = kinds[i]->init(base);

		if (ret < 0)
			return ret;
	}
	return 0;
}

/* Builds the workers' view of all ports and publishes it. */
static int
publish_table(void)
{
	struct forward_table *forward = calloc(1, sizeof(*forward));
	struct port *port;

	if (forward == NULL)
		return -ENOMEM;
	TAILQ_FOREACH (port, &table.ports, link) {
		struct forward_port *view = &forward->ports[port->id];

		if (port->deleting)
			continue;
		view->sink = port->sink;
		view->max_frame = port->settings.mtu + FRAME_OVERHEAD;
		view->mac_limit = port->settings.mac_limit;
		view->enabled = port->settings.enabled;
		if (view->enabled)
			forward->flood.ports[forward->flood.n++] = port->id;
	}
	worker_publish_table(forward);
	return 0;
}

void
port_settings_default(struct port_settings *settings)
{
	*settings = (struct port_settings){
		.mtu = 1500,
		.enabled = true,
		.mode = 0600,
		.owner = (uid_t)-1,
		.group = (gid_t)-1,
	};
}

static const struct port_ops *
find_kind(const char *type)
{
	for (uint32_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (strcmp(kinds[i]->type, type) == 0)
			return kinds[i];
	return NULL;
}

static struct port *
find_any(const char *name)
{
	struct port *port;

	TAILQ_FOREACH (port, &table.ports, link)
		if (strcmp(port->name, name) == 0)
			return port;
	return NULL;
}

static int
find_free_id(void)
{
	for (int id = 0; id < PORTS_MAX; id++)
		if (table.by_id[id] == NULL)
			return id;
	return -ENOSPC;
}

static void
insert_sorted(struct port *port)
{
	struct port *other;

	TAILQ_FOREACH (other, &table.ports, link) {
		if (strcmp(other->name, port->name) > 0) {
			TAILQ_INSERT_BEFORE(other, port, link);
			return;
		}
	}
	TAILQ_INSERT_TAIL(&table.ports, port, link);
}

/* The path that the port listens on or connects to, which must fit struct sockaddr_un. */
static int
set_path(struct port *port, char *err, size_t err_size)
{
	const struct port_settings *settings = &port->settings;
	int len;

	if (settings->connect[0] != '\0')
		len = snprintf(port->path, sizeof(port->path), "%s", settings->connect);
	else if (settings->socket[0] != '\0')
		len = snprintf(port->path, sizeof(port->path), "%s", settings->socket);
	else
		len = snprintf(port->path, sizeof(port->path), "%s/%s.sock", table.socket_dir,
				port->name);
	if (len < (int)sizeof(port->path))
		return 0;
	snprintf(err, err_size,
			"add-port %s: the socket's path has %d bytes (%s...), and the system "
			"allows %zu; choose a shorter name or --socket PATH",
			port->name, len, port->path, sizeof(port->path) - 1);
	return -ENAMETOOLONG;
}

static struct port *
create_port(const struct port_ops *kind, const char *name, const struct port_settings *settings,
		int id)
{
	struct port *port = kind->create(id);

	if (port == NULL)
		return NULL;
	port->ops = kind;
	port->id = id;
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->settings = *settings;
	return port;
}

static void
forget_port(struct port *port)
{
	TAILQ_REMOVE(&table.ports, port, link);
	table.by_id[port->id] = NULL;
	port->ops->release(port);
}

/* Puts a started port to work; what fails here is undone by deleting it. */
static int
launch_port(struct port *port, char *err, size_t err_size)
{
	int ret = worker_attach(port->source);

	if (ret == 0)
		ret = publish_table();
	if (ret < 0)
		snprintf(err, err_size, "add-port %s: no memory", port->name);
	return ret;
}

static int
check_new(const char *name, const char *type, char *err, size_t err_size)
{
	const struct port *taken = find_any(name);

	if (taken != NULL) {
		snprintf(err, err_size,
				"add-port %s: the name is taken by a port %s; choose another "
				"name%s",
				name, taken->deleting ? "that is being deleted" : "already",
				taken->deleting ? " or try again in a moment"
						: " or delete it first");
		return -EEXIST;
	}
	if (find_kind(type) == NULL) {
		snprintf(err, err_size,
				"add-port %s: there is no port type \"%s\"; the type is "
				"vhost-user",
				name, type);
		return -EINVAL;
	}
	return 0;
}

int
port_add(const char *name, const char *type, const struct port_settings *settings,
		struct port **out, char *err, size_t err_size)
{
	int ret = check_new(name, type, err, err_size);
	int id = find_free_id();
	struct port *port;

	if (ret < 0)
		return ret;
	if (id < 0) {
		snprintf(err, err_size,
				"add-port %s: the switch has %d ports, which is its limit; "
				"delete one first",
				name, PORTS_MAX);
		return id;
	}
	port = create_port(find_kind(type), name, settings, id);
	if (port == NULL) {
		snprintf(err, err_size, "add-port %s: no memory", name);
		return -ENOMEM;
	}
	ret = set_path(port, err, err_size);
	if (ret == 0)
		ret = port->ops->start(port, err, err_size);
	if (ret < 0) {
		port->ops->release(port);
		return ret;
	}
	insert_sorted(port);
	table.by_id[id] = port;
	table.n++;
	ret = launch_port(port, err, err_size);
	if (ret < 0) {
		port_delete(port, NULL, NULL);
		return ret;
	}
	*out = port;
	if (table.listener.added != NULL)
		table.listener.added(port);
	return 0;
}

int
port_set(struct port *port, const struct port_settings *settings, char *err, size_t err_size)
{
	struct port_settings old = port->settings;
	int ret = port->ops->set(port, settings, err, err_size);

	if (ret < 0)
		return ret;
	port->settings = *settings;
	ret = publish_table();
	if (ret < 0) {
		port->settings = old;
		port->ops->set(port, &old, err, err_size);
		snprintf(err, err_size, "set-port %s: no memory", port->name);
	}
	return ret;
}

/* The last step: nobody knows the port any more but its table entry and the FDB. */
static void
on_unused(void *arg)
{
	struct port *port = arg;
	void (*deleted)(void *) = port->deleted;
	void *deleted_arg = port->deleted_arg;
	char name[PORT_NAME_MAX];

	snprintf(name, sizeof(name), "%s", port->name);
	fdb_flush(table.fdb, port->id, true);
	forget_port(port);
	if (table.listener.deleted != NULL)
		table.listener.deleted(name);
	if (deleted != NULL)
		deleted(deleted_arg);
	if (TAILQ_EMPTY(&table.ports) && table.all_deleted != NULL)
		table.all_deleted(table.all_deleted_arg);
}

static void
on_stopped(void *arg)
{
	struct port *port = arg;

	if (port->source->worker >= 0)
		worker_detach(port->source);
	grace_call(on_unused, port);
}

int
port_delete(struct port *port, void (*done)(void *arg), void *arg)
{
	if (port->deleting)
		return -EALREADY;
	port->deleting = true;
	port->deleted = done;
	port->deleted_arg = arg;
	table.n--;
	/* Without memory for a new table the old one would name a sink that goes away. */
	if (publish_table() < 0)
		abort();
	port->ops->stop(port, on_stopped, port);
	return 0;
}

void
port_delete_all(void (*done)(void *arg), void *arg)
{
	struct port *port, *next;

	event_del(table.second);
	table.all_deleted = done;
	table.all_deleted_arg = arg;
	if (TAILQ_EMPTY(&table.ports))
		done(arg);
	for (port = TAILQ_FIRST(&table.ports); port != NULL; port = next) {
		next = TAILQ_NEXT(port, link);
		port_delete(port, NULL, NULL);
	}
}

struct port *
port_find(const char *name)
{
	struct port *port = find_any(name);

	return port != NULL && port->deleting ? NULL : port;
}

struct port *
port_by_id(uint16_t id)
{
	return id < PORTS_MAX ? table.by_id[id] : NULL;
}

uint32_t
port_count(void)
{
	return table.n;
}

static struct port *
skip_deleting(struct port *port)
{
	while (port != NULL && port->deleting)
		port = TAILQ_NEXT(port, link);
	return port;
}

struct port *
port_first(void)
{
	return skip_deleting(TAILQ_FIRST(&table.ports));
}

struct port *
port_next(const struct port *port)
{
	return skip_deleting(TAILQ_NEXT(port, link));
}
