/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A port's life, for all kinds; port_table.c knows which ports there are.
 *
 * Adding: create, enter in the table, start, attach the sources to workers, publish a table with
 * the port, launch. Starting may take its time on the helper thread; until it has ended only the name
 * is taken. Deleting goes the other way: publish a table without it, so that no new frame is sent to it; stop it,
 * which ends its session; detach the sources; wait for the workers; only then forget its stations
 * and free it. A worker that still had the old table may have learned a station meanwhile, which is
 * why the FDB is flushed last, and why the id is not used again before.
 *
 * A port that was added patiently and misses something awaits it: it is seen, and about once a second
 * a new port is made in its place and started. It has no part in what workers read before that
 * succeeds.
 */
#include "datapath/account.h"
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "base/thread_role.h"
#include "base/clock.h"
#include "switching/fdb.h"
#include "switching/forward.h"
#include "base/grace.h"
#include "base/log.h"
#include "port_kind.h"
#include "port_link.h"
#include "text/text.h"
#include "worker/worker.h"

/* A port that awaits something is tried again after so long, and four times what the last try took. */
#define RETRY_NS 900000000u
#define RETRY_FACTOR 4

static struct {
	struct port_config config;
	struct event *second;
	void (*all_deleted)(void *arg);
	void *all_deleted_arg;
} life;

struct event_base *
port_base(void)
{
	return life.config.base;
}

const char *
port_socket_dir(void)
{
	return life.config.socket_dir;
}

void
port_attached(struct port *port, const struct socket_peer *peer)
{
	if (life.config.listener->attached != NULL)
		life.config.listener->attached(port, peer);
}

void
port_detached(struct port *port)
{
	if (life.config.listener->detached != NULL)
		life.config.listener->detached(port);
}

void
port_set_fault(struct port *port, const char *text)
{
	snprintf(port->fault.text, sizeof(port->fault.text), "%s", text);
	port->fault.time_ns = clock_ns();
	if (life.config.listener->fault != NULL)
		life.config.listener->fault(port, port->fault.text);
}

static void withdraw(struct port *port);
static void try_again(struct port *port);

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	struct port *port, *next;

	(void)fd;
	(void)what;
	(void)arg;
	for (port = port_table_first(); port != NULL; port = next) {
		next = TAILQ_NEXT(port, link);
		port_sample_rates(port);
		if (!port->starting && !port->deleting)
			port_link_changed(port);
		if (port->deleting && !port->starting && !port->withdrawn)
			withdraw(port);
		if (port->awaits && !port->deleting && !port->starting &&
				clock_ns() >= port->retry_ns)
			try_again(port);
	}
}

int
port_init(const struct port_config *config)
{
	const struct timeval second = { .tv_sec = 1 };

	ASSERT_ON(THREAD_CONTROL);
	life.config = *config;
	port_link_init(config->fdb);
	life.second = event_new(config->base, -1, EV_PERSIST, on_second, NULL);
	if (life.second == NULL || event_add(life.second, &second) < 0)
		return -ENOMEM;
	for (const struct port_ops *const *kind = config->kinds; *kind != NULL; kind++) {
		int ret = (*kind)->init != NULL ? (*kind)->init(config->base) : 0;

		if (ret < 0)
			return ret;
	}
	return 0;
}

static const struct port_ops *
find_kind(const char *type)
{
	for (const struct port_ops *const *kind = life.config.kinds; *kind != NULL; kind++)
		if (strcmp((*kind)->type, type) == 0)
			return *kind;
	return NULL;
}

static void
forget_port(struct port *port)
{
	bool last = port_table_leave(port);

	port->ops->release(port);
	if (last && life.all_deleted != NULL)
		life.all_deleted(life.all_deleted_arg);
}

/* Ends the port_add() or port_set() under way; the port may be gone when this returns. */
static void
end_change(struct port *port, struct port *result, const char *err)
{
	port_done done = port->changed;

	port->changed = NULL;
	if (done != NULL)
		done(port->changed_arg, result, err);
}

