/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/sim_tcp.h"

#include <stdlib.h>
#include <string.h>

#include "tests/support/ensure.h"
#include "tests/support/random.h"
#include "tests/support/sim_options.h"

enum {
	MS = 1000000, /* ns */
	RTO_MIN_MS = 200,
	RTO_MAX_MS = 4000,
	DUPLICATES = 3,
	SEGMENTS_BEGIN = 10, /* that are sent before one is acknowledged */
	STAMPS_LEN = 12, /* of the option */
	KEEPALIVES_MAX = 5,
	BURST_MAX = 64, /* segments at once */
};

static bool accept_syn(
    struct sim_tcp *, const struct sim_segment *, uint64_t now_ns);
static void take_ack(
    struct sim_tcp *, const struct sim_segment *, uint64_t, uint64_t now_ns);
static void take_payload(
    struct sim_tcp *, const struct sim_segment *, int64_t at, uint64_t now_ns);
static void take_reset(struct sim_tcp *, const struct sim_segment *);
static void application(struct sim_tcp *, uint64_t now_ns);
static void timeout(struct sim_tcp *, uint64_t now_ns);
static void begin_flight(struct sim_tcp *);
static void repair(struct sim_tcp *);
static void send_what_may_be(struct sim_tcp *, uint64_t now_ns);
static uint64_t payload_max(const struct sim_tcp *);
static uint64_t send_at(struct sim_tcp *, uint64_t at, uint64_t limit);
static void send_empty(struct sim_tcp *, uint64_t at, unsigned flags);
static void emit(struct sim_tcp *, struct sim_segment *, uint64_t at);

void
sim_bytes_add(struct sim_bytes *bytes, const void *more, size_t len)
{
	if (bytes->len + len > bytes->size) {
		bytes->size = 2 * (bytes->len + len) + 64;
		bytes->bytes = realloc(bytes->bytes, bytes->size);
		ensure(bytes->bytes != NULL, "no memory");
	}
	if (len > 0)
		memcpy(bytes->bytes + bytes->len, more, len);
	bytes->len += len;
}

void
sim_bytes_free(struct sim_bytes *bytes)
{
	free(bytes->bytes);
	memset(bytes, 0, sizeof(*bytes));
}

void
sim_tcp_open(struct sim_tcp *tcp, bool active, uint64_t now_ns)
{
	tcp->rto_ns = (uint64_t)RTO_MIN_MS * MS;
	tcp->timer_ns = tcp->ack_ns = tcp->keepalive_ns = sim_never;
	tcp->read_ns = tcp->habits.read_every_ns > 0
	    ? now_ns + tcp->habits.read_every_ns
	    : sim_never;
	tcp->peer_mss = 536;
	tcp->now_ns = now_ns;
	tcp->stamp_base =
	    (uint32_t)random_next(tcp->random) - (uint32_t)(now_ns / MS);
	tcp->stamp_first = tcp->stamp_last =
	    tcp->stamp_base + (uint32_t)(now_ns / MS);
	tcp->state = active ? SIM_SYN_SENT : SIM_LISTEN;
	ensure(tcp->habits.buffer <= SIM_BUFFER_MAX, "a buffer too large");
	if (!active)
		return;
	tcp->highest = tcp->next = 1;
	tcp->timer_ns = now_ns + tcp->rto_ns;
	send_empty(tcp, 0, SIM_SYN);
}

void
sim_tcp_free(struct sim_tcp *tcp)
{
	sim_bytes_free(&tcp->out);
	sim_bytes_free(&tcp->in);
}

/* Position behind the last byte: that of the FIN. */
static uint64_t
end_of(const struct sim_tcp *tcp)
{
	return tcp->out.len + 1;
}

/* Bytes that the receive buffer still has room for. */
static uint64_t
room(const struct sim_tcp *tcp)
{
	return tcp->habits.buffer - (tcp->in.len - tcp->read);
}

/* The position that a sequence number near `near` means. */
static int64_t
position(uint32_t number, uint32_t first, uint64_t near)
{
	return (int64_t)near + (int32_t)(number - (first + (uint32_t)near));
}

void
sim_tcp_input(
    struct sim_tcp *tcp, const struct sim_segment *segment, uint64_t now_ns)
{
	int64_t at, end;
	uint64_t length = segment->len + ((segment->flags & SIM_FIN) != 0);
	bool in_window;

