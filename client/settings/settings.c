/* SPDX-License-Identifier: BSD-3-Clause */
/* See settings.h. Each reader takes one group of options. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "packets/bench_frame.h"
#include "packets/check_frame.h"
#include "packets/imix.h"
#include "text/nearest.h"
#include "system/paths.h"
#include "packets/probe.h"
#include "settings_kernel.h"
#include "text/text.h"
#include "packets/wire.h"

#define QUEUE_SIZE 1024 /* room for 5 ms at 200 kfps, while a receiver waits for a CPU */

/* A command line being read. */
struct reading {
	const struct options *o;
	struct settings *s;
	char *err;
	size_t err_size;
};

static const char *
role_name(size_t role)
{
	return settings_program.verbs[role].name;
}

#define FAIL(r, ...) text_fail((r)->err, (r)->err_size, -EINVAL, __VA_ARGS__)

/* Fails with the message of a value's parser, after the option's name. */
static int
fail_value(const struct reading *r, const char *option, const char *why)
{
	return FAIL(r, "--%s: %s", option, why);
}

static int
unknown_role(const struct reading *r, const char *word)
{
	struct nearest near;
	char hint[64];
	size_t i;

	nearest_init(&near, word);
	for (i = 0; i < ROLE_COUNT; i++)
		nearest_offer(&near, role_name(i));
	return FAIL(r, "there is no role '%s' (respond, ping, send, receive, echo, bench, kernel)%s",
			word, nearest_hint(&near, hint, sizeof(hint)));
}

static int
read_target(const struct reading *r, const char *word)
{
	char why[160];

	if (inet_parse(word, &r->s->target, why, sizeof(why)) != 0)
		return FAIL(r, "ping: %s", why);
	return 0;
}

static int
read_words(const struct reading *r)
{
	size_t count = r->o->word_count, i, wanted;
	const char *const *words = r->o->words;

	if (count == 0)
		return FAIL(r,
				"a role is missing: respond, ping ADDR, send, receive, echo, bench or "
				"kernel");
	i = settings_find_role(words[0]);
	if (i == ROLE_COUNT)
		return unknown_role(r, words[0]);
	r->s->role = (enum role_id)i;
	r->s->role_name = role_name(i);
	wanted = r->s->role == ROLE_PING ? 2 : 1;
	if (count < wanted)
		return FAIL(r, "ping needs the address to ask for: ping ADDR");
	if (count > wanted)
		return FAIL(r, "'%s' is too much after '%s'", words[wanted], words[wanted - 1]);
	return wanted == 2 ? read_target(r, words[1]) : 0;
}

/* Fails; the message names the roles that an option is for. */
static int
not_for_role(const struct reading *r, const char *option)
{
	char names[64] = "";
	size_t i, length = 0;

	for (i = 0; i < ROLE_COUNT; i++)
		if (settings_role_takes((enum role_id)i, option))
			length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
					length > 0 ? " and " : "", role_name(i));
	return FAIL(r, "--%s is for %s, not for %s; leave it out", option, names, r->s->role_name);
}

static int
check_uses(const struct reading *r)
{
	size_t i;

	for (i = 0; i < settings_program.spec_count; i++) {
		const char *option = settings_program.specs[i].name;

		if (options_given(r->o, option) && !settings_role_takes(r->s->role, option))
			return not_for_role(r, option);
	}
	return 0;
}

static int
check_path(const struct reading *r, const char *path)
{
	char why[256];
	size_t i;

	if (paths_check_socket(path, why, sizeof(why)) != 0)
		return fail_value(r, "path", why);
	if (strpbrk(path, SETTINGS_REFUSED_BY_DPDK) != NULL)
		return FAIL(r,
				"--path %s: DPDK takes no path with any of %s; use another name, or a "
				"symbolic link",
				path, SETTINGS_REFUSED_BY_DPDK);
	for (i = 0; i < r->s->path_count; i++)
		if (strcmp(path, r->s->paths[i]) == 0)
			return FAIL(r, "--path %s is given twice", path);
	return 0;
}

static int
read_paths(const struct reading *r)
{
	bool many = r->s->role != ROLE_PING && r->s->role != ROLE_SEND && r->s->role != ROLE_KERNEL;
	const struct option_value *value;
	size_t position = 0;
	int ret;

	while ((value = options_next(r->o, "path", &position)) != NULL) {
		if (r->s->path_count == SETTINGS_PATHS_MAX)
			return FAIL(r, "--path may be given %d times", SETTINGS_PATHS_MAX);
		ret = check_path(r, value->text);
		if (ret != 0)
			return ret;
		r->s->paths[r->s->path_count++] = value->text;
	}
	if (r->s->path_count == 0)
		return FAIL(r, "--path SOCKET is missing: the socket of the switch's port");
	if (r->s->role == ROLE_BENCH && r->s->path_count != 2)
		return FAIL(r, "bench needs two ports, not %zu: --path FROM --path TO, of one switch",
				r->s->path_count);
	if (r->s->path_count > 1 && !many)
		return FAIL(r, "%s has one port: give --path once", r->s->role_name);
	return 0;
}