/* ---- Adding ---- */

static int
check_new(const char *name, const char *type, char *err, size_t err_size)
{
	const struct port *taken = port_table_find(name);

	if (taken != NULL && port_find(name) == NULL) /* nobody sees it yet, or any more */
		return text_fail(err, err_size, -EEXIST,
				"add-port %s: the name is taken by a port that is being %s; choose "
				"another name or try again in a moment",
				name, taken->deleting ? "deleted" : "added");
	if (taken != NULL)
		return text_fail(err, err_size, -EEXIST,
				"add-port %s: the name is taken by a port already; choose another "
				"name or delete it first",
				name);
	if (find_kind(type) == NULL)
		return text_fail(err, err_size, -EINVAL,
				"add-port %s: there is no port type \"%s\"; the types are "
				"vhost-user, kernel and ethdev",
				name, type);
	if (port_table_free_id() < 0)
		return text_fail(err, err_size, -ENOSPC,
				"add-port %s: the switch has %d ports, which is its limit; "
				"delete one first",
				name, PORTS_MAX);
	return 0;
}

/* NULL: no memory. Nobody knows it yet. */
static struct port *
make_port(const struct port_ops *kind, uint16_t id, const char *name,
		const struct port_settings *settings)
{
	struct port *port = kind->create(id, settings);

	if (port == NULL)
		return NULL;
	port->ops = kind;
	port->id = id;
	snprintf(port->name, sizeof(port->name), "%s", name);
	port->settings = *settings;
	return port;
}

/* NULL with words. */
static struct port *
create_port(const char *name, const char *type, const struct port_settings *settings, char *err,
		size_t err_size)
{
	struct port *port;
	int id = port_table_free_id();

	if (check_new(name, type, err, err_size) < 0)
		return NULL;
	port = make_port(find_kind(type), (uint16_t)id, name, settings);
	if (port == NULL) {
		text_fail(err, err_size, -ENOMEM, "add-port %s: no memory", name);
		return NULL;
	}
	account_reset(port->id, name);
	/* The port's place in the table, and its name, are taken from here on. */
	port_table_enter(port);
	return port;
}

/* Gives workers those of the first n sources that they do not have yet. */
static int
attach_sources(struct port *port, uint32_t n)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < n; i++)
		if (port->sources[i]->worker < 0)
			ret = worker_attach(port->sources[i]);
	return ret;
}

static void
detach_sources(struct port *port)
{
	for (uint32_t i = 0; i < PORT_QUEUES_MAX && port->sources[i] != NULL; i++)
		if (port->sources[i]->worker >= 0)
			worker_detach(port->sources[i]);
}

int
port_use_queues(struct port *port, uint32_t n)
{
	uint32_t before = port->n_sinks;
	int ret;

	if (n == before)
		return 0;
	ret = attach_sources(port, n);
	if (ret < 0)
		return ret;
	if (port->n_sources < n)
		port->n_sources = n;
	port->n_sinks = n;
	ret = port_table_publish();
	if (ret < 0)
		port->n_sinks = before;
	return ret;
}

/* Puts a started port to work. */
static int
launch_port(struct port *port, char *err, size_t err_size)
{
	int ret = attach_sources(port, port->n_sources);

	if (ret == 0)
		ret = port_table_publish();
	if (ret < 0)
		return text_fail(err, err_size, ret, "add-port %s: no memory", port->name);
	return port->ops->launch != NULL ? port->ops->launch(port, err, err_size) : 0;
}

static void begin_stop(struct port *port);
static void on_unused(void *arg);

/* Whether the start failed for want of something that may come. */
static bool
may_await(const struct port *port, int ret)
{
	return port->patient && !port->deleting && port->ops->may_await &&
			(ret == -ENOENT || ret == -ENODEV || ret == -ENXIO);
}

