/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Measures a vhost-user backend through its sockets, with a frontend that costs next to nothing, and
 * round trips between two network namespaces. `./dev bench` calls it once for each sample; it prints
 * one line of JSON.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "options/options.h"
#include "raw_bench.h"
#include "raw_clock.h"

/* The usual mix of 7 small, 4 middle and 1 large frame, sizes without FCS. */
static const uint32_t imix[LENGTHS_MAX] = { 60, 590, 60, 60, 590, 60, 60, 590, 60, 1514, 590, 60 };

/* clang-format off */
static const struct option_spec specs[] = {
	{ .name = "seconds", .type = OPTION_NUMBER, .arg = "S", .max = 3600, .default_text = "1, of probe 0.15",
	  .help = "run: how long to send; probe: how long to look" },
	{ .name = "size", .type = OPTION_TEXT, .arg = "BYTES|imix", .default_text = "64",
	  .help = "size of a frame without FCS, or the mix 7:4:1 of 60, 590 and 1514; of udp and tcp: of the payload" },
	{ .name = "addresses", .type = OPTION_INTEGER, .arg = "N", .min = 1, .max = 65536,
	  .default_text = "1", .help = "stations in all, half of them behind the sender" },
	{ .name = "ring", .type = OPTION_INTEGER, .arg = "N", .min = 128, .max = 32768,
	  .default_text = "256", .help = "descriptors of each ring, a power of two" },
	{ .name = "touch", .type = OPTION_FLAG, .help = "read every line of what is received" },
	{ .name = "flood", .type = OPTION_FLAG, .help = "send to an unknown address: each receiver gets a copy" },
	{ .name = "both", .type = OPTION_FLAG, .help = "two ports send to each other" },
	{ .name = "huge", .type = OPTION_FLAG, .help = "memory in hugepages" },
	{ .name = "rate", .type = OPTION_NUMBER, .arg = "FPS", .max = 1000000000, .default_text = "as many as go",
	  .help = "run: frames a second, sent in time whatever becomes of them" },
	{ .name = "warm", .type = OPTION_NUMBER, .arg = "S", .max = 3600, .default_text = "0",
	  .help = "run: seconds of the same traffic before it is counted" },
	{ .name = "introduce", .type = OPTION_BOOL, .arg = "on|off", .default_text = "on",
	  .help = "run: every station sends a frame first" },
	{ .name = "cpu", .type = OPTION_INTEGER, .arg = "N", .max = 1023, .help = "run on this CPU" },
	{ .name = "cpus", .type = OPTION_TEXT, .arg = "A,B", .default_text = "0,1", .help = "probe, floor: between these" },
	{ .name = "backend", .type = OPTION_TEXT, .arg = "PID/TID",
	  .help = "run: the backend's thread, whose CPU time counts" },
	{ .name = "count", .type = OPTION_INTEGER, .arg = "N", .min = 1, .max = 1000000,
	  .default_text = "200", .help = "wake, floor, udp, tcp: how often" },
	{ .name = "pause", .type = OPTION_NUMBER, .arg = "S", .max = 60, .default_text = "0.01",
	  .help = "wake, floor: silence before each" },
	OPTIONS_HELP,
};
/* clang-format on */

static const struct options_program program = {
	.name = "raw-bench",
	.usage = "run|wake|first [OPTION]... SENDER RECEIVER... | probe|floor [OPTION]... | "
		 "udp|tcp [OPTION]... NETNS NETNS ADDRESS",
	.summary = "Measures a vhost-user backend that listens at the sockets SENDER and RECEIVER. "
		   "run: frames a second and the backend's cycles for each; wake: time through a "
		   "backend that sleeps; first: time until the first frame; probe: how far two CPUs "
		   "are from each other; floor: how long a bare thread takes to wake; udp, tcp: round "
		   "trips from one network namespace (a path) to an address in another.",
	.specs = specs,
	.spec_count = sizeof(specs) / sizeof(specs[0]),
};

static struct bench bench;

/* Moves *text behind a number; false: there is none, or one above INT32_MAX. */
static bool
read_number(const char **text, uint32_t *number)
{
	unsigned long value;
	char *end;

	if (!isdigit((unsigned char)**text))
		return false;
	value = strtoul(*text, &end, 10);
	*text = end;
	*number = (uint32_t)value;
	return value <= INT32_MAX;
}

bool
raw_two_numbers(const char *text, char separator, uint32_t *a, uint32_t *b)
{
	return read_number(&text, a) && *text++ == separator && read_number(&text, b) &&
			*text == '\0';
}

int
raw_two_cpus(const char *text, uint32_t *a, uint32_t *b)
{
	if (raw_two_numbers(text, ',', a, b))
		return 0;
	fprintf(stderr, "raw-bench: --cpus %s: give two numbers, as 0,1\n", text);
	return -1;
}

static int
read_size(const char *text)
{
	char *end;
	unsigned long size = strtoul(text, &end, 10);

	if (strcmp(text, "imix") == 0) {
		memcpy(bench.lengths, imix, sizeof(imix));
		bench.n_lengths = LENGTHS_MAX;
		bench.longest = 1514;
		return 0;
	}
	if (*end != '\0' || size < 14 || size > RAW_FRAME_MAX)
		return -EINVAL;
	bench.lengths[0] = (uint32_t)size;
	bench.n_lengths = 1;
	bench.longest = (uint32_t)size;
	return 0;
}

