/* SPDX-License-Identifier: BSD-3-Clause */
/* Checks vswitch/control/config.c: what a configuration file may say, and where an error in it is found. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "control/config.h"

#define PATH "/etc/vswitch.json"

static int
parse(const char *text, struct config *config, char *err, size_t err_size)
{
	return config_parse(PATH, text, strlen(text), config, err, err_size);
}

/* Asserts that the text is refused with these words, which name the file first. */
static void
refused(const char *text, const char *words)
{
	struct config config;
	char err[1024] = "";

	if (parse(text, &config, err, sizeof(err)) != -EINVAL)
		fail_msg("accepted: %s", text);
	if (strncmp(err, PATH ": ", strlen(PATH ": ")) != 0 || strstr(err, words) == NULL)
		fail_msg("%s: '%s' does not say '%s'", text, err, words);
	assert_null(config.ports);
	assert_null(config.stations);
}

static void
test_least(void **state)
{
	struct config config;
	char err[256];

	(void)state;
	assert_int_equal(parse("{\"version\": 1}", &config, err, sizeof(err)), 0);
	assert_int_equal(config.n_ports, 0);
	assert_int_equal(config.n_stations, 0);
	assert_int_equal(config.ageing_time, 0);
	config_release(&config);
}

static void
test_everything(void **state)
{
	static const char text[] =
			"{\"fdb\": [{\"mac\": \"02:00:00:00:00:0a\", \"port\": \"b\", \"vlan\": 0}],\n"
			" \"ports\": [{\"name\": \"a\", \"mtu\": 9000, \"mac-limit\": 3, \"enabled\": false,\n"
			"             \"socket\": \"/x/a\", \"mode\": \"0660\", \"owner\": \"7\", \"group\": \"8\"},\n"
			"            {\"name\": \"b\", \"type\": \"vhost-user\", \"connect\": \"/x/b\"}],\n"
			" \"switch\": {\"ageing-time\": 60}, \"version\": 1}";
	static const uint8_t mac[6] = { 2, 0, 0, 0, 0, 10 };
	struct config config;
	char err[256];
	const struct port_settings *a, *b;

	(void)state;
	assert_int_equal(parse(text, &config, err, sizeof(err)), 0);
	assert_int_equal(config.ageing_time, 60);
	assert_int_equal(config.n_ports, 2);
	a = &config.ports[0].settings;
	b = &config.ports[1].settings;
	assert_string_equal(config.ports[0].name, "a");
	assert_string_equal(config.ports[0].type, "vhost-user");
	assert_string_equal(a->socket, "/x/a");
	assert_int_equal(a->mtu, 9000);
	assert_int_equal(a->mac_limit, 3);
	assert_false(a->enabled);
	assert_int_equal(a->mode, 0660);
	assert_int_equal(a->owner, 7);
	assert_int_equal(a->group, 8);
	assert_string_equal(b->connect, "/x/b");
	assert_int_equal(b->mtu, 1500);
	assert_int_equal(b->mode, 0600);
	assert_int_equal(config.n_stations, 1);
	assert_memory_equal(config.stations[0].key.mac, mac, sizeof(mac));
	assert_int_equal(config.stations[0].key.vlan, 0);
	assert_int_equal(config.stations[0].port, 1);
	config_release(&config);
}

static void
test_not_json(void **state)
{
	(void)state;
	refused("", "line 1, column 0");
	refused("{\"version\": 1,\n \"ports\" []}", "line 2, column 10");
	refused("{\"version\": 1, \"version\": 1}", "duplicate");
	refused("{\"version\": 1} x", "line 1");
	refused("[]", "is not an object");
}

static void
test_keys(void **state)
{
	(void)state;
	refused("{}", "version: is missing");
	refused("{\"version\": \"1\"}", "version: is not a whole number");
	refused("{\"version\": 2}", "version: is 2");
	refused("{\"version\": 1, \"prots\": []}",
			"'prots' is not known here; did you mean ports?");
	refused("{\"version\": 1, \"zzzzzz\": []}", "a file has version, switch, ports and fdb");
	refused("{\"version\": 1, \"switch\": []}", "switch: is not an object");
	refused("{\"version\": 1, \"switch\": {\"aging-time\": 3}}", "did you mean ageing-time?");
	refused("{\"version\": 1, \"switch\": {\"ageing-time\": 0}}", "from 1 to 86400");
	refused("{\"version\": 1, \"ports\": {}}", "ports: is not an array");
	refused("{\"version\": 1, \"fdb\": 1}", "fdb: is not an array");
}

#define PORT(members) "{\"version\": 1, \"ports\": [{\"name\": \"a\"}, {" members "}]}"

