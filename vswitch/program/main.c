/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * vswitchd: the order of start and stop, and nothing else. Each step of the start has its undoing
 * in stop order below; what was not started is not stopped.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <event2/event.h>

#include "base/thread_role.h"
#include "base/clock.h"
#include "gate/fd_reaper.h"
#include "control/config.h"
#include "control/config_running.h"
#include "control/control.h"
#include "control/control_context.h"
#include "daemon_options.h"
#include "devices/ethdev_drivers.h"
#include "control/events.h"
#include "eal.h"
#include "switching/fdb.h"
#include "worker/helper.h"
#include "jsonrpc/json_memory.h"
#include "system/last_words.h"
#include "base/sd_notify.h"
#include "options/options.h"
#include "port_kinds.h"
#include "ports/port.h"
#include "process.h"
#include "control/rpc_discover.h"
#include "control/rpc_doc.h"
#include "control/rpc_tables.h"
#include "rundir.h"
#include "system/standard_fds.h"
#include "surroundings.h"
#include "text/text.h"
#include "library/vhost_lib.h"
#include "worker/watchdog.h"
#include "worker/worker.h"

#define ERR_SIZE 1024

/* Frontends that hold up the end of their ports have this long. */
#define STOP_LIMIT_MS 5000

/* The same where the start has not ended: a device that is being opened would hold up the end. */
#define STOP_LIMIT_START_MS 500

/* How far the start got, in its order; stopping goes back from there. */
enum stage {
	STAGE_NOTHING,
	STAGE_RUNDIR,
	STAGE_BASE,
	STAGE_HELPER,
	STAGE_VHOST,
	STAGE_FDB,
	STAGE_WORKERS,
	STAGE_PORTS,
	STAGE_CONTROL,
};

struct program {
	struct daemon_options options;
	struct rundir rundir;
	struct eal_memory memory;
	struct event_base *base;
	struct fdb *fdb;
	uint64_t start_ns; /* CLOCK_MONOTONIC */
	struct config config;
	struct control_context context;
	enum stage stage;
	struct event *second; /* ages the stations, completes the log */
	struct event *stop_limit;
	bool configured;    /* config_running_apply() has come to its end ... */
	char why[ERR_SIZE]; /* ... and failed with these words, if any */
	bool started;	    /* READY=1 was told */
	bool leaving;	    /* on a signal */
	bool ports_gone;
};

static void
on_second(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	fdb_sweep(arg, clock_seconds());
	log_tell_left_out();
}

