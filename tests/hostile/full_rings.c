/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One frontend with several ports that keeps all their transmit rings full, so that the switch has
 * more to do than time: what each port then gets of it is a fair share, or is not.
 *
 * Usage: full_rings SECONDS DESCRIPTORS SOCKET...
 *
 * Each port sends frames of 60 bytes to 02:00:00:00:ff:ff. Those of the first port lie in chains of so
 * many descriptors, which cost the switch several times as much; frames and descriptors are written
 * once, so that filling a ring is one store. Prints "ready" when all rings are full.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "raw_port.h"

#define PORTS_MAX 16
#define RING 16384 /* so long that it stays full while others have this CPU */
#define FRAME_LEN 60

static struct raw_port ports[PORTS_MAX];

static double
now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void
write_frame(uint8_t *buffer, uint8_t port)
{
	static const uint8_t to[6] = { 2, 0, 0, 0, 0xff, 0xff };
	const uint8_t from[6] = { 2, 0, 0, 0, 1, port };

	memset(buffer, 0, RAW_HEADER_LEN + FRAME_LEN);
	memcpy(buffer + RAW_HEADER_LEN, to, sizeof(to));
	memcpy(buffer + RAW_HEADER_LEN + sizeof(to), from, sizeof(from));
}

/* All descriptors as chains of `n`, over and over in the avail ring. */
static void
write_chains(struct raw_port *port, uint8_t number, uint32_t n)
{
	const uint32_t len = RAW_HEADER_LEN + FRAME_LEN, piece = len / n;
	struct raw_ring *ring = &port->tx;

	for (uint32_t i = 0; i < RING; i++) {
		uint32_t part = i % n, offset = part * piece;

		if (part == 0)
			write_frame(raw_buffer(ring, (uint16_t)i), number);
		*raw_desc(ring, (uint16_t)i) = (struct vring_desc){
			.addr = (uintptr_t)raw_buffer(ring, (uint16_t)(i - part)) + offset,
			.len = part == n - 1 ? len - offset : piece,
			.flags = part == n - 1 ? 0 : VRING_DESC_F_NEXT,
			.next = (uint16_t)(i + 1),
		};
		ring->avail->ring[i] = (uint16_t)(i * n % RING);
	}
}

static void
fill(struct raw_port *port)
{
	uint16_t n = raw_tx_free(port);

	if (n > 0)
		raw_offer(&port->tx, n);
}

int
main(int argc, char **argv)
{
	double seconds = argc > 3 ? strtod(argv[1], NULL) : 0, end;
	uint32_t descriptors = argc > 3 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	int n = argc - 3, opened = 0, status = EXIT_SUCCESS;

	if (n < 1 || n > PORTS_MAX || descriptors == 0 || RING % descriptors != 0 || seconds <= 0) {
		fputs("usage: full_rings SECONDS DESCRIPTORS SOCKET...\n", stderr);
		return 2;
	}
	for (int i = 0; i < n && status == EXIT_SUCCESS; i++) {
		const struct raw_config config = {
			.path = argv[3 + i], .ring_size = RING, .frame_max = FRAME_LEN
		};

		if (raw_port_open(&ports[i], &config) < 0) {
			status = EXIT_FAILURE;
			break;
		}
		opened++;
		write_chains(&ports[i], (uint8_t)i, i == 0 ? descriptors : 1);
	}
	if (status == EXIT_SUCCESS) {
		puts("ready");
		fflush(stdout);
	}
	for (end = now() + seconds; status == EXIT_SUCCESS && now() < end;)
		for (int i = 0; i < n; i++)
			fill(&ports[i]);
	for (int i = 0; i < opened; i++)
		raw_port_close(&ports[i]);
	return status;
}
