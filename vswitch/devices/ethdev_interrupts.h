/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * EAL's interrupt thread, on which drivers have their handlers and their alarms, one after the other.
 * Helper threads.
 */
#ifndef VSWITCH_ETHDEV_INTERRUPTS_H
#define VSWITCH_ETHDEV_INTERRUPTS_H

/*
 * Calls work(arg) once, on the interrupt thread, where no driver's handler is in its middle, and returns
 * after that. The work must not wait for a peer, because all drivers' handlers wait for it. When that thread does not come to it for a second, or there is no memory, work(arg) is
 * called here.
 */
void ethdev_interrupts_run(void (*work)(void *arg), void *arg);

/* Returns when all alarms have run that were due when it was called; or after a second. */
void ethdev_interrupts_pass(void);

#endif
