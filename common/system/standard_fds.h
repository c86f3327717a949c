/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors 0, 1 and 2 of a program that was started without them (`>&-`, some service managers).
 * What it opened first would get their numbers, and then the log or an answer would be written into
 * a socket or a pipe. Called by each program's main, before it opens anything.
 */
#ifndef COMMON_STANDARD_FDS_H
#define COMMON_STANDARD_FDS_H

/*
 * Opens /dev/null in the place of those that are closed. Where there is none, the place is taken by
 * a descriptor that can be neither read nor written. 0 or -errno.
 */
int standard_fds_open(void);

#endif
