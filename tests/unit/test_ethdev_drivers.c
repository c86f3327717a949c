/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/devices/ethdev_drivers.c: which devices may be used, and what is said of the others. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "devices/ethdev_drivers.h"

static void
expect_refused(const char *bus, const char *name, const char *words)
{
	char err[512] = "";

	assert_int_equal(ethdev_drivers_check(bus, name, err, sizeof(err)), -EPERM);
	if (strstr(err, words) == NULL || strstr(err, "--any-driver") == NULL)
		fail_msg("%s: '%s' does not say '%s'", name, err, words);
}

static void
test_allowed(void **state)
{
	static const char *const names[] = { "net_af_packet0", "net_af_xdp12", "net_memif0",
		"net_null7", "net_pcap0", "net_tap3", "net_virtio_user0", "net_virtio_user_kernel5",
		"net_null" };
	char err[512];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(ethdev_drivers_check("vdev", names[i], err, sizeof(err)), 0);
	assert_int_equal(ethdev_drivers_check("pci", "0000:03:00.0", err, sizeof(err)), 0);
	assert_int_equal(ethdev_drivers_check("auxiliary", "mlx5_core.sf.1", err, sizeof(err)), 0);
}

static void
test_refused(void **state)
{
	static const char *const names[] = { "net_tun0", "net_softnic0", "net_kni0", "crypto_null0",
		"event_sw0", "NET_VHOST0", "et_vhost", "net_tu", "", "0000:03:00.0", " net_null0" };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		expect_refused("vdev", names[i], "one of net_af_packet, net_af_xdp, net_memif");
	expect_refused("vdev", "net_vhost0", "--type vhost-user");
	expect_refused("vdev", "net_vhost", "--type vhost-user");
	expect_refused("vdev", "eth_vhost17", "--type vhost-user");
	expect_refused("vdev", "net_failsafe0", "a port for each device");
	expect_refused("vdev", "net_bonding0", "in the kernel");
	expect_refused("vdev", "eth_bond0", "in the kernel");
	expect_refused("vdev", "eth_af_packet0", "alias");
	expect_refused("vdev", "virtio_user0", "write net_virtio_user");
	expect_refused("ifpga", "net_null0", "net_null0");
	expect_refused(NULL, "net_null0", "net_null0");
	expect_refused(NULL, "", "a device without a name");
}

/* Last: there is no way back. */
static void
test_any(void **state)
{
	char err[512];

	(void)state;
	ethdev_drivers_allow_any();
	assert_int_equal(ethdev_drivers_check("vdev", "net_vhost0", err, sizeof(err)), 0);
	assert_int_equal(ethdev_drivers_check("vdev", "net_tun0", err, sizeof(err)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_any),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
