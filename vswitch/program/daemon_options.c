/* SPDX-License-Identifier: BSD-3-Clause */
/* See daemon_options.h. */
#include "daemon_options.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cpu_list.h"
#include "system/identity.h"
#include "options/options.h"
#include "text/text.h"

/* Less does not hold the tables of EAL and the vhost library and a few ports. */
#define MEMORY_MIN_MIB 32
#define MEMORY_MAX_MIB 65536

/* clang-format off */
static const struct option_spec specs[] = {
	{ .name = "socket-dir", .type = OPTION_TEXT, .arg = "DIR",
	  .default_text = "/run/vswitch for root, else $XDG_RUNTIME_DIR/vswitch",
	  .help = "directory of the ports' sockets and of the control socket" },
	{ .name = "control", .type = OPTION_TEXT, .arg = "PATH",
	  .default_text = "DIR/control.sock", .help = "control socket" },
	{ .name = "control-group", .type = OPTION_TEXT, .arg = "GROUP",
	  .help = "group, by name or number, whose members may use the control socket as well; they "
		  "then may do whatever the switch may" },
	{ .name = "config", .type = OPTION_TEXT, .arg = "FILE",
	  .help = "ports and settings that are applied at start; a missing file is an empty one" },
	{ .name = "config-strict", .type = OPTION_FLAG,
	  .help = "do not start when a network namespace, interface or device of the file is missing; "
		  "else its port waits" },
	{ .name = "workers", .type = OPTION_INTEGER, .arg = "N", .min = 1, .max = WORKERS_MAX,
	  .default_text = "1, or one for each CPU of --cpus", .help = "threads that move frames" },
	{ .name = "cpus", .type = OPTION_TEXT, .arg = "LIST",
	  .help = "CPUs to pin the workers to, such as 2,4-5; else they may run on any" },
	{ .name = "huge", .type = OPTION_CHOICE, .arg = "WHEN", .choices = "auto|on|off",
	  .default_text = "auto",
	  .help = "use hugepages: auto (where enough are free), on or off" },
	{ .name = "memory", .type = OPTION_INTEGER, .arg = "MIB", .min = MEMORY_MIN_MIB,
	  .max = MEMORY_MAX_MIB, .default_text = "256",
	  .help = "memory for DPDK, all of it taken at start" },
	{ .name = "poll", .type = OPTION_CHOICE, .arg = "HOW", .choices = "adaptive|always",
	  .default_text = "adaptive",
	  .help = "what idle workers do: sleep (adaptive), or poll always" },
	{ .name = "any-driver", .type = OPTION_FLAG,
	  .help = "let ethdev ports use all drivers of DPDK, also those that let strangers past the "
		  "switch's checks" },
	{ .name = "log-level", .type = OPTION_CHOICE, .arg = "LEVEL",
	  .choices = LOG_LEVEL_WORDS, .default_text = "info",
	  .help = "least important messages that are logged: error, warning, info or debug" },
	{ .name = "print-control-doc", .type = OPTION_FLAG,
	  .help = "print the reference page of the control protocol as Markdown, and leave" },
	{ .name = "print-control-schema", .type = OPTION_FLAG,
	  .help = "print the description of the control protocol as rpc.discover answers it, and "
		  "leave" },
	OPTIONS_VERSION,
	OPTIONS_HELP,
};
/* clang-format on */

const struct options_program daemon_options_program = {
	.name = "vswitchd",
	.usage = "[OPTIONS]",
	.summary = "A layer-2 switch for DPDK processes and virtual machines on this host, which plug "
		   "into it through vhost-user sockets, and for the host's kernel, its containers "
		   "and what DPDK drives. Runs in the foreground, logs to stderr, and leaves on "
		   "SIGTERM or SIGINT. Needs no hugepages, and root only for interfaces of the "
		   "kernel and for devices.",
	.specs = specs,
	.spec_count = sizeof(specs) / sizeof(specs[0]),
	.epilog = "Add ports with `vswitchctl add-port NAME`.",
};

/* New; NULL: no memory, or no working directory. */
static char *
absolute(const char *path)
{
	char *directory, *whole = NULL;

	if (path[0] == '/')
		return strdup(path);
	directory = getcwd(NULL, 0);
	if (directory == NULL || asprintf(&whole, "%s/%s", directory, path) < 0)
		whole = NULL;
	free(directory);
	return whole;
}

/* Makes the path of a socket, or of their directory, absolute in place. */
static int
make_absolute(char path[PATHS_SIZE], char *err, size_t err_size)
{
	char *whole = absolute(path);
	int ret;

	if (whole == NULL && errno == ENOMEM)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	if (whole == NULL)
		return text_fail(err, err_size, -EINVAL,
				"%s is relative and the working directory is not known; "
				"give an absolute path",
				path);
	ret = paths_check_socket(whole, err, err_size);
	if (ret == 0)
		memcpy(path, whole, strlen(whole) + 1);
	free(whole);
	return ret;
}