/* The words of a start, without the request that it was. */
static const char *
strip_request(const struct port *port, const char *err)
{
	char request[PORT_NAME_MAX + 16];
	int len = snprintf(request, sizeof(request), "add-port %s: ", port->name);

	return strncmp(err, request, (size_t)len) == 0 ? err + len : err;
}

static void
await(struct port *port, const char *err)
{
	const char *missing = strip_request(port, err);
	uint64_t now = clock_ns();

	if (!port->awaits) {
		port->awaits = true;
		(void)port_table_publish(); /* in vain: what is for its stations is flooded */
	}
	port->retry_ns = now + RETRY_NS + RETRY_FACTOR * (now - port->tried_ns);
	if (strncmp(port->missing, missing, sizeof(port->missing) - 1) == 0)
		return;
	snprintf(port->missing, sizeof(port->missing), "%s", missing);
	log_warning("port %s: waits, and is tried again every second: %s", port->name, missing);
}

static void
fail_start(struct port *port, int ret, const char *err)
{
	port->starting = false;
	if (port->awaits && port->deleting) {
		on_unused(port);
	} else if (port->awaits || may_await(port, ret)) {
		await(port, err);
		end_change(port, port, NULL);
	} else {
		end_change(port, NULL, err);
		forget_port(port);
	}
}

/* What it awaited is there. */
static void
end_wait(struct port *port)
{
	if (port->awaits)
		log_info("port %s: what it waited for is there", port->name);
	port->awaits = false;
}

void
port_started(struct port *port, int ret, const char *err)
{
	char words[PORT_TEXT_MAX * 2];

	if (err != NULL) {
		fail_start(port, ret, err);
		return;
	}
	port->starting = false;
	end_wait(port);
	if (port->deleting) {
		snprintf(words, sizeof(words), "add-port %s: the switch stops", port->name);
		end_change(port, NULL, words);
		port->withdrawn = true; /* it was never in */
		begin_stop(port);
		return;
	}
	if (launch_port(port, words, sizeof(words)) < 0) {
		if (port->changed == NULL)
			log_error("port %s: %s; it is deleted", port->name, words);
		end_change(port, NULL, words);
		port_delete(port, NULL, NULL);
	} else {
		if (life.config.listener->added != NULL)
			life.config.listener->added(port);
		end_change(port, port, NULL);
	}
}

static void
begin_start(struct port *port)
{
	char err[PORT_TEXT_MAX * 2];
	int ret;

	port->starting = true;
	port->tried_ns = clock_ns();
	ret = port->ops->start(port, err, sizeof(err));
	if (ret != -EINPROGRESS)
		port_started(port, ret, ret < 0 ? err : NULL);
}

static void
add(const char *name, const char *type, const struct port_settings *settings, bool patient,
		port_done done, void *arg)
{
	char err[PORT_TEXT_MAX * 2];
	struct port *port = create_port(name, type, settings, err, sizeof(err));

	if (port == NULL) {
		done(arg, NULL, err);
		return;
	}
	port->patient = patient;
	port->changed = done;
	port->changed_arg = arg;
	begin_start(port);
}

void
port_add(const char *name, const char *type, const struct port_settings *settings, port_done done,
		void *arg)
{
	ASSERT_ON(THREAD_CONTROL);
	add(name, type, settings, false, done, arg);
}

void
port_add_patiently(const char *name, const char *type, const struct port_settings *settings,
		port_done done, void *arg)
{
	ASSERT_ON(THREAD_CONTROL);
	add(name, type, settings, true, done, arg);
}

/* In the place of a port whose start has failed, which a kind does not start twice. */
static void
try_again(struct port *port)
{
	struct port *fresh = make_port(port->ops, port->id, port->name, &port->settings);

	if (fresh == NULL)
		return; /* the next second may have memory */
	fresh->awaits = true;
	memcpy(fresh->missing, port->missing, sizeof(fresh->missing));
	(void)port_table_leave(port);
	port->ops->release(port);
	port_table_enter(fresh);
	begin_start(fresh);
}

