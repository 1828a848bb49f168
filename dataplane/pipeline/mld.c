/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	Ethernet ▸ IPv6 ▸ hop-by-hop options: router alert ▸ ICMPv6
 *
 *	MLDv2	type 143 to ff02::16, records for many groups
 *	MLDv1	type 131 to the group, one group
 *
 * Each group has a bit for each port and each cause that it is to be reported
 * for; each port says when.  So queries add up to one answer, however many
 * they are.  A port sends a few packets and goes on a moment later.
 *
 * Reports come from the address ::, since a port has no link-local one:
 * switches take them so, routers have no use for them (RFC 3590, RFC
 *3810, 5.2.13).
 *
 * The sources that a query may ask for do not matter, we want all.  A group
 * whose last address goes is not reported: the switch asks for it, is not
 * answered and forgets it; until then we get questions about an address that
 * is none of ours, and drop them.
 *
 * Reasons: mld; drop: mld_invalid.
 */
#include "dataplane/pipeline/mld.h"

#include "dataplane/pipeline/checksum.h"
#include "dataplane/pipeline/parse.h"
#include "dataplane/pipeline/wire.h"

enum {
	STEP = 4, /* packets of one port and cause, */
	PACE_MS = 1, /* and the time from one such step to the next */
	AGAIN_MS = 1000,
	/* Answers are spread over what the querier allows, up to this. */
	ANSWER_MS = 1000,
	/* RFC 3810, 9.12: twice the query interval of 125 s, and 10 s. */
	V1_MS = 260000,

	ALERT_LEN = 8, /* the header of hop-by-hop options */
	HOPS = 1,
	HEAD = LP_ETH_LEN + LP_IP6_LEN + ALERT_LEN + LP_MLD_RECORDS,
	/* What any link carries (RFC 8200, 5). */
	RECORDS_MAX = (LP_ETH_LEN + LP_PORT_MTU_MIN - HEAD) / LP_MLD_RECORD_LEN,
};
static_assert(STEP * LP_PORTS_MAX * 2 <= LP_OUTBOX_MAX, "one turn's fit");

/* Masks of slots. */
struct lp_mld_group {
	uint32_t low; /* as in the snapshot */
	uint16_t ports;
	uint16_t due[LP_MLD_CAUSES];
};

/* The solicited-node groups without their last three bytes. */
static const struct lp_ip solicited = {{0xff, 2, [11] = 1, [12] = 0xff}};
static const struct lp_ip nobody;

static uint16_t same_slots(struct lp_mld *, const struct lp_snapshot *);
static bool is_valid(const struct lp_pkt *);
static bool has_alert(const uint8_t *);
static uint64_t delay_ms(const struct lp_batch *, const struct lp_pkt *);
static void run(struct lp_mld *, struct lp_batch *, uint8_t, enum lp_mld_cause);
static struct lp_mld_group *next(struct lp_mld *, uint8_t, enum lp_mld_cause);
static bool report(
    struct lp_mld *, struct lp_batch *, uint8_t, enum lp_mld_cause);
static void write_v1(struct lp_mld *, const struct lp_batch *, struct lp_pkt *,
    enum lp_mld_cause);
static void write_v2(struct lp_mld *, const struct lp_batch *, struct lp_pkt *,
    enum lp_mld_cause);
static void done(struct lp_mld_group *, uint8_t, enum lp_mld_cause);
static void write_head(
    const struct lp_batch *, struct lp_pkt *, const struct lp_ip *, unsigned);
static struct lp_ip address_of(const struct lp_mld_group *);

void
lp_mld_carve(struct lp_mld *mld, struct lp_arena *arena)
{
	mld->groups = lp_arena_take(arena, LP_GROUPS_MAX, sizeof(*mld->groups));
	mld->before = lp_arena_take(arena, LP_GROUPS_MAX, sizeof(*mld->before));
}

void
lp_mld_init(struct lp_mld *mld, const struct lp_make *make)
{
	mld->make = make;
	mld->count = 0;
	mld->due_ms = UINT64_MAX;
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++)
		mld->ports[slot] = (struct lp_mld_port){
		    .due_ms = {UINT64_MAX, UINT64_MAX, UINT64_MAX}};
}

