/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * DPDK's log, kept instead of shown: it is printed only when something fails.
 *
 * eal.c sets it up; device.c looks into it for what the virtio_user driver tells nowhere else. Any
 * thread of DPDK writes, the main thread reads. Warnings and errors are kept, the newest
 * EAL_LOG_SIZE bytes of them, and which features were negotiated.
 */
#ifndef CLIENT_EAL_LOG_H
#define CLIENT_EAL_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define EAL_LOG_SIZE 32768

/* What the virtio_user driver writes before the negotiated features, a hexadecimal number. */
#define EAL_LOG_FEATURES "set features: 0x"

/* From now on DPDK logs to us. Before rte_eal_init. 0 or -errno. */
int eal_log_open(void);
void eal_log_close(void);

/* Forgets what was logged. */
void eal_log_clear(void);

/* Whether text was logged since. */
bool eal_log_has(const char *text);

/* The hexadecimal number after the last occurrence of label; false: there is none. */
bool eal_log_number(const char *label, uint64_t *value);

/* Prints the lines that are errors or warnings to stderr. */
void eal_log_print_errors(void);

/* The same as far as a signal handler can, for an abort: DPDK's panic stands in the log only. */
void eal_log_dump(void);

#endif