/* ---- Changing ---- */

void
port_changed(struct port *port, const char *err)
{
	struct port_settings old = port->settings;
	char words[PORT_TEXT_MAX];

	if (err == NULL) {
		port->settings = port->wanted;
		if (port_table_publish() < 0) {
			port->settings = old;
			snprintf(words, sizeof(words), "set-port %s: no memory", port->name);
			err = words;
		} else {
			port_link_changed(port);
		}
	}
	end_change(port, port, err);
	if (port->withdrawn)
		begin_stop(port);
}

/* What the kind has to say about them it says when the port is tried again. */
static void
set_awaiting(struct port *port, const struct port_settings *settings, port_done done, void *arg)
{
	port->settings = *settings;
	port->retry_ns = 0;
	done(arg, port, NULL);
}

void
port_set(struct port *port, const struct port_settings *settings, port_done done, void *arg)
{
	char err[PORT_TEXT_MAX * 2];
	int ret;

	ASSERT_ON(THREAD_CONTROL);
	if (port->awaits && !port->starting) {
		set_awaiting(port, settings, done, arg);
		return;
	}
	if (port->changed != NULL || port->starting) {
		snprintf(err, sizeof(err),
				"set-port %s: the port is being changed by another request; try again "
				"in a moment",
				port->name);
		done(arg, port, err);
		return;
	}
	port->wanted = *settings;
	port->changed = done;
	port->changed_arg = arg;
	ret = port->ops->set(port, settings, err, sizeof(err));
	if (ret != -EINPROGRESS)
		port_changed(port, ret < 0 ? err : NULL);
}

/* ---- Deleting ---- */

/* The last step: nobody knows the port any more but its table entry and the FDB. */
static void
on_unused(void *arg)
{
	struct port *port = arg;
	void (*deleted)(void *) = port->deleted;
	void *deleted_arg = port->deleted_arg;
	char name[PORT_NAME_MAX];
	bool last;

	snprintf(name, sizeof(name), "%s", port->name);
	fdb_flush(life.config.fdb, port->id, true);
	last = port_table_leave(port);
	port->ops->release(port);
	if (life.config.listener->deleted != NULL)
		life.config.listener->deleted(name);
	if (deleted != NULL)
		deleted(deleted_arg);
	if (last && life.all_deleted != NULL)
		life.all_deleted(life.all_deleted_arg);
}

static void
on_stopped(void *arg)
{
	struct port *port = arg;

	detach_sources(port);
	grace_call(on_unused, port);
}

static void
begin_stop(struct port *port)
{
	port->ops->stop(port, on_stopped, port);
}

/*
 * Takes the port out of what workers read, then stops it. The old table names a sink that goes away
 * with the port: while there is no memory for a new one the port stays, and on_second() tries again.
 */
static void
withdraw(struct port *port)
{
	port->withdrawn = port_table_publish() == 0;
	/* port_changed() goes on when a change is under way. */
	if (port->withdrawn && port->changed == NULL)
		begin_stop(port);
}

int
port_delete(struct port *port, void (*done)(void *arg), void *arg)
{
	ASSERT_ON(THREAD_CONTROL);
	if (port->deleting)
		return -EALREADY;
	port->deleting = true;
	port->deleted = done;
	port->deleted_arg = arg;
	if (port->starting)
		return 0; /* port_started() goes on */
	if (!port->awaits) {
		withdraw(port);
		return 0;
	}
	port->withdrawn = true; /* it was never in */
	grace_call(on_unused, port);
	return 0;
}

void
port_delete_all(void (*done)(void *arg), void *arg)
{
	struct port *port, *next;

	ASSERT_ON(THREAD_CONTROL);
	life.all_deleted = done;
	life.all_deleted_arg = arg;
	if (port_table_first() == NULL)
		done(arg);
	for (port = port_table_first(); port != NULL; port = next) {
		next = TAILQ_NEXT(port, link);
		port_delete(port, NULL, NULL);
	}
}
