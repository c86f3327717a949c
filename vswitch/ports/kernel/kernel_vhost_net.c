/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A kernel port's backend where there is vhost-net: a virtio_user device of DPDK in front of
 * /dev/vhost-net, whose threads in the kernel move the frames. See kernel_port.h.
 *
 * DPDK makes the TAP behind vhost-net and knows nothing of its MTU, link, addresses and namespace. Its
 * descriptor is looked for among those of the process, and used as the other backend uses its own:
 * to see where the interface is, and to pull its cable.
 */
#include "kernel_port.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_ether.h>

#include "text/text.h"

#define DEVICE "/dev/vhost-net"
#define QUEUE_SIZE 1024u
/*
 * Of the device, whose driver has no larger one. It bounds nothing but has frames received in several
 * mbufs; the interface's own MTU is what bounds them.
 */
#define DEVICE_MTU 9000
#define THREADS_MAX 1024 /* of all ports; more are not told apart */
#define COMM_MAX 32

int
kernel_vhost_net_usable(char *err, size_t err_size)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC), why = errno;

	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (why == ENOENT || why == ENODEV || why == ENXIO)
		return text_fail(err, err_size, -why,
				"%s: %s: `modprobe vhost_net`, or start the container with "
				"--device %s",
				DEVICE, strerror(why), DEVICE);
	if (why == EACCES || why == EPERM)
		return text_fail(err, err_size, -why,
				"%s: user %u may not read and write it; `setfacl -m u:%u:rw %s` as "
				"root",
				DEVICE, geteuid(), geteuid(), DEVICE);
	return text_fail(err, err_size, -why, "%s: cannot be opened: %s", DEVICE, strerror(why));
}

/* ---- The kernel's threads ---- */

struct threads {
	uint32_t n;
	pid_t pids[THREADS_MAX];
};

static bool
has_comm(const char *directory, const char *pid, const char *wanted, size_t len)
{
	char path[PATH_MAX], comm[COMM_MAX] = "";
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s/comm", directory, pid);
	file = fopen(path, "re");
	if (file == NULL)
		return false;
	if (fgets(comm, sizeof(comm), file) == NULL)
		comm[0] = '\0';
	fclose(file);
	return strncmp(comm, wanted, len) == 0;
}

/* Adds those below a directory of processes whose name begins so. */
static void
find_below(const char *directory, const char *wanted, size_t len, struct threads *threads)
{
	DIR *list = opendir(directory);
	struct dirent *entry;

	if (list == NULL)
		return;
	while (threads->n < THREADS_MAX && (entry = readdir(list)) != NULL)
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
				has_comm(directory, entry->d_name, wanted, len))
			threads->pids[threads->n++] = (pid_t)strtoul(entry->d_name, NULL, 10);
	closedir(list);
}

/*
 * The threads that vhost-net has for this process: threads of the process since Linux 6.4, threads
 * of the kernel before. They are named after the thread that made the device, which is this one.
 */
static void
find_threads(struct threads *threads)
{
	char name[COMM_MAX];

	threads->n = 0;
	snprintf(name, sizeof(name), "vhost-%d\n", gettid());
	find_below("/proc/self/task", name, strlen(name), threads);
	find_below("/proc", name, strlen(name), threads);
}

static bool
has(const struct threads *threads, pid_t pid)
{
	for (uint32_t i = 0; i < threads->n; i++)
		if (threads->pids[i] == pid)
			return true;
	return false;
}

/* Those of this port have come since `before`: a thread does one thing at a time. */
static void
note_threads(struct kernel_port *port, const struct threads *before)
{
	static __thread struct threads now;

	find_threads(&now);
	port->n_pids = 0;
	for (uint32_t i = 0; i < now.n && port->n_pids < PORT_QUEUES_MAX; i++)
		if (!has(before, now.pids[i]))
			port->pids[port->n_pids++] = now.pids[i];
}

/* ---- The device ---- */

static void
make_config(const struct port_settings *settings, struct ethdev_config *config)
{
	config->queues = settings->queues;
	config->mtu = DEVICE_MTU;
	config->offload = settings->offload;
	config->promiscuous = true;
	config->link_up = true;
}

/* virtio_user gives the interface a MAC at each start; the wanted one, its own, or a random one. */
static void
choose_mac(const char *ifname, bool exists, struct netif *own, const struct port_settings *settings,
		char text[TEXT_MAC_SIZE])
{
	struct netif_link link = { 0 };

	if (settings->mac.given)
		memcpy(link.mac, settings->mac.bytes, sizeof(link.mac));
	else if (!exists || netif_find(own, ifname, &link, NULL, 0) < 0)
		rte_eth_random_addr(link.mac);
	text_format_mac(link.mac, text);
}