	tcp->now_ns = now_ns;
	if (segment->flags & SIM_RST) {
		take_reset(tcp, segment);
		return;
	}
	if (tcp->state == SIM_RESET) {
		/* Whoever talks to us learns it. */
		tcp->next =
		    (uint64_t)position(segment->ack, tcp->iss, tcp->highest);
		send_empty(tcp, tcp->next, SIM_RST);
		return;
	}
	if (tcp->state < SIM_OPEN && !accept_syn(tcp, segment, now_ns))
		return;
	if (segment->flags & SIM_SYN) {
		tcp->ack_now = true;
		return;
	}
	at = position(segment->seq, tcp->irs, tcp->received);
	end = at + (int64_t)length;
	in_window = length == 0 ? at >= (int64_t)tcp->received
				: end > (int64_t)tcp->received;
	in_window = in_window &&
	    at < (int64_t)(tcp->received + room(tcp) + (length == 0));
	if (tcp->stamped && !sim_options_in_time(tcp, segment)) {
		tcp->ack_now = true;
		return;
	}
	tcp->keepalives = length > 0 ? 0 : tcp->keepalives;
	if (at < (int64_t)tcp->received) {
		tcp->again = (uint64_t)at;
		tcp->again_end = (uint64_t)end < tcp->received ? (uint64_t)end
							       : tcp->received;
	}
	/* The ACK of one that is not acceptable tells nothing, 3.10.7.4. */
	if (in_window)
		sim_options_take_stamp(tcp, segment, at);
	if (in_window || at == (int64_t)tcp->received)
		take_ack(tcp, segment, (uint64_t)at, now_ns);
	if (!in_window)
		tcp->ack_now = true;
	else if (length > 0)
		take_payload(tcp, segment, at, now_ns);
}

/* False: it is done with. */
static bool
accept_syn(
    struct sim_tcp *tcp, const struct sim_segment *segment, uint64_t now_ns)
{
	bool acks = (segment->flags & SIM_ACK) && segment->ack == tcp->iss + 1;

	if (tcp->state == SIM_SYN_RECEIVED) {
		if (segment->flags & SIM_SYN) {
			send_empty(tcp, 0, SIM_SYN | SIM_ACK);
			return false;
		}
		/* Data may come before the ACK that opens. */
		if (!(segment->flags & SIM_ACK) ||
		    position(segment->ack, tcp->iss, 1) < 1)
			return false;
		tcp->state = SIM_OPEN;
		return true;
	}
	if (!(segment->flags & SIM_SYN) ||
	    (tcp->state == SIM_SYN_SENT && !acks))
		return false;
	tcp->irs = segment->seq;
	tcp->received = 1;
	tcp->window = segment->window;
	if (segment->mss > 0)
		tcp->peer_mss = segment->mss;
	if (segment->scale == SIM_NO_SCALE)
		tcp->habits.scale = SIM_NO_SCALE;
	tcp->peer_scale =
	    tcp->habits.scale == SIM_NO_SCALE ? 0 : segment->scale;
	tcp->sack = tcp->habits.sack && segment->sack_ok;
	tcp->stamped = tcp->habits.stamps && segment->stamped;
	tcp->stamp_recent = segment->stamp;
	begin_flight(tcp);
	if (tcp->state == SIM_LISTEN) {
		tcp->state = SIM_SYN_RECEIVED;
		tcp->highest = tcp->next = 1;
		tcp->timer_ns = now_ns + tcp->rto_ns;
		send_empty(tcp, 0, SIM_SYN | SIM_ACK);
		return false;
	}
	tcp->state = SIM_OPEN;
	tcp->una = 1;
	tcp->rto_ns = (uint64_t)RTO_MIN_MS * MS;
	tcp->timer_ns = sim_never;
	tcp->ack_now = true;
	return false;
}

/* As many bytes as so many segments have. */
static uint64_t
flight(const struct sim_tcp *tcp)
{
	unsigned segments =
	    tcp->habits.flight > 0 ? tcp->habits.flight : SEGMENTS_BEGIN;

	return (uint64_t)segments * payload_max(tcp);
}

static void
begin_flight(struct sim_tcp *tcp)
{
	tcp->congestion = flight(tcp);
}

