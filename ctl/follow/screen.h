/* SPDX-License-Identifier: BSD-3-Clause */
/* Shows a text again and again: in place on a terminal, otherwise one after the other. */
#ifndef CTL_SCREEN_H
#define CTL_SCREEN_H

#include <stdbool.h>
#include <stddef.h>

struct screen {
	bool in_place; /* the output is a terminal that moves its cursor */
	bool begun;    /* something has been shown */
};

/* Finds out whether the standard output is such a terminal. */
void screen_init(struct screen *screen);

/*
 * Shows a text of whole lines; on a terminal as many lines as fit, and how many are left out. 0 or -errno,
 * as output_write().
 */
int screen_show(struct screen *screen, const char *text);

#endif
