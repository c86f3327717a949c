/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How workers and signal handlers tell the control thread that a ring broke: they set a flag
 * where it belongs, then ring this bell. The bell carries no data; who hears it looks at the flags.
 */
#ifndef VSWITCH_NOTICE_H
#define VSWITCH_NOTICE_H

/* Makes the bell; control thread, before workers start. Returns its descriptor or -errno. */
int notice_create(void);

/* Rings. Any thread, also in a signal handler; never blocks; does nothing before notice_create(). */
void notice_post(void);

/* Control thread: the bell was heard. */
void notice_clear(void);

#endif
