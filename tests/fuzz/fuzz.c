/* SPDX-License-Identifier: BSD-3-Clause */
#include "fuzz.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void
fuzz_bytes(struct fuzz_input *input, void *out, size_t n)
{
	size_t some = n < input->left ? n : input->left;

	memset(out, 0, n);
	if (some == 0)
		return;
	memcpy(out, input->data, some);
	input->data += some;
	input->left -= some;
}

uint8_t
fuzz_u8(struct fuzz_input *input)
{
	uint8_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

uint16_t
fuzz_u16(struct fuzz_input *input)
{
	uint16_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

uint32_t
fuzz_u32(struct fuzz_input *input)
{
	uint32_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

uint64_t
fuzz_u64(struct fuzz_input *input)
{
	uint64_t value;

	fuzz_bytes(input, &value, sizeof(value));
	return value;
}

uint32_t
fuzz_below(struct fuzz_input *input, uint32_t bound)
{
	return (bound <= 256 ? fuzz_u8(input) : fuzz_u16(input)) % bound;
}

void
fuzz_say(const char *file, int line, const char *format, ...)
{
	va_list args;

	fprintf(stderr, "%s:%d: does not hold: ", file, line);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}