void
lp_mld_update(struct lp_mld *mld, const struct lp_snapshot *snapshot)
{
	struct lp_mld_group *before = mld->groups;
	struct lp_mld_group *end = before + mld->count;
	uint16_t same = same_slots(mld, snapshot);
	uint16_t fresh = 0;

	assert(snapshot->group_count <= LP_GROUPS_MAX);
	mld->groups = mld->before;
	mld->before = before;
	mld->count = snapshot->group_count;
	for (uint32_t i = 0; i < mld->count; i++) {
		const struct lp_group *from = &snapshot->groups[i];
		struct lp_mld_group *group = &mld->groups[i];
		uint16_t known = 0;

		*group = (struct lp_mld_group){
		    .low = from->low, .ports = from->port_mask};
		/* Both are in order. */
		while (before < end && before->low < from->low)
			before++;
		if (before < end && before->low == from->low)
			known = before->ports & from->port_mask & same;
		for (unsigned cause = 0; known != 0 && cause < LP_MLD_CAUSES;
		     cause++)
			group->due[cause] = before->due[cause] & known;
		group->due[LP_MLD_NEW] |= from->port_mask & ~known;
		fresh |= group->due[LP_MLD_NEW];
	}
	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++) {
		mld->ports[slot].at = 0;
		if (fresh & 1u << slot)
			mld->ports[slot].due_ms[LP_MLD_NEW] = 0;
	}
	if (fresh != 0)
		mld->due_ms = 0;
}

bool
lp_mld_is_query(const struct lp_batch *batch, const struct lp_pkt *pkt)
{
	return batch->snapshot != NULL &&
	    batch->snapshot->ports[pkt->port_in].alone &&
	    (pkt->flags & LP_PKT_V6) && (pkt->flags & LP_PKT_ICMP) &&
	    pkt->data[pkt->l4_off] == LP_ICMP6_MLD_QUERY;
}

void
lp_mld_receive(
    struct lp_mld *mld, const struct lp_batch *batch, struct lp_pkt *pkt)
{
	struct lp_mld_port *port = &mld->ports[pkt->port_in];
	const uint8_t *query = pkt->data + pkt->l4_off;
	uint16_t asked = (uint16_t)(1u << pkt->port_in);
	uint64_t due_ms = batch->now_ms + delay_ms(batch, pkt);
	bool general, any = false;

	if (!is_valid(pkt)) {
		lp_pkt_drop(pkt, LP_REASON_MLD_INVALID);
		return;
	}
	lp_pkt_decide(pkt, LP_LOCAL, LP_REASON_MLD);
	/* RFC 3810, 8.1: the length alone says which version it is. */
	if (pkt->len - pkt->l4_off == LP_MLD_V1_LEN)
		port->v1_until_ms = batch->now_ms + V1_MS;
	general = memcmp(query + LP_MLD_GROUP, nobody.bytes, 16) == 0;
	for (uint32_t i = 0; i < mld->count; i++) {
		struct lp_mld_group *group = &mld->groups[i];
		struct lp_ip ip = address_of(group);

		if (!(group->ports & asked) ||
		    (!general &&
			memcmp(query + LP_MLD_GROUP, ip.bytes, 16) != 0))
			continue;
		group->due[LP_MLD_ASKED] |= asked;
		any = true;
	}
	/* One answer for all that have asked meanwhile: the earliest. */
	if (any && due_ms < port->due_ms[LP_MLD_ASKED])
		port->due_ms[LP_MLD_ASKED] = due_ms;
	if (any && due_ms < mld->due_ms)
		mld->due_ms = due_ms;
}

void
lp_mld_tick(struct lp_mld *mld, struct lp_batch *batch)
{
	if (batch->now_ms < mld->due_ms)
		return;
	mld->due_ms = UINT64_MAX;
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++) {
		uint64_t *due_ms = mld->ports[slot].due_ms;

		for (unsigned cause = 0; cause < LP_MLD_CAUSES; cause++) {
			if (due_ms[cause] <= batch->now_ms)
				run(mld, batch, slot, cause);
			if (due_ms[cause] < mld->due_ms)
				mld->due_ms = due_ms[cause];
		}
	}
}

/* Ports whose switch knows all that it was told; noted for next time. */
static uint16_t
same_slots(struct lp_mld *mld, const struct lp_snapshot *snapshot)
{
	uint16_t mask = 0;

	for (unsigned slot = 0; slot < LP_PORTS_MAX; slot++) {
		struct lp_mld_port *port = &mld->ports[slot];
		uint32_t incarnation = snapshot->ports[slot].incarnation;

		if (port->incarnation == incarnation)
			mask |= (uint16_t)(1u << slot);
		else
			port->v1_until_ms = 0;
		port->incarnation = incarnation;
	}
	return mask;
}

