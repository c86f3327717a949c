/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A vhost-user port: from the session that the gate records and the library's reports to rings
 * that the workers use. Control thread only.
 *
 * The life-cycle rule of the whole switch stands here, in on_quiesce() and update():
 *
 *   Whatever changes what workers use (memory, ring addresses, descriptors, features, the end of
 *   the session) comes by before the library hears of it, as gate_ops.quiesce. The rings are
 *   unpublished, a grace period passes, the cursors go back to the library, and only then the gate
 *   relays or closes (gate_quiesced). When the library has answered, gate_ops.updated validates
 *   everything anew from the session and the library's memory map, and publishes what is valid.
 *
 * A ring runs when the library reported the device and the ring as started, the session has all
 * of it, and its three areas lie in mapped memory. An acknowledgement alone never starts a ring.
 */
#include "vhost_port.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <event2/event_struct.h>

#include "datapath/account.h"
#include "base/log.h"
#include "memory_release.h"
#include "base/control_bell.h"
#include "vhost_memory.h"
#include "rings/sigbus.h"
#include "text/text.h"
#include "worker/worker.h"

static TAILQ_HEAD(, vhost_port) all_ports = TAILQ_HEAD_INITIALIZER(all_ports);

static void
proceed(void *arg)
{
	struct vhost_port *port = arg;

	gate_quiesced(port->gate);
}

/* A big memory that will be unmapped is let go of first. */
static void
settle_and_proceed(void *arg)
{
	struct vhost_port *port = arg;

	vhost_rings_settle(port);
	if (port->has_memory && gate_drops_memory(port->gate) &&
			memory_release(&port->mem, gate_session(port->gate), proceed, port))
		return;
	gate_quiesced(port->gate);
}

/* ---- The gate's reports ---- */

static bool
may_run(const struct vhost_port *port, const struct session *session, uint32_t index)
{
	return port->device_runs && port->vring_runs[index] && port->has_memory &&
			session_vring_complete(session, index) &&
			vring_health_defect(&port->health) == VRING_SOUND;
}

/* Publishes what is valid now. Rings that must stop were stopped by quiesce before. */
static void
update(struct vhost_port *port)
{
	const struct session *session = gate_session(port->gate);

	for (uint32_t i = 0; i < PORT_VRINGS; i++) {
		if (port->settling)
			return;
		if (port->vrings[i] == NULL && may_run(port, session, i))
			vhost_rings_start(port, session, i);
	}
	port_link_changed(&port->base);
}

static void
forget_memory(struct vhost_port *port)
{
	port->has_memory = false;
	sigbus_forget(&port->health);
}

static void
forget_session(struct vhost_port *port)
{
	forget_memory(port);
	port->health = (struct vring_health){ 0 };
	port->device_runs = false;
	memset(port->vring_runs, 0, sizeof(port->vring_runs));
	port->settling = false;
	vring_source_announce(&port->pairs[0].source, NULL);
}

/* The frontend's MTU (NET_SET_MTU, QEMU's host_mtu) bounds frames too, from the next turn on. */
static void
follow_mtu(struct vhost_port *port)
{
	uint32_t mtu = gate_session(port->gate)->mtu;

	if (mtu == port->base.peer_mtu)
		return;
	port->base.peer_mtu = mtu;
	if (mtu != 0)
		log_from(gate_log(port->gate), LOG_LEVEL_INFO,
				"its frontend announced an MTU of %u; the port's own is %u, and the "
				"smaller one bounds frames",
				mtu, port->base.settings.mtu);
	if (port_table_publish() < 0)
		log_from(gate_log(port->gate), LOG_LEVEL_ERROR,
				"no memory to follow its frontend's MTU");
}

static void
on_attached(void *arg, const struct socket_peer *peer)
{
	struct vhost_port *port = arg;

	port->faulty = false;
	port_attached(&port->base, peer);
}

static void
on_quiesce(void *arg, uint32_t vring_mask)
{
	struct vhost_port *port = arg;

	port->settling = true;
	vhost_rings_stop(port, vring_mask, settle_and_proceed);
}

static void
on_announced(void *arg, const uint8_t mac[6])
{
	struct vhost_port *port = arg;

	port_announced(&port->base, mac);
	vring_source_announce(&port->pairs[0].source, mac);
	worker_poll(&port->pairs[0].source.base);
}

static void
on_updated(void *arg)
{
	struct vhost_port *port = arg;

	port->settling = false;
	follow_mtu(port);
	vhost_memory_recorded(port);
	update(port);
}

