/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Descriptors 0, 1 and 2 of a program that was started without them (`>&-`, some service managers).
 * Otherwise the first files that it opens get these numbers, and the log or a reply is written to a socket
 * or a pipe. Called by each program's main, before it opens anything.
 */
#ifndef COMMON_STANDARD_FDS_H
#define COMMON_STANDARD_FDS_H

/*
 * Opens /dev/null for each that is closed; if there is no /dev/null, a descriptor that can be neither read
 * nor written. 0 or -errno.
 */
int standard_fds_open(void);

#endif
