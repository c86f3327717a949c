/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See screen.h. No terminal library is needed, because today's terminals and the Linux console all know
 * these four control sequences of ECMA-48.
 */
#include "screen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "show/output.h"

#define HOME "\033[H"
#define CLEAR "\033[2J"
#define CLEAR_LINE_END "\033[K"
#define CLEAR_BELOW "\033[J"

void
screen_init(struct screen *screen)
{
	const char *type = getenv("TERM");

	*screen = (struct screen){ 0 };
	screen->in_place = isatty(STDOUT_FILENO) == 1 && type != NULL && strcmp(type, "dumb") != 0;
}

static struct winsize
find_size(void)
{
	struct winsize size = { 0 };

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_row < 2 || size.ws_col == 0)
		size = (struct winsize){ .ws_row = 24, .ws_col = 80 };
	return size;
}

static size_t
count_lines(const char *text)
{
	size_t count = 0;

	for (; *text != '\0'; text++)
		count += *text == '\n';
	return count;
}

/* Cuts each line at the terminal's width, because a line that wraps would shift all below it. */
static void
print_lines(FILE *out, const char *text, struct winsize size)
{
	size_t lines = count_lines(text), room = size.ws_row - 1u, shown, i, length;

	shown = lines > room ? room - 1 : lines;
	for (i = 0; i < shown; i++) {
		length = strcspn(text, "\n");
		fprintf(out, "%.*s" CLEAR_LINE_END "\n",
				(int)(length < size.ws_col ? length : size.ws_col), text);
		text += length + 1;
	}
	if (shown < lines)
		fprintf(out, "(%zu lines more)" CLEAR_LINE_END "\n", lines - shown);
}

static int
show_in_place(const struct screen *screen, const char *text)
{
	char *framed = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&framed, &len);
	int ret = -ENOMEM;

	if (out == NULL)
		return ret;
	fputs(screen->begun ? HOME : HOME CLEAR, out);
	print_lines(out, text, find_size());
	fputs(CLEAR_BELOW, out);
	if (fclose(out) == 0)
		ret = output_write(framed, len);
	free(framed);
	return ret;
}

int
screen_show(struct screen *screen, const char *text)
{
	int ret = 0;

	if (screen->in_place)
		ret = show_in_place(screen, text);
	else if (screen->begun)
		ret = output_write("\n", 1);
	if (ret == 0 && !screen->in_place)
		ret = output_write(text, strlen(text));
	screen->begun = true;
	return ret;
}
