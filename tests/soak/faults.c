/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Makes the n-th call of a kind fail, in `vswitchd-faults`: the objects of vswitchd, linked once
 * more with `--wrap` for each function below. Only calls from the switch's own code come here, and
 * those that jansson and libevent make on its behalf for memory; DPDK and libc call past it.
 *
 * VSWITCH_FAULTS names a file of struct fault_kind, one a kind, which a test maps as well
 * (faults.py). It arms a kind while the program runs; without the variable nothing fails. Any
 * thread. What failed is told on stderr, with a stack under AddressSanitizer if
 * VSWITCH_FAULTS_STACK is set.
 *
 * Left out on purpose: writes of eight bytes. They go to eventfds, and the kernel fails these only
 * when they are full, which is as good as written.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <event2/event.h>

/* The order is that of KINDS in faults.py. */
enum kind {
	KIND_ALLOC,  /* malloc() and its like */
	KIND_EVENT,  /* libevent's memory */
	KIND_MMAP,   /* mmap() */
	KIND_ACCEPT, /* accept4() */
	KIND_WRITE,  /* write(), writev(), send(), sendto(), sendmsg() */
	KIND_EPOLL,  /* epoll_create1(), epoll_ctl() */
	KIND_EVENTFD,
	KIND_OPEN,   /* open(), fopen(), opendir() */
	KIND_SOCKET, /* socket() */
	KIND_THREAD, /* pthread_create() */
	KIND_COUNT,
};

/* In the file, shared with the test; every field atomic. */
struct fault_kind {
	uint64_t calls;	 /* since the test set it to 0 */
	uint64_t first;	 /* the call that fails, from 1; 0: none does */
	uint64_t n;	 /* how many fail from there on */
	uint64_t failed; /* so many did */
};

static struct fault_kind *kinds; /* written once, by the constructor */
static bool tells_stack;	 /* the same */

static const char *const names[KIND_COUNT] = {
	[KIND_ALLOC] = "allocation",
	[KIND_EVENT] = "libevent's allocation",
	[KIND_MMAP] = "mmap",
	[KIND_ACCEPT] = "accept4",
	[KIND_WRITE] = "write",
	[KIND_EPOLL] = "epoll",
	[KIND_EVENTFD] = "eventfd",
	[KIND_OPEN] = "open",
	[KIND_SOCKET] = "socket",
	[KIND_THREAD] = "pthread_create",
};

/* Of AddressSanitizer, where it is linked. */
extern void __sanitizer_print_stack_trace(void) __attribute__((weak));

/* The linker's names: __wrap_NAME is called instead of NAME, __real_NAME is the function itself. */
void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
ssize_t __real_write(int fd, const void *data, size_t size);
int __real_open64(const char *path, int flags, ...);