/* RFC 3810, 5.1.14, 6.2 and 8.1; RFC 2710, 3.7 and 5. */
static bool
is_valid(const struct lp_pkt *pkt)
{
	const uint8_t *ip = pkt->data + pkt->l3_off;
	const uint8_t *query = pkt->data + pkt->l4_off;
	unsigned len = (unsigned)(pkt->len - pkt->l4_off);
	struct lp_ip src, dst;
	uint64_t sum;

	lp_parse_addresses(pkt, &src, &dst);
	sum = lp_sum_pseudo(src.bytes, dst.bytes, 16, LP_PROTO_ICMP6, len);
	return ip[LP_IP6_HOPS] == HOPS && has_alert(ip) &&
	    src.bytes[0] == 0xfe && (src.bytes[1] & 0xc0) == 0x80 &&
	    (len == LP_MLD_V1_LEN || len >= LP_MLD_V2_LEN) &&
	    lp_sum_fold(lp_sum_add(sum, query, len)) == 0xffff;
}

/* Router alert, in the header that parse has walked over first. */
static bool
has_alert(const uint8_t *ip)
{
	const uint8_t *options = ip + LP_IP6_LEN;
	unsigned end = 8 + options[1] * 8u;
	unsigned at = 2;

	if (ip[LP_IP6_NEXT] != LP_IP6_HOPOPTS)
		return false;
	while (at + 2 <= end && options[at] != LP_IP6_OPT_ALERT)
		at += options[at] == LP_IP6_OPT_PAD1 ? 1 : 2 + options[at + 1];
	return at + 4 <= end && options[at + 1] == 2;
}

/*
 * Within the time that the query allows, other hosts at other times.  In
 * MLDv2 values from 32768 on are longer than they look (RFC 3810, 5.1.3): both
 * are more than we make use of.
 */
static uint64_t
delay_ms(const struct lp_batch *batch, const struct lp_pkt *pkt)
{
	const uint8_t *mac = batch->snapshot->ports[pkt->port_in].mac;
	unsigned max = lp_get16(pkt->data + pkt->l4_off + LP_MLD_DELAY);
	uint64_t mix = batch->now_ns ^ (uint64_t)lp_get32(mac + 2) << 32;

	if (max > ANSWER_MS)
		max = ANSWER_MS;
	/* Fibonacci hashing: the upper bits depend on all. */
	return (mix * 0x9e3779b97f4a7c15u >> 32) % (max + 1);
}

static void
run(struct lp_mld *mld, struct lp_batch *batch, uint8_t slot,
    enum lp_mld_cause cause)
{
	uint64_t *due_ms = mld->ports[slot].due_ms;

	due_ms[cause] = UINT64_MAX;
	if (cause == LP_MLD_NEW)
		due_ms[LP_MLD_AGAIN] = batch->now_ms + AGAIN_MS;
	for (unsigned sent = 0; next(mld, slot, cause) != NULL; sent++) {
		if (sent == STEP || !report(mld, batch, slot, cause)) {
			due_ms[cause] = batch->now_ms + PACE_MS;
			return;
		}
	}
}

/* The next group to be reported, which the port is then at. */
static struct lp_mld_group *
next(struct lp_mld *mld, uint8_t slot, enum lp_mld_cause cause)
{
	struct lp_mld_port *port = &mld->ports[slot];

	/* On and on, so that those asked for all the time take their turn. */
	for (uint32_t n = 0; n < mld->count; n++) {
		struct lp_mld_group *group = &mld->groups[port->at];

		if (group->due[cause] & 1u << slot)
			return group;
		port->at = (port->at + 1) % mld->count;
	}
	port->at = 0;
	return NULL;
}

/* One packet; false: no room for it, or no buffer. */
static bool
report(struct lp_mld *mld, struct lp_batch *batch, uint8_t slot,
    enum lp_mld_cause cause)
{
	bool v1 = batch->now_ms < mld->ports[slot].v1_until_ms;
	struct lp_pkt *pkt;

