/* SPDX-License-Identifier: BSD-3-Clause */
/* edit.c: tags taken off and put on, against a plain copy that does the same; every byte, every shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "offload_frames.h"
#include "offloads/offload.h"
#include "switching/edit.h"

#define TAG 4u
#define TCI 0xa123
#define LEN_MAX 400

static struct burst *burst, *split;
static struct edited *edited;

static int
setup(void **state)
{
	(void)state;
	burst = aligned_alloc(64, sizeof(*burst));
	split = aligned_alloc(64, sizeof(*split));
	edited = aligned_alloc(64, sizeof(*edited));
	if (burst == NULL || split == NULL || edited == NULL)
		return -1;
	burst->n = 0;
	burst->offload_mask = 0;
	memset(edited, 0xa5, sizeof(*edited)); /* what was in it is no matter */
	edit_begin(edited);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	free(burst);
	free(split);
	free(edited);
	return 0;
}

static const uint16_t types[] = { ETHERTYPE_SVLAN, ETHERTYPE_CVLAN, ETHERTYPE_CVLAN };

/* Bytes that tell their place, and the first n of the tags above where they belong. */
static void
fill(uint8_t *bytes, uint32_t len, uint32_t n)
{
	for (uint32_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * 7 + 3);
	for (uint32_t i = 0; i <= n; i++) {
		uint16_t type = i < n ? types[i] : 0x88b5;

		if (14 + TAG * i > len)
			break;
		bytes[12 + TAG * i] = (uint8_t)(type >> 8);
		bytes[13 + TAG * i] = (uint8_t)type;
	}
}

/* Adds a frame in pieces of `piece` bytes, of which the first are copied. */
static void
add(const uint8_t *bytes, uint32_t len, uint32_t piece)
{
	static uint32_t used;
	struct frame *frame = &burst->frames[burst->n];

	if (burst->n == 0)
		used = 0;
	*frame = (struct frame){ .segments = &burst->segments[used], .len = len };
	memset(frame->head, 0xee, sizeof(frame->head));
	memcpy(frame->head, bytes, len < FRAME_HEAD_LEN ? len : FRAME_HEAD_LEN);
	for (uint32_t at = 0; at < len; at += piece) {
		burst->segments[used].data = bytes + at;
		burst->segments[used++].len = len - at < piece ? len - at : piece;
		frame->n_segments++;
	}
	burst->n++;
}

/* What a sink delivers of frame i: the copied bytes, then the segments without as many. */
static uint32_t
deliver(const struct burst *from, uint32_t i, uint8_t *to)
{
	const struct frame *frame = &from->frames[i];
	uint32_t skip, done;
	const uint8_t *head = burst_head(from, i, &skip);

	memcpy(to, head, skip);
	done = skip;
	for (uint32_t k = 0; k < frame->n_segments; k++) {
		const struct frame_segment *segment = &frame->segments[k];
		uint32_t part = segment->len < skip ? segment->len : skip;

		memcpy(to + done, segment->data + part, segment->len - part);
		done += segment->len - part;
		skip -= part;
	}
	assert_int_equal(skip, 0);
	assert_int_equal(done, frame->len);
	assert_memory_equal(frame->head, to, done < FRAME_HEAD_LEN ? done : FRAME_HEAD_LEN);
	return done;
}

/* The same edit, without views and copied heads. */
static uint32_t
edit_plainly(const uint8_t *from, uint32_t len, struct edit edit, uint8_t *to)
{
	uint32_t at = 12, n = 12;

	memcpy(to, from, 12);
	for (uint32_t i = 0; i < edit.pops; i++)
		if (at + TAG + 2 <= len &&
				((from[at] == 0x81 && from[at + 1] == 0) ||
						(from[at] == 0x88 && from[at + 1] == 0xa8)))
			at += TAG;
		else
			break;
	if (edit.push != EDIT_PUSH_NONE) {
		to[n++] = edit.push == EDIT_PUSH_CVLAN ? 0x81 : 0x88;
		to[n++] = edit.push == EDIT_PUSH_CVLAN ? 0x00 : 0xa8;
		to[n++] = TCI >> 8;
		to[n++] = TCI & 0xff;
	}
	memcpy(to + n, from + at, len - at);
	return n + len - at;
}

static void
check_one(const uint8_t *bytes, uint32_t len, uint32_t piece, struct edit edit)
{
	static uint8_t expected[LEN_MAX + TAG], seen[LEN_MAX + TAG];
	uint32_t expected_len = edit_plainly(bytes, len, edit, expected);

	burst->n = 0;
	add(bytes, len, piece);
	edit_begin(edited);
	edit_add(edited, burst, 0, edit);
	assert_int_equal(edited->burst.n, 1);
	assert_int_equal(edited->burst.frames[0].len, expected_len);
	assert_int_equal(edited->burst.longest, expected_len);
	assert_int_equal(deliver(&edited->burst, 0, seen), expected_len);
	assert_memory_equal(seen, expected, expected_len);
	assert_true(edited->burst.frames[0].n_segments <= burst->frames[0].n_segments + 1);
}

