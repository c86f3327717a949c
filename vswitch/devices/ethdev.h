/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Any device that DPDK drives: each of its receive queues a source, each of its transmit queues a sink,
 * and the mbufs between. Behind ports of kind ethdev, and behind kernel ports whose backend is
 * vhost-net (a virtio_user device in front of /dev/vhost-net).
 *
 * Who may call what, the one rule:
 *
 *   Helper threads  whatever may wait, or changes the device: ethdev_open(), ethdev_change(),
 *                   ethdev_look(), ethdev_return(), ethdev_close(). One at a time for each device;
 *                   no other thread calls rte_dev_* or the slow part of rte_eth_*.
 *   Control thread  everything else here. Between the posting of a job and its completion it leaves
 *                   the struct ethdev alone but for what the workers see and ethdev_info().
 *   Workers         source.ops and sink.ops, between ethdev_run() and the `quiet` of ethdev_pause().
 *
 * Order: ethdev_init, ethdev_open, (sources attached) ethdev_run, any number of { ethdev_look, or
 * ethdev_change without a pause where ethdev_must_pause() says so, else between ethdev_pause and
 * ethdev_run; ethdev_return always between them }, ethdev_pause, ethdev_close.
 *
 * No interrupt of a device but those of its receive queues is listened to: links and removals are
 * looked at by ethdev_look(), once a second.
 */
#ifndef VSWITCH_ETHDEV_H
#define VSWITCH_ETHDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "datapath/endpoint.h"
#include "ethdev_xdp.h"
#include "port_device.h"

struct ethdev_traits;
struct rte_device;
struct rte_mempool;

struct ethdev_config {
	char devargs[PORT_DEVARGS_MAX]; /* as EAL's --vdev and --allow take them */
	uint32_t queues; /* pairs, at most; 1 .. PORT_QUEUES_MAX, and what ethdev_init() was told */
	uint32_t mtu;
	bool offload; /* use the device's checksum and TCP segmentation offloads */
	bool promiscuous;
	bool link_up; /* else the link is set down, where the device can */
	bool has_mac; /* else the device keeps its own */
	uint8_t mac[6];
};

/* What ethdev_look() saw. */
struct ethdev_status {
	bool gone; /* the device or its interface is not there, or it does not start any more */
	char why[PORT_TEXT_MAX]; /* it is gone, in words */
	char ifname[IFNAMSIZ];	 /* what its interface is called now; "" = it has none */
	bool link_up;
	uint32_t speed_mbps; /* 0 = not known */
	uint32_t mtu;
	uint8_t mac[6];
	struct device_drop_counts dropped;
};

/* A receive queue and a transmit queue of the same number. */
struct ethdev_queue {
	struct source source;
	struct sink sink;
	struct ethdev *dev;
	/* The worker's that has the source. */
	uint32_t n_received, n_looked_at, n_taken;
	struct rte_mbuf *received[BURST_MAX];
	struct rte_mbuf *taken[BURST_MAX]; /* what the burst shows, from take() to complete() */
};

struct ethdev {
	bool running; /* writer: control, atomically; the workers leave alone what does not run */
	struct ethdev_queue *
			queue; /* n_queues of them, for as long as the struct; those from `queues` on idle */
	uint16_t n_queues;

	/* Writer: the helper, while the device does not run. */
	bool opened;
	bool started;
	const struct ethdev_traits *traits; /* of the last that was opened */
	uint16_t id;			    /* of ethdev */
	struct rte_device *device;
	struct ethdev_config config;
	char driver[32];
	char ifname[IFNAMSIZ]; /* of the interface that the device uses, as its driver knows it */
	unsigned int if_index; /* 0 = none */
	struct ethdev_xdp xdp;
	uint16_t queues;	  /* that the device has, up to n_queues */
	struct rte_mempool *pool; /* for both directions */
	uint32_t room;		  /* bytes of a frame that one mbuf holds */
	bool chains;		  /* it sends frames of several mbufs */
	bool shares;		  /* other devices may take references to its mbufs */
	bool virtio;		  /* it takes a frame's offloads as a virtio-net header says them */
	bool ip_checksum;	  /* it computes the checksum of IPv4's header */
	uint8_t takes;		  /* FRAME_NEEDS_ bits */
	uint8_t gives;
	bool interrupts;
	int fds[PORT_QUEUES_MAX]; /* interrupts of the receive queues, where it has them */
	struct ethdev_status status;

