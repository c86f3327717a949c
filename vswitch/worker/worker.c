/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The workers as the control thread handles them: start and stop, which source belongs to whom,
 * publication of tables.
 */
#include "worker.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <event2/event.h>

#include <rte_cycles.h>

#include "datapath/account.h"
#include "rings/caller.h"
#include "base/thread_role.h"
#include "base/copy.h"
#include "base/grace.h"
#include "base/log.h"
#include "base/thread.h"
#include "watchdog.h"
#include "worker_thread.h"

static struct {
	uint32_t n;
	struct worker *workers[WORKERS_MAX];
	const struct forward_table *table; /* published to all workers */
	uint64_t sampled_tsc[WORKERS_MAX];
	uint64_t sampled_busy[WORKERS_MAX];
	double busy_percent[WORKERS_MAX];
	struct event *sample_timer;
} pool;

static void
wake(struct worker *worker)
{
	const uint64_t one = 1;

	__atomic_store_n(&worker->refresh, true, __ATOMIC_RELEASE);
	if (write(worker->wake_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
		log_error("worker %u: cannot be woken: %s", worker->index, strerror(errno));
}

static void
free_table(void *table)
{
	forward_table_free(table);
}

void
worker_publish_table(struct forward_table *table)
{
	const struct forward_table *old = pool.table;

	ASSERT_ON(THREAD_CONTROL);
	__atomic_store_n(&pool.table, table, __ATOMIC_RELEASE);
	if (old != NULL)
		grace_call(free_table, (void *)(uintptr_t)old);
}

static struct source_list *
create_list(uint32_t size)
{
	struct source_list *list = calloc(1, sizeof(*list) + size * sizeof(const struct source *));

	if (list != NULL)
		list->size = size;
	return list;
}

static int
publish_sources(struct worker *worker, struct source *source, bool add)
{
	const struct source_list *old = worker->sources;
	uint32_t needed = source->id + 1u;
	struct source_list *list = create_list(old->size > needed ? old->size : needed);

	if (list == NULL)
		return -ENOMEM;
	memcpy(list->by_id, old->by_id, old->size * sizeof(old->by_id[0]));
	list->by_id[source->id] = add ? source : NULL;
	list->n = add ? old->n + 1 : old->n - 1;
	__atomic_store_n(&worker->sources, list, __ATOMIC_RELEASE);
	wake(worker);
	grace_call(free, (void *)(uintptr_t)old);
	return 0;
}

static bool
is_free(uint32_t id)
{
	for (uint32_t i = 0; i < pool.n; i++) {
		const struct source_list *list = pool.workers[i]->sources;

		if (id < list->size && list->by_id[id] != NULL)
			return false;
	}
	return true;
}

/* There are as many ids as all ports can have queues. */
static uint16_t
free_id(void)
{
	uint32_t id = 0;

	while (!is_free(id))
		id++;
	return (uint16_t)id;
}

static uint32_t
count_of_port(const struct worker *worker, uint16_t port)
{
	const struct source_list *list = worker->sources;
	uint32_t n = 0;

	for (uint32_t id = 0; id < list->size; id++)
		n += list->by_id[id] != NULL && list->by_id[id]->port == port;
	return n;
}

/* Whether a source of the port is better off with `a`: the queues of a port are spread first of all. */
static bool
is_better(const struct worker *a, const struct worker *b, uint16_t port)
{
	uint32_t of_port_a = count_of_port(a, port), of_port_b = count_of_port(b, port);

	if (of_port_a != of_port_b)
		return of_port_a < of_port_b;
	return a->sources->n < b->sources->n;
}

int
worker_attach(struct source *source)
{
	struct worker *best = pool.workers[0];
	int ret;

	ASSERT_ON(THREAD_CONTROL);
	for (uint32_t i = 1; i < pool.n; i++)
		if (is_better(pool.workers[i], best, source->port))
			best = pool.workers[i];
	source->id = free_id();
	ret = publish_sources(best, source, true);
	if (ret == 0)
		source->worker = best->index;
	return ret;
}

void
worker_detach(struct source *source)
{
	struct worker *worker = pool.workers[source->worker];

	ASSERT_ON(THREAD_CONTROL);
	source->worker = -1;
	/* No memory for a new list: empty the place in the old one, which the workers allow. */
	if (publish_sources(worker, source, false) < 0) {
		struct source_list *list = (struct source_list *)(uintptr_t)worker->sources;

		__atomic_store_n(&list->by_id[source->id], NULL, __ATOMIC_RELEASE);
		list->n--;
		wake(worker);
	}
}

int
worker_watch(struct source *source, int kick_fd)
{
	struct worker *worker = pool.workers[source->worker];
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.u32 = source->id };

	ASSERT_ON(THREAD_CONTROL);
	__atomic_store_n(&source->timed, kick_fd < 0, __ATOMIC_RELAXED);
	__atomic_store_n(&source->kick_fd, kick_fd, __ATOMIC_RELAXED);
	if (kick_fd >= 0 && epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, kick_fd, &event) < 0)
		return -errno;
	wake(worker);
	return 0;
}

