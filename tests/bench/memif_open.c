/* SPDX-License-Identifier: Apache-2.0 */
#include "memif_open.h"

#include <err.h>
#include <rte_cycles.h>

enum {
	BATCH = 64, /* connections that are opened together */
	TRIES = 50,
	TRIES_A_SECOND = 10,
};

/* One segment each of some connections, all at the same step. */
struct step {
	uint32_t first;
	uint32_t count;
	uint32_t left; /* that have not come out yet */
	unsigned direction;
	uint8_t flags;
	bool seen[BATCH];
};

static void exchange(struct link *link, struct frames *frames, uint32_t first,
    unsigned direction, uint8_t flags);
static void send_missing(
    struct link *link, const struct frames *frames, const struct step *step);
static void collect(
    struct link *link, struct frames *frames, struct step *step);
static void take(
    struct frames *frames, struct step *step, const uint8_t *frame);

void
open_resolve(struct link *link, struct frames *frames)
{
	uint8_t arp[FRAMES_ARP_LEN];

	for (unsigned try = 0; try < TRIES; try++) {
		uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / TRIES_A_SECOND;

		for (unsigned i = 0; i < FRAMES_DIRECTIONS; i++) {
			if (frames->resolved[i])
				continue;
			frames_ask(arp, i);
			link_send(link, arp, sizeof(arp));
		}
		while (rte_rdtsc() < end) {
			open_idle(link, frames);
			if (frames->resolved[FRAMES_TO_BROKER] &&
			    frames->resolved[FRAMES_TO_CLIENT])
				return;
		}
	}
	errx(1, "nobody answers to %s",
	    frames->resolved[FRAMES_TO_BROKER] ? "the broker" : "the gateway");
}

void
open_connections(struct link *link, struct frames *frames)
{
	for (uint32_t i = 0; i < frames->count; i += BATCH) {
		exchange(link, frames, i, FRAMES_TO_BROKER, FRAMES_SYN);
		exchange(
		    link, frames, i, FRAMES_TO_CLIENT, FRAMES_SYN | FRAMES_ACK);
		exchange(link, frames, i, FRAMES_TO_BROKER, FRAMES_ACK);
	}
}

void
open_idle(struct link *link, struct frames *frames)
{
	struct step nothing = {0};

	collect(link, frames, &nothing);
}

/* What does not come out is sent again, as TCP does. */
static void
exchange(struct link *link, struct frames *frames, uint32_t first,
    unsigned direction, uint8_t flags)
{
	struct step step = {
	    .first = first, .direction = direction, .flags = flags};

	step.count = frames->count - first < BATCH ? frames->count - first
						   : (uint32_t)BATCH;
	step.left = step.count;
	for (unsigned try = 0; try < TRIES; try++) {
		uint64_t end = rte_rdtsc() + rte_get_tsc_hz() / TRIES_A_SECOND;

		send_missing(link, frames, &step);
		while (rte_rdtsc() < end) {
			collect(link, frames, &step);
			if (step.left == 0)
				return;
		}
	}
	errx(1, "%u segments with flags %#x, from connection %u on, are lost",
	    step.left, flags, first);
}

static void
send_missing(
    struct link *link, const struct frames *frames, const struct step *step)
{
	uint8_t head[HEAD_LEN];

	for (uint32_t i = 0; i < step->count; i++) {
		if (step->seen[i])
			continue;
		frames_make(frames, head, step->first + i, step->direction,
		    step->flags, 0);
		link_send(link, head, sizeof(head));
	}
}

static void
collect(struct link *link, struct frames *frames, struct step *step)
{
	struct rte_mbuf *buffers[LINK_BURST];
	unsigned count = link_receive(link, buffers);

	for (unsigned i = 0; i < count; i++) {
		uint8_t *frame = rte_pktmbuf_mtod(buffers[i], uint8_t *);
		unsigned len = rte_pktmbuf_data_len(buffers[i]);

		if (frames_is(frame, len, step->flags))
			take(frames, step, frame);
		else if (frames_arp(frames, frame, len))
			link_send(link, frame, FRAMES_ARP_LEN);
	}
	rte_pktmbuf_free_bulk(buffers, count);
}

static void
take(struct frames *frames, struct step *step, const uint8_t *frame)
{
	uint32_t number = frames_number(frames, frame);
	uint32_t i = number - step->first;

	if (number == frames->count || i >= step->count || step->seen[i])
		return;
	step->seen[i] = true;
	step->left--;
	if (step->flags == FRAMES_SYN)
		frames_learn(frames, number, frame);
}
