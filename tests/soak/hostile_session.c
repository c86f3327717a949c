/* SPDX-License-Identifier: BSD-3-Clause */
/* The messages of a session: those of a good driver, spoiled here and there, or any at all. */
#include <sys/socket.h>

#include "hostile.h"
#include "hostile_requests.h"

#define WAIT_MS 1000
#define LATER_MOST 12

/* In the order of a good driver; every ring's for both rings. */
static const uint8_t opening[] = {
	SET_OWNER,
	GET_FEATURES,
	GET_PROTOCOL_FEATURES,
	SET_PROTOCOL_FEATURES,
	GET_QUEUE_NUM,
	SET_FEATURES,
	SET_MEM_TABLE,
};

static const uint8_t for_each_ring[] = {
	SET_VRING_NUM,
	SET_VRING_BASE,
	SET_VRING_ADDR,
	SET_VRING_CALL,
	SET_VRING_KICK,
	SET_VRING_ENABLE,
};

/* What drivers say to running rings, and what the next life of a ring takes. */
static const uint8_t later[] = {
	GET_VRING_BASE,
	SET_VRING_ENABLE,
	SET_VRING_CALL,
	SET_VRING_KICK,
	SET_VRING_NUM,
	SET_VRING_ADDR,
	SET_VRING_BASE,
	SET_MEM_TABLE,
	SET_FEATURES,
	SET_STATUS,
	GET_STATUS,
	SEND_RARP,
	NET_SET_MTU,
	RESET_OWNER,
	SET_VRING_ERR,
};

/* One step; now and then another message comes between, or the session ends here. */
static bool
step(struct hostile *hostile, uint32_t request, uint32_t ring)
{
	struct chance *chance = &hostile->chance;

	if (chance_one_in(chance, 64))
		return false;
	if (chance_one_in(chance, 32) && !hostile_babble(hostile))
		return false;
	if (chance_one_in(chance, 128)) /* a step is left out */
		return true;
	if (chance_one_in(chance, 4) && !hostile_listen(hostile))
		return false;
	return hostile_say(hostile, request, ring);
}

static bool
open_rings(struct hostile *hostile)
{
	for (uint32_t i = 0; i < sizeof(opening); i++)
		if (!step(hostile, opening[i], 0))
			return false;
	for (uint32_t ring = 0; ring < HOSTILE_RINGS; ring++)
		for (uint32_t i = 0; i < sizeof(for_each_ring); i++)
			if (!step(hostile, for_each_ring[i], ring))
				return false;
	return hostile_wait_heard(hostile, WAIT_MS);
}

static bool
go_on(struct hostile *hostile)
{
	struct chance *chance = &hostile->chance;

	for (uint32_t n = chance_below(chance, LATER_MOST); n > 0; n--) {
		uint32_t request = later[chance_below(chance, sizeof(later))];

		if (!step(hostile, request, chance_below(chance, HOSTILE_RINGS)))
			return false;
		if (chance_one_in(chance, 4))
			hostile_attack_rings(hostile);
	}
	return true;
}

static void
babble_on(struct hostile *hostile)
{
	for (uint32_t n = chance_below(&hostile->chance, 32); n > 0; n--)
		if (!hostile_babble(hostile))
			return;
}

void
hostile_session(struct hostile *hostile)
{
	static const uint32_t spoils[] = { 0, 0, 0, 64, 16, 4, 2 };
	struct chance *chance = &hostile->chance;

	hostile->spoil = spoils[chance_below(chance, sizeof(spoils) / sizeof(spoils[0]))];
	if (chance_one_in(chance, 10)) {
		babble_on(hostile);
		return;
	}
	if (!open_rings(hostile))
		return;
	hostile->n_whole++;
	hostile_attack_rings(hostile);
	if (!go_on(hostile))
		return;
	if (chance_one_in(chance, 2) && hostile_wait_heard(hostile, WAIT_MS))
		hostile_attack_rings(hostile);
	if (chance_one_in(chance, 8))
		shutdown(hostile->fd, SHUT_WR);
}
