/* SPDX-License-Identifier: BSD-3-Clause */
/* See netns_world.h. */
#include "netns_world.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>
#include <linux/if.h>
#include <linux/if_tun.h>

#include <cmocka.h>

#define COMMAND_MAX 512

static void
write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* Root outside stays root; anybody else becomes it inside. */
static void
unshare_all(void)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	char map[64];

	assert_return_code(unshare(CLONE_NEWNET | CLONE_NEWNS | (uid == 0 ? 0 : CLONE_NEWUSER)), 0);
	if (uid == 0)
		return;
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", gid);
	write_file("/proc/self/gid_map", map);
}

int
world_enter(void **state)
{
	(void)state;
	unshare_all();
	assert_return_code(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	assert_return_code(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	assert_return_code(mkdir("/run/netns", 0755), 0);
	world_run("ip link set lo up");
	return 0;
}

void
world_run(const char *format, ...)
{
	char command[COMMAND_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	if (system(command) != 0) /* NOLINT(cert-env33-c): fixed commands of tests */
		fail_msg("failed: %s", command);
}

json_t *
world_ip(const char *format, ...)
{
	char command[COMMAND_MAX] = "exec 2>/dev/null ip -j -d ";
	size_t used = strlen(command);
	json_t *all, *first;
	va_list args;
	FILE *pipe;

	va_start(args, format);
	vsnprintf(command + used, sizeof(command) - used, format, args);
	va_end(args);
	pipe = popen(command, "re"); /* NOLINT(cert-env33-c): fixed commands of tests */
	assert_non_null(pipe);
	all = json_loadf(pipe, 0, NULL);
	pclose(pipe);
	first = json_incref(json_array_get(all, 0));
	json_decref(all);
	return first;
}

static json_t *
show(const char *netns, const char *ifname)
{
	return netns[0] == '\0' ? world_ip("address show dev %s", ifname)
				: world_ip("-n %s address show dev %s", netns, ifname);
}

int64_t
world_number(const char *netns, const char *ifname, const char *key)
{
	json_t *link = show(netns, ifname);
	int64_t value = json_integer_value(json_object_get(link, key));

	json_decref(link);
	return value;
}

const char *
world_text(const char *netns, const char *ifname, const char *key, char *buf)
{
	json_t *link = show(netns, ifname);
	const char *value = json_string_value(json_object_get(link, key));

	snprintf(buf, 64, "%s", value == NULL ? "" : value);
	json_decref(link);
	return buf;
}

bool
world_flag(const char *netns, const char *ifname, const char *flag)
{
	json_t *link = show(netns, ifname), *entry;
	bool found = false;
	size_t i;

	assert_non_null(link);
	json_array_foreach (json_object_get(link, "flags"), i, entry) {
		if (strcmp(json_string_value(entry), flag) == 0)
			found = true;
	}
	json_decref(link);
	return found;
}

json_t *
world_address(const char *ifname, const char *address)
{
	json_t *link = show("", ifname), *entry, *found = NULL;
	char text[64];
	size_t i;

	assert_non_null(link);
	json_array_foreach (json_object_get(link, "addr_info"), i, entry) {
		snprintf(text, sizeof(text), "%s/%d",
				json_string_value(json_object_get(entry, "local")),
				(int)json_integer_value(json_object_get(entry, "prefixlen")));
		if (strcmp(text, address) == 0)
			found = json_incref(entry);
	}
	json_decref(link);
	return found;
}

uint32_t
world_addresses(const char *ifname)
{
	json_t *link = show("", ifname), *entry;
	uint32_t n = 0;
	size_t i;

	assert_non_null(link);
	json_array_foreach (json_object_get(link, "addr_info"), i, entry) {
		if (strcmp(json_string_value(json_object_get(entry, "scope")), "link") != 0)
			n++;
	}
	json_decref(link);
	return n;
}

struct prefix
world_prefix(const char *text)
{
	struct prefix prefix;
	char err[256];

	if (prefix_parse(text, &prefix, err, sizeof(err)) < 0)
		fail_msg("%s", err);
	return prefix;
}

void
world_without(int capability, void (*check)(void *arg), void *arg)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[2], fewer[2];

	assert_return_code(syscall(SYS_capget, &header, all), 0);
	memcpy(fewer, all, sizeof(all));
	fewer[CAP_TO_INDEX(capability)].effective &= ~CAP_TO_MASK(capability);
	assert_return_code(syscall(SYS_capset, &header, fewer), 0);
	check(arg);
	assert_return_code(syscall(SYS_capset, &header, all), 0);
}

int
world_open_tap(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR |
				IFF_MULTI_QUEUE };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	assert_true(fd >= 0);
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	assert_return_code(ioctl(fd, TUNSETIFF, &request), 0);
	return fd;
}