	/* Control's. */
	uint16_t n_watched; /* sources of which worker_watch() was asked */
	bool pausing;	    /* a grace period is under way; `quiet` is called at its end */
	void (*quiet)(void *arg);
	void *quiet_arg;
};

/* Control. All of it is overwritten. With up to so many queues. 0 or -ENOMEM. */
int ethdev_init(struct ethdev *dev, uint16_t port, uint32_t queues);

/* Control. It is closed, and no worker has its sources and sinks any more. */
void ethdev_release(struct ethdev *dev);

/*
 * Helper. Probes the device, makes its mbufs, configures and starts it. 0, or -errno with words of
 * what was wrong and what to do about it, without naming the port; then nothing of it is left.
 */
int ethdev_open(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size);

/* True: from `now` to `wanted` the device must be stopped and started, so be paused meanwhile. */
bool ethdev_must_pause(const struct ethdev_config *now, const struct ethdev_config *wanted);

/*
 * Helper. From dev->config to `config`, whose devargs and queues must be the same. 0, or -errno with
 * words and the old configuration again; where even that is refused the device is closed, and
 * dev->status.gone is set.
 */
int
ethdev_change(struct ethdev *dev, const struct ethdev_config *config, char *err, size_t err_size);

/* Helper. Link, MAC, MTU, and whether it is there, now; runs beside the workers. */
void ethdev_look(struct ethdev *dev, struct ethdev_status *status);

/*
 * Helper. Brings back a device that must call its peer again, or, `anew`, that was gone, though it may
 * look well again by now, with this configuration. 0 and dev->status; or -errno with words, and unless
 * dev->started it neither sends nor receives, and may be tried again.
 */
int ethdev_return(struct ethdev *dev, const struct ethdev_config *config, bool anew, char *err,
		size_t err_size);

/* Control, before the first ethdev_run() or when no job is under way. */
bool ethdev_may_return(const struct ethdev *dev); /* what is gone may be brought back */
bool ethdev_calls_peer(const struct ethdev *dev); /* when its link is down it must call again */

/* Helper. Stops and removes the device; its memory goes back. No effect when it is not open. */
void ethdev_close(struct ethdev *dev);

/* Control. Gives it to the workers; its `queues` sources are attached. 0 or -errno, and it does not run. */
int ethdev_run(struct ethdev *dev);

/*
 * Control. Takes it from the workers; `quiet(arg)` is called, at once or from the event loop, when
 * none of them uses it any more. A second call before that replaces the first one's `quiet`.
 */
void ethdev_pause(struct ethdev *dev, void (*quiet)(void *arg), void *arg);

/* Control. Fills all but `why` and what is the kernel's business: netns, pids. */
void ethdev_info(const struct ethdev *dev, const struct ethdev_status *status,
		struct port_device *device);

static inline struct ethdev_queue *
ethdev_queue_of_source(struct source *source)
{
	return (struct ethdev_queue *)source;
}

static inline struct ethdev_queue *
ethdev_queue_of_sink(struct sink *sink)
{
	return (struct ethdev_queue *)((uint8_t *)sink - offsetof(struct ethdev_queue, sink));
}

/* Workers. Whether the queue's device runs, and has it. */
static inline bool
ethdev_queue_runs(const struct ethdev_queue *queue)
{
	return __atomic_load_n(&queue->dev->running, __ATOMIC_ACQUIRE) &&
			queue->source.queue < queue->dev->queues;
}

/* ethdev_source.c, ethdev_sink.c */
extern const struct source_ops ethdev_source_ops;
extern const struct sink_ops ethdev_sink_ops;

#endif
