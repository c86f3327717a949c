/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a program says when it is aborted: by itself, by a library (glibc, DPDK) or by kill -ABRT.
 *
 * Called once, at the begin of main(). Without it an abort can be silent: process 1 of a container does
 * not even die of SIGABRT but of the SIGSEGV that abort() tries next.
 */
#ifndef COMMON_LAST_WORDS_H
#define COMMON_LAST_WORDS_H

/*
 * program stays valid. tell, if not NULL, says more on stderr before; it is called in a signal handler.
 * The process then ends as if this were not here, with a core file where those are made.
 */
void last_words_open(const char *program, void (*tell)(void));

#endif
