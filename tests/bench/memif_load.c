/* SPDX-License-Identifier: Apache-2.0 */
#include "memif_load.h"

#include <rte_cycles.h>
#include <time.h>

enum {
	WINDOW = 512,
	HALF = LINK_BURST / 2,
	CHECK_EVERY = 64,
	GIVE_UP_PER_S = 5, /* of a second without a frame: they are lost */
	FIRST_AT_BROKER = 0,
	FIRST_AT_CLIENT = 12345,
};

static_assert(WINDOW + LINK_BURST < LINK_RING, "a ring takes all of it");
static_assert((FRAMES_MAX & (FRAMES_MAX - 1)) == 0,
    "the order visits all of a power of two");

static double cpu_seconds(void);
static unsigned send_some(struct load *load);
static void prepare(
    struct load *load, struct rte_mbuf *buffers[HALF], unsigned direction);
static unsigned receive_some(struct load *load);
static void take(struct load *load, struct rte_mbuf *buffer);

void
load_init(struct load *load, struct link *link, struct frames *frames)
{
	static const char *const names[FRAMES_DIRECTIONS] = {
	    "to broker", "to client"};
	uint8_t frame[HEAD_LEN + PAYLOAD_MAX];

	memset(load, 0, sizeof(*load));
	memset(frame, 0, sizeof(frame));
	load->link = link;
	load->frames = frames;
	load->at[FRAMES_TO_CLIENT] = FIRST_AT_CLIENT & (frames->count - 1);
	for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++) {
		frames_make(frames, frame, 0, i, FRAMES_DATA, frames->payload);
		load->pools[i] = link_pool(
		    names[i], frame, (uint16_t)(HEAD_LEN + frames->payload));
	}
}

void
load_run(struct load *load, uint64_t cycles)
{
	uint64_t begin = rte_rdtsc(), end = begin + cycles, now = begin, last;
	double begin_s = cpu_seconds();

	load->sent = load->received = load->other = load->checked = 0;
	load->wrong = load->idle_cycles = 0;
	load->underway = 0;
	load->arrived = begin;
	do {
		unsigned moved = receive_some(load);

		moved += send_some(load);
		last = now;
		now = rte_rdtsc();
		if (moved == 0)
			load->idle_cycles += now - last;
	} while (now < end);
	load->cycles = now - begin;
	load->running = (cpu_seconds() - begin_s) * (double)rte_get_tsc_hz() /
	    (double)load->cycles;
	end = now + rte_get_tsc_hz() / GIVE_UP_PER_S;
	while (load->received < load->sent && rte_rdtsc() < end)
		receive_some(load);
}

static double
cpu_seconds(void)
{
	struct timespec used = {0};

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static unsigned
send_some(struct load *load)
{
	struct rte_mbuf *buffers[FRAMES_DIRECTIONS][HALF], *mixed[LINK_BURST];
	unsigned sent;

	if (load->underway + LINK_BURST > WINDOW)
		return 0;
	for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++) {
		if (rte_pktmbuf_alloc_bulk(load->pools[i], buffers[i], HALF) !=
		    0) {
			if (i > 0)
				rte_pktmbuf_free_bulk(buffers[0], HALF);
			return 0;
		}
	}
	for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++) {
		prepare(load, buffers[i], i);
		for (unsigned j = 0; j < HALF; j++)
			mixed[j * FRAMES_DIRECTIONS + i] = buffers[i][j];
	}
	sent = rte_eth_tx_burst(load->link->port, 0, mixed, LINK_BURST);
	if (sent < LINK_BURST)
		rte_pktmbuf_free_bulk(mixed + sent, LINK_BURST - sent);
	load->sent += sent;
	load->underway += sent;
	return sent;
}

/* The next connections, in an order with neither end nor pattern. */
static void
prepare(struct load *load, struct rte_mbuf *buffers[HALF], unsigned direction)
{
	const struct frames *frames = load->frames;
	uint16_t len = (uint16_t)(HEAD_LEN + frames->payload);
	uint32_t numbers[HALF], at = load->at[direction];

	for (unsigned i = 0; i < HALF; i++) {
		numbers[i] = at;
		rte_prefetch0(&frames->tuples[at][direction]);
		at = (at * 1664525u + 1013904223u) & (frames->count - 1);
	}
	load->at[direction] = at;
	for (unsigned i = 0; i < HALF; i++) {
		struct rte_mbuf *buffer = buffers[i];

		buffer->data_len = len;
		buffer->pkt_len = len;
		frames_patch(rte_pktmbuf_mtod(buffer, uint8_t *),
		    &frames->tuples[numbers[i]][direction], numbers[i]);
	}
}

static unsigned
receive_some(struct load *load)
{
	struct rte_mbuf *buffers[LINK_BURST];
	unsigned count = link_receive(load->link, buffers);

	if (count == 0) {
		uint64_t now = rte_rdtsc();

		if (now - load->arrived > rte_get_tsc_hz() / GIVE_UP_PER_S) {
			load->arrived = now;
			load->underway = 0;
		}
		return 0;
	}
	load->arrived = rte_rdtsc();
	for (unsigned i = 0; i < count; i++)
		take(load, buffers[i]);
	rte_pktmbuf_free_bulk(buffers, count);
	return count;
}

static void
take(struct load *load, struct rte_mbuf *buffer)
{
	uint8_t *frame = rte_pktmbuf_mtod(buffer, uint8_t *);
	unsigned len = rte_pktmbuf_data_len(buffer);
	const char *why;

	if (!frames_is(frame, len, FRAMES_DATA)) {
		if (frames_arp(load->frames, frame, len))
			link_send(load->link, frame, FRAMES_ARP_LEN);
		else
			load->other++;
		return;
	}
	load->received++;
	load->underway -= load->underway > 0;
	if (load->received % CHECK_EVERY != 0)
		return;
	load->checked++;
	why = frames_wrong(load->frames, frame, len);
	if (why != NULL) {
		load->wrong++;
		load->why = why;
	}
}