void
worker_poll(const struct source *source)
{
	ASSERT_ON(THREAD_CONTROL);
	wake(pool.workers[source->worker]);
}

void
worker_unwatch(struct source *source, int kick_fd)
{
	struct worker *worker = pool.workers[source->worker];

	ASSERT_ON(THREAD_CONTROL);
	__atomic_store_n(&source->timed, false, __ATOMIC_RELAXED);
	__atomic_store_n(&source->kick_fd, -1, __ATOMIC_RELAXED);
	if (kick_fd >= 0)
		epoll_ctl(worker->epoll_fd, EPOLL_CTL_DEL, kick_fd, NULL);
}

uint32_t
worker_count(void)
{
	return pool.n;
}

static uint32_t
count_ports(const struct source_list *list)
{
	bool seen[PORTS_MAX] = { false };
	uint32_t n = 0;

	for (uint32_t id = 0; id < list->size; id++) {
		const struct source *source = list->by_id[id];

		if (source == NULL || seen[source->port])
			continue;
		seen[source->port] = true;
		n++;
	}
	return n;
}

void
worker_info(uint32_t index, struct worker_info *info)
{
	const struct worker *worker = pool.workers[index];

	ASSERT_ON(THREAD_CONTROL);
	info->cpu = worker->cpu;
	info->sleeping = __atomic_load_n(&worker->sleeping, __ATOMIC_RELAXED);
	info->busy_percent = pool.busy_percent[index];
	info->sources = worker->sources->n;
	info->ports = count_ports(worker->sources);
}

static void
on_sample_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	for (uint32_t i = 0; i < pool.n; i++) {
		uint64_t now = rte_rdtsc();
		uint64_t busy = __atomic_load_n(&pool.workers[i]->busy_cycles, __ATOMIC_RELAXED);

		pool.busy_percent[i] = 100.0 * (double)(busy - pool.sampled_busy[i]) /
				(double)(now - pool.sampled_tsc[i]);
		pool.sampled_busy[i] = busy;
		pool.sampled_tsc[i] = now;
	}
}

static int
create_descriptors(struct worker *worker)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = WAKE_EVENT };

	worker->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (worker->epoll_fd < 0 || worker->wake_fd < 0 ||
			epoll_ctl(worker->epoll_fd, EPOLL_CTL_ADD, worker->wake_fd, &event) < 0)
		return -errno;
	return 0;
}

static void
free_memory(struct worker *worker)
{
	free((void *)(uintptr_t)worker->sources);
	free(worker->burst.store);
	free(worker->delivery.split);
	free(worker->delivery.edited);
	free(worker->private_copy);
	free(worker);
}

static struct worker *
create_worker(uint32_t index, const struct worker_config *config, struct rte_rcu_qsbr *rcu,
		struct fdb *fdb)
{
	struct worker *worker = aligned_alloc(
			64, sizeof(*worker) + 63 - (sizeof(*worker) + 63) % 64);

