/* SPDX-License-Identifier: BSD-3-Clause */
/* See fd_reaper.h. */
#include "fd_reaper.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/thread_role.h"
#include "base/mutex.h"
#include "base/clock.h"
#include "fd_reaper_process.h"
#include "fd_reaper_thread.h"
#include "fd_check.h"
#include "base/log.h"

/* The most batches of one account that the process has at a time. The account's next ones wait. */
#define SENT_MAX 8

/* When the process takes no more, the next attempt comes after this or with its next report. */
#define RETRY_MS 50

#define NS_PER_S 1000000000ull

/* Descriptors of one account that are handed over together. Control thread. */
struct fd_reaper_batch {
	TAILQ_ENTRY(fd_reaper_batch) link; /* in `waiting` or in `sent` */
	LIST_ENTRY(fd_reaper_batch) of_account;
	struct fd_reaper_batch *next_held;
	struct fd_reaper_account *account;
	uint64_t since_ns; /* when the first descriptor came */
	uint32_t id;
	uint32_t n;
	int fds[FD_REAPER_BATCH_MAX];
};

TAILQ_HEAD(batches, fd_reaper_batch);

struct fd_reaper_account {
	LIST_HEAD(, fd_reaper_batch) batches; /* control thread */
	struct fd_reaper_batch *open; /* control thread: takes the next descriptor; or NULL */
	uint32_t n_sent;	      /* control thread */
	uint32_t pending;	      /* under lock */
	uint32_t in_threads;	      /* under lock */
	bool orphan;		      /* under lock: freed with the last descriptor */
};

static struct mutex lock = MUTEX_INIT;
static uint32_t n_pending GUARDED_BY(lock);

static struct batches waiting = TAILQ_HEAD_INITIALIZER(waiting);
static struct batches sent = TAILQ_HEAD_INITIALIZER(sent);
static uint32_t last_id;
static struct fd_reaper_process process = { .fd = -1 };
static struct event *report_event, *flush_event;

/* ---- Accounts ---- */

struct fd_reaper_account *
fd_reaper_open_account(void)
{
	ASSERT_ON(THREAD_CONTROL);
	return calloc(1, sizeof(struct fd_reaper_account));
}

void
fd_reaper_free_account(struct fd_reaper_account *account)
{
	bool unused;

	ASSERT_ON(THREAD_CONTROL);
	mutex_lock(&lock);
	unused = account->pending == 0;
	account->orphan = true;
	mutex_unlock(&lock);
	if (unused)
		free(account);
}

static void
enter(struct fd_reaper_account *account, bool in_thread)
{
	mutex_lock(&lock);
	account->pending++;
	account->in_threads += in_thread;
	n_pending++;
	mutex_unlock(&lock);
}

static void
settle(struct fd_reaper_account *account, uint32_t n, bool in_thread)
{
	bool last;

	mutex_lock(&lock);
	account->pending -= n;
	account->in_threads -= in_thread ? n : 0;
	n_pending -= n;
	last = account->pending == 0 && account->orphan;
	mutex_unlock(&lock);
	if (last)
		free(account);
}

/* ---- Threads ---- */

static void
on_thread_done(void *arg)
{
	settle(arg, 1, true);
}

static void
close_in_thread(int fd, struct fd_reaper_account *account)
{
	enter(account, true);
	fd_reaper_thread_close(fd, on_thread_done, account);
}

/* ---- The process ---- */

static void
release(struct fd_reaper_batch *batch)
{
	struct fd_reaper_account *account = batch->account;
	uint32_t n = batch->n;

	LIST_REMOVE(batch, of_account);
	free(batch);
	settle(account, n, false);
}

/* The next best way when the process is gone: a socket that lingers holds up one of the threads. */
static void
close_without_process(struct fd_reaper_batch *batch)
{
	uint32_t i;

	for (i = 0; i < batch->n; i++)
		close_in_thread(batch->fds[i], batch->account);
	release(batch);
}

static void
lose_process(void)
{
	struct fd_reaper_batch *batch;

	log_error("the reaper process is gone: descriptors of frontends are closed by at most 64 "
		  "threads now, which frontends can hold up; restart the switch");
	event_del(report_event);
	fd_reaper_process_leave(&process);
	/* the kernel closed what the process had when it ended */
	while ((batch = TAILQ_FIRST(&sent)) != NULL) {
		TAILQ_REMOVE(&sent, batch, link);
		batch->account->n_sent--;
		release(batch);
	}
}

static void
withdraw(struct fd_reaper_batch *batch)
{
	TAILQ_REMOVE(&waiting, batch, link);
	if (batch->account->open == batch)
		batch->account->open = NULL;
}

/* False when nothing can be sent for a while. */
static bool
send_batch(struct fd_reaper_batch *batch)
{
	int ret;

	if (batch->id == 0)
		batch->id = ++last_id != 0 ? last_id : ++last_id;
	ret = fd_reaper_process_send(&process, batch->id, batch->fds, batch->n);
	if (ret == -EAGAIN)
		return false;
	withdraw(batch);
	if (ret != 0) {
		if (process.fd >= 0)
			lose_process();
		close_without_process(batch);
		return true;
	}
	batch->account->n_sent++;
	TAILQ_INSERT_TAIL(&sent, batch, link);
	return true;
}