static void
take_more(struct sim_tcp *tcp, uint64_t ack, uint64_t now_ns)
{
	tcp->congestion += ack - tcp->una;
	if (tcp->habits.flight_fixed)
		tcp->congestion = flight(tcp);
	sim_options_trim(tcp, ack);
	tcp->una = ack;
	if (tcp->next < tcp->una)
		tcp->next = tcp->una;
	tcp->duplicates = 0;
	tcp->rto_ns = (uint64_t)RTO_MIN_MS * MS;
	tcp->timer_ns =
	    tcp->una < tcp->highest ? now_ns + tcp->rto_ns : sim_never;
	if (tcp->una >= tcp->recover)
		tcp->recover = 0;
	/* Only a part: the next one is missing, too, RFC 6582. */
	if (tcp->recover > 0) {
		if (!tcp->sack || tcp->repair < tcp->una)
			tcp->repair = tcp->una;
		repair(tcp);
	}
}

static void
take_ack(struct sim_tcp *tcp, const struct sim_segment *segment, uint64_t at,
    uint64_t now_ns)
{
	int64_t ack = position(segment->ack, tcp->iss, tcp->una);
	uint64_t window = (uint64_t)segment->window << tcp->peer_scale;
	bool same_window = window == tcp->window;
	bool news;

	if (!(segment->flags & SIM_ACK) || ack < (int64_t)tcp->una)
		return;
	ensure(ack <= (int64_t)tcp->highest, "an ACK of what was never sent");
	news = sim_options_take_sack(tcp, segment);
	/*
	 * By RFC 9293 one that acknowledges more with an older sequence number
	 * moves the edge of an old window; Linux takes its window, too.
	 */
	if ((uint64_t)ack > tcp->una || at > tcp->window_seq ||
	    (at == tcp->window_seq && window > tcp->window)) {
		tcp->window = window;
		tcp->window_seq = at;
	}
	if ((uint64_t)ack > tcp->una) {
		take_more(tcp, (uint64_t)ack, now_ns);
		return;
	}
	if (tcp->una == tcp->highest || segment->flags & SIM_FIN ||
	    (!news && (segment->len > 0 || !same_window)))
		return;
	if (++tcp->duplicates == DUPLICATES && tcp->recover == 0) {
		tcp->recover = tcp->highest;
		tcp->repair = tcp->una;
		tcp->repeats++;
		repair(tcp);
	} else if (tcp->recover > 0 && tcp->sack) {
		repair(tcp);
	}
}

/* Sends once more the next one that is missing. */
static void
repair(struct sim_tcp *tcp)
{
	uint64_t from = tcp->repair, to = tcp->recover;
	bool gap = tcp->sack && sim_options_gap(tcp, &from, &to);

	/* Without a word of what is held behind it is the first one. */
	if (!gap && tcp->repair > tcp->una)
		return;
	if (!gap)
		from = tcp->una;
	tcp->repair = send_at(tcp, from, to);
}

static void
take_payload(struct sim_tcp *tcp, const struct sim_segment *segment, int64_t at,
    uint64_t now_ns)
{
	uint64_t edge = tcp->received + room(tcp);
	uint64_t before = tcp->received;

	if (segment->flags & SIM_FIN)
		tcp->fin = (uint64_t)(at + segment->len);
	for (unsigned i = 0; i < segment->len; i++) {
		int64_t where = at + i;

		if (where < (int64_t)tcp->received || where >= (int64_t)edge)
			continue;
		tcp->held[where % SIM_BUFFER_MAX] = segment->bytes[i];
		tcp->held_count += !tcp->is_held[where % SIM_BUFFER_MAX];
		tcp->is_held[where % SIM_BUFFER_MAX] = true;
		tcp->held_last = (uint64_t)where;
	}
	while (tcp->is_held[tcp->received % SIM_BUFFER_MAX]) {
		uint64_t where = tcp->received++ % SIM_BUFFER_MAX;

		tcp->is_held[where] = false;
		tcp->held_count--;
		sim_bytes_add(&tcp->in, &tcp->held[where], 1);
	}
	if (tcp->fin > 0 && tcp->received == tcp->fin)
		tcp->received++;
	tcp->behind_gaps += at > (int64_t)before;
	if (tcp->received == before || at > (int64_t)before ||
	    tcp->habits.ack_delay_ns == 0)
		tcp->ack_now = true;
	else if (tcp->ack_ns == sim_never)
		tcp->ack_ns = now_ns + tcp->habits.ack_delay_ns;
	else
		tcp->ack_now = true; /* every second one */
}