static void
on_detached(void *arg, const char *fault)
{
	struct vhost_port *port = arg;

	forget_session(port);
	follow_mtu(port);
	if (fault != NULL) {
		port->faulty = true;
		port_set_fault(&port->base, fault);
	}
	port_detached(&port->base);
}

/* ---- The library's reports ---- */

static void
on_memory(void *arg, const struct guest_mem *mem)
{
	struct vhost_port *port = arg;

	forget_memory(port);
	if (mem == NULL)
		return;
	port->mem = *mem;
	port->has_memory = vhost_memory_begin(port, mem) == 0;
	if (!port->has_memory)
		log_from(gate_log(port->gate), LOG_LEVEL_ERROR, "no place to watch its memory");
}

static void
on_vring_state(void *arg, uint32_t index, bool on)
{
	struct vhost_port *port = arg;

	port->vring_runs[index] = on;
	update(port);
}

static void
on_device_state(void *arg, bool running)
{
	struct vhost_port *port = arg;

	port->device_runs = running;
	/* The library's own doing: its thread waits until the rings are quiet. */
	if (!running && !port->settling)
		vhost_rings_stop(port, ALL_RINGS, vhost_rings_settle);
	update(port);
}

static const struct gate_ops gate_ops = {
	.attached = on_attached,
	.quiesce = on_quiesce,
	.announced = on_announced,
	.updated = on_updated,
	.detached = on_detached,
	.memory = on_memory,
	.vring_state = on_vring_state,
	.device_state = on_device_state,
};

/* ---- Broken rings ---- */

/* What workers have found out about the time that the port costs them. */
static void
check_account(struct vhost_port *port)
{
	enum account_fault fault = account_take_fault(port->base.id);

	if (fault != ACCOUNT_SOUND)
		gate_fault(port->gate, account_fault_text(fault));
	else
		vhost_rings_put_aside(port);
}

static void
check_health(struct vhost_port *port)
{
	enum vring_defect defect = vring_health_defect(&port->health);
	struct vhost_conn *conn = gate_conn(port->gate);
	char text[PORT_TEXT_MAX];

	if (defect == VRING_SOUND && conn != NULL && vhost_conn_memory_gone(conn))
		defect = VRING_MEMORY_GONE;
	if (defect == VRING_SOUND) {
		check_account(port);
		return;
	}
	if (defect == VRING_MEMORY_GONE)
		snprintf(text, sizeof(text), "%s", vring_health_text(defect));
	else
		snprintf(text, sizeof(text), "ring %u: %s", vring_health_index(&port->health),
				vring_health_text(defect));
	gate_fault(port->gate, text);
}

static void
on_bell(evutil_socket_t fd, short what, void *arg)
{
	struct vhost_port *port, *next;

	(void)fd;
	(void)what;
	(void)arg;
	control_bell_hear();
	for (port = TAILQ_FIRST(&all_ports); port != NULL; port = next) {
		next = TAILQ_NEXT(port, link);
		if (port->gate != NULL && gate_peer(port->gate) != NULL)
			check_health(port);
	}
}

static void
on_memory_tick(evutil_socket_t fd, short what, void *arg)
{
	struct vhost_port *port;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH (port, &all_ports, link)
		if (port->has_memory && port->gate != NULL)
			vhost_memory_settle(port);
	vhost_memory_tick();
}

/* Once, before the first port: listens for broken rings, and looks after memory. */
static int
init(struct event_base *base)
{
	static struct event bell, tick;
	uint32_t ms = vhost_memory_init();
	const struct timeval pause = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };
	int fd = control_bell_open();

	if (fd < 0)
		return fd;
	event_assign(&bell, base, fd, EV_READ | EV_PERSIST, on_bell, NULL);
	event_assign(&tick, base, -1, EV_PERSIST, on_memory_tick, NULL);
	if (event_add(&bell, NULL) < 0 || event_add(&tick, &pause) < 0)
		return -ENOMEM;
	return memory_release_init(base);
}

/* ---- The kind ---- */

/* What a restart of a frontend takes, and a guest's driver that sets its device up anew. */
#define LINK_GRACE_NS 3000000000ull

static void
init_pair(struct vhost_port *port, uint16_t id, uint16_t number)
{
	struct vhost_pair *pair = &port->pairs[number];

	vring_sink_init(&pair->sink, id);
	vring_source_init(&pair->source, id, &pair->sink);
	pair->sink.base.queue = pair->source.base.queue = number;
	port->base.sources[number] = &pair->source.base;
	port->base.sinks[number] = &pair->sink.base;
}

static void
set_offload(struct vhost_port *port, bool offload)
{
	for (uint32_t i = 0; i < PORT_VRING_PAIRS; i++)
		vring_sink_set_offload(&port->pairs[i].sink, offload);
}