static void
flush(void)
{
	const struct timeval retry = { .tv_usec = RETRY_MS * 1000L };
	struct fd_reaper_batch *batch, *next;
	bool room = true;

	for (batch = TAILQ_FIRST(&waiting); batch != NULL && room; batch = next) {
		next = TAILQ_NEXT(batch, link);
		if (batch->account->n_sent < SENT_MAX)
			room = send_batch(batch);
	}
	if (!room)
		event_add(flush_event, &retry);
}

static void
on_flush(evutil_socket_t unused, short what, void *arg)
{
	(void)unused;
	(void)what;
	(void)arg;
	flush();
}

static void
finish(uint32_t id)
{
	struct fd_reaper_batch *batch = TAILQ_FIRST(&sent);

	while (batch != NULL && batch->id != id)
		batch = TAILQ_NEXT(batch, link);
	if (batch == NULL)
		return;
	TAILQ_REMOVE(&sent, batch, link);
	batch->account->n_sent--;
	release(batch);
}

static void
on_report(evutil_socket_t fd, short what, void *arg)
{
	int64_t id;

	(void)fd;
	(void)what;
	(void)arg;
	while ((id = fd_reaper_process_report(&process)) > 0)
		finish((uint32_t)id);
	if (id < 0)
		lose_process();
	flush();
}

int
fd_reaper_fork(void)
{
	return fd_reaper_process_fork(&process);
}

int
fd_reaper_start(struct event_base *base)
{
	flush_event = event_new(base, -1, 0, on_flush, NULL);
	report_event = event_new(base, process.fd, EV_READ | EV_PERSIST, on_report, NULL);
	if (flush_event == NULL || report_event == NULL || event_add(report_event, NULL) != 0)
		return -ENOMEM;
	return 0;
}

void
fd_reaper_stop(void)
{
	if (flush_event != NULL && report_event != NULL)
		flush();
	if (report_event != NULL)
		event_free(report_event);
	if (flush_event != NULL)
		event_free(flush_event);
	report_event = flush_event = NULL;
	fd_reaper_process_leave(&process);
}

/* ---- What is given ---- */

/* True where close() does not ask a file server. Waits for no socket's lock. */
static bool
is_quiet_kind(int fd)
{
	struct vhost_fd facts;
	socklen_t len = sizeof(int);
	int type;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0)
		return true;
	fd_check(fd, &facts);
	return facts.kind != VHOST_FD_OTHER;
}

/* NULL: no memory. */
static struct fd_reaper_batch *
open_batch(struct fd_reaper_account *account)
{
	struct fd_reaper_batch *batch = account->open;

	if (batch != NULL && batch->n < FD_REAPER_BATCH_MAX)
		return batch;
	batch = malloc(sizeof(*batch));
	if (batch == NULL)
		return NULL;
	batch->account = account;
	batch->since_ns = clock_ns();
	batch->id = 0;
	batch->n = 0;
	batch->next_held = NULL;
	account->open = batch;
	LIST_INSERT_HEAD(&account->batches, batch, of_account);
	TAILQ_INSERT_TAIL(&waiting, batch, link);
	return batch;
}

void
fd_reaper_close(int fd, struct fd_reaper_account *account)
{
	struct fd_reaper_batch *batch = is_quiet_kind(fd) ? open_batch(account) : NULL;

	ASSERT_ON(THREAD_CONTROL);
	if (batch == NULL) {
		close_in_thread(fd, account);
		return;
	}
	enter(account, false);
	batch->fds[batch->n++] = fd;
	event_active(flush_event, 0, 0);
}

struct fd_reaper_batch *
fd_reaper_hold(struct fd_reaper_account *account)
{
	struct fd_reaper_batch *batch, *next, *held = NULL;

	ASSERT_ON(THREAD_CONTROL);
	for (batch = TAILQ_FIRST(&waiting); batch != NULL; batch = next) {
		next = TAILQ_NEXT(batch, link);
		if (batch->account != account)
			continue;
		withdraw(batch);
		batch->next_held = held;
		held = batch;
	}
	return held;
}

void
fd_reaper_send(void *held)
{
	struct fd_reaper_batch *batch = held, *next;

	ASSERT_ON(THREAD_CONTROL);
	for (; batch != NULL; batch = next) {
		next = batch->next_held;
		TAILQ_INSERT_TAIL(&waiting, batch, link);
	}
	flush();
}

uint32_t
fd_reaper_resisting(const struct fd_reaper_account *account)
{
	const struct fd_reaper_batch *batch;
	uint64_t now = clock_ns();
	uint32_t n;

	mutex_lock(&lock);
	n = account->in_threads;
	mutex_unlock(&lock);
	LIST_FOREACH (batch, &account->batches, of_account) {
		if (now - batch->since_ns > FD_REAPER_PATIENCE_S * NS_PER_S)
			n += batch->n;
	}
	return n;
}

uint32_t
fd_reaper_pending(const struct fd_reaper_account *account)
{
	uint32_t n;

	mutex_lock(&lock);
	n = account->pending;
	mutex_unlock(&lock);
	return n;
}

uint32_t
fd_reaper_pending_all(void)
{
	uint32_t n;

	mutex_lock(&lock);
	n = n_pending;
	mutex_unlock(&lock);
	return n;
}