/* Only an exact one counts, RFC 5961. */
static void
take_reset(struct sim_tcp *tcp, const struct sim_segment *segment)
{
	if (tcp->state == SIM_SYN_SENT) {
		if ((segment->flags & SIM_ACK) && segment->ack == tcp->iss + 1)
			tcp->state = SIM_RESET;
		return;
	}
	if (tcp->state == SIM_LISTEN || tcp->state == SIM_RESET)
		return;
	if (segment->seq == tcp->irs + (uint32_t)tcp->received)
		tcp->state = SIM_RESET;
	else
		tcp->ack_now = true;
}

void
sim_tcp_run(struct sim_tcp *tcp, uint64_t now_ns)
{
	tcp->now_ns = now_ns;
	if (tcp->state == SIM_RESET || tcp->state == SIM_LISTEN)
		return;
	application(tcp, now_ns);
	if (now_ns >= tcp->timer_ns)
		timeout(tcp, now_ns);
	if (tcp->state == SIM_OPEN)
		send_what_may_be(tcp, now_ns);
	if (now_ns >= tcp->ack_ns)
		tcp->ack_now = true;
	/* Not at `next`: that of a retransmission would not be acceptable. */
	if (tcp->state == SIM_OPEN && tcp->ack_now)
		send_empty(tcp, tcp->highest, SIM_ACK);
	if (now_ns >= tcp->keepalive_ns) {
		tcp->keepalives++;
		tcp->kept_alive++;
		tcp->keepalive_ns = sim_never;
		send_at(
		    tcp, tcp->una - 1, tcp->una - 1 + tcp->habits.garbage_byte);
	}
	if (tcp->state == SIM_OPEN && tcp->habits.keepalive_ns > 0 &&
	    tcp->keepalive_ns == sim_never && tcp->una == tcp->highest &&
	    tcp->keepalives < KEEPALIVES_MAX)
		tcp->keepalive_ns = now_ns + tcp->habits.keepalive_ns;
	if (tcp->una < tcp->highest)
		tcp->keepalive_ns = sim_never;
}

/* Reads, and says so when there is much room again. */
static void
application(struct sim_tcp *tcp, uint64_t now_ns)
{
	uint64_t edge;

	if (tcp->habits.read_every_ns == 0) {
		tcp->read = tcp->in.len;
	} else if (now_ns >= tcp->read_ns) {
		size_t more =
		    random_between(tcp->random, 0, tcp->habits.read_max);

		tcp->read += more < tcp->in.len - tcp->read
		    ? more
		    : tcp->in.len - tcp->read;
		tcp->read_ns = now_ns +
		    random_between(tcp->random, 1,
			(uint32_t)(tcp->habits.read_every_ns / 1000)) *
			1000ull;
	}
	if (tcp->state != SIM_OPEN || tcp->fin > 0)
		return;
	edge = tcp->received + room(tcp);
	if (edge >= tcp->advertised + 2ull * tcp->peer_mss ||
	    edge >= tcp->advertised + (tcp->habits.buffer + 1) / 2)
		tcp->ack_now = true;
}

/* Of a retransmission, or of a window that stays shut. */
static void
timeout(struct sim_tcp *tcp, uint64_t now_ns)
{
	tcp->rto_ns *= 2;
	if (tcp->rto_ns > (uint64_t)RTO_MAX_MS * MS)
		tcp->rto_ns = (uint64_t)RTO_MAX_MS * MS;
	tcp->timer_ns = now_ns + tcp->rto_ns;
	if (tcp->state != SIM_OPEN) {
		send_empty(tcp, 0,
		    tcp->state == SIM_SYN_SENT ? SIM_SYN : SIM_SYN | SIM_ACK);
		return;
	}
	tcp->next = tcp->una;
	tcp->recover = 0;
	tcp->duplicates = 0;
	sim_options_forget(tcp);
	tcp->congestion = payload_max(tcp);
	if (tcp->window > 0) {
		tcp->timeouts += tcp->una < tcp->highest;
		return;
	}
	tcp->probes++;
	if (tcp->habits.probe_byte || tcp->una < tcp->highest) {
		send_at(tcp, tcp->una, tcp->una + 1);
		if (tcp->highest < tcp->una + 1)
			tcp->highest = tcp->una + 1;
	} else {
		send_at(tcp, tcp->una - 1, tcp->una - 1);
	}
}