	if (worker == NULL)
		return NULL;
	memset(worker, 0, sizeof(*worker));
	worker->sources = create_list(0);
	worker->burst.store = malloc(BURST_STORE_LEN);
	worker->delivery.split = aligned_alloc(64, sizeof(*worker->delivery.split));
	worker->delivery.edited = aligned_alloc(64, sizeof(*worker->delivery.edited));
	worker->private_copy = malloc(sizeof(*worker->private_copy));
	if (worker->sources == NULL || worker->burst.store == NULL ||
			worker->delivery.split == NULL || worker->delivery.edited == NULL ||
			worker->private_copy == NULL || create_descriptors(worker) < 0) {
		free_memory(worker);
		return NULL;
	}
	worker->seen = worker->sources;
	worker->index = index;
	worker->cpu = config->cpus != NULL ? config->cpus[index] : -1;
	worker->poll_always = config->poll_always;
	worker->rcu = rcu;
	worker->fdb = fdb;
	worker->table = &pool.table;
	worker->cycles_per_us = rte_get_tsc_hz() / 1000000;
	worker->delivery.at_port = DELIVERY_NOWHERE;
	worker->fair.ahead = FAIR_SHARE_AHEAD_US * worker->cycles_per_us;
	return worker;
}

static int
start_thread(struct worker *worker)
{
	char name[16];
	int ret;

	snprintf(name, sizeof(name), "worker-%u", worker->index);
	ret = thread_start(&worker->thread, name, worker_run, worker);
	if (ret != 0)
		return ret;
	if (worker->cpu >= 0) {
		cpu_set_t cpus;

		CPU_ZERO(&cpus);
		CPU_SET(worker->cpu, &cpus);
		ret = pthread_setaffinity_np(worker->thread, sizeof(cpus), &cpus);
	}
	return -ret;
}

static int
create_pool(struct event_base *base)
{
	const struct timeval second = { .tv_sec = 1 };

	pool.sample_timer = event_new(base, -1, EV_PERSIST, on_sample_timer, NULL);
	pool.table = forward_table_create(0, 0);
	if (pool.sample_timer == NULL || pool.table == NULL)
		return -ENOMEM;
	evtimer_add(pool.sample_timer, &second);
	return 0;
}

static int
start_workers(const struct worker_config *config, struct rte_rcu_qsbr *rcu, struct fdb *fdb)
{
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < config->n; i++) {
		pool.workers[i] = create_worker(i, config, rcu, fdb);
		if (pool.workers[i] == NULL)
			return -ENOMEM;
		rte_rcu_qsbr_thread_register(rcu, i);
		ret = start_thread(pool.workers[i]);
		if (ret == 0)
			watchdog_watch_worker(pool.workers[i]);
		pool.n = ret == 0 ? i + 1 : i;
	}
	return ret;
}

int
worker_start(struct event_base *base, const struct worker_config *config, struct fdb *fdb,
		char *err, size_t err_size)
{
	struct rte_rcu_qsbr *rcu = grace_start(base, config->n);
	int ret = rcu != NULL ? create_pool(base) : -ENOMEM;

	ASSERT_ON(THREAD_CONTROL);
	log_debug("payload is copied with %s", copy_init());
	account_init(rte_get_tsc_hz());
	if (ret == 0)
		ret = thread_init();
	if (ret == 0)
		ret = caller_start();
	if (ret == 0) {
		watchdog_watch(caller_watched());
		ret = watchdog_start();
	}
	if (ret == 0)
		ret = start_workers(config, rcu, fdb);
	if (ret < 0)
		snprintf(err, err_size, "cannot start %u worker threads: %s", config->n,
				strerror(-ret));
	return ret;
}

static void
free_worker(struct worker *worker)
{
	close(worker->epoll_fd);
	close(worker->wake_fd);
	free_memory(worker);
}

void
worker_stop(void)
{
	ASSERT_ON(THREAD_CONTROL);
	for (uint32_t i = 0; i < pool.n; i++) {
		__atomic_store_n(&pool.workers[i]->stop, true, __ATOMIC_RELAXED);
		wake(pool.workers[i]);
	}
	for (uint32_t i = 0; i < pool.n; i++)
		pthread_join(pool.workers[i]->thread, NULL);
	watchdog_stop();
	grace_finish();
	caller_stop();
	for (uint32_t i = 0; i < pool.n; i++)
		free_worker(pool.workers[i]);
	pool.n = 0;
	event_free(pool.sample_timer);
	free_table((void *)(uintptr_t)pool.table);
	grace_stop();
}
