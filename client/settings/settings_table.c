/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The options and roles of vuser-client, as settings.c reads and --help and the manual page show
 * them.
 */
#include "settings.h"

#include <string.h>

#include "process/status.h"

#define SECONDS_MAX INT64_C(31622400) /* a leap year */

/* clang-format off */
static const struct option_spec specs[] = {
	{ .name = "path", .letter = 'p', .type = OPTION_TEXT, .arg = "SOCKET",
	  .help = "vhost-user socket of the port; may repeat for respond, receive and echo; "
		  "bench has two" },
	{ .name = "mac", .type = OPTION_TEXT, .arg = "MAC", .default_text = "random",
	  .help = "the port's MAC address; may repeat, one for each --path" },
	{ .name = "ip", .type = OPTION_TEXT, .arg = "ADDR/LEN",
	  .help = "IPv4 or IPv6 address of the station; may repeat" },
	{ .name = "server", .type = OPTION_FLAG,
	  .help = "serve the socket and wait for the switch to connect to it" },
	{ .name = "wait", .type = OPTION_NUMBER, .arg = "SECONDS", .max = SECONDS_MAX,
	  .default_text = "0; with --server for ever",
	  .help = "how long to wait for the socket or, with --server, for the switch" },
	{ .name = "json", .type = OPTION_FLAG,
	  .help = "print one JSON object at the end and nothing else on the standard output" },
	{ .name = "verbose", .type = OPTION_FLAG,
	  .help = "if a port cannot be opened, print DPDK's messages, too" },
	{ .name = "huge", .type = OPTION_FLAG, .help = "use hugepages" },
	{ .name = "queue-size", .type = OPTION_INTEGER, .arg = "N", .min = 32, .max = 32768,
	  .default_text = "1024", .help = "descriptors of each ring, a power of two" },
	{ .name = "mrg-rxbuf", .type = OPTION_BOOL, .arg = "on|off", .default_text = "on if offered",
	  .help = "mergeable receive buffers (VIRTIO_NET_F_MRG_RXBUF)" },
	{ .name = "in-order", .type = OPTION_BOOL, .arg = "on|off", .default_text = "on if offered",
	  .help = "use of buffers in order (VIRTIO_F_IN_ORDER)" },
	{ .name = "mtu", .type = OPTION_INTEGER, .arg = "BYTES", .min = 68, .max = 65000,
	  .default_text = "1500",
	  .help = "size of receive buffers with --mrg-rxbuf off: for frames of BYTES + 18; kernel: "
		  "the interface's MTU" },
	{ .name = "count", .letter = 'c', .type = OPTION_INTEGER, .arg = "N", .min = 1, .max = INT64_MAX,
	  .help = "end after N echo requests (ping), frames (send, receive, echo) or answers (respond)" },
	{ .name = "time", .letter = 't', .type = OPTION_NUMBER, .arg = "SECONDS", .max = SECONDS_MAX,
	  .default_text = "without end; bench 5, with --no-loss 1",
	  .help = "end after so many seconds; bench: duration of each trial" },
	{ .name = "size", .letter = 's', .type = OPTION_TEXT, .arg = "BYTES|imix",
	  .default_text = "send, bench 64; ping 98 or 118",
	  .help = "send, ping, bench: size of a frame without FCS; imix (send, bench): of twelve "
		  "frames 7 of 60, 4 of 590 and 1 of 1514 bytes (64, 594, 1518 with FCS)" },
	{ .name = "interval", .letter = 'i', .type = OPTION_NUMBER, .arg = "SECONDS", .max = 86400,
	  .default_text = "1",
	  .help = "ping: time between requests; 0: each follows the reply to the one before" },
	{ .name = "timeout", .letter = 'W', .type = OPTION_NUMBER, .arg = "SECONDS", .max = 86400,
	  .default_text = "1", .help = "ping: how long to wait for an answer" },
	{ .name = "rate", .letter = 'r', .type = OPTION_TEXT, .arg = "N|max",
	  .default_text = "send 1k, bench max",
	  .help = "send, bench: frames a second (with --both in each direction), such as 10k or "
		  "1.5M; max: as many as possible" },
	{ .name = "no-loss", .type = OPTION_FLAG,
	  .help = "bench: search the highest rate without loss, to 1 % (RFC 2544)" },
	{ .name = "both", .type = OPTION_FLAG, .help = "bench: both directions at once" },
	{ .name = "flows", .type = OPTION_INTEGER, .arg = "N", .min = 1, .max = 65536,
	  .default_text = "1", .help = "send: number of flows, each with its own sequence" },
	{ .name = "dst-mac", .letter = 'd', .type = OPTION_TEXT, .arg = "MAC",
	  .default_text = "broadcast", .help = "send: destination address of the frames" },
	{ .name = "no-check", .type = OPTION_FLAG,
	  .help = "send: frames without number and checksum, which may be as small as 14 bytes" },
	{ .name = "idle", .type = OPTION_NUMBER, .arg = "SECONDS", .max = SECONDS_MAX,
	  .help = "receive: after the first frame, end when none came for so many seconds" },
	{ .name = "join", .type = OPTION_FLAG,
	  .help = "receive: a flow begins with the first frame seen, not with number 0" },
	{ .name = "promiscuous", .type = OPTION_FLAG,
	  .help = "echo: also frames for other stations" },
	{ .name = "ifname", .type = OPTION_TEXT, .arg = "NAME", .default_text = "app0",
	  .help = "kernel: name of the kernel's interface, which exists during the run" },
	{ .name = "netns", .type = OPTION_TEXT, .arg = "NAME|PATH",
	  .help = "kernel: network namespace of the interface" },
	{ .name = "backend", .type = OPTION_CHOICE, .arg = "KIND", .choices = "auto|vhost-net|tap",
	  .default_text = "auto",
	  .help = "kernel: what carries frames to the kernel: virtio_user on /dev/vhost-net, with "
		  "checksum and segmentation offloads; net_tap, plain frames; auto: vhost-net if it "
		  "can be opened" },
	{ .name = "fast-udp", .type = OPTION_INTEGER, .arg = "PORT", .min = 1, .max = 65535,
	  .help = "kernel: the application itself echoes UDP to this port at its --ip; may repeat" },
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

static const struct options_verb roles[ROLE_COUNT] = {
	[ROLE_RESPOND] = { "respond", NULL,
		"answer ARP, ping and IPv6 neighbour solicitation for the --ip addresses" },
	[ROLE_PING] = { "ping", "ADDR", "resolve an IPv4 or IPv6 address and measure round trips" },
	[ROLE_SEND] = { "send", NULL, "numbered frames with checksums, at a rate" },
	[ROLE_RECEIVE] = { "receive", NULL,
		"prove which of these frames were lost, duplicated, reordered or corrupted" },
	[ROLE_ECHO] = { "echo", NULL, "swap the addresses and send every frame back" },
	[ROLE_BENCH] = { "bench", NULL,
		"send from the first of two ports to the second; measure rate, loss and, with --rate, "
		"one-way latency" },
	[ROLE_KERNEL] = { "kernel", NULL,
		"answer the fast path (--fast-udp) itself; pass everything else to the kernel "
		"through an interface of its own, and back" },
};

const struct options_program settings_program = {
	.name = "vuser-client",
	.usage = "--path SOCKET [OPTION]... ROLE [ADDR] [-- EAL OPTION...]",
	.summary =
		"A station on a vhost-user socket: one DPDK process with a virtio_user port, which "
		"needs neither root nor hugepages (kernel: CAP_NET_ADMIN).",
	.verbs_title = "Roles",
	.verbs = roles,
	.verb_count = ROLE_COUNT,
	.specs = specs,
	.spec_count = sizeof(specs) / sizeof(specs[0]),
	.has_rest = true,
	.epilog = STATUS_HELP "\n\n"
		"One line beginning with \"ready\" on the standard error says that the port is up.\n"
		"Ctrl-C ends the run with its report.",
};
/* clang-format on */

size_t
settings_find_role(const char *name)
{
	size_t i = 0;

	while (i < ROLE_COUNT && strcmp(name, roles[i].name) != 0)
		i++;
	return i;
}

#define USED_BY(role) (1u << (role))

/* Options that not every role has. */
/* clang-format off */
static const struct {
	const char *option;
	unsigned int roles;
} uses[] = {
	{ "ip", USED_BY(ROLE_RESPOND) | USED_BY(ROLE_PING) | USED_BY(ROLE_KERNEL) },
	{ "count", ~(USED_BY(ROLE_BENCH) | USED_BY(ROLE_KERNEL)) },
	{ "size", USED_BY(ROLE_SEND) | USED_BY(ROLE_PING) | USED_BY(ROLE_BENCH) },
	{ "interval", USED_BY(ROLE_PING) },
	{ "timeout", USED_BY(ROLE_PING) },
	{ "rate", USED_BY(ROLE_SEND) | USED_BY(ROLE_BENCH) },
	{ "no-loss", USED_BY(ROLE_BENCH) },
	{ "both", USED_BY(ROLE_BENCH) },
	{ "flows", USED_BY(ROLE_SEND) },
	{ "dst-mac", USED_BY(ROLE_SEND) },
	{ "no-check", USED_BY(ROLE_SEND) },
	{ "idle", USED_BY(ROLE_RECEIVE) },
	{ "join", USED_BY(ROLE_RECEIVE) },
	{ "promiscuous", USED_BY(ROLE_ECHO) },
	{ "ifname", USED_BY(ROLE_KERNEL) },
	{ "netns", USED_BY(ROLE_KERNEL) },
	{ "backend", USED_BY(ROLE_KERNEL) },
	{ "fast-udp", USED_BY(ROLE_KERNEL) },
};
/* clang-format on */

bool
settings_role_takes(enum role_id role, const char *option)
{
	size_t i;

	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (strcmp(uses[i].option, option) == 0)
			return (uses[i].roles & USED_BY(role)) != 0;
	return true;
}
