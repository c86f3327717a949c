/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See lineframe.h. One growing buffer. Lines that were handed out are dropped at the next append. So a line
 * is never copied twice, and the buffer stays small if the caller takes all lines after each append. Each
 * byte is searched for a newline only once, even if a line arrives in small pieces.
 */
#include "lineframe.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096

void
lineframe_init(struct lineframe *lf, size_t max)
{
	*lf = (struct lineframe){ .max = max };
}

void
lineframe_release(struct lineframe *lf)
{
	free(lf->buf);
	lineframe_init(lf, lf->max);
}

size_t
lineframe_pending(const struct lineframe *lf)
{
	return lf->end - lf->start;
}

static void
drop_handed_out(struct lineframe *lf)
{
	if (lf->start == 0)
		return;
	memmove(lf->buf, lf->buf + lf->start, lf->end - lf->start);
	lf->end -= lf->start;
	lf->scanned -= lf->start;
	lf->start = 0;
}

static int
make_room(struct lineframe *lf, size_t len)
{
	size_t size = lf->size != 0 ? lf->size : FIRST_SIZE;
	char *buf;

	if (len > SIZE_MAX / 2 - lf->end)
		return -ENOMEM;
	while (size < lf->end + len)
		size *= 2;
	if (size == lf->size)
		return 0;
	buf = realloc(lf->buf, size);
	if (buf == NULL)
		return -ENOMEM;
	lf->buf = buf;
	lf->size = size;
	return 0;
}

int
lineframe_append(struct lineframe *lf, const void *data, size_t len)
{
	int ret;

	if (len == 0)
		return 0;
	drop_handed_out(lf);
	ret = make_room(lf, len);
	if (ret != 0)
		return ret;
	memcpy(lf->buf + lf->end, data, len);
	lf->end += len;
	return 0;
}

int
lineframe_next(struct lineframe *lf, const char **line, size_t *len)
{
	const char *newline = NULL;
	size_t length;

	if (lf->scanned < lf->end)
		newline = memchr(lf->buf + lf->scanned, '\n', lf->end - lf->scanned);
	length = newline != NULL ? (size_t)(newline - lf->buf) - lf->start : lineframe_pending(lf);
	if (length > lf->max)
		return -EMSGSIZE;
	if (newline == NULL) {
		lf->scanned = lf->end;
		return 0;
	}
	*line = lf->buf + lf->start;
	*len = length;
	lf->start += length + 1;
	lf->scanned = lf->start;
	return 1;
}