static int
start_fdb(struct program *program, char *err, size_t err_size)
{
	const struct timeval second = { .tv_sec = 1 };
	uint64_t seed;

	if (getrandom(&seed, sizeof(seed), 0) != (ssize_t)sizeof(seed))
		return text_fail(err, err_size, -errno, "cannot get random numbers: %s",
				strerror(errno));
	program->fdb = fdb_create(seed);
	if (program->fdb == NULL)
		return text_fail(err, err_size, -ENOMEM, "out of memory for the forwarding table");
	program->stage = STAGE_FDB;
	program->second = event_new(program->base, -1, EV_PERSIST, on_second, program->fdb);
	if (program->second == NULL || event_add(program->second, &second) != 0 ||
			events_start(program->base, program->fdb) != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	return 0;
}

static int
start_workers(struct program *program, char *err, size_t err_size)
{
	const struct daemon_options *options = &program->options;
	const struct worker_config config = {
		.n = options->workers,
		.cpus = options->pinned ? options->cpus : NULL,
		.poll_always = options->poll_always,
	};
	int ret;

	watchdog_watch(&watched_control);
	helper_watch();
	watchdog_watch(&watched_library);
	ret = worker_start(program->base, &config, program->fdb, err, err_size);

	if (ret == 0)
		program->stage = STAGE_WORKERS;
	return ret;
}

/* -EINTR: it is to leave before the file could be read. */
static int
read_config(struct program *program, char *err, size_t err_size)
{
	const char *path = program->options.config;
	int ret;

	if (path == NULL)
		return 0;
	ret = config_read(path, process_stop_fd(), &program->config, err, err_size);
	program->leaving = ret == -EINTR;
	if (program->leaving)
		process_take_stop();
	return ret;
}

/* What can stop the start before anything is made. */
static int
prepare(struct program *program, char *err, size_t err_size)
{
	const struct daemon_options *options = &program->options;
	int ret = process_prepare();

	if (ret != 0)
		return text_fail(
				err, err_size, ret, "cannot watch for signals: %s", strerror(-ret));
	if (options->any_driver)
		ethdev_drivers_allow_any();
	ret = surroundings_check(options->workers, err, err_size);
	return ret == 0 ? read_config(program, err, err_size) : ret;
}

/* The first half: the process's own things, before any thread. */
static int
start_process(struct program *program, char *err, size_t err_size)
{
	const struct daemon_options *options = &program->options;
	int ret = prepare(program, err, err_size);

	if (ret != 0)
		return ret;
	ret = fd_reaper_fork();
	if (ret != 0)
		return text_fail(err, err_size, ret, "cannot start the reaper process: %s",
				strerror(-ret));
	ret = rundir_open(&program->rundir, options->socket_dir, err, err_size);
	if (ret != 0)
		return ret;
	program->stage = STAGE_RUNDIR;
	ret = eal_start(options->huge, options->memory_mib, program->rundir.private_dir,
			&program->memory, err, err_size);
	if (ret != 0)
		return ret;
	program->base = event_base_new();
	if (program->base == NULL)
		return text_fail(err, err_size, -ENOMEM, "cannot make an event loop");
	program->stage = STAGE_BASE;
	return 0;
}

static int
start_datapath(struct program *program, char *err, size_t err_size)
{
	int ret;

	ret = helper_start(program->base);
	if (ret == 0)
		ret = fd_reaper_start(program->base);
	if (ret != 0)
		return text_fail(err, err_size, ret, "cannot start a thread: %s", strerror(-ret));
	program->stage = STAGE_HELPER;
	ret = vhost_lib_start(program->base, program->rundir.vhost_path, err, err_size);
	if (ret != 0)
		return ret;
	program->stage = STAGE_VHOST;
	ret = start_fdb(program, err, err_size);
	return ret == 0 ? start_workers(program, err, err_size) : ret;
}

static void
on_configured(void *arg, const char *err)
{
	struct program *program = arg;

	if (err != NULL)
		snprintf(program->why, sizeof(program->why), "%s", err);
	program->configured = true;
	if (!program->leaving)
		event_base_loopbreak(program->base);
}

static void
on_stop(void *arg)
{
	struct program *program = arg;

	program->leaving = true;
	(void)sd_notify_send("STOPPING=1"); /* the end itself is seen in any case */
	event_base_loopbreak(program->base);
}

/*
 * Runs the loop until the ports of the configuration are there, because some take their time.
 * -EINTR: until it is to leave; a port may still be starting, and the configuration in use.
 */
static int
apply_config(struct program *program, char *err, size_t err_size)
{
	if (process_watch(program->base, on_stop, program) != 0)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	config_running_apply(&program->config, program->options.config_strict, program->fdb,
			on_configured, program);
	while (!program->configured && !program->leaving)
		event_base_dispatch(program->base);
	if (program->leaving)
		return -EINTR;
	config_release(&program->config);
	if (program->why[0] == '\0')
		return 0;
	return text_fail(err, err_size, -EINVAL, "%s: %s", program->options.config, program->why);
}

/* The control socket: what the methods read of the program is there now. */
static int
start_control(struct program *program, char *err, size_t err_size)
{
	const struct daemon_options *options = &program->options;

	program->context = (struct control_context){
		.base = program->base,
		.fdb = program->fdb,
		.control = options->control,
		.control_group = options->control_group,
		.socket_dir = options->socket_dir,
		.config = options->config,
		.poll_always = options->poll_always,
		.hugepages = program->memory.huge,
		.memory_mib = program->memory.mib,
		.start_ns = program->start_ns,
	};
	return control_start(&program->context, err, err_size);
}

static int
start_ports(struct program *program, char *err, size_t err_size)
{
	const struct port_config config = {
		.base = program->base,
		.socket_dir = program->options.socket_dir,
		.fdb = program->fdb,
		.listener = &events_port_listener,
		.kinds = port_kinds,
	};
	int ret;

	ret = port_init(&config);
	if (ret != 0)
		return text_fail(err, err_size, ret, "out of memory");
	program->stage = STAGE_PORTS;
	ret = apply_config(program, err, err_size);
	if (ret != 0)
		return ret;
	ret = start_control(program, err, err_size);
	if (ret == 0)
		program->stage = STAGE_CONTROL;
	return ret;
}

static void
on_ports_gone(void *arg)
{
	struct program *program = arg;

	program->ports_gone = true;
	event_base_loopbreak(program->base);
}

static void
on_stop_limit(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Runs the loop until all ports are gone, or the limit is over. */
static void
stop_ports(struct program *program)
{
	const long limit_ms = program->started ? STOP_LIMIT_MS : STOP_LIMIT_START_MS;
	const struct timeval limit = { .tv_sec = limit_ms / 1000,
		.tv_usec = limit_ms % 1000 * 1000 };
	struct event_base *base = program->base;

	control_stop();
	program->stop_limit = event_new(base, -1, 0, on_stop_limit, base);
	if (program->stop_limit != NULL)
		event_add(program->stop_limit, &limit);
	port_delete_all(on_ports_gone, program);
	if (!program->ports_gone)
		event_base_dispatch(base);
	if (program->stop_limit != NULL)
		event_free(program->stop_limit);
	control_close();
}

/*
 * Undoes the start from where it got. False when ports or sessions would not end: then what they
 * use must not be freed under them.
 */
static bool
stop(struct program *program)
{
	bool clean = true;

	if (program->stage >= STAGE_PORTS) {
		stop_ports(program);
		clean = program->ports_gone;
	}
	if (program->stage >= STAGE_WORKERS && clean)
		worker_stop();
	if (program->stage >= STAGE_VHOST && vhost_lib_stop() != 0)
		clean = false;
	fd_reaper_stop();
	if (program->stage >= STAGE_HELPER)
		helper_stop();
	if (program->stage >= STAGE_RUNDIR)
		rundir_close(&program->rundir);
	return clean;
}

static void
release(struct program *program)
{
	if (program->stage >= STAGE_FDB) {
		events_stop();
		if (program->second != NULL)
			event_free(program->second);
		fdb_destroy(program->fdb);
	}
	if (program->stage >= STAGE_BASE)
		event_base_free(program->base);
}

static void
say_ready(struct program *program)
{
	const struct eal_memory *memory = &program->memory;
	int ret;

	log_info("memory: %u MiB of %s%s%s%s", memory->mib,
			memory->huge ? "hugepages" : "ordinary pages",
			memory->why[0] != '\0' ? " (" : "", memory->why,
			memory->why[0] != '\0' ? ")" : "");
	log_info("ready; control %s", program->options.control);
	program->started = true;
	ret = sd_notify_send("READY=1");
	/* a manager that is not told waits for ever, or ends the switch at its own limit */
	if (ret != 0)
		log_warning("the service manager could not be told READY=1: %s", strerror(-ret));
}

static int
start(struct program *program, char *err, size_t err_size)
{
	int ret = start_process(program, err, err_size);

	if (ret == 0)
		ret = start_datapath(program, err, err_size);
	if (ret == 0)
		ret = start_ports(program, err, err_size);
	return ret;
}

static int
run(struct program *program)
{
	char err[ERR_SIZE];
	int status = 0;

	json_memory_watch();
	program->start_ns = clock_ns();
	log_set_level(program->options.log_level);
	if (start(program, err, sizeof(err)) == 0) {
		say_ready(program);
		event_base_dispatch(program->base);
	} else if (!program->leaving) {
		log_error("vswitchd cannot start: %s", err);
		status = 1;
	}
	if (!stop(program)) {
		log_warning("left with %s that did not end",
				program->stage < STAGE_PORTS || program->configured
						? "sessions"
						: "a port's start");
		_exit(status);
	}
	process_unwatch();
	release(program);
	return status;
}

int
main(int argc, char *argv[])
{
	struct program program = { 0 };
	int status;

	THREAD_IS(THREAD_CONTROL);
	if (standard_fds_open() != 0)
		return 1; /* there is no place to say so */
	last_words_open("vswitchd", NULL);
	status = daemon_options_read(argc, argv, &program.options);
	rpc_init(rpc_tables);
	if (status == OPTIONS_GO_ON && program.options.print_control_doc)
		status = rpc_doc_print(stdout) == 0 ? 0 : 1;
	else if (status == OPTIONS_GO_ON && program.options.print_control_schema)
		status = rpc_discover_print(stdout) == 0 ? 0 : 1;
	else if (status == OPTIONS_GO_ON)
		status = run(&program);
	config_release(&program.config);
	daemon_options_release(&program.options);
	return status;
}