	if (batch->out.count == LP_OUTBOX_MAX)
		return false;
	pkt = lp_make_packet(
	    mld->make, batch, slot, HEAD + RECORDS_MAX * LP_MLD_RECORD_LEN);
	if (pkt == NULL)
		return false;
	if (v1)
		write_v1(mld, batch, pkt, cause);
	else
		write_v2(mld, batch, pkt, cause);
	lp_count_add(&mld->make->stats->sent_neighbor, 1);
	return true;
}

/* RFC 2710, 3. */
static void
write_v1(struct lp_mld *mld, const struct lp_batch *batch, struct lp_pkt *pkt,
    enum lp_mld_cause cause)
{
	uint8_t *message = pkt->data + HEAD - LP_MLD_RECORDS;
	struct lp_mld_group *group = next(mld, pkt->port_out, cause);
	struct lp_ip ip = address_of(group);

	message[LP_ICMP_TYPE] = LP_ICMP6_MLD_REPORT_V1;
	memcpy(message + LP_MLD_GROUP, ip.bytes, 16);
	done(group, pkt->port_out, cause);
	write_head(batch, pkt, &ip, LP_MLD_V1_LEN);
}

/* RFC 3810, 5.2: of each group all sources, which is to exclude none. */
static void
write_v2(struct lp_mld *mld, const struct lp_batch *batch, struct lp_pkt *pkt,
    enum lp_mld_cause cause)
{
	static const struct lp_ip routers = {{0xff, 2, [15] = 0x16}};
	uint8_t *message = pkt->data + HEAD - LP_MLD_RECORDS;
	uint8_t *record = pkt->data + HEAD;
	struct lp_mld_group *group;
	uint16_t count = 0;

	while (count < RECORDS_MAX &&
	    (group = next(mld, pkt->port_out, cause)) != NULL) {
		struct lp_ip ip = address_of(group);

		record[0] = cause == LP_MLD_ASKED ? LP_MLD_IS_EXCLUDE
						  : LP_MLD_TO_EXCLUDE;
		memcpy(record + LP_MLD_RECORD_GROUP, ip.bytes, 16);
		record += LP_MLD_RECORD_LEN;
		count++;
		done(group, pkt->port_out, cause);
	}
	message[LP_ICMP_TYPE] = LP_ICMP6_MLD_REPORT_V2;
	lp_put16(message + LP_MLD_COUNT, count);
	write_head(batch, pkt, &routers, (unsigned)(record - message));
}

static void
done(struct lp_mld_group *group, uint8_t slot, enum lp_mld_cause cause)
{
	uint16_t mask = (uint16_t)(1u << slot);

	assert(group->due[cause] & mask);
	group->due[cause] &= (uint16_t)~mask;
	if (cause == LP_MLD_NEW)
		group->due[LP_MLD_AGAIN] |= mask;
}

/* In front of a message of that length, which is written. */
static void
write_head(const struct lp_batch *batch, struct lp_pkt *pkt,
    const struct lp_ip *dst, unsigned len)
{
	/* RFC 2711, with the value 0, and two bytes of padding. */
	static const uint8_t alert[ALERT_LEN] = {
	    LP_PROTO_ICMP6, 0, LP_IP6_OPT_ALERT, 2, 0, 0, LP_IP6_OPT_PADN, 0};

	lp_make_ip(
	    pkt, &nobody, dst, LP_IP6_HOPOPTS, (uint16_t)(ALERT_LEN + len));
	pkt->data[pkt->l3_off + LP_IP6_HOPS] = HOPS;
	memcpy(pkt->data + pkt->l4_off, alert, sizeof(alert));
	pkt->l4_off += ALERT_LEN;
	lp_make_checksum(pkt, LP_PROTO_ICMP6, LP_ICMP_SUM);
	/* RFC 2464, 7. */
	memset(pkt->data + LP_ETH_DST, 0x33, 2);
	memcpy(pkt->data + LP_ETH_DST + 2, dst->bytes + 12, 4);
	memcpy(pkt->data + LP_ETH_SRC,
	    batch->snapshot->ports[pkt->port_out].mac, 6);
}

static struct lp_ip
address_of(const struct lp_mld_group *group)
{
	struct lp_ip ip = solicited;

	ip.bytes[13] = (uint8_t)(group->low >> 16);
	ip.bytes[14] = (uint8_t)(group->low >> 8);
	ip.bytes[15] = (uint8_t)group->low;
	return ip;
}
