/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sim_options.h"

#include "tests/support/ensure.h"

enum { MS = 1000000 }; /* ns */

static bool
is_held(const struct sim_tcp *tcp, uint64_t at)
{
	return tcp->is_held[at % SIM_BUFFER_MAX];
}

static void
put_block(const struct sim_tcp *tcp, struct sim_segment *segment, uint64_t from,
    uint64_t to)
{
	struct sim_block *block = &segment->block[segment->block_count++];

	block->from = tcp->irs + (uint32_t)from;
	block->to = tcp->irs + (uint32_t)to;
}

/* The block that has the last segment of those; then all others. */
static void
put_sack(struct sim_tcp *tcp, struct sim_segment *segment)
{
	unsigned max = tcp->stamped ? 3 : SIM_BLOCKS_MAX;
	unsigned left = tcp->held_count;
	uint64_t from = tcp->held_last, to = tcp->held_last;

	if (tcp->again_end > tcp->again && tcp->habits.duplicate_sack)
		put_block(tcp, segment, tcp->again, tcp->again_end);
	tcp->again = tcp->again_end = 0;
	if (left == 0)
		return;
	if (from >= tcp->received && is_held(tcp, from)) {
		while (is_held(tcp, from - 1))
			from--;
		while (is_held(tcp, to))
			to++;
		put_block(tcp, segment, from, to);
	}
	for (uint64_t at = tcp->received;
	     left > 0 && segment->block_count < max;) {
		uint64_t begin;

		while (!is_held(tcp, at))
			at++;
		for (begin = at; left > 0 && is_held(tcp, at); at++)
			left--;
		if (begin != from)
			put_block(tcp, segment, begin, at);
	}
}

/* SACK with what bears no payload, which so may be as long as it is. */
void
sim_options_put(struct sim_tcp *tcp, struct sim_segment *segment)
{
	bool syn = segment->flags & SIM_SYN;
	bool first = syn && !(segment->flags & SIM_ACK);

	segment->mss = syn ? tcp->habits.mss : 0;
	segment->scale = syn ? tcp->habits.scale : SIM_NO_SCALE;
	segment->sack_ok = syn && (first ? tcp->habits.sack : tcp->sack);
	segment->stamped = first ? tcp->habits.stamps : tcp->stamped;
	if (segment->stamped) {
		segment->stamp = tcp->stamp_base + (uint32_t)(tcp->now_ns / MS);
		segment->echo = first ? 0 : tcp->stamp_recent;
		tcp->stamp_last = segment->stamp;
	}
	if (tcp->sack && segment->flags == SIM_ACK && segment->len == 0)
		put_sack(tcp, segment);
}

bool
sim_options_in_time(
    const struct sim_tcp *tcp, const struct sim_segment *segment)
{
	int32_t newer = (int32_t)(segment->stamp - tcp->stamp_recent);

	ensure(segment->stamped, "a segment without its timestamp");
	ensure(segment->echo - tcp->stamp_first <=
		tcp->stamp_last - tcp->stamp_first,
	    "a timestamp is echoed that was never sent");
	return newer >= 0;
}

void
sim_options_take_stamp(
    struct sim_tcp *tcp, const struct sim_segment *segment, int64_t at)
{
	if (tcp->stamped && at <= (int64_t)tcp->acked)
		tcp->stamp_recent = segment->stamp;
}

bool
sim_options_take_sack(struct sim_tcp *tcp, const struct sim_segment *segment)
{
	bool news = false;

	ensure(tcp->sack || segment->block_count == 0,
	    "a SACK that was not asked for");
	for (unsigned i = 0; i < segment->block_count; i++) {
		uint32_t from = segment->block[i].from - tcp->iss;
		uint32_t len = segment->block[i].to - segment->block[i].from;
		/* 64-bit positions, near what is not acknowledged. */
		int64_t at =
		    (int64_t)tcp->una + (int32_t)(from - (uint32_t)tcp->una);
		int64_t end = at + len;

		ensure(len > 0 && len <= SIM_BUFFER_MAX &&
			end <= (int64_t)tcp->highest,
		    "a SACK of what was never sent");
		/* What came again; or of an ACK that is late. */
		if (at <= (int64_t)tcp->una)
			continue;
		for (; at < end; at++) {
			bool *sacked = &tcp->is_sacked[at % SIM_BUFFER_MAX];

			news = news || !*sacked;
			*sacked = true;
		}
		if ((uint64_t)end > tcp->sacked_to)
			tcp->sacked_to = (uint64_t)end;
	}
	return news;
}

void
sim_options_trim(struct sim_tcp *tcp, uint64_t una)
{
	uint64_t to = una < tcp->sacked_to ? una : tcp->sacked_to;

	for (uint64_t at = tcp->una; at < to; at++)
		tcp->is_sacked[at % SIM_BUFFER_MAX] = false;
}

void
sim_options_forget(struct sim_tcp *tcp)
{
	sim_options_trim(tcp, tcp->sacked_to);
	tcp->sacked_to = 0;
}

bool
sim_options_gap(const struct sim_tcp *tcp, uint64_t *from, uint64_t *to)
{
	while (*from < tcp->sacked_to && tcp->is_sacked[*from % SIM_BUFFER_MAX])
		++*from;
	if (*from >= tcp->sacked_to)
		return false;
	*to = *from;
	while (!tcp->is_sacked[*to % SIM_BUFFER_MAX])
		++*to;
	return true;
}
