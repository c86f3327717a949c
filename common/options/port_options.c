/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of options, and which of them go together; see port_options.h. */
#include "port_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text/nearest.h"
#include "text/text.h"

/* A member and its size; of another type than `is` it does not compile. */
#define MEMBER(member, is)                                                                         \
	.offset = offsetof(struct port_settings, member),                                          \
	.size = sizeof(((struct port_settings *)0)->member) * sizeof(char[(is) ? 1 : -1])
#define IS_A(member, c_type)                                                                       \
	__builtin_types_compatible_p(__typeof__(((struct port_settings *)0)->member), c_type)
#define SIMPLE(member, c_type) MEMBER(member, IS_A(member, c_type))
#define CHARACTERS(member) SIMPLE(member, char[])

/*
 * The beginnings of a row: key, type, member, and the default where it is a value. One of them opens
 * each row.
 */
#define INTEGER(name, member, low, high, value)                                                    \
	.key = (name), .type = PORT_OPTION_INTEGER, SIMPLE(member, uint32_t), .min = (low),        \
	.max = (high), .initial = (value), .default_text = #value
#define BOOLEAN(name, member, value)                                                               \
	.key = (name), .type = PORT_OPTION_BOOL, SIMPLE(member, bool), .arg = "on|off",            \
	.initial = value_##value, .default_text = #value
#define OCTAL(name, member, value)                                                                 \
	.key = (name), .type = PORT_OPTION_MODE, SIMPLE(member, mode_t), .arg = "OCTAL",           \
	.initial = (value), .default_text = #value
/* The default is the first choice. */
#define WORD(name, member, first, others)                                                          \
	.key = (name), .type = PORT_OPTION_WORD,                                                   \
	MEMBER(member, sizeof(((struct port_settings *)0)->member) == sizeof(uint32_t)),           \
	.arg = first others, .choices = first others, .default_text = first
#define PATH(name, member)                                                                         \
	.key = (name), .type = PORT_OPTION_PATH, CHARACTERS(member), .arg = "PATH"
#define USER(name, member)                                                                         \
	.key = (name), .type = PORT_OPTION_USER, SIMPLE(member, uid_t), .arg = "USER"
#define GROUP(name, member)                                                                        \
	.key = (name), .type = PORT_OPTION_GROUP, SIMPLE(member, gid_t), .arg = "GROUP"
#define INTERFACE(name, member)                                                                    \
	.key = (name), .type = PORT_OPTION_INTERFACE, CHARACTERS(member), .arg = "IFNAME"
#define NETNS(name, member)                                                                        \
	.key = (name), .type = PORT_OPTION_NETNS, CHARACTERS(member), .arg = "NETNS"
#define ADDRESSES(name, member)                                                                    \
	.key = (name), .type = PORT_OPTION_ADDRESSES, SIMPLE(member, struct port_addresses),       \
	.arg = "ADDR/LEN"
#define MAC(name, member)                                                                          \
	.key = (name), .type = PORT_OPTION_MAC, SIMPLE(member, struct port_mac), .arg = "MAC"
#define TEXT(name, member) .key = (name), .type = PORT_OPTION_TEXT, CHARACTERS(member)

enum {
	value_off,
	value_on,
};

