/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks common/netlink/netif_address.c against the kernel, as iproute2 sees it. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/capability.h>

#include <cmocka.h>

#include "netlink/netif.h"
#include "netns_world.h"

#define LIST_MAX 8

static struct netif *here;
static uint32_t eth; /* the interface eth0, up, with carrier, made anew for each test */
static char err[256];

static int
open_world(void **state)
{
	world_enter(state);
	return netif_open(-1, &here, err, sizeof(err));
}

static int
close_world(void **state)
{
	(void)state;
	netif_close(here);
	return 0;
}

static int
make_eth(void **state)
{
	struct netif_link link;

	(void)state;
	world_run("ip link add eth0 type veth peer name peer0 && ip link set peer0 up && "
		  "ip link set eth0 up");
	assert_int_equal(netif_find(here, "eth0", &link, err, sizeof(err)), 0);
	eth = link.index;
	return 0;
}

static int
delete_eth(void **state)
{
	(void)state;
	world_run("ip link show dev eth0 >/dev/null 2>&1 || exit 0; ip link del eth0");
	return 0;
}

/* The words of a list of addresses, separated by spaces. */
static size_t
read_list(const char *text, struct prefix list[LIST_MAX])
{
	char copy[256], *rest = copy, *word;
	size_t n = 0;

	snprintf(copy, sizeof(copy), "%s", text);
	while ((word = strsep(&rest, " ")) != NULL && word[0] != '\0') {
		assert_true(n < LIST_MAX);
		list[n++] = world_prefix(word);
	}
	return n;
}

static int
change(const char *old, const char *wanted)
{
	struct prefix olds[LIST_MAX], news[LIST_MAX];
	size_t n_old = read_list(old, olds), n_new = read_list(wanted, news);

	err[0] = '\0';
	return netif_change_addresses(here, eth, olds, n_old, news, n_new, err, sizeof(err));
}

static void
change_well(const char *old, const char *wanted)
{
	if (change(old, wanted) < 0)
		fail_msg("%s", err);
}

/* The kernel knows these addresses of eth0, and no other but link-local ones. */
static void
check_has(const char *addresses)
{
	char copy[256], *rest = copy, *word;
	uint32_t n = 0;
	json_t *entry;

	snprintf(copy, sizeof(copy), "%s", addresses);
	while ((word = strsep(&rest, " ")) != NULL && word[0] != '\0') {
		entry = world_address("eth0", word);
		if (entry == NULL)
			fail_msg("eth0 does not have %s", word);
		json_decref(entry);
		n++;
	}
	assert_int_equal(world_addresses("eth0"), n);
}

static void
check_refused(int ret, int code, const char *a, const char *b)
{
	assert_int_equal(ret, code);
	if (strstr(err, a) == NULL || strstr(err, b) == NULL)
		fail_msg("'%s' or '%s' is not in: %s", a, b, err);
}

static void
check_broadcast(const char *address, const char *broadcast)
{
	json_t *entry = world_address("eth0", address);
	const char *text = json_string_value(json_object_get(entry, "broadcast"));

	assert_non_null(entry);
	assert_string_equal(text == NULL ? "" : text, broadcast);
	json_decref(entry);
}

static void
test_add_and_remove(void **state)
{
	(void)state;
	change_well("", "10.0.0.254/24 fd00::1/64");
	check_has("10.0.0.254/24 fd00::1/64");
	change_well("10.0.0.254/24 fd00::1/64", "10.0.0.254/24 192.168.7.1/16");
	check_has("10.0.0.254/24 192.168.7.1/16");
	change_well("10.0.0.254/24 192.168.7.1/16", "");
	check_has("");
}

static void
test_broadcast(void **state)
{
	(void)state;
	change_well("", "10.0.0.254/24 10.1.2.3/8 10.2.0.1/30 10.3.0.0/31 10.4.0.1/32 10.5.0.1/1");
	check_broadcast("10.0.0.254/24", "10.0.0.255");
	check_broadcast("10.1.2.3/8", "10.255.255.255");
	check_broadcast("10.2.0.1/30", "10.2.0.3");
	check_broadcast("10.3.0.0/31", "");
	check_broadcast("10.4.0.1/32", "");
	check_broadcast("10.5.0.1/1", "127.255.255.255");
}

/* An IPv6 address can be used at once: a socket is bound to it. */
static void
test_usable_at_once(void **state)
{
	json_t *entry;

	(void)state;
	change_well("", "fd00::1/64");
	entry = world_address("eth0", "fd00::1/64");
	assert_null(json_object_get(entry, "tentative"));
	assert_true(json_is_true(json_object_get(entry, "nodad")));
	json_decref(entry);
}

/* With the first address of a network the kernel takes the others away, and they come back. */
static void
test_remove_first_of_network(void **state)
{
	(void)state;
	change_well("", "10.0.0.1/24 10.0.0.2/24");
	world_run("ip address add 10.0.0.3/24 dev eth0");
	change_well("10.0.0.1/24 10.0.0.2/24", "10.0.0.2/24");
	check_has("10.0.0.2/24 10.0.0.3/24");
	check_broadcast("10.0.0.2/24", "10.0.0.255");
}

