/* SPDX-License-Identifier: BSD-3-Clause */
/* A text that is shown again and again: in place on a terminal, one after the other elsewhere. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
	bool in_place; /* the output is a terminal that moves its cursor */
	bool begun;    /* something has been shown */
};

/* Looks at the standard output. */
void screen_init(struct screen *screen);

/*
 * Shows a text of whole lines; on a terminal, as much of it as there is room for, and how many
 * lines are left out. 0 or -errno, as output_write.
 */
int screen_show(struct screen *screen, const char *text);

#endif
