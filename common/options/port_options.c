/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of options, and which of them go together; see port_options.h. */
#include "port_options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "text/nearest.h"
#include "text/text.h"

/* clang-format off */
const struct port_option port_options[] = {
	{ .key = "mtu", .type = PORT_OPTION_INTEGER, .min = 68, .max = 65535, .arg = "BYTES",
	  .kinds = PORT_KIND_ALL, .default_text = "1500",
	  .help = "largest layer 3 payload; frames of more than mtu + 18 bytes are dropped" },
	{ .key = "mac-limit", .type = PORT_OPTION_INTEGER, .min = 0, .max = 65536, .arg = "N",
	  .kinds = PORT_KIND_ALL, .default_text = "0",
	  .help = "most MAC addresses that are learned on the port; 0 is no limit" },
	{ .key = "enabled", .type = PORT_OPTION_BOOL, .arg = "on|off", .kinds = PORT_KIND_ALL,
	  .default_text = "on",
	  .help = "whether frames pass; off drops and counts them, and takes the link of an "
		  "interface or device down" },
	{ .key = "offload", .type = PORT_OPTION_BOOL, .arg = "on|off", .kinds = PORT_KIND_ALL,
	  .default_text = "on",
	  .help = "whether checksums may be left undone and TCP segments uncut, on both ways; a "
		  "frontend is offered it when it connects" },
	{ .key = "socket", .type = PORT_OPTION_PATH, .arg = "PATH", .kinds = PORT_KIND_VHOST_USER,
	  .default_text = "DIR/NAME.sock", .add_only = true, .listen_only = true,
	  .help = "UNIX socket that the switch listens on" },
	{ .key = "connect", .type = PORT_OPTION_PATH, .arg = "PATH", .kinds = PORT_KIND_VHOST_USER,
	  .add_only = true,
	  .help = "UNIX socket of a frontend that listens (QEMU server=on); the switch connects to "
		  "it and keeps trying" },
	{ .key = "max-memory", .type = PORT_OPTION_INTEGER, .min = 0,
	  .max = PORT_OPTION_MEMORY_MAX, .arg = "MIB", .kinds = PORT_KIND_VHOST_USER,
	  .default_text = "0",
	  .help = "most memory that the switch adds to the frontend's by touching pages first; 0 is "
		  "the size of the frontend's memory" },
	{ .key = "mode", .type = PORT_OPTION_MODE, .arg = "OCTAL", .kinds = PORT_KIND_VHOST_USER,
	  .default_text = "0600", .listen_only = true, .help = "permission bits of the socket" },
	{ .key = "owner", .type = PORT_OPTION_ACCOUNT, .arg = "USER", .kinds = PORT_KIND_VHOST_USER,
	  .listen_only = true,
	  .help = "user who owns the socket, as name or number; else the switch's user" },
	{ .key = "group", .type = PORT_OPTION_ACCOUNT, .arg = "GROUP",
	  .kinds = PORT_KIND_VHOST_USER, .listen_only = true,
	  .help = "group of the socket, as name or number; else the switch's group" },
	{ .key = "ifname", .type = PORT_OPTION_INTERFACE, .arg = "IFNAME",
	  .kinds = PORT_KIND_KERNEL, .default_text = "the port's name", .add_only = true,
	  .help = "name of the interface" },
	{ .key = "netns", .type = PORT_OPTION_NETNS, .arg = "NETNS", .kinds = PORT_KIND_KERNEL,
	  .default_text = "the switch's own", .add_only = true,
	  .help = "network namespace of the interface: a name of ip netns, or a path" },
	{ .key = "ip", .type = PORT_OPTION_ADDRESSES, .arg = "ADDR/LEN", .kinds = PORT_KIND_KERNEL,
	  .help = "addresses of the interface, separated by commas; in add-port it may repeat, and "
		  "set-port replaces them all" },
	{ .key = "backend", .type = PORT_OPTION_WORD, .arg = "auto|vhost-net|tap",
	  .choices = "auto|vhost-net|tap", .kinds = PORT_KIND_KERNEL, .default_text = "auto",
	  .add_only = true,
	  .help = "how frames reach the kernel; auto is vhost-net where /dev/vhost-net can be "
		  "used, else tap" },
	{ .key = "queues", .type = PORT_OPTION_INTEGER, .min = 1, .max = PORT_OPTION_QUEUES_MAX,
	  .arg = "N", .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV, .default_text = "1",
	  .add_only = true,
	  .help = "queues of the interface or device, each way; workers share them" },
	{ .key = "mac", .type = PORT_OPTION_MAC, .arg = "MAC",
	  .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV,
	  .help = "MAC address of the interface or device; else the one that it has" },
	{ .key = "up", .type = PORT_OPTION_BOOL, .arg = "on|off",
	  .kinds = PORT_KIND_KERNEL | PORT_KIND_ETHDEV, .default_text = "on",
	  .help = "whether the interface or device is set up" },
	{ .key = "devargs", .type = PORT_OPTION_TEXT, .arg = "DEVARGS", .kinds = PORT_KIND_ETHDEV,
	  .add_only = true, .required = true,
	  .help = "the DPDK device: its PCI address, or a driver with its arguments such as "
		  "net_af_packet0,iface=eth0" },
	{ .key = "promiscuous", .type = PORT_OPTION_BOOL, .arg = "on|off",
	  .kinds = PORT_KIND_ETHDEV, .default_text = "on",
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
