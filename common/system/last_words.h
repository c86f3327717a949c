/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The message of a program that is aborted: by itself, by a library (glibc, DPDK) or by kill -ABRT.
 *
 * Called once, at the start of main(). Without it an abort can be silent: process 1 of a container does not
 * even end by SIGABRT, but by the SIGSEGV that abort() tries next.
 */
#ifndef COMMON_LAST_WORDS_H
#define COMMON_LAST_WORDS_H

/*
 * program must stay valid. tell (or NULL) is called before, in a signal handler, and may write more to
 * stderr. The process then ends as it would have without this, with a core file where those are made.
 */
void last_words_open(const char *program, void (*tell)(void));

#endif
