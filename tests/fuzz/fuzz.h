/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the fuzz targets share: their entry, values taken from the fuzzer's bytes, and the end of a
 * run that found something.
 *
 * A target is a file that defines LLVMFuzzerTestOneInput(). Linked with libFuzzer it is a fuzzer
 * (`./dev fuzz`); linked with replay.c it is a test that plays the committed corpus. It keeps nothing
 * from one input to the next, so that one file repeats a finding. One thread.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Plays one input; 0. A finding ends the process. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The bytes of an input that were not taken yet. Behind their end there are zeros. */
struct fuzz_input {
	const uint8_t *data;
	size_t left;
};

/* The next n bytes, copied to `out`. */
void fuzz_bytes(struct fuzz_input *input, void *out, size_t n);

/* Numbers, little-endian. */
uint8_t fuzz_u8(struct fuzz_input *input);
uint16_t fuzz_u16(struct fuzz_input *input);
uint32_t fuzz_u32(struct fuzz_input *input);
uint64_t fuzz_u64(struct fuzz_input *input);

/* 0 to bound - 1, from one byte, or from two if the bound is over 256; bound is 1 to 65536. */
uint32_t fuzz_below(struct fuzz_input *input, uint32_t bound);

/* Says what is wrong. */
void
fuzz_say(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* A finding: says what is wrong, and ends the process as a crash does. */
#define FUZZ_FAIL(...)                                                                             \
	do {                                                                                       \
		fuzz_say(__FILE__, __LINE__, __VA_ARGS__);                                         \
		abort();                                                                           \
	} while (0)

#define FUZZ_CHECK(condition)                                                                      \
	do {                                                                                       \
		if (!(condition))                                                                  \
			FUZZ_FAIL("%s", #condition);                                               \
	} while (0)

#endif