static void
test_prefix_changes(void **state)
{
	(void)state;
	change_well("", "10.0.0.1/24 fd00::1/64");
	change_well("10.0.0.1/24 fd00::1/64", "10.0.0.1/16 fd00::1/48");
	check_has("10.0.0.1/16 fd00::1/48");
}

/* What others did is left alone: what they added, and that they removed. */
static void
test_others_changed(void **state)
{
	(void)state;
	world_run("ip address add 10.9.0.1/24 dev eth0");
	change_well("", "10.0.0.1/24 10.1.0.1/24");
	world_run("ip address del 10.0.0.1/24 dev eth0");
	change_well("10.0.0.1/24 10.1.0.1/24", "10.2.0.1/24");
	check_has("10.9.0.1/24 10.2.0.1/24");
	change_well("10.2.0.1/24", "10.2.0.1/24 10.9.0.1/24");
	check_has("10.9.0.1/24 10.2.0.1/24");
}

static void
test_lost_ones_come_back(void **state)
{
	(void)state;
	change_well("", "10.0.0.1/24 fd00::1/64");
	assert_int_equal(netif_set_up(here, eth, false, err, sizeof(err)), 0);
	assert_int_equal(netif_set_up(here, eth, true, err, sizeof(err)), 0);
	check_has("10.0.0.1/24");
	change_well("10.0.0.1/24 fd00::1/64", "10.0.0.1/24 fd00::1/64");
	check_has("10.0.0.1/24 fd00::1/64");
}

/* One of the wanted ones cannot be: all is as before, and what the kernel took away, too. */
static void
test_all_or_nothing(void **state)
{
	(void)state;
	assert_int_equal(netif_set_mtu(here, eth, 1000, err, sizeof(err)), 0);
	change_well("", "10.0.0.1/24 10.0.0.2/24 10.1.0.1/24");
	world_run("ip address add 10.0.0.3/24 dev eth0");
	check_refused(change("10.0.0.1/24 10.0.0.2/24 10.1.0.1/24",
				      "10.5.0.1/24 10.1.0.1/24 fd00::1/64 10.6.0.1/24"),
			-EINVAL, "interface eth0: cannot add the address fd00::1/64",
			"MTU of 1280");
	check_has("10.0.0.1/24 10.0.0.2/24 10.1.0.1/24 10.0.0.3/24");
}

static void
test_other_prefix_is_there(void **state)
{
	(void)state;
	world_run("ip address add fd00::1/48 dev eth0 nodad");
	check_refused(change("", "10.0.0.1/24 fd00::1/64"), -EEXIST, "fd00::1/64",
			"another prefix");
	check_has("fd00::1/48");
}

static void
test_ipv6_off(void **state)
{
	(void)state;
	world_run("echo 1 >/proc/sys/net/ipv6/conf/eth0/disable_ipv6");
	check_refused(change("", "fd00::1/64"), -EACCES, "fd00::1/64", "disable_ipv6=0");
}

static void
refuse(void *arg)
{
	(void)arg;
	check_refused(change("", "10.0.0.1/24"), -EPERM, "interface eth0: cannot add the address",
			"CAP_NET_ADMIN");
	check_refused(change("10.7.0.1/24", ""), -EPERM, "cannot remove the address 10.7.0.1/24",
			"CAP_NET_ADMIN");
}

static void
test_without_rights(void **state)
{
	(void)state;
	change_well("", "10.7.0.1/24");
	world_without(CAP_NET_ADMIN, refuse, NULL);
	check_has("10.7.0.1/24");
}

static void
test_interface_gone(void **state)
{
	char number[32];

	(void)state;
	snprintf(number, sizeof(number), "number %u", eth);
	world_run("ip link del eth0");
	check_refused(change("", "10.0.0.1/24"), -ENODEV, number, "deleted");
	assert_int_equal(change("", ""), 0);
}

/* What it has is told from what another has, and the own address from that of the peer. */
static void
test_has_already(void **state)
{
	(void)state;
	world_run("ip address add 10.1.0.1/24 dev peer0 && "
		  "ip address add 10.5.0.1 peer 10.5.0.2/32 dev eth0");
	change_well("", "10.1.0.1/24 10.5.0.1/32");
	check_has("10.1.0.1/24 10.5.0.1/32");
}

#define ADDRESS_TEST(name) cmocka_unit_test_setup_teardown(name, make_eth, delete_eth)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		ADDRESS_TEST(test_add_and_remove),
		ADDRESS_TEST(test_broadcast),
		ADDRESS_TEST(test_usable_at_once),
		ADDRESS_TEST(test_remove_first_of_network),
		ADDRESS_TEST(test_prefix_changes),
		ADDRESS_TEST(test_others_changed),
		ADDRESS_TEST(test_lost_ones_come_back),
		ADDRESS_TEST(test_all_or_nothing),
		ADDRESS_TEST(test_other_prefix_is_there),
		ADDRESS_TEST(test_ipv6_off),
		ADDRESS_TEST(test_without_rights),
		ADDRESS_TEST(test_interface_gone),
		ADDRESS_TEST(test_has_already),
	};

	return cmocka_run_group_tests(tests, open_world, close_world);
}