/* What was read, against each other. 0, or the status of wrong usage. */
static int
check_options(const struct options *o)
{
	int64_t ring = options_integer(o, "ring", 256);

	if ((ring & (ring - 1)) != 0)
		return options_usage_error(&program, "--ring: give a power of two, as 256");
	if (o->word_count < 3 || o->word_count > RAW_PORTS_MAX + 1)
		return options_usage_error(&program, "give two to %u sockets", RAW_PORTS_MAX);
	if (bench.both && o->word_count != 3)
		return options_usage_error(&program, "--both needs two sockets");
	if (bench.both && bench.flood)
		return options_usage_error(&program,
				"--flood does not go with --both, for it has one sender; leave one of them out");
	if (bench.both && bench.rate > 0)
		return options_usage_error(&program,
				"--rate does not go with --both, for it is of one sender; leave one of them out");
	return 0;
}

static int
read_options(const struct options *o)
{
	bench.seconds = options_number(o, "seconds", 1);
	bench.warm = options_number(o, "warm", 0);
	bench.rate = options_number(o, "rate", 0);
	bench.addresses = (uint32_t)options_integer(o, "addresses", 1);
	bench.touch = options_given(o, "touch");
	bench.flood = options_given(o, "flood");
	bench.both = options_given(o, "both");
	bench.introduce = options_integer(o, "introduce", 1) != 0;
	bench.backend = options_text(o, "backend", NULL);
	bench.count = (uint32_t)options_integer(o, "count", 200);
	bench.pause = options_number(o, "pause", 0.01);
	if (read_size(options_text(o, "size", "64")) < 0)
		return options_usage_error(
				&program, "--size: give 14 to %u, or imix", RAW_FRAME_MAX);
	return check_options(o);
}

/* What no backend looks at; addresses are written as frames are sent. */
static void
fill_frames(struct raw_port *port, uint8_t seed)
{
	for (uint16_t i = 0; i < port->tx.size; i++) {
		uint8_t *frame = raw_tx_frame(port, i);

		memset(frame, seed + i, bench.longest);
		frame[12] = 0x88;
		frame[13] = 0xb5;
	}
}

static int
open_ports(const struct options *o)
{
	for (size_t i = 1; i < o->word_count; i++) {
		const struct raw_config config = {
			.path = o->words[i],
			.ring_size = (uint16_t)options_integer(o, "ring", 256),
			.frame_max = bench.longest,
			.huge = options_given(o, "huge"),
		};
		struct raw_port *port = &bench.ports[bench.n_ports];

		if (raw_port_open(port, &config) < 0)
			return -1;
		bench.n_ports++;
		fill_frames(port, (uint8_t)i);
	}
	return 0;
}

/* 0, or -1 after a message: the backend did otherwise than the frontend assumes. */
static int
check_astray(const char *const *paths)
{
	for (uint32_t i = 0; i < bench.n_ports; i++) {
		if (!bench.ports[i].rx.astray)
			continue;
		fprintf(stderr, "raw-bench: %s: the backend used receive buffers out of order, or more for a frame than it takes\n",
				paths[i]);
		return -1;
	}
	return 0;
}

static int
measure(const char *what)
{
	if (strcmp(what, "run") == 0)
		return raw_run(&bench);
	if (strcmp(what, "wake") == 0)
		return raw_wake(&bench);
	return raw_first(&bench);
}

static int
measure_ports(const struct options *o)
{
	const char *what = o->words[0];
	int ret = read_options(o);

	if (ret != 0)
		return ret;
	bench.opened_at = raw_now();
	ret = open_ports(o);
	if (ret == 0)
		ret = measure(what);
	if (ret == 0)
		ret = check_astray(o->words + 1);
	for (uint32_t i = 0; i < bench.n_ports; i++)
		raw_port_close(&bench.ports[i]);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int
measure_trips(const struct options *o)
{
	const char *size = options_text(o, "size", "64");
	int64_t count = options_integer(o, "count", 200);

	if (o->word_count != 4)
		return options_usage_error(&program, "give two namespaces and an address");
	if (read_size(size) < 0 || bench.n_lengths != 1)
		return options_usage_error(&program, "--size: give 14 to %u", RAW_FRAME_MAX);
	return raw_trip(o->words[0], bench.longest, (uint32_t)count, o->words + 1, o->words[3]) == 0
			? EXIT_SUCCESS
			: EXIT_FAILURE;
}

static int
dispatch(const struct options *o)
{
	static const char *const measurements[] = { "run", "wake", "first" };
	const char *what = o->word_count > 0 ? o->words[0] : "";

	if (options_given(o, "cpu") && raw_pin((uint32_t)options_integer(o, "cpu", 0)) < 0)
		return EXIT_FAILURE;
	if (strcmp(what, "floor") == 0)
		return raw_floor(options_text(o, "cpus", "0,1"),
				       (uint32_t)options_integer(o, "count", 200),
				       options_number(o, "pause", 0.01)) == 0
				? EXIT_SUCCESS
				: EXIT_FAILURE;
	if (strcmp(what, "probe") == 0)
		return raw_probe(options_text(o, "cpus", "0,1"),
				       options_number(o, "seconds", 0.15)) == 0
				? EXIT_SUCCESS
				: EXIT_FAILURE;
	if (strcmp(what, "udp") == 0 || strcmp(what, "tcp") == 0)
		return measure_trips(o);
	for (size_t i = 0; i < sizeof(measurements) / sizeof(measurements[0]); i++)
		if (strcmp(what, measurements[i]) == 0)
			return measure_ports(o);
	return options_usage_error(&program,
			"'%s' is no measurement; there are run, wake, first, probe, floor, udp and tcp",
			what);
}

int
main(int argc, char **argv)
{
	struct options o;
	int ret = options_open(&program, argc, argv, &o);

	if (ret != OPTIONS_GO_ON)
		return ret;
	ret = dispatch(&o);
	options_release(&o);
	return ret;
}
