/* SPDX-License-Identifier: Apache-2.0 */
/* What a connection adds to the checksums of its packets. */
#include <check.h>

#include "dataplane/pipeline/checksum.h"
#include "tests/support/plane.h"
#include "tests/support/plane_conntrack.h"
#include "tests/support/plane_main.h"

enum { COUNT = LP_CONNECTIONS_MIN, NOW = PLANE_START_S };

/* The headers of a segment; their sums are written out plainly. */
struct headers {
	bool v6;
	uint8_t ip[LP_IP6_LEN];
	uint8_t tcp[LP_TCP_LEN];
};

struct ends {
	struct lp_ip src, dst;
	uint16_t sport, dport;
};

static uint64_t seed = 1;

static unsigned
draw(void)
{
	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return (unsigned)(seed >> 33);
}

/* Bytes that like the edges of one's complement. */
static void
fill(uint8_t *bytes, size_t len)
{
	unsigned kind = draw() % 4;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(kind == 0 ? 0 : kind == 1 ? 0xff : draw());
}

static void
fill_end(struct lp_ip *ip, uint16_t *port, bool v6)
{
	uint8_t bytes[16];

	fill(bytes, sizeof(bytes));
	if (v6)
		memcpy(ip->bytes, bytes, sizeof(bytes));
	else
		lp_ip_from_v4(ip, bytes);
	fill(bytes, 2);
	*port = lp_get16(bytes);
}

static struct lp_conn
draw_conn(bool v6)
{
	struct lp_conn conn = {.tcp.state = LP_TCP_ESTABLISHED};

	fill_end(&conn.client_ip, &conn.client_port, v6);
	fill_end(&conn.vip_ip, &conn.vip_port, v6);
	fill_end(&conn.source_ip, &conn.source_port, v6);
	fill_end(&conn.broker_ip, &conn.broker_port, v6);
	return conn;
}

/* What one end sends, or what the other one receives of it. */
static struct ends
ends_of(const struct lp_conn *conn, enum lp_direction dir, bool sent)
{
	if (dir == LP_TO_BROKER)
		return sent ? (struct ends){conn->client_ip, conn->vip_ip,
				  conn->client_port, conn->vip_port}
			    : (struct ends){conn->source_ip, conn->broker_ip,
				  conn->source_port, conn->broker_port};
	return sent ? (struct ends){conn->broker_ip, conn->source_ip,
			  conn->broker_port, conn->source_port}
		    : (struct ends){conn->vip_ip, conn->client_ip,
			  conn->vip_port, conn->client_port};
}

static void
write_ends(struct headers *headers, const struct ends *ends)
{
	if (headers->v6) {
		memcpy(headers->ip + LP_IP6_SRC, ends->src.bytes, 16);
		memcpy(headers->ip + LP_IP6_DST, ends->dst.bytes, 16);
	} else {
		memcpy(headers->ip + LP_IP4_SRC, lp_ip_v4(&ends->src), 4);
		memcpy(headers->ip + LP_IP4_DST, lp_ip_v4(&ends->dst), 4);
	}
	lp_put16(headers->tcp + LP_TCP_SRC, ends->sport);
	lp_put16(headers->tcp + LP_TCP_DST, ends->dport);
}

static uint16_t
addresses_sum(const struct headers *headers, uint16_t sum)
{
	return headers->v6 ? packet_sum(sum, headers->ip + LP_IP6_SRC, 32)
			   : packet_sum(sum, headers->ip + LP_IP4_SRC, 8);
}

/* 0xffff: right. */
static uint16_t
tcp_sum(const struct headers *headers)
{
	return packet_sum(addresses_sum(headers, LP_PROTO_TCP + LP_TCP_LEN),
	    headers->tcp, LP_TCP_LEN);
}

static uint16_t
ip_sum(const struct headers *headers)
{
	return packet_sum(0, headers->ip, LP_IP4_LEN);
}

/* As it is sent, with right sums. */
static void
make(struct headers *headers, const struct ends *ends, bool v6)
{
	headers->v6 = v6;
	fill(headers->ip, sizeof(headers->ip));
	fill(headers->tcp, sizeof(headers->tcp));
	headers->ip[0] = 0x45;
	write_ends(headers, ends);
	lp_put16(headers->tcp + LP_TCP_SUM, 0);
	lp_put16(headers->tcp + LP_TCP_SUM, (uint16_t)~tcp_sum(headers));
	if (v6)
		return;
	lp_put16(headers->ip + LP_IP4_SUM, 0);
	lp_put16(headers->ip + LP_IP4_SUM, (uint16_t)~ip_sum(headers));
}

static void
check(const struct lp_conn *conn, enum lp_direction dir, bool v6)
{
	uint16_t flip = dir == LP_TO_BROKER ? 0 : 0xffff;
	struct ends sent = ends_of(conn, dir, true);
	struct ends received = ends_of(conn, dir, false);
	struct headers headers;
	uint16_t was;

	make(&headers, &sent, v6);
	ck_assert_uint_eq(tcp_sum(&headers), 0xffff);
	was = addresses_sum(&headers, be16toh(conn->sum_addresses ^ flip));
	write_ends(&headers, &received);
	/* Both zeros are one number. */
	ck_assert_uint_eq(addresses_sum(&headers, 0) % 0xffff, was % 0xffff);
	lp_sum_update(headers.tcp + LP_TCP_SUM, conn->sum_all ^ flip);
	ck_assert_uint_eq(tcp_sum(&headers), 0xffff);
	if (v6)
		return;
	lp_sum_update(headers.ip + LP_IP4_SUM, conn->sum_addresses ^ flip);
	ck_assert_uint_eq(ip_sum(&headers), 0xffff);
}

START_TEST(sums_are_right_after_a_translation_either_way)
{
	for (unsigned i = 0; i < 20000; i++) {
		bool v6 = i % 2;
		struct lp_conn conn = draw_conn(v6);
		uint32_t index = lp_conntrack_add(&conntrack, &conn, NOW);

		check(lp_conntrack_get(&conntrack, index), LP_TO_BROKER, v6);
		check(lp_conntrack_get(&conntrack, index), LP_TO_CLIENT, v6);
		/* They are not kept over a restart, but made anew. */
		if (i % 100 == 0) {
			lp_conntrack_get(&conntrack, index)->sum_all ^= 0x55;
			conntrack_anew(i, NOW);
			check(lp_conntrack_get(&conntrack, index), LP_TO_BROKER,
			    v6);
		}
		lp_conntrack_remove(&conntrack, index);
	}
}
END_TEST

static void
setup(void)
{
	conntrack_open(COUNT, NOW);
}

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, conntrack_close);
	tcase_add_test(tests, sums_are_right_after_a_translation_either_way);
}

int
main(void)
{
	return plane_main("conntrack_sums", add);
}