static void
make_devargs(const struct kernel_port *port, const char *ifname, bool exists, struct netif *own,
		const struct port_settings *settings, char devargs[PORT_DEVARGS_MAX])
{
	char mac[TEXT_MAC_SIZE];

	choose_mac(ifname, exists, own, settings, mac);
	snprintf(devargs, PORT_DEVARGS_MAX,
			"net_virtio_user_kernel%u,path=%s,iface=%s,queues=%u,queue_size=%u,mac=%s",
			port->base.id, DEVICE, ifname, settings->queues, QUEUE_SIZE, mac);
}

static int
open_device(struct kernel_port *port, const char *ifname, bool exists, struct netif *own,
		const struct port_settings *settings, char *err, size_t err_size)
{
	static __thread struct threads before;
	struct ethdev_config config = { 0 };
	int ret;

	make_config(settings, &config);
	make_devargs(port, ifname, exists, own, settings, config.devargs);
	find_threads(&before);
	ret = ethdev_open(&port->dev, &config, err, err_size);
	if (ret < 0)
		return ret;
	note_threads(port, &before);
	ret = tap_find(&port->tap, ifname);
	if (ret == 0)
		return 0;
	ethdev_close(&port->dev);
	return text_fail(err, err_size, ret, "interface %s: DPDK did not make it behind %s", ifname,
			DEVICE);
}

static int
open_vhost(struct kernel_port *port, struct netif *own, const char *ifname,
		const struct port_settings *settings, char *err, size_t err_size)
{
	char name[IFNAMSIZ];
	int exists, ret;

	if (ifname == NULL)
		snprintf(name, sizeof(name), "vsw%x.%x", getpid() & 0xffffff, port->base.id);
	else
		snprintf(name, sizeof(name), "%s", ifname);
	if (strpbrk(name, ",=[]\"") != NULL)
		return text_fail(err, err_size, -EINVAL,
				"interface %s: no name with , = [ ] or \" with backend vhost-net; "
				"choose another --ifname, or backend tap",
				name);
	exists = tap_check(own, name, err, err_size);
	if (exists < 0)
		return exists;
	ret = open_device(port, name, exists == 1, own, settings, err, err_size);
	return ret < 0 ? ret : exists;
}

static int
change(struct kernel_port *port, const struct port_settings *wanted, char *err, size_t err_size)
{
	struct ethdev_config config = port->dev.config;

	make_config(wanted, &config);
	if (!ethdev_must_pause(&port->dev.config, &config))
		return 0;
	return ethdev_change(&port->dev, &config, err, err_size);
}

static void
close_vhost(struct kernel_port *port)
{
	port->tap.queues = 0;
	ethdev_close(&port->dev);
}

static void
choose(struct kernel_port *port)
{
	for (uint32_t i = 0; i < port->n_queues; i++) {
		port->base.sources[i] = &port->dev.queue[i].source;
		port->base.sinks[i] = &port->dev.queue[i].sink;
	}
	port->base.n_sources = port->base.n_sinks = port->dev.queues;
}

static int
run(struct kernel_port *port)
{
	int ret = port->dev.status.gone ? -ENODEV : port_use_queues(&port->base, port->dev.queues);

	return ret == 0 ? ethdev_run(&port->dev) : ret;
}

static void
halt(struct kernel_port *port, void (*quiet)(void *port))
{
	ethdev_pause(&port->dev, quiet, port);
}

static bool
must_halt(const struct port_settings *now, const struct port_settings *wanted)
{
	return now->offload != wanted->offload;
}

static void
changed(struct kernel_port *port, const struct port_settings *settings)
{
	(void)port;
	(void)settings;
}

static void
describe(const struct kernel_port *port, struct port_device *device)
{
	device->interrupts = port->dev.interrupts;
	device->queues = port->dev.queues;
	device->takes = port->dev.takes;
	device->gives = port->dev.gives;
	device->n_pids = port->n_pids;
	memcpy(device->pids, port->pids, sizeof(device->pids));
}

const struct kernel_backend kernel_vhost_net = {
	.name = "vhost-net",
	.open = open_vhost,
	.change = change,
	.close = close_vhost,
	.choose = choose,
	.run = run,
	.halt = halt,
	.must_halt = must_halt,
	.changed = changed,
	.describe = describe,
};
