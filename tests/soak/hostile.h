/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A random hostile frontend: sessions of good and bad messages, random rings in random memory,
 * which end at any point. Session i of a seed makes the same choices each time. One thread.
 *
 *   hostile.c          options, processes, the report
 *   hostile_session.c  the messages of a session, in good order or none
 *   hostile_message.c  one message, as it should be or spoiled
 *   hostile_rings.c    chains and frames, kicks, and memory that changes meanwhile
 *   hostile_things.c   memory, and descriptors of every kind
 */
#ifndef TESTS_SOAK_HOSTILE_H
#define TESTS_SOAK_HOSTILE_H

#include <linux/virtio_ring.h>
#include <stdbool.h>
#include <stdint.h>

#include "chance.h"

#define HOSTILE_RINGS 2
#define HOSTILE_RX 0
#define HOSTILE_TX 1
/* Memory: two regions of one file each. The first holds the rings, both hold buffers. */
#define HOSTILE_REGIONS 2
#define HOSTILE_REGION_SIZE (1u << 20)
/* Guest-physical addresses begin here; user addresses are those of this process. */
#define HOSTILE_GUEST_BASE 0x40000000ull
#define HOSTILE_GUEST_STEP 0x10000000ull

/* Of the first region: each ring's tables lie at a place of their own. */
#define HOSTILE_RING_AREA (128u << 10)

enum hostile_thing {
	THING_EVENTFD,
	THING_EVENTFD_BLOCKING,
	THING_MEMFD,
	THING_MEMFD_EMPTY,
	THING_MEMFD_READ_ONLY,
	THING_PIPE,
	THING_SOCKET,
	THING_NULL,
	THING_DIRECTORY,
	THING_PATH,
	THING_EPOLL,
	THING_TIMERFD,
	THING_FILE,
	THING_COUNT,
};

struct hostile_region {
	int fd;
	uint8_t *memory; /* mapped once, kept over sessions with what they left in it */
	uint64_t guest_phys_addr;
};

struct hostile_ring {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t size;
	uint16_t avail_idx;
	int kick_fd;
	int call_fd;
};

struct hostile {
	struct chance chance;
	struct hostile_region regions[HOSTILE_REGIONS];
	struct hostile_ring rings[HOSTILE_RINGS];
	int things[THING_COUNT];
	int fd;		  /* the connection */
	bool hurt;	  /* the memory has lost pages: this process must not touch it */
	uint32_t spoil;	  /* one message in so many is spoiled; 0: none */
	uint64_t n_sent;  /* messages of all sessions */
	uint64_t n_whole; /* sessions that came to two running rings */
};

/* 0 or -errno. Once a process. */
int hostile_things_open(struct hostile *hostile);

/* A descriptor to send, which stays ours. */
int hostile_some_thing(struct hostile *hostile);

/* Ends the last session's memory, if it changed its size, and lays out new rings. */
int hostile_renew(struct hostile *hostile);

/* Shrinks, empties or punches a region's file; hostile_renew() makes it whole again. */
void hostile_hurt_memory(struct hostile *hostile);

/* One message: request with what belongs to it, spoiled or not. False: the connection is over. */
bool hostile_say(struct hostile *hostile, uint32_t request, uint32_t ring);

/* Any message, or no message at all. */
bool hostile_babble(struct hostile *hostile);

/* Asks for features and waits for the answer: all that was said before has been heard. */
bool hostile_wait_heard(struct hostile *hostile, int limit_ms);

/* Reads what has come, without waiting. False: the connection is over. */
bool hostile_listen(struct hostile *hostile);

/* Good and bad chains on both rings, kicks, and scribbling. */
void hostile_attack_rings(struct hostile *hostile);

/* A session on an open connection, from the first message to whatever end. */
void hostile_session(struct hostile *hostile);

#endif
