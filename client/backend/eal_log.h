/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps DPDK's log in memory, and prints it only when something fails.
 *
 * eal.c sets it up. device.c searches it for facts that the virtio_user driver tells nowhere else. Any
 * thread of DPDK writes, the main thread reads. Warnings and errors are kept, the newest EAL_LOG_SIZE bytes
 * at most, and which features were negotiated.
 */
#ifndef CLIENT_EAL_LOG_H
#define CLIENT_EAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EAL_LOG_SIZE 32768

/* The virtio_user driver logs this before the negotiated features, a hexadecimal number. */
#define EAL_LOG_FEATURES "set features: 0x"

/* From now on DPDK logs to this buffer. Before rte_eal_init(). 0 or -errno. */
int eal_log_open(void);
void eal_log_close(void);

/* Forgets what was logged. */
void eal_log_clear(void);

/* Whether text was logged since then. */
bool eal_log_has(const char *text);

/* The hexadecimal number after the last occurrence of label; false: there is none. */
bool eal_log_number(const char *label, uint64_t *value);

/* Prints the lines that are errors or warnings to stderr. */
void eal_log_print_errors(void);

/* The same as far as a signal handler can. For an abort, because a panic of DPDK is only in its log. */
void eal_log_dump(void);

#endif