/* Each edit on frames of each length with up to three tags, in pieces of each length. */
static void
test_tags_off_and_on(void **state)
{
	static const uint32_t pieces[] = { 1, 3, 13, 16, 60, 61, 64, 68, 71, 72, 73, LEN_MAX };
	uint8_t bytes[LEN_MAX];

	(void)state;
	for (uint32_t len = ETHERNET_HEADER_LEN; len <= LEN_MAX; len += len < 90 ? 1 : 31)
		for (uint32_t tags = 0; tags <= 3; tags++)
			for (uint32_t p = 0; p < sizeof(pieces) / sizeof(pieces[0]); p++)
				for (uint8_t pops = 0; pops <= 2; pops++)
					for (uint32_t push = 0; push <= EDIT_PUSH_SVLAN; push++) {
						fill(bytes, len, tags);
						check_one(bytes, len, pieces[p],
								(struct edit){ pops, (uint8_t)push,
										TCI });
					}
}

/* What was switched is what is sent: the sender changes its memory, and the header stays. */
static void
test_head_is_the_copy(void **state)
{
	uint8_t bytes[100], seen[100 + TAG];
	static const uint8_t zero[100];

	(void)state;
	fill(bytes, sizeof(bytes), 0);
	add(bytes, sizeof(bytes), 50);
	memset(bytes, 0, FRAME_HEAD_LEN);
	edit_add(edited, burst, 0, (struct edit){ 0, EDIT_PUSH_CVLAN, TCI });
	assert_int_equal(deliver(&edited->burst, 0, seen), sizeof(seen));
	assert_memory_not_equal(seen, zero, 12);
	assert_memory_not_equal(seen + 12 + TAG, zero, FRAME_HEAD_LEN - 12 - TAG);
}

/* A whole burst in as many pieces as there may be, with and without edits. */
static void
test_largest_burst(void **state)
{
	uint8_t bytes[BURST_MAX][16], seen[16 + TAG];

	(void)state;
	for (uint32_t i = 0; i < BURST_MAX; i++) {
		fill(bytes[i], sizeof(bytes[i]), 0);
		bytes[i][0] = (uint8_t)(2 * i);
		add(bytes[i], sizeof(bytes[i]), 1);
	}
	for (uint32_t i = 0; i < BURST_MAX; i++)
		edit_add(edited, burst, i, (struct edit){ 0, i % 3, TCI });
	for (uint32_t i = 0; i < BURST_MAX; i++) {
		assert_int_equal(deliver(&edited->burst, i, seen), i % 3 == 0 ? 16 : 20);
		assert_int_equal(seen[0], (uint8_t)(2 * i));
		assert_int_equal(seen[12] << 8 | seen[13],
				i % 3 == 0		     ? 0x88b5
						: i % 3 == 1 ? 0x8100
							     : 0x88a8);
	}
	assert_int_equal(edited->burst.longest, 20);
	assert_null(edited->burst.mbufs);
}

/* A frame that is to be cut or completed gives what the edited frame would have given. */
static void
check_offload(struct shape shape, struct edit edit, uint32_t takes)
{
	static uint8_t before[OFFLOAD_BYTES_MAX], whole[OFFLOAD_BYTES_MAX], seen[OFFLOAD_BYTES_MAX];
	static uint8_t wanted[OFFLOAD_BYTES_MAX];
	struct virtio_net_hdr header = frames_header(&shape, 500);
	uint32_t n;

	burst->n = 0;
	burst->offload_mask = 0;
	frames_build(&shape, before);
	add(before, frames_len(&shape), 777);
	assert_true(offload_read(burst, 0, &header, FRAME_NEEDS_ALL));
	edit_begin(edited);
	edit_add(edited, burst, 0, edit);
	assert_int_equal(edited->burst.offload_mask, 1);
	(void)deliver(&edited->burst, 0, whole);
	/* The same frame, had it come like that. */
	shape.tags += edit.push != EDIT_PUSH_NONE;
	shape.tags -= edit.pops;
	header = frames_header(&shape, 500);
	burst->n = 0;
	burst->offload_mask = 0;
	add(whole, frames_len(&shape), 777);
	assert_true(offload_read(burst, 0, &header, FRAME_NEEDS_ALL));
	assert_int_equal(edited->burst.longest, burst_wire_len(burst, 0));
	n = offload_split(burst, 0, (uint8_t)takes, 0, split);
	for (uint32_t i = 0; i < n; i++) {
		uint32_t len = deliver(split, i, wanted);
		struct burst *other = aligned_alloc(64, sizeof(*other));

		assert_int_equal(offload_split(&edited->burst, 0, (uint8_t)takes, 0, other), n);
		assert_int_equal(deliver(other, i, seen), len);
		assert_memory_equal(seen, wanted, len);
		free(other);
	}
}

static void
test_offloads(void **state)
{
	static const struct edit push = { 0, EDIT_PUSH_CVLAN, TCI }, pop = { 1, 0, 0 };
	static const struct edit both = { 1, EDIT_PUSH_CVLAN, TCI };

	(void)state;
	for (uint32_t v6 = 0; v6 < 2; v6++)
		for (uint32_t payload = 100; payload < 2000; payload += 700)
			for (uint32_t takes = 0; takes < 2; takes++) {
				struct shape shape = {
					.ipv6 = v6, .payload = payload, .partial = true
				};

				check_offload(shape, push, takes);
				shape.tags = 1;
				check_offload(shape, push, takes);
				check_offload(shape, pop, takes);
				check_offload(shape, both, takes);
			}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_tags_off_and_on),
		TEST(test_head_is_the_copy),
		TEST(test_largest_burst),
		TEST(test_offloads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