/* Reads the MAC address of one host: not a group, not zero. */
static int
read_mac(const struct reading *r, const char *text, uint8_t mac[6])
{
	static const uint8_t zero[6];
	char why[128];

	if (text_parse_mac(text, mac, why, sizeof(why)) != 0)
		return fail_value(r, "mac", why);
	if ((mac[0] & 1) != 0 || memcmp(mac, zero, sizeof(zero)) == 0)
		return FAIL(r,
				"--mac %s is not the MAC address of one host: its first byte must be even, "
				"as in 02:00:00:00:00:01",
				text);
	return 0;
}

static int
random_mac(const struct reading *r, uint8_t mac[6])
{
	if (getrandom(mac, 6, 0) != 6)
		return FAIL(r, "cannot make a random MAC address: %s; give --mac", strerror(errno));
	mac[0] = (uint8_t)((mac[0] & 0xfe) | 0x02);
	return 0;
}

static int
read_macs(const struct reading *r)
{
	const struct option_value *value;
	size_t position = 0, count = 0, i;
	int ret = 0;

	while (ret == 0 && (value = options_next(r->o, "mac", &position)) != NULL) {
		if (count == r->s->path_count)
			return FAIL(r, "there are more --mac than --path");
		ret = read_mac(r, value->text, r->s->macs[count++]);
	}
	for (i = count; ret == 0 && i < r->s->path_count; i++)
		ret = random_mac(r, r->s->macs[i]);
	return ret;
}

static int
read_addrs(const struct reading *r)
{
	const struct option_value *value;
	size_t position = 0;
	char why[160];

	while ((value = options_next(r->o, "ip", &position)) != NULL) {
		if (r->s->addr_count == SETTINGS_ADDRS_MAX)
			return FAIL(r, "--ip may be given %d times", SETTINGS_ADDRS_MAX);
		if (inet_parse(value->text, &r->s->addrs[r->s->addr_count], why, sizeof(why)) != 0)
			return fail_value(r, "ip", why);
		r->s->addr_count++;
	}
	if (r->s->role == ROLE_RESPOND && r->s->addr_count == 0)
		return FAIL(r, "respond needs an address to answer for: --ip 10.0.0.1/24");
	return 0;
}

static int
read_port(const struct reading *r)
{
	struct settings *s = r->s;

	s->server = options_given(r->o, "server");
	s->huge = options_given(r->o, "huge");
	s->json = options_given(r->o, "json");
	s->verbose = options_given(r->o, "verbose");
	s->wait = options_number(r->o, "wait", s->server ? -1 : 0);
	s->queue_size = (uint32_t)options_integer(r->o, "queue-size", QUEUE_SIZE);
	if ((s->queue_size & (s->queue_size - 1)) != 0)
		return FAIL(r, "--queue-size: %u is not a power of two; 256 or 1024 is",
				s->queue_size);
	s->mergeable = options_integer(r->o, "mrg-rxbuf", 1) != 0;
	s->mergeable_asked = s->mergeable && options_given(r->o, "mrg-rxbuf");
	s->in_order = options_integer(r->o, "in-order", 1) != 0;
	s->in_order_asked = s->in_order && options_given(r->o, "in-order");
	s->mtu = (uint32_t)options_integer(r->o, "mtu", 1500);
	s->eal_args = r->o->rest;
	s->eal_arg_count = r->o->rest_count;
	return 0;
}

static int
read_rate(const struct reading *r, const char *otherwise)
{
	const char *text = options_text(r->o, "rate", otherwise);
	char why[128];

	if (strcmp(text, "max") == 0)
		return 0;
	if (text_parse_number(text, 0.01, 1e9, &r->s->rate, why, sizeof(why)) != 0)
		return FAIL(r, "--rate: %s, or max", why);
	return 0;
}

/* The size for send and bench: a number or "imix". */
static int
read_size(const struct reading *r)
{
	const char *text = options_text(r->o, "size", "64");
	struct nearest near;
	char why[128], hint[64];
	int64_t size = IMIX_SIZE_MAX;

	r->s->imix = strcmp(text, "imix") == 0;
	nearest_init(&near, text);
	nearest_offer(&near, "imix");
	if (!r->s->imix &&
			text_parse_integer(text, WIRE_FRAME_MIN, WIRE_FRAME_MAX, &size, why,
					sizeof(why)) != 0)
		return FAIL(r, "--size: %s, or imix%s", why,
				nearest_hint(&near, hint, sizeof(hint)));
	r->s->size = (uint32_t)size;
	return 0;
}

static int
read_destination(const struct reading *r)
{
	const char *text = options_text(r->o, "dst-mac", "ff:ff:ff:ff:ff:ff");
	char why[128];

	if (text_parse_mac(text, r->s->destination, why, sizeof(why)) != 0)
		return fail_value(r, "dst-mac", why);
	return 0;
}

