/* SPDX-License-Identifier: BSD-3-Clause */
/* The numbers that bound what can be configured of a port. */
#ifndef COMMON_PORT_LIMITS_H
#define COMMON_PORT_LIMITS_H

#define PORT_PATH_MAX 108     /* sun_path */
#define PORT_DEVARGS_MAX 512  /* with the terminating zero, as the path */
#define PORT_ADDRESSES_MAX 16 /* IP addresses of an interface */
#define PORT_QUEUES_MAX 8     /* in each direction, where its kind has several */
#define PORT_MTU_MIN 68	      /* bytes; RFC 791 */
#define PORT_MTU_MAX 65535
#define PORT_MEMORY_MAX (1 << 20) /* MiB */

#endif
