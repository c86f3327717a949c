/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The exit statuses of vuser-client, and which failure of the start leads to which of them.
 *
 * main, every role and --help use them. Scripts rely on the numbers.
 */
#ifndef CLIENT_STATUS_H
#define CLIENT_STATUS_H

#include <errno.h>

enum status {
	STATUS_OK = 0,
	STATUS_FAILED = 1,
	STATUS_USAGE = 2,
	STATUS_NO_SOCKET = 3,
	STATUS_NO_PERMISSION = 4,
	STATUS_REFUSED = 5,
	STATUS_BACKEND_GONE = 6,
	STATUS_NOBODY = 7,
	STATUS_NO_START = 8,
	STATUS_INTERRUPTED = 9,
	STATUS_NO_RESULT = 10,
};

/* What the statuses mean, for --help. */
#define STATUS_HELP                                                                                \
	"Exit status:\n"                                                                           \
	"0: done; all that was to be proven is\n"                                                  \
	"1: no answer, nothing received, or loss, duplication, reordering or damage proven (to "   \
	"bench loss is a result; 1 is: no frame came, or no rate without loss)\n"                  \
	"2: wrong usage\n"                                                                         \
	"3: no socket at PATH\n"                                                                   \
	"4: no permission for the socket, or for the kernel's interface\n"                         \
	"5: the backend refused the session or a feature that was asked for, or did not finish "   \
	"the handshake in time\n"                                                                  \
	"6: the backend, or the kernel's interface, went away during the run\n"                    \
	"7: nobody listens on the socket, or, with --server, nobody connected in time\n"           \
	"8: DPDK did not start (memory, hugepages, EAL options), a file or an interface is in "    \
	"the way, or a device file is missing\n"                                                   \
	"9: interrupted before the port was ready\n"                                               \
	"10: bench --no-loss has no result: this program was the limit, not the backend, or it "   \
	"was interrupted"

/* The status of a start that failed with -errno. */
static inline enum status
status_of_start(int error)
{
	switch (error) {
	case 0:
		return STATUS_OK;
	case -ENOENT:
	case -ENOTSOCK:
		return STATUS_NO_SOCKET;
	case -EACCES:
	case -EPERM:
		return STATUS_NO_PERMISSION;
	case -EPROTO:
		return STATUS_REFUSED;
	case -ECONNREFUSED:
	case -ETIMEDOUT:
		return STATUS_NOBODY;
	case -EINTR:
		return STATUS_INTERRUPTED;
	default:
		return STATUS_NO_START;
	}
}

#endif
