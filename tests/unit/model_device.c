/* SPDX-License-Identifier: BSD-3-Clause */
#include "model_device.h"

#include <string.h>
#include <unistd.h>

static void
fill_vring(struct device *device, struct split_vring *vring)
{
	struct guest *guest = device->guest;
	const struct model_ring *model = &guest->model;

	*vring = (struct split_vring){
		.desc = (struct vring_desc *)(void *)(guest->memory + model->desc_at),
		.avail = (struct vring_avail *)(void *)(guest->memory + model->avail_at),
		.used = (struct vring_used *)(void *)(guest->memory + model->used_at),
		.size = model->size,
		.header_len = model->header_len,
		.mergeable = model->mergeable,
		.indirect = model->indirect,
		.index = guest->receives ? VRING_RECEIVEQ : VRING_TRANSMITQ,
		.kick_fd = -1,
		.call_fd = model->called ? device->call_fd : -1,
		.health = &device->health,
		.mem.n = model->n_regions,
	};
	for (uint32_t i = 0; i < model->n_regions; i++)
		vring->mem.regions[i] = (struct guest_region){
			.guest_phys_addr = model->regions[i].guest_phys_addr,
			.size = model->regions[i].size,
			.host = guest->memory + model->regions[i].at,
		};
}

void
device_init(struct device *device, struct guest *guest)
{
	const struct model_ring *model = &guest->model;

	device->guest = guest;
	device->starts = 0;
	device->health.word = VRING_SOUND;
	vring_sink_init(&device->sink, 0);
	if (!guest->receives)
		vring_source_init(&device->source, 0, &device->sink);
	device->source.cursor = (struct vring_cursor){ .avail = model->avail, .used = model->used };
	device->sink.cursor = device->source.cursor;
}

void
device_start(struct device *device)
{
	struct split_vring *vring = &device->vrings[device->starts++ % 2];

	fill_vring(device, vring);
	if (device->guest->receives) {
		vring_sink_publish(&device->sink, vring);
		return;
	}
	/* The sibling looks at the same flags, so that both are called or none. */
	device->sibling = *vring;
	vring_sink_publish(&device->sink,
			device->guest->model.sibling_called ? &device->sibling : NULL);
	vring_source_publish(&device->source, vring);
}

void
device_stop(struct device *device)
{
	if (device->guest->receives)
		vring_sink_publish(&device->sink, NULL);
	else
		vring_source_publish(&device->source, NULL);
}

uint32_t
device_take(struct device *device, struct burst *burst)
{
	return device->source.base.ops->take(&device->source.base, burst);
}

void
device_complete(struct device *device)
{
	device->source.base.ops->complete(&device->source.base);
}

bool
device_arm(struct device *device)
{
	return device->source.base.ops->arm(&device->source.base);
}

void
device_disarm(struct device *device)
{
	device->source.base.ops->disarm(&device->source.base);
}

const void *
device_place(struct device *device, const struct burst *burst, const uint8_t *list, uint32_t n)
{
	device->sink.base.followed = 0;
	return device->sink.base.ops->place(&device->sink.base, burst, list, n);
}

void
device_call(struct device *device, const void *placed)
{
	device->sink.base.ops->call(placed);
}

const struct counters *
device_counters(const struct device *device)
{
	return device->guest->receives ? &device->sink.base.counters
				       : &device->source.base.counters;
}

uint64_t
device_calls(struct device *device)
{
	uint64_t n = 0;

	if (!device->guest->model.called || read(device->call_fd, &n, sizeof(n)) < 0)
		return 0;
	return n;
}