static void
tell(enum kind kind, uint64_t call)
{
	char line[96];
	int len = snprintf(line, sizeof(line), "faults: %s %llu fails\n", names[kind],
			(unsigned long long)call);

	if (__real_write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
	if (tells_stack && __sanitizer_print_stack_trace != NULL)
		__sanitizer_print_stack_trace();
}

/* Counts a call; true, with errno set, when it is to fail. */
static bool
fails(enum kind kind, int error)
{
	struct fault_kind *fault;
	uint64_t call, first;

	if (kinds == NULL)
		return false;
	fault = &kinds[kind];
	call = __atomic_add_fetch(&fault->calls, 1, __ATOMIC_RELAXED);
	first = __atomic_load_n(&fault->first, __ATOMIC_RELAXED);
	if (first == 0 || call < first ||
			call - first >= __atomic_load_n(&fault->n, __ATOMIC_RELAXED))
		return false;
	__atomic_add_fetch(&fault->failed, 1, __ATOMIC_RELAXED);
	tell(kind, call);
	errno = error;
	return true;
}

/* libevent's memory. jansson's comes through the switch (common/jsonrpc/json_memory.c). */

static void *
event_alloc(size_t size)
{
	return fails(KIND_EVENT, ENOMEM) ? NULL : __real_malloc(size);
}

static void *
event_realloc(void *old, size_t size)
{
	return fails(KIND_EVENT, ENOMEM) ? NULL : __real_realloc(old, size);
}

static void __attribute__((constructor)) faults_open(void)
{
	const char *path = getenv("VSWITCH_FAULTS");
	void *map;
	int fd;

	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = fd < 0 ? MAP_FAILED
		     : mmap(NULL, KIND_COUNT * sizeof(struct fault_kind), PROT_READ | PROT_WRITE,
				       MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		fprintf(stderr, "vswitchd-faults: %s: %s\n", path, strerror(errno));
		_exit(2);
	}
	close(fd);
	tells_stack = getenv("VSWITCH_FAULTS_STACK") != NULL;
	event_set_mem_functions(event_alloc, event_realloc, free);
	kinds = map;
}

/* clang-format off */
#define WRAP(type, name, params, args, kind, error, failure)	\
	type __real_##name params;				\
	type __wrap_##name params;				\
	type							\
	__wrap_##name params					\
	{							\
		if (fails(kind, error))				\
			return failure;				\
		return __real_##name args;			\
	}

WRAP(void *, malloc, (size_t size), (size), KIND_ALLOC, ENOMEM, NULL)
WRAP(void *, calloc, (size_t n, size_t size), (n, size), KIND_ALLOC, ENOMEM, NULL)
WRAP(void *, realloc, (void *old, size_t size), (old, size), KIND_ALLOC, ENOMEM, NULL)
WRAP(void *, aligned_alloc, (size_t align, size_t size), (align, size), KIND_ALLOC, ENOMEM, NULL)
WRAP(int, posix_memalign, (void **out, size_t align, size_t size), (out, align, size),
		KIND_ALLOC, ENOMEM, ENOMEM)
WRAP(char *, strdup, (const char *text), (text), KIND_ALLOC, ENOMEM, NULL)
WRAP(char *, strndup, (const char *text, size_t size), (text, size), KIND_ALLOC, ENOMEM, NULL)
WRAP(int, vasprintf, (char **out, const char *fmt, va_list args), (out, fmt, args),
		KIND_ALLOC, ENOMEM, -1)
WRAP(void *, mmap64, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
		(at, size, prot, flags, fd, offset), KIND_MMAP, ENOMEM, MAP_FAILED)
WRAP(void *, mmap, (void *at, size_t size, int prot, int flags, int fd, off_t offset),
		(at, size, prot, flags, fd, offset), KIND_MMAP, ENOMEM, MAP_FAILED)
WRAP(int, accept4, (int fd, struct sockaddr *addr, socklen_t *len, int flags),
		(fd, addr, len, flags), KIND_ACCEPT, EMFILE, -1)
WRAP(ssize_t, writev, (int fd, const struct iovec *iov, int n), (fd, iov, n),
		KIND_WRITE, EIO, -1)
WRAP(ssize_t, send, (int fd, const void *data, size_t size, int flags),
		(fd, data, size, flags), KIND_WRITE, ENOBUFS, -1)
WRAP(ssize_t, sendto, (int fd, const void *data, size_t size, int flags,
		const struct sockaddr *to, socklen_t len), (fd, data, size, flags, to, len),
		KIND_WRITE, ENOBUFS, -1)
WRAP(ssize_t, sendmsg, (int fd, const struct msghdr *msg, int flags), (fd, msg, flags),
		KIND_WRITE, ENOBUFS, -1)
WRAP(int, epoll_create1, (int flags), (flags), KIND_EPOLL, EMFILE, -1)
WRAP(int, epoll_ctl, (int epoll, int op, int fd, struct epoll_event *event),
		(epoll, op, fd, event), KIND_EPOLL, ENOSPC, -1)
WRAP(int, eventfd, (unsigned int count, int flags), (count, flags), KIND_EVENTFD, EMFILE, -1)
WRAP(FILE *, fopen, (const char *path, const char *mode), (path, mode), KIND_OPEN, EMFILE, NULL)
WRAP(FILE *, fopen64, (const char *path, const char *mode), (path, mode), KIND_OPEN, EMFILE, NULL)
WRAP(DIR *, opendir, (const char *path), (path), KIND_OPEN, EMFILE, NULL)
WRAP(int, socket, (int domain, int type, int protocol), (domain, type, protocol),
		KIND_SOCKET, EMFILE, -1)
WRAP(int, pthread_create, (pthread_t *thread, const pthread_attr_t *attr,
		void *(*run)(void *arg), void *arg), (thread, attr, run, arg),
		KIND_THREAD, EAGAIN, EAGAIN)
/* clang-format on */

/* These differ from the others: a rule of their own, or arguments that come and go. */

int __wrap_asprintf(char **out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int
__wrap_asprintf(char **out, const char *fmt, ...)
{
	va_list args;
	int len;

	if (fails(KIND_ALLOC, ENOMEM))
		return -1;
	va_start(args, fmt);
	len = __real_vasprintf(out, fmt, args);
	va_end(args);
	return len;
}

ssize_t __wrap_write(int fd, const void *data, size_t size);

ssize_t
__wrap_write(int fd, const void *data, size_t size)
{
	if (size != sizeof(uint64_t) && fails(KIND_WRITE, EIO))
		return -1;
	return __real_write(fd, data, size);
}

int __wrap_open64(const char *path, int flags, ...);
int __wrap_open(const char *path, int flags, ...);

static int
open_or_fail(const char *path, int flags, mode_t mode)
{
	return fails(KIND_OPEN, EMFILE) ? -1 : __real_open64(path, flags, mode);
}

int
__wrap_open64(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_or_fail(path, flags, mode);
}

int
__wrap_open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(args, mode_t) : 0;
	va_end(args);
	return open_or_fail(path, flags, mode);
}
