/* SPDX-License-Identifier: BSD-3-Clause */
#include "model_case.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include "base/copy.h"
#include "model_device.h"

#define RECEIVERS_MAX 2
#define GUESTS (1 + RECEIVERS_MAX)
#define LIST_FRAME_MAX 8000 /* bytes; no longer frame is placed, as no port takes it */

static const char *const names[GUESTS] = { "sender", "receiver", "receiver 2" };

static struct {
	struct guest guests[GUESTS];
	struct device devices[GUESTS];
	uint32_t n_guests;
	struct burst *burst;
	struct model_burst model_burst;
	struct choices *choices;
	bool muddled; /* the case ends: what is right depends on an order that no rule fixes */
	FILE *trace;
	char *difference;
	size_t difference_size;
} the;

/* Says what the first difference is; always false. */
__attribute__((format(printf, 1, 2))) static bool
differ(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(the.difference, the.difference_size, format, args);
	va_end(args);
	return false;
}

__attribute__((format(printf, 1, 2))) static void
tell(const char *format, ...)
{
	va_list args;

	if (the.trace == NULL)
		return;
	fputs("# worker: ", the.trace);
	va_start(args, format);
	vfprintf(the.trace, format, args);
	va_end(args);
	fputc('\n', the.trace);
}

void
model_case_init(void)
{
	copy_init();
	the.burst = aligned_alloc(64, sizeof(*the.burst));
	for (uint32_t i = 0; i < GUESTS; i++) {
		the.guests[i].name = names[i];
		the.guests[i].memory = aligned_alloc(64, MODEL_MEMORY);
		the.devices[i].call_fd = eventfd(0, EFD_NONBLOCK);
		if (the.burst == NULL || the.guests[i].memory == NULL || the.devices[i].call_fd < 0)
			abort();
	}
}

static bool
same_counters(const char *name, const struct counters *is, const struct counters *due)
{
	if (is->frames != due->frames || is->bytes != due->bytes ||
			is->copies_due != due->copies_due)
		return differ("%s: %lu frames, %lu bytes, %lu copies due counted; %lu, %lu, %lu "
			      "are right",
				name, is->frames, is->bytes, is->copies_due, due->frames,
				due->bytes, due->copies_due);
	for (uint32_t i = 0; i < DROP_REASONS; i++)
		if (is->drops[i] != due->drops[i])
			return differ("%s: %lu drops (%s) counted; %lu are right", name,
					is->drops[i], drop_reasons[i].name, due->drops[i]);
	return true;
}

/* Where in the guest's memory, in words. */
static const char *
part_of(const struct model_ring *model, uint32_t at)
{
	if (at < model->avail_at)
		return "the descriptor table";
	if (at < model->used_at)
		return "the avail ring";
	if (at < model->used_at + 2)
		return "the used ring's flags";
	if (at < model->used_at + 4)
		return "the used ring's index";
	if (at < model->used_at + 4 + 8 * model->size)
		return "a used element";
	return "tables and buffers";
}

/* Memory, counters, calls and defect of one guest after both have done the same step. */
static bool
same_guest(uint32_t i, const char *step)
{
	struct guest *guest = &the.guests[i];
	struct model_ring *model = &guest->model;
	struct device *device = &the.devices[i];
	int at = guest_difference(guest);
	uint64_t calls;

	if (at >= 0)
		return differ("%s: after %s, offset %d of the memory (%s) holds 0x%02x; 0x%02x is "
			      "right",
				guest->name, step, at, part_of(model, at), guest->memory[at],
				model->image[at]);
	if (vring_health_defect(&device->health) != model->defect)
		return differ("%s: after %s, the defect is '%s'; '%s' is right", guest->name, step,
				vring_health_text(vring_health_defect(&device->health)),
				vring_health_text(model->defect));
	calls = device_calls(device);
	if (calls != model->calls)
		return differ("%s: after %s, called %lu times; %lu are right", guest->name, step,
				calls, model->calls);
	model->calls = 0;
	return same_counters(guest->name, device_counters(device), &model->counters);
}

/* The frame's segments hold these bytes, and its head the first of them. */
static bool
same_frame(uint32_t i)
{
	static uint8_t bytes[MODEL_FRAME_MAX];
	const struct frame *frame = &the.burst->frames[i];
	uint32_t n = model_frame_bytes(&the.guests[0].model, &the.model_burst, i, bytes);
	uint64_t len = 0;

	if (frame->len != the.model_burst.frames[i].len)
		return differ("frame %u has %u bytes; %u are right", i, frame->len,
				the.model_burst.frames[i].len);
	if (memcmp(frame->head, bytes, n < FRAME_HEAD_LEN ? n : FRAME_HEAD_LEN) != 0)
		return differ("frame %u: the head differs from its first bytes", i);
	for (uint32_t s = 0; s < frame->n_segments; s++) {
		const struct frame_segment *segment = &frame->segments[s];

		if (len < n &&
				memcmp(segment->data, bytes + len,
						segment->len < n - len ? segment->len : n - len) !=
						0)
			return differ("frame %u: segment %u holds wrong bytes", i, s);
		len += segment->len;
	}
	if (len != frame->len)
		return differ("frame %u of %u bytes has %lu in its segments", i, frame->len, len);
	return true;
}