/* clang-format off */
const struct port_option port_options[] = {
	{ INTEGER("mtu", mtu, PORT_MTU_MIN, PORT_MTU_MAX, 1500), .arg = "BYTES",
	  .kinds = PORT_KIND_ALL,
	  .help = "largest layer 3 payload; frames of more than mtu + 18 bytes are dropped" },
	{ INTEGER("mac-limit", mac_limit, 0, 65536, 0), .arg = "N", .kinds = PORT_KIND_ALL,
	  .forwarding_only = true,
	  .help = "most MAC addresses that are learned on the port; 0 is no limit" },
	{ BOOLEAN("enabled", enabled, on), .kinds = PORT_KIND_ALL,
	  .help = "whether frames pass; off drops and counts them, and takes the link of an "
		  "interface or device down" },
	{ BOOLEAN("offload", offload, on), .kinds = PORT_KIND_ALL,
	  .help = "whether checksums may be left undone and TCP segments uncut, on both ways; a "
		  "frontend is offered it when it connects" },
	{ PATH("socket", socket), .kinds = PORT_KIND_VHOST_USER, .default_text = "DIR/NAME.sock",
	  .add_only = true, .listen_only = true, .help = "UNIX socket that the switch listens on" },
	{ PATH("connect", connect), .kinds = PORT_KIND_VHOST_USER, .add_only = true,
	  .help = "UNIX socket of a frontend that listens (QEMU server=on); the switch connects to "
		  "it and keeps trying" },
	{ INTEGER("max-memory", max_memory, 0, PORT_MEMORY_MAX, 0), .arg = "MIB",
	  .kinds = PORT_KIND_VHOST_USER,
	  .help = "most memory that the switch adds to the frontend's by touching pages first; 0 is "
		  "the size of the frontend's memory" },
	{ OCTAL("mode", mode, 0600), .kinds = PORT_KIND_VHOST_USER, .listen_only = true,
	  .help = "permission bits of the socket" },
	{ USER("owner", owner), .kinds = PORT_KIND_VHOST_USER, .listen_only = true,
	  .help = "user who owns the socket, as name or number; else the switch's user" },
	{ GROUP("group", group), .kinds = PORT_KIND_VHOST_USER, .listen_only = true,
	  .help = "group of the socket, as name or number; else the switch's group" },
	{ INTERFACE("ifname", ifname), .kinds = PORT_KIND_KERNEL, .default_text = "the port's name",
	  .add_only = true, .help = "name of the interface" },
	{ NETNS("netns", netns), .kinds = PORT_KIND_KERNEL, .default_text = "the switch's own",
	  .add_only = true,
	  .help = "network namespace of the interface: a name of ip netns, or a path" },
	{ ADDRESSES("ip", ip), .kinds = PORT_KIND_KERNEL,
	  .help = "addresses of the interface, separated by commas; in add-port it may repeat, and "
		  "set-port replaces them all" },
	{ WORD("backend", backend, "auto", "|vhost-net|tap"), .kinds = PORT_KIND_KERNEL,
	  .add_only = true,
	  .help = "how frames reach the kernel; auto is vhost-net where /dev/vhost-net can be "
		  "used, else tap" },
	{ INTEGER("queues", queues, 1, PORT_QUEUES_MAX, 1), .arg = "N",
	  .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV, .add_only = true,
	  .help = "queues of the interface or device, each way; workers share them" },
	{ MAC("mac", mac), .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV,
	  .help = "MAC address of the interface or device; else the one that it has" },
	{ BOOLEAN("up", up, on), .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV,
	  .help = "whether the interface or device is set up" },
	{ TEXT("devargs", devargs), .arg = "DEVARGS", .kinds = PORT_KIND_ETHDEV, .add_only = true,
	  .required = true,
	  .help = "the DPDK device: its PCI address, or a driver with its arguments such as "
		  "net_af_packet0,iface=eth0" },
	{ BOOLEAN("promiscuous", promiscuous, on), .kinds = PORT_KIND_ETHDEV,
	  .help = "whether the device takes frames for other addresses than its own" },
};
/* clang-format on */
const size_t port_options_count = sizeof(port_options) / sizeof(port_options[0]);

static const struct {
	const char *name;
	unsigned int bit;
} kinds[] = { { "vhost-user", PORT_KIND_VHOST_USER }, { "kernel", PORT_KIND_KERNEL },
	{ "ethdev", PORT_KIND_ETHDEV } };

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

const char port_kinds_text[] = "vhost-user|kernel|ethdev";

const struct port_option *
port_option_find(const char *key)
{
	size_t i;

	for (i = 0; i < port_options_count; i++)
		if (strcmp(port_options[i].key, key) == 0)
			return &port_options[i];
	return NULL;
}