static struct port *
create(uint16_t id, const struct port_settings *settings)
{
	struct vhost_port *port = calloc(1, sizeof(*port));

	(void)settings;
	if (port == NULL)
		return NULL;
	for (uint16_t i = 0; i < PORT_VRING_PAIRS; i++)
		init_pair(port, id, i);
	port->base.n_sources = port->base.n_sinks = PORT_VRING_PAIRS;
	for (uint32_t i = 0; i < PORT_VRINGS; i++)
		port->calls[i].port = id;
	TAILQ_INSERT_TAIL(&all_ports, port, link);
	return &port->base;
}

/* The path that the port listens on or connects to, which must fit struct sockaddr_un. */
static int
set_path(struct port *port, char *err, size_t err_size)
{
	const struct port_settings *settings = &port->settings;
	int len;

	if (settings->connect[0] != '\0')
		len = snprintf(port->path, sizeof(port->path), "%s", settings->connect);
	else if (settings->socket[0] != '\0')
		len = snprintf(port->path, sizeof(port->path), "%s", settings->socket);
	else
		len = snprintf(port->path, sizeof(port->path), "%s/%s.sock", port_socket_dir(),
				port->name);
	if (len < (int)sizeof(port->path))
		return 0;
	return text_fail(err, err_size, -ENAMETOOLONG,
			"add-port %s: the socket's path has %d bytes (%s...), and the system "
			"allows %zu; choose a shorter name or path, or go through a symbolic link "
			"to the directory",
			port->name, len, port->path, sizeof(port->path) - 1);
}

static int
start(struct port *base, char *err, size_t err_size)
{
	struct vhost_port *port = vhost_port(base);
	const struct gate_config config = {
		.name = base->name,
		.path = base->path,
		.connect = base->settings.connect[0] != '\0',
		.offload = base->settings.offload,
		.mtu = base->settings.mtu,
		.mode = base->settings.mode,
		.owner = base->settings.owner,
		.group = base->settings.group,
		.library = &vhost_library,
	};

	char why[PORT_TEXT_MAX];
	int ret = set_path(base, err, err_size);

	if (ret < 0)
		return ret;
	set_offload(port, base->settings.offload);
	vhost_memory_open(port);
	port->gate = gate_create(port_base(), &config, &gate_ops, port, why, sizeof(why));
	if (port->gate != NULL)
		return 0;
	ret = errno != 0 ? -errno : -EIO;
	snprintf(err, err_size, "add-port %s: %s", base->name, why);
	return ret;
}

static void
on_gate_gone(void *arg)
{
	struct vhost_port *port = arg;

	port->gate = NULL;
	port->stopped(port->stopped_arg);
}

static void
stop(struct port *base, void (*done)(void *arg), void *arg)
{
	struct vhost_port *port = vhost_port(base);

	port->stopped = done;
	port->stopped_arg = arg;
	gate_destroy(port->gate, on_gate_gone, port);
}

static void
release(struct port *base)
{
	struct vhost_port *port = vhost_port(base);

	TAILQ_REMOVE(&all_ports, port, link);
	free(port);
}

static int
set_access(struct vhost_port *port, const struct port_settings *settings, char *err,
		size_t err_size)
{
	const struct port_settings *now = &port->base.settings;
	char why[PORT_TEXT_MAX];
	int ret;

	if (settings->mode == now->mode && settings->owner == now->owner &&
			settings->group == now->group)
		return 0;
	ret = gate_set_access(port->gate, settings->mode, settings->owner, settings->group, why,
			sizeof(why));
	if (ret < 0)
		snprintf(err, err_size, "set-port %s: %s", port->base.name, why);
	return ret;
}

static int
set(struct port *base, const struct port_settings *settings, char *err, size_t err_size)
{
	struct vhost_port *port = vhost_port(base);
	int ret = set_access(port, settings, err, err_size);

	if (ret < 0)
		return ret;
	gate_set_offload(port->gate, settings->offload);
	gate_set_mtu(port->gate, settings->mtu);
	set_offload(port, settings->offload);
	vhost_memory_set_max(port, settings->max_memory);
	return 0;
}

const struct port_ops vhost_port_ops = {
	.type = "vhost-user",
	.may_await = true, /* the directory of its socket, which may be a container's */
	.init = init,
	.create = create,
	.start = start,
	.stop = stop,
	.release = release,
	.set = set,
	.link_grace_ns = LINK_GRACE_NS,
	.state = vhost_info_state,
	.state_text = vhost_info_state_text,
	.peer = vhost_info_peer,
	.session = vhost_info_session,
	.vring_info = vhost_info_vring,
	.rejected = vhost_info_rejected,
};