static void
send_what_may_be(struct sim_tcp *tcp, uint64_t now_ns)
{
	uint64_t all = end_of(tcp) + tcp->shut;
	uint64_t limit = tcp->una +
	    (tcp->window < tcp->congestion ? tcp->window : tcp->congestion);

	for (unsigned i = 0; i < BURST_MAX; i++) {
		uint64_t was = tcp->next;

		if (tcp->next >= all || tcp->next >= limit)
			break;
		send_at(tcp, tcp->next, limit);
		ensure(tcp->next > was, "nothing was sent");
		if (tcp->next > tcp->highest)
			tcp->highest = tcp->next;
	}
	if (tcp->timer_ns == sim_never && tcp->una < all)
		tcp->timer_ns = now_ns + tcp->rto_ns;
}

/* Of a segment that has no SACK. */
static uint64_t
payload_max(const struct sim_tcp *tcp)
{
	uint64_t max = tcp->peer_mss;

	if (tcp->stamped)
		max = max > STAMPS_LEN ? max - STAMPS_LEN : 1;
	return tcp->habits.cut_max < max ? tcp->habits.cut_max : max;
}

/*
 * One segment from that position on, up to a limit; moves `next` if it stands
 * there.  Where it ends.  The byte of a keep-alive is not of the stream.
 */
static uint64_t
send_at(struct sim_tcp *tcp, uint64_t at, uint64_t limit)
{
	struct sim_segment segment = {0};
	uint64_t max = payload_max(tcp);
	uint64_t end = end_of(tcp);

	if (tcp->habits.cut_random && limit > at)
		max = random_between(tcp->random, 1, (uint32_t)max);
	if (limit > at + max)
		limit = at + max;
	segment.len = 0;
	if (limit > at && at + 1 == tcp->una && limit == tcp->una) {
		segment.len = 1;
		segment.bytes[0] = 0xaa;
	} else if (at < end && limit > at) {
		segment.len = (uint16_t)((limit < end ? limit : end) - at);
		memcpy(segment.bytes, tcp->out.bytes + at - 1, segment.len);
	}
	segment.flags = SIM_ACK | (segment.len > 0 ? SIM_PSH : 0);
	if (tcp->shut && at + segment.len == end && limit > end)
		segment.flags |= SIM_FIN;
	if (at == tcp->next)
		tcp->next += segment.len + ((segment.flags & SIM_FIN) != 0);
	emit(tcp, &segment, at);
	return at + segment.len;
}

static void
send_empty(struct sim_tcp *tcp, uint64_t at, unsigned flags)
{
	struct sim_segment segment = {.flags = (uint8_t)flags};

	emit(tcp, &segment, at);
}

/* Fills in the rest of a segment that has flags and payload. */
static void
emit(struct sim_tcp *tcp, struct sim_segment *segment, uint64_t at)
{
	bool syn = segment->flags & SIM_SYN;
	unsigned scale = tcp->habits.scale;
	uint64_t window;

	if (syn || tcp->habits.scale == SIM_NO_SCALE)
		scale = 0;
	window = room(tcp) >> scale;
	if (window > UINT16_MAX)
		window = UINT16_MAX;
	tcp->advertised = tcp->received + (window << scale);
	segment->window = (uint16_t)window;
	segment->seq = tcp->iss + (uint32_t)at;
	segment->ack =
	    segment->flags & SIM_ACK ? tcp->irs + (uint32_t)tcp->received : 0;
	sim_options_put(tcp, segment);
	tcp->acked = tcp->received;
	tcp->ack_now = false;
	tcp->ack_ns = sim_never;
	tcp->emit(tcp->context, segment);
}

uint64_t
sim_tcp_next(const struct sim_tcp *tcp)
{
	uint64_t next = tcp->timer_ns;

	if (tcp->state == SIM_RESET || tcp->state == SIM_LISTEN)
		return sim_never;
	if (tcp->ack_ns < next)
		next = tcp->ack_ns;
	if (tcp->keepalive_ns < next)
		next = tcp->keepalive_ns;
	if (tcp->read < tcp->in.len && tcp->read_ns < next)
		next = tcp->read_ns;
	return next;
}

bool
sim_tcp_done(const struct sim_tcp *tcp)
{
	if (tcp->state == SIM_RESET)
		return true;
	return tcp->shut && tcp->una == end_of(tcp) + 1 && tcp->fin > 0 &&
	    tcp->received > tcp->fin && tcp->read == tcp->in.len;
}

void
sim_tcp_abort(struct sim_tcp *tcp)
{
	tcp->state = SIM_RESET;
	send_empty(tcp, tcp->highest, SIM_RST);
}