static bool
same_burst(uint32_t taken, uint32_t due)
{
	if (taken != due || (due > 0 && the.burst->n != the.model_burst.n))
		return differ("%u chains and %u frames taken; %u and %u are right", taken,
				taken > 0 ? the.burst->n : 0, due, the.model_burst.n);
	if (due > 0 && the.burst->longest != the.model_burst.longest)
		return differ("the longest frame has %u bytes; %u are right", the.burst->longest,
				the.model_burst.longest);
	for (uint32_t i = 0; i < the.model_burst.n; i++)
		if (!same_frame(i))
			return false;
	return true;
}

/* Sleeping and waking, between turns. */
static bool
notify(void)
{
	struct guest *sender = &the.guests[0];
	bool arm = choose(the.choices, 2);

	guest_mirror(sender);
	tell(arm ? "arms" : "disarms");
	if (arm) {
		bool sleep = device_arm(&the.devices[0]), due = model_arm(&sender->model);

		if (sleep != due)
			return differ("arm() says %s; %s is right",
					sleep ? "sleep" : "do not sleep",
					due ? "sleep" : "do not sleep");
	} else {
		device_disarm(&the.devices[0]);
		model_disarm(&sender->model);
	}
	return same_guest(0, arm ? "arm()" : "disarm()");
}

/* A ring is stopped, or starts again. */
static void
start_or_stop(uint32_t i)
{
	struct model_ring *model = &the.guests[i].model;

	model->running = !model->running;
	model->greeted = false;
	model->no_room = 0;
	tell("%s %s", the.guests[i].name, model->running ? "starts" : "stops");
	if (model->running)
		device_start(&the.devices[i]);
	else
		device_stop(&the.devices[i]);
}

/* The frames of the burst that go to one receiver. */
static uint32_t
choose_list(uint8_t *list)
{
	bool all = !rarely(the.choices, 4);
	uint32_t n = 0;

	for (uint32_t i = 0; i < the.model_burst.n; i++) {
		uint32_t len = the.model_burst.frames[i].len;

		if (len >= ETHERNET_HEADER_LEN && len <= LIST_FRAME_MAX &&
				(all || choose(the.choices, 2) == 0))
			list[n++] = i;
	}
	return n;
}

static bool
place(uint32_t i)
{
	struct guest *sender = &the.guests[0], *receiver = &the.guests[i];
	uint8_t list[BURST_MAX];
	uint32_t n = choose_list(list);
	const void *placed;
	bool due;

	if (n == 0)
		return true;
	guest_mirror(sender);
	guest_mirror(receiver);
	tell("places %u frames at %s", n, receiver->name);
	due = model_place(&receiver->model, &sender->model, &the.model_burst, list, n);
	placed = device_place(&the.devices[i], the.burst, list, n);
	the.muddled = receiver->model.muddled;
	if (the.muddled)
		return false;
	if ((placed != NULL) != due)
		return differ("%s: place() says that there is %s to call; %s is right",
				receiver->name, placed != NULL ? "somebody" : "nobody",
				due ? "somebody" : "nobody");
	if (due) {
		model_call(&receiver->model);
		device_call(&the.devices[i], placed);
	}
	return same_guest(0, "place()") && same_guest(i, "place()");
}

/* What drivers do while a burst is on its way. */
static void
meanwhile(void)
{
	uint32_t i = choose(the.choices, the.n_guests);

	if (choose(the.choices, 2))
		guest_scribble(&the.guests[i], the.choices);
	else
		guest_offer(&the.guests[i], the.choices);
}

static bool
turn(void)
{
	struct guest *sender = &the.guests[0];
	uint32_t taken, due;

	guest_mirror(sender);
	due = model_take(&sender->model, &the.model_burst);
	tell("takes %u chains, %u of them frames", due, the.model_burst.n);
	taken = device_take(&the.devices[0], the.burst);
	if (!same_burst(taken, due) || !same_guest(0, "take()"))
		return false;
	if (due == 0)
		return true;
	for (uint32_t i = 1; i < the.n_guests; i++) {
		if (rarely(the.choices, 8))
			meanwhile();
		if (!place(i))
			return false;
	}
	if (rarely(the.choices, 8))
		meanwhile();
	guest_mirror(sender);
	tell("completes");
	device_complete(&the.devices[0]);
	model_complete(&sender->model);
	return same_guest(0, "complete()");
}

static void
setup(void)
{
	bool big = rarely(the.choices, 30);

	the.n_guests = rarely(the.choices, 6) ? GUESTS : GUESTS - 1;
	for (uint32_t i = 0; i < the.n_guests; i++) {
		the.guests[i].trace = the.trace;
		the.guests[i].receives = i > 0;
		the.guests[i].big = big;
		guest_init(&the.guests[i], the.choices);
		device_init(&the.devices[i], &the.guests[i]);
		device_start(&the.devices[i]);
	}
}

/* False when the case is over. */
static bool
play_turn(void)
{
	for (uint32_t i = 0; i < the.n_guests; i++)
		guest_offer(&the.guests[i], the.choices);
	if (rarely(the.choices, 20))
		start_or_stop(choose(the.choices, the.n_guests));
	if (rarely(the.choices, 6) && !notify())
		return false;
	return turn();
}

bool
model_case_run(struct choices *choices, FILE *trace, char *difference, size_t size)
{
	uint32_t turns;

	the.choices = choices;
	the.trace = trace;
	the.difference = difference;
	the.difference_size = size;
	the.muddled = false;
	setup();
	turns = choose_from(choices, 1, 4);
	for (uint32_t t = 0; t < turns; t++)
		if (!play_turn())
			return the.muddled;
	return true;
}