static int
read_send(const struct reading *r)
{
	struct settings *s = r->s;
	int ret;

	s->flows = (uint32_t)options_integer(r->o, "flows", 1);
	s->no_check = options_given(r->o, "no-check");
	ret = read_size(r);
	if (ret != 0)
		return ret;
	if (!s->no_check && s->size < CHECK_FRAME_MIN)
		return FAIL(r,
				"--size: a frame with number and checksum has %d bytes at least, not %u; "
				"--no-check sends smaller ones without",
				CHECK_FRAME_MIN, s->size);
	ret = read_rate(r, "1k");
	return ret != 0 ? ret : read_destination(r);
}

static int
read_bench(const struct reading *r)
{
	struct settings *s = r->s;
	int ret;

	s->no_loss = options_given(r->o, "no-loss");
	s->both = options_given(r->o, "both");
	s->trial = options_number(r->o, "time", s->no_loss ? 1 : 5);
	s->time = 0; /* the last trial ends the run */
	if (s->trial <= 0)
		return FAIL(r, "--time: a trial needs some time; give 1, for example");
	if (s->no_loss && options_given(r->o, "rate"))
		return FAIL(r, "--no-loss finds the rate by itself; leave out --rate");
	ret = read_size(r);
	if (ret != 0)
		return ret;
	if (s->size < BENCH_FRAME_MIN)
		return FAIL(r, "--size: a frame with number and time has %d bytes at least, not %u",
				BENCH_FRAME_MIN, s->size);
	return read_rate(r, "max");
}

static int
read_ping(const struct reading *r)
{
	struct settings *s = r->s;
	size_t min = probe_echo_min(s->target.version), i;
	int64_t size = (int64_t)min + 56;
	const char *text = options_text(r->o, "size", NULL);
	char why[128];

	s->interval = options_number(r->o, "interval", 1);
	s->timeout = options_number(r->o, "timeout", 1);
	if (text != NULL &&
			text_parse_integer(text, (int64_t)min, PROBE_ECHO_MAX, &size, why,
					sizeof(why)) != 0)
		return FAIL(r, "--size: an IPv%d echo request has %zu to %d bytes: %s",
				s->target.version, min, PROBE_ECHO_MAX, why);
	s->size = (uint32_t)size;
	for (i = 0; i < s->addr_count; i++)
		if (s->addrs[i].version == s->target.version)
			return 0;
	if (s->addr_count > 0)
		return FAIL(r,
				"the address to ping is IPv%d, but no --ip is; give one of that version, "
				"or none",
				s->target.version);
	return 0;
}

static int
read_role(const struct reading *r)
{
	struct settings *s = r->s;

	s->count = (uint64_t)options_integer(r->o, "count", 0);
	s->time = options_number(r->o, "time", 0);
	s->idle = options_number(r->o, "idle", 0);
	s->join = options_given(r->o, "join");
	s->promiscuous = options_given(r->o, "promiscuous");
	if (s->role == ROLE_SEND)
		return read_send(r);
	if (s->role == ROLE_BENCH)
		return read_bench(r);
	if (s->role == ROLE_KERNEL)
		return settings_kernel_read(r->o, s, r->err, r->err_size);
	return s->role == ROLE_PING ? read_ping(r) : 0;
}

static int
read_all(const struct reading *r)
{
	static int (*const readers[])(const struct reading *r) = { read_words, check_uses,
		read_paths, read_macs, read_addrs, read_port, read_role };
	size_t i;
	int ret = 0;

	*r->s = (struct settings){ 0 };
	for (i = 0; ret == 0 && i < sizeof(readers) / sizeof(readers[0]); i++)
		ret = readers[i](r);
	return ret;
}

int
settings_read(int argc, char *argv[], struct settings *s, char *err, size_t err_size)
{
	struct options o;
	struct reading r = { &o, s, err, err_size };
	int ret = options_parse(&settings_program, argc, argv, &o, err, err_size);

	if (ret != 0)
		return ret;
	ret = read_all(&r);
	options_release(&o);
	return ret;
}

int
settings_open(int argc, char *argv[], struct settings *s)
{
	char err[512];
	struct options o;
	struct reading r = { &o, s, err, sizeof(err) };
	int ret = settings_help_of_role(argc, argv);

	if (ret == OPTIONS_GO_ON)
		ret = options_open(&settings_program, argc, argv, &o);
	if (ret != OPTIONS_GO_ON)
		return ret;
	if (read_all(&r) != 0)
		ret = options_usage_error(&settings_program, "%s", err);
	options_release(&o);
	return ret;
}

uint32_t
settings_frame_size(const struct settings *s, uint64_t number)
{
	return s->imix ? imix_size(number) : s->size;
}

uint64_t
settings_frame_bytes(const struct settings *s, uint64_t count)
{
	return s->imix ? imix_bytes(count) : count * s->size;
}