const char *
port_option_nearest(const char *key, unsigned int wanted)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, key);
	for (i = 0; i < port_options_count; i++)
		if ((port_options[i].kinds & wanted) != 0)
			nearest_offer(&near, port_options[i].key);
	return near.best;
}

unsigned int
port_kind_find(const char *name)
{
	size_t i;

	for (i = 0; i < N_KINDS; i++)
		if (strcmp(kinds[i].name, name) == 0)
			return kinds[i].bit;
	return 0;
}

const char *
port_kind_nearest(const char *name)
{
	struct nearest near;
	size_t i;

	nearest_init(&near, name);
	for (i = 0; i < N_KINDS; i++)
		nearest_offer(&near, kinds[i].name);
	return near.best;
}

/* Whether the object has this option. */
static bool
has(const json_t *object, const struct port_option *opt)
{
	return json_object_get(object, opt->key) != NULL;
}

const char *
port_kinds_list(unsigned int wanted, char buf[PORT_KINDS_TEXT_SIZE])
{
	size_t i, used = 0;

	if (wanted == PORT_KIND_ALL)
		return "every kind";
	buf[0] = '\0';
	for (i = 0; i < N_KINDS && used < PORT_KINDS_TEXT_SIZE; i++)
		if ((kinds[i].bit & wanted) != 0)
			used += (size_t)snprintf(buf + used, PORT_KINDS_TEXT_SIZE - used, "%s%s",
					used > 0 ? " and " : "", kinds[i].name);
	return buf;
}

static const char *
kind_name(unsigned int kind)
{
	size_t i;

	for (i = 0; i + 1 < N_KINDS && kinds[i].bit != kind; i++)
		continue;
	return kinds[i].name;
}

static void
blame(const struct port_option *opt, const char **key)
{
	if (key != NULL)
		*key = opt->key;
}

int
port_options_check_kind(const json_t *object, unsigned int kind, const char **key, char *err,
		size_t err_size)
{
	const struct port_option *opt;
	char list[PORT_KINDS_TEXT_SIZE];
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		opt = &port_options[i];
		if ((opt->kinds & kind) != 0 || !has(object, opt))
			continue;
		blame(opt, key);
		return text_fail(err, err_size, -EINVAL,
				"%s: is an option of ports of type %s, and this one's type is %s; "
				"leave it out",
				opt->key, port_kinds_list(opt->kinds, list), kind_name(kind));
	}
	return 0;
}

static int
check_connect(const json_t *object, const char **key, char *err, size_t err_size)
{
	size_t i;

	if (json_object_get(object, "connect") == NULL)
		return 0;
	for (i = 0; i < port_options_count; i++) {
		if (!port_options[i].listen_only || !has(object, &port_options[i]))
			continue;
		blame(&port_options[i], key);
		return text_fail(err, err_size, -EINVAL,
				"%s: does not go with connect, because such a port has no socket of its "
				"own; leave one of the two out",
				port_options[i].key);
	}
	return 0;
}

static int
check_required(const json_t *object, unsigned int kind, const char **key, char *err,
		size_t err_size)
{
	const struct port_option *opt;
	size_t i;

	for (i = 0; i < port_options_count; i++) {
		opt = &port_options[i];
		if (!opt->required || (opt->kinds & kind) == 0 || has(object, opt))
			continue;
		blame(opt, key);
		return text_fail(err, err_size, -EINVAL,
				"%s: is missing, and a port of type %s needs it; give %s", opt->key,
				kind_name(kind), opt->help);
	}
	return 0;
}

int
port_options_check_together(const json_t *object, unsigned int kind, const char **key, char *err,
		size_t err_size)
{
	int ret = port_options_check_kind(object, kind, key, err, err_size);

	if (ret == 0)
		ret = check_connect(object, key, err, err_size);
	if (ret == 0)
		ret = check_required(object, kind, key, err, err_size);
	return ret;
}
