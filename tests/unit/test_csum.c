/* SPDX-License-Identifier: BSD-3-Clause */
/* csum.c: against the example of RFC 1071 and against two bytes added after the other. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "offloads/csum.h"
#include "offload_frames.h"

#define LEN_MAX 65553

static void
test_rfc_example(void **state)
{
	static const uint8_t bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	struct csum csum = { 0 };

	(void)state;
	csum_add(&csum, bytes, sizeof(bytes));
	assert_int_equal(ntohs(csum_fold(&csum)), 0xddf2);
}

static void
test_header_in_the_wild(void **state)
{
	/* An IPv4 header with its checksum: the sum of both is all ones. */
	static const uint8_t bytes[] = { 0x45, 0x00, 0x00, 0x73, 0x00, 0x00, 0x40, 0x00, 0x40, 0x11,
		0xb8, 0x61, 0xc0, 0xa8, 0x00, 0x01, 0xc0, 0xa8, 0x00, 0xc7 };
	struct csum csum = { 0 };

	(void)state;
	csum_add(&csum, bytes, sizeof(bytes));
	assert_int_equal(csum_fold(&csum), 0xffff);
}

static void
test_nothing(void **state)
{
	static const uint8_t zero[100];
	struct csum csum = { 0 };

	(void)state;
	csum_add(&csum, zero, 0);
	csum_add(&csum, zero, sizeof(zero));
	assert_int_equal(csum_fold(&csum), 0);
}

static void
check(const uint8_t *bytes, uint32_t len)
{
	struct csum csum = { 0 };

	csum_add(&csum, bytes, len);
	assert_int_equal(ntohs(csum_fold(&csum)), frames_sum(bytes, len, 0));
}

/* Each allocation ends where the bytes end: a sanitizer sees one read too many. */
static void
test_lengths_and_alignments(void **state)
{
	uint32_t seed = 7;

	(void)state;
	for (uint32_t len = 1; len < 200; len++) {
		for (uint32_t offset = 0; offset < 9; offset++) {
			uint8_t *bytes = malloc(offset + len);

			for (uint32_t i = 0; i < offset + len; i++)
				bytes[i] = (uint8_t)frames_random(&seed);
			check(bytes + offset, len);
			free(bytes);
		}
	}
}

static void
test_largest_of_all_ones(void **state)
{
	uint8_t *bytes = malloc(LEN_MAX);

	(void)state;
	memset(bytes, 0xff, LEN_MAX);
	check(bytes, LEN_MAX);
	check(bytes, LEN_MAX - 1);
	free(bytes);
}

static void
test_pieces(void **state)
{
	uint8_t *bytes = malloc(LEN_MAX);
	uint32_t seed = 11;

	(void)state;
	for (uint32_t i = 0; i < LEN_MAX; i++)
		bytes[i] = (uint8_t)frames_random(&seed);
	for (uint32_t round = 0; round < 50; round++) {
		uint32_t most = 1 + frames_random(&seed) % 3000;
		struct csum csum = { 0 };

		for (uint32_t done = 0; done < LEN_MAX;) {
			uint32_t len = frames_random(&seed) % (most + 1);

			len = len < LEN_MAX - done ? len : LEN_MAX - done;
			csum_add(&csum, bytes + done, len);
			done += len;
		}
		assert_int_equal(ntohs(csum_fold(&csum)), frames_sum(bytes, LEN_MAX, 0));
	}
	free(bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rfc_example),
		cmocka_unit_test(test_header_in_the_wild),
		cmocka_unit_test(test_nothing),
		cmocka_unit_test(test_lengths_and_alignments),
		cmocka_unit_test(test_largest_of_all_ones),
		cmocka_unit_test(test_pieces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
