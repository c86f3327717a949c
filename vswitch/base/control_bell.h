/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How workers and signal handlers tell the control thread that a ring broke: they set a flag in the
 * ring's records, then ring this bell. The bell carries no data; the control thread then looks at all
 * flags.
 */
#ifndef VSWITCH_CONTROL_BELL_H
#define VSWITCH_CONTROL_BELL_H

/* Makes the bell; control thread, before workers start. Returns its descriptor or -errno. */
int control_bell_open(void);

/* Rings. Any thread, also in a signal handler; never blocks; does nothing before control_bell_open(). */
void control_bell_ring(void);

/* Control thread: makes the bell silent. */
void control_bell_hear(void);

#endif