static void
test_ports(void **state)
{
	(void)state;
	refused("{\"version\": 1, \"ports\": [7]}", "ports[0]: is not an object");
	refused(PORT(""), "ports[1]: name: is missing");
	refused(PORT("\"name\": \"control\""), "ports[1]: name: 'control' cannot name a port");
	refused(PORT("\"name\": \"a\""), "ports[1]: name: there is a port 'a' above already");
	refused(PORT("\"name\": \"b\", \"mtuu\": 1"),
			"ports[1]: 'mtuu' is not known here; did you mean mtu?");
	refused(PORT("\"name\": \"b\", \"mtu\": 1"), "ports[1]: mtu: 1 is not a whole number");
	refused(PORT("\"name\": \"b\", \"type\": \"vhost-usr\""), "did you mean vhost-user?");
	refused(PORT("\"name\": \"b\", \"connect\": \"/x\", \"mode\": \"0600\""), "mode: ");
	refused(PORT("\"name\": \"b\", \"owner\": \"no such user\""),
			"ports[1]: owner: this host has no");
	refused(PORT("\"name\": \"b\", \"may-exist\": true"), "'may-exist' is not known here");
	refused(PORT("\"name\": \"b\", \"type\": \"ethdev\""), "ports[1]: devargs: is missing");
	refused(PORT("\"name\": \"b\", \"ip\": []"),
			"ports[1]: ip: is an option of ports of type kernel");
	refused(PORT("\"name\": \"b\", \"type\": \"kernel\", \"ip\": [\"10.0.0.1\"]"),
			"ports[1]: ip: '10.0.0.1' lacks the length");
}

static void
test_interfaces_and_devices(void **state)
{
	static const char text[] =
			"{\"version\": 1, \"ports\": [\n"
			" {\"name\": \"h\", \"type\": \"kernel\", \"ifname\": \"vsw0\", \"netns\": \"blue\",\n"
			"  \"ip\": [\"10.0.0.254/24\"], \"backend\": \"tap\", \"queues\": 2},\n"
			" {\"name\": \"n\", \"type\": \"ethdev\", \"devargs\": \"net_null0\"}]}";
	const struct port_settings *kernel, *ethdev;
	struct config config;
	char err[256];

	(void)state;
	assert_int_equal(parse(text, &config, err, sizeof(err)), 0);
	kernel = &config.ports[0].settings;
	ethdev = &config.ports[1].settings;
	assert_string_equal(config.ports[0].type, "kernel");
	assert_string_equal(kernel->ifname, "vsw0");
	assert_string_equal(kernel->netns, "blue");
	assert_int_equal(kernel->ip.n, 1);
	assert_int_equal(kernel->backend, PORT_BACKEND_TAP);
	assert_int_equal(kernel->queues, 2);
	assert_string_equal(config.ports[1].type, "ethdev");
	assert_string_equal(ethdev->devargs, "net_null0");
	config_release(&config);
}

#define STATION(members)                                                                           \
	"{\"version\": 1, \"ports\": [{\"name\": \"wan\"}], \"fdb\": [{" members "}]}"
#define MAC "\"mac\": \"02:00:00:00:00:01\""

static void
test_stations(void **state)
{
	(void)state;
	refused(STATION("\"port\": \"wan\""), "fdb[0]: mac: is missing");
	refused(STATION(MAC), "fdb[0]: port: is missing");
	refused(STATION(MAC ", \"port\": \"wam\""),
			"the file has no port 'wam'; did you mean wan?");
	refused(STATION(MAC ", \"port\": \"lan9\""), "name one of its ports");
	refused(STATION(MAC ", \"port\": \"wan\", \"vlan\": 7"),
			"vlan: 7 is not a VLAN that there is");
	refused(STATION("\"mac\": \"02:00\", \"port\": \"wan\""),
			"mac: \"02:00\" is not a MAC address");
}

static void
test_files(void **state)
{
	char dir[] = "/tmp/test_config.XXXXXX", path[64], err[512];
	struct config config;
	FILE *file;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/file", dir);
	assert_int_equal(config_read(path, -1, &config, err, sizeof(err)), 0);
	assert_int_equal(config.n_ports, 0);
	assert_int_equal(config_read(dir, -1, &config, err, sizeof(err)), -EISDIR);
	assert_non_null(strstr(err, dir));
	file = fopen(path, "w");
	fputs("{\"version\": 1, \"ports\": [{\"name\": \"a\"}]}", file);
	fprintf(file, "%100000s\n", "");
	fclose(file);
	assert_int_equal(config_read(path, -1, &config, err, sizeof(err)), 0);
	assert_int_equal(config.n_ports, 1);
	config_release(&config);
	unlink(path);
	rmdir(dir);
}

/* A FIFO that nobody writes, and who reads it is to end. */
static void
test_end_while_reading(void **state)
{
	char dir[] = "/tmp/test_config.XXXXXX", path[64], err[512];
	struct config config;
	int stop_fd = eventfd(1, 0);

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/fifo", dir);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(config_read(path, stop_fd, &config, err, sizeof(err)), -EINTR);
	assert_int_equal(config.n_ports, 0);
	close(stop_fd);
	unlink(path);
	rmdir(dir);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_least),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_not_json),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_interfaces_and_devices),
		cmocka_unit_test(test_stations),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_end_while_reading),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