/* "DIR/" is DIR: paths in it are shown and compared. */
static void
strip_slashes(char *path)
{
	size_t len = strlen(path);

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
}

static int
read_paths(const struct options *o, struct daemon_options *options, char *err, size_t err_size)
{
	const char *config = options_text(o, "config", NULL);
	int ret;

	ret = paths_socket_dir(
			options_text(o, "socket-dir", NULL), options->socket_dir, err, err_size);
	if (ret == 0) {
		strip_slashes(options->socket_dir);
		ret = make_absolute(options->socket_dir, err, err_size);
	}
	if (ret == 0)
		ret = paths_control(options_text(o, "control", NULL), options->socket_dir,
				options->control, err, err_size);
	if (ret == 0)
		ret = make_absolute(options->control, err, err_size);
	if (ret != 0 || config == NULL)
		return ret;
	options->config = absolute(config);
	if (options->config == NULL)
		return text_fail(err, err_size, -ENOMEM, "out of memory");
	return 0;
}

/* --cpus and --workers have to agree; either alone says how many workers there are. */
static int
read_workers(const struct options *o, struct daemon_options *options, char *err, size_t err_size)
{
	const char *list = options_text(o, "cpus", NULL);
	cpu_set_t allowed;
	char why[256];
	int n;

	options->workers = (uint32_t)options_integer(o, "workers", 1);
	if (list == NULL)
		return 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) != 0)
		return text_fail(err, err_size, -errno,
				"--cpus: cannot read this process's CPUs: %s", strerror(errno));
	n = cpu_list_parse(list, &allowed, options->cpus, WORKERS_MAX, why, sizeof(why));
	if (n < 0)
		return text_fail(err, err_size, n, "--cpus %s: %s", list, why);
	if (options_given(o, "workers") && options->workers != (uint32_t)n)
		return text_fail(err, err_size, -EINVAL,
				"--cpus names %d CPUs for %u workers; name one each, or leave out --workers",
				n, options->workers);
	options->workers = (uint32_t)n;
	options->pinned = true;
	return 0;
}

static int
read_control_group(
		const struct options *o, struct daemon_options *options, char *err, size_t err_size)
{
	const char *name = options_text(o, "control-group", NULL);
	char why[256];
	int ret;

	options->control_group = (gid_t)-1;
	if (name == NULL)
		return 0;
	ret = identity_parse_group(name, &options->control_group, why, sizeof(why));
	return ret == 0 ? 0 : text_fail(err, err_size, ret, "--control-group: %s", why);
}

static void
read_words(const struct options *o, struct daemon_options *options)
{
	const char *huge = options_text(o, "huge", "auto");

	options->huge = strcmp(huge, "on") == 0	   ? HUGE_ON
			: strcmp(huge, "off") == 0 ? HUGE_OFF
						   : HUGE_AUTO;
	options->memory_mib = (uint32_t)options_integer(o, "memory", 256);
	options->poll_always = strcmp(options_text(o, "poll", "adaptive"), "always") == 0;
	(void)log_level_from_name(options_text(o, "log-level", "info"), &options->log_level);
	options->config_strict = options_given(o, "config-strict");
	options->any_driver = options_given(o, "any-driver");
	options->print_control_doc = options_given(o, "print-control-doc");
	options->print_control_schema = options_given(o, "print-control-schema");
}

static int
read_all(const struct options *o, struct daemon_options *options, char *err, size_t err_size)
{
	int ret;

	if (o->word_count > 0)
		return text_fail(err, err_size, -EINVAL,
				"'%s' is not an option, and vswitchd takes nothing else",
				o->words[0]);
	read_words(o, options);
	if (options->print_control_doc || options->print_control_schema)
		return 0;
	ret = read_workers(o, options, err, err_size);
	if (ret == 0)
		ret = read_control_group(o, options, err, err_size);
	if (ret == 0)
		ret = read_paths(o, options, err, err_size);
	return ret;
}

int
daemon_options_read(int argc, char *argv[], struct daemon_options *options)
{
	struct options o;
	char err[512];
	int status;

	*options = (struct daemon_options){ 0 };
	status = options_open(&daemon_options_program, argc, argv, &o);
	if (status != OPTIONS_GO_ON)
		return status;
	if (read_all(&o, options, err, sizeof(err)) != 0)
		status = options_usage_error(&daemon_options_program, "%s", err);
	options_release(&o);
	return status;
}

void
daemon_options_release(struct daemon_options *options)
{
	free(options->config);
	options->config = NULL;
}
