/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cuts a byte stream into lines: the framing of the control protocol, with one JSON text in each line.
 *
 * Both ends use it: vswitchd for each client on the control thread, vswitchctl for replies. It does no
 * input or output. The caller appends what it has read and then takes lines until there is none. Its memory
 * is bounded: one line of at most `max` bytes, and what the caller appended last.
 */
#ifndef COMMON_LINEFRAME_H
#define COMMON_LINEFRAME_H

#include <stddef.h>

/* Longest line of the control protocol, in bytes, without its newline. */
#define LINEFRAME_MAX (1u << 20)

struct lineframe {
	char *buf;
	size_t size;	/* bytes allocated */
	size_t start;	/* first byte that is not handed out yet */
	size_t scanned; /* no newline lies in [start, scanned) */
	size_t end;	/* first free byte */
	size_t max;	/* longest line that is accepted */
};

/* Starts empty; allocates nothing. max: longest line in bytes without the newline. */
void lineframe_init(struct lineframe *lf, size_t max);

/* Frees the buffer. The frame may be used again after lineframe_init. */
void lineframe_release(struct lineframe *lf);

/*
 * Adds bytes that were read. Lines handed out before become invalid.
 * 0, or -ENOMEM (nothing was added).
 */
int lineframe_append(struct lineframe *lf, const void *data, size_t len);

/*
 * Takes the next whole line. 1: *line and *len are the line without its newline; it is not
 * terminated, may hold any byte, and is valid until the next append or release. 0: no whole line yet.
 * -EMSGSIZE: the line is longer than max; the stream cannot be used any more, and every further call
 * returns the same.
 */
int lineframe_next(struct lineframe *lf, const char **line, size_t *len);

/* Bytes that are not handed out yet; at the end of a stream they are a line that was cut off. */
size_t lineframe_pending(const struct lineframe *lf);

#endif
