/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a trace says of a packet is what then becomes of it: verdict, reason,
 * and the bytes that leave; and nothing comes of the trace.
 */
#include "dataplane/trace.h"

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/pipeline/capture.h"
#include "dataplane/pipeline/neighbor.h"
#include "dataplane/trace_text.h"
#include "tests/proto/objects.h"
#include "tests/support/ensure.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

#define C4 "tcp 10.9.0.50:40000 > 10.9.0.100:9100 "
#define B4 "tcp 10.8.0.20:9092 > 10.8.0.10:$ "
#define C6 "tcp [2001:db8:9::50]:40000 > [2001:db8:9::100]:9101 "

enum {
	CONNECTIONS = LP_CONNECTIONS_MIN,
	ROUNDS = 400, /* of packets at random */
	NEIGHBOR_BYTES = LP_NEIGHBORS_MAX * sizeof(struct lp_neighbor),
};

static struct lp_trace_result result;

/* All that a packet could change, as it is now. */
struct state {
	struct lp_stats stats;
	struct lp_endpoint_stats endpoints[LP_ENDPOINTS_MAX];
	struct lp_conn connections[CONNECTIONS];
	uint8_t neighbors[NEIGHBOR_BYTES];
};
static struct state before, after;

static void
look(struct state *state)
{
	memcpy(&state->stats, plane.region.stats, sizeof(state->stats));
	memcpy(
	    state->endpoints, plane.region.endpoints, sizeof(state->endpoints));
	memcpy(state->connections, plane.region.connections,
	    sizeof(state->connections));
	memcpy(state->neighbors, lp_pipeline_neighbors(plane.pipeline)->entries,
	    sizeof(state->neighbors));
}

static struct lp_trace_source
source(void)
{
	return (struct lp_trace_source){
	    .snapshot = lp_snapshot_get(&plane.cell),
	    .region = &plane.region,
	    .pipeline = plane.pipeline,
	    .config = &plane.config,
	    .now_ns = plane.now_ns,
	};
}

static struct lp_trace *
new_trace(void)
{
	struct lp_trace *trace;

	ensure(lp_trace_new(&trace, plane.seed, plane.now_ns) == 0,
	    "no memory for a trace");
	return trace;
}

/* One packet in that trace; nothing comes of it. */
static int
run(struct lp_trace *trace, uint8_t slot, const struct packet *packet)
{
	const struct lp_trace_source from = source();
	const struct lp_trace_packet one = {
	    .bytes = packet->bytes, .len = (uint16_t)packet->len, .slot = slot};
	int error;

	look(&before);
	lp_trace_begin(trace, &from, &one, 1);
	error = lp_trace_run(trace, &one, &result);
	look(&after);
	ck_assert_int_eq(memcmp(&before, &after, sizeof(before)), 0);
	plane_quiet();
	return error;
}

static void
trace_text(struct lp_trace *trace, uint8_t slot, const char *text)
{
	struct packet packet;

	plane_build(&packet, slot, text);
	ck_assert_int_eq(run(trace, slot, &packet), 0);
}

/* The worker chooses the source port of a new connection by itself. */
static void
blank_source_port(uint8_t *bytes)
{
	uint8_t *tcp = bytes + 14 + (bytes[12] == 0x86 ? 40 : 20);

	memset(tcp, 0, 2);
	memset(tcp + 16, 0, 2);
}

/* Takes a frame like that of the trace out of what has left. */
static bool
take_like(const struct lp_trace_output *output, bool opened)
{
	struct plane_out *out = &plane.out[output->slot];
	uint8_t expected[LP_TRACE_PACKET_MAX];

	memcpy(expected, output->bytes, output->cut);
	if (opened && !output->made)
		blank_source_port(expected);
	for (unsigned i = out->tail; i != out->head; i++) {
		struct packet *frame = &out->frames[i % PLANE_OUT_MAX];
		struct packet is = *frame;

		if (opened && !output->made)
			blank_source_port(is.bytes);
		if (is.len != output->len ||
		    memcmp(is.bytes, expected, output->cut) != 0)
			continue;
		*frame = out->frames[out->tail % PLANE_OUT_MAX];
		out->tail++;
		return true;
	}
	return false;
}

/* Traced, then sent in: both must agree. */
static void
agree_on(uint8_t slot, const struct packet *packet, const char *text)
{
	struct lp_trace *trace = new_trace();
	uint64_t reason, verdict;

	ck_assert_int_eq(run(trace, slot, packet), 0);
	reason = lp_count_get(&plane.region.stats->reasons[result.reason]);
	verdict = lp_count_get(&plane.region.stats->verdicts[result.verdict]);
	plane.helpful = false;
	ck_assert(plane_inject(slot, packet->bytes, packet->len));
	plane_run();
	plane.helpful = true;
	ck_assert_msg(
	    lp_count_get(&plane.region.stats->reasons[result.reason]) ==
		reason + 1,
	    "%s: not %s", text, lp_reason_name(result.reason));
	ck_assert_uint_eq(
	    lp_count_get(&plane.region.stats->verdicts[result.verdict]),
	    verdict + 1);
	for (unsigned i = 0; i < result.output_count; i++)
		ck_assert_msg(take_like(&result.outputs[i], result.opened),
		    "%s: output %u has not left", text, i);
	plane_quiet();
	/* The stage that has decided says so, and no other. */
	ck_assert_str_eq(result.stages[result.stage_count - 1].name, "tx");
	ck_assert_uint_eq(
	    result.stages[result.stage_count - 2].verdict, result.verdict);
	ck_assert_uint_eq(
	    result.stages[result.stage_count - 2].reason, result.reason);
	for (unsigned i = 0; i + 2 < result.stage_count; i++)
		ck_assert_uint_eq(result.stages[i].verdict, LP_UNDECIDED);
	for (unsigned i = 0; i < result.stage_count; i++)
		ck_assert_str_ne(result.stages[i].text, "");
	lp_trace_free(trace);
}

static void
agree(uint8_t slot, const char *text)
{
	struct packet packet;

	plane_build(&packet, slot, text);
	agree_on(slot, &packet, text);
}

/* An established connection of IPv4, and next hops known. */
static void
setup(void)
{
	static const struct plane_row opening[] = {
	    {PLANE_IN, 0, C4 "S seq=1000 mss=1460 ws=7"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$* > 10.8.0.20:9092 S seq=1000"},
	    {PLANE_IN, 1, B4 "SA seq=5000 ack=1001 mss=1460 ws=8"},
	    {PLANE_OUT, 0, "tcp 10.9.0.100:9100 > 10.9.0.50:40000 SA"},
	    {PLANE_IN, 0, C4 "A seq=1001 ack=5001"},
	    {PLANE_OUT, 1, "tcp 10.8.0.10:$ > 10.8.0.20:9092 A"},
	};

	plane_open(CONNECTIONS);
	plane_run();
	PLANE_ROWS(opening);
}

/* One after the other: the state of each is what the others have left. */
static const struct {
	uint8_t slot;
	const char *text;
	enum lp_reason reason;
} packets[] = {
    {0, C4 "PA seq=1001 ack=5001 len=700", LP_REASON_FORWARDED},
    {1,
	"unreach 10.8.0.1 > 10.8.0.10 code=4 mtu=1400 / tcp 10.8.0.10:$ > "
	"10.8.0.20:9092 A seq=1001 len=700",
	LP_REASON_ICMP_TRANSLATED},
    {1, B4 "A seq=5001 ack=1701 len=1400", LP_REASON_FORWARDED},
    {0, C4 "A seq=1200000000 ack=5001", LP_REASON_OUT_OF_WINDOW},
    {1, C4 "A seq=1701 ack=5001", LP_REASON_WRONG_SIDE},
    {0, C4 "A seq=1701 ack=5001 ttl=1", LP_REASON_TTL},
    {0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S seq=1 badsum=1",
	LP_REASON_TCP_CHECKSUM},
    {0, "tcp 10.9.0.50:40001 > 10.9.0.100:9100 S seq=1 mss=9000",
	LP_REASON_OPENED},
    {0, "tcp 10.9.0.50:40002 > 10.9.0.100:9092 S seq=1",
	LP_REASON_NEIGHBOR_PENDING},
    {0, "tcp 10.9.0.50:40003 > 10.9.0.101:9100 S seq=1", LP_REASON_OPENED},
    {0, "tcp 10.9.0.50:40004 > 10.9.0.100:9999 S seq=1",
	LP_REASON_RESET_CLOSED_PORT},
    {0, "tcp 10.9.0.50:40005 > 10.9.0.100:9100 A seq=1 ack=1",
	LP_REASON_RESET_UNKNOWN},
    {0, "tcp 10.9.0.50:40006 > 10.9.0.100:9100 R seq=1",
	LP_REASON_NO_CONNECTION},
    {0, "tcp 10.9.0.50:40007 > 10.9.0.77:9100 S seq=1", LP_REASON_NOT_OURS},
    {0, "tcp 10.9.0.10:40008 > 10.9.0.100:9100 S seq=1", LP_REASON_IP_SOURCE},
    {0, "tcp 10.9.0.50:40009 > 10.9.0.100:9100 SF seq=1", LP_REASON_TCP_HEADER},
    {0, "tcp 10.9.0.50:40009 > 10.9.0.100:9100 S frag=0x2000",
	LP_REASON_IP_FRAGMENT},
    {0, "tcp 10.9.0.50:40009 > 10.9.0.100:9100 S vlan=7", LP_REASON_VLAN},
    {0, "tcp 10.9.0.50:40009 > 10.9.0.100:9100 S badip=1",
	LP_REASON_IP_CHECKSUM},
    {0, C6 "S seq=7", LP_REASON_NEIGHBOR_PENDING},
    {0, "echo 10.9.0.50 > 10.9.0.100 id=1 len=56", LP_REASON_ECHO},
    {0, "echo [2001:db8:9::50] > [2001:db8:9::100] id=1 len=56",
	LP_REASON_ECHO},
    {0, "arp-request 10.9.0.50 > 10.9.0.100", LP_REASON_ARP},
    {0, "arp-request 10.9.0.51 > 10.9.0.77", LP_REASON_ARP},
    {1,
	"unreach 10.8.0.1 > 10.8.0.10 code=4 mtu=1400 / tcp 10.8.0.10:9 > "
	"10.8.0.20:9092 A seq=1001 len=700",
	LP_REASON_ICMP_UNKNOWN},
    {0, C4 "R seq=1701", LP_REASON_FORWARDED},
};

START_TEST(a_trace_and_the_pipeline_agree_on_every_packet)
{
	for (size_t i = 0; i < sizeof(packets) / sizeof(packets[0]); i++) {
		agree(packets[i].slot, packets[i].text);
		ck_assert_msg(result.reason == packets[i].reason, "%s: %s",
		    packets[i].text, lp_reason_name(result.reason));
	}
}
END_TEST

/*
 * Bytes of those packets changed at random, with checksums that are right more
 * often than not: time goes by, so that RSTs are not limited.
 */
START_TEST(a_trace_and_the_pipeline_agree_on_packets_at_random)
{
	unsigned seed = (unsigned)time(NULL);
	unsigned rows = sizeof(packets) / sizeof(packets[0]) - 1;

	printf("a_trace_and_the_pipeline_agree_on_packets_at_random: seed %u\n",
	    seed);
	for (int round = 0; round < ROUNDS; round++) {
		unsigned row = (unsigned)rand_r(&seed) % rows;
		struct packet packet;
		char text[PACKET_TEXT_SIZE];
		int n;

		/* Few tuples, or the table would only fill. */
		n = snprintf(text, sizeof(text), "%s", packets[row].text);
		if (strncmp(text, "tcp", 3) == 0 && rand_r(&seed) % 2 == 0)
			snprintf(text + n, sizeof(text) - (size_t)n, " @%u=%u",
			    14 + (unsigned)rand_r(&seed) % 40,
			    (unsigned)rand_r(&seed) % 256);
		plane_build(&packet, packets[row].slot, text);
		if (rand_r(&seed) % 4 == 0)
			packet.bytes[(unsigned)rand_r(&seed) % packet.len] =
			    (uint8_t)rand_r(&seed);
		if (rand_r(&seed) % 8 == 0)
			packet.len = 1 + (unsigned)rand_r(&seed) % packet.len;
		agree_on(packets[row].slot, &packet, text);
		plane_wait_ms(1);
		plane_forget();
	}
}
END_TEST

START_TEST(without_a_connection_of_the_worker_the_first_port_is_the_same)
{
	struct lp_trace *trace;
	struct lp_conn *conn;

	plane_close();
	plane_open(CONNECTIONS);
	plane_run();
	trace = new_trace();
	trace_text(trace, 0, C4 "S seq=1");
	ck_assert(result.opened);
	plane_in(0, C4 "S seq=1");
	conn = plane_connection(0);
	ck_assert_uint_eq(conn->source_port, result.conn.source_port);
	plane_forget();
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_live_connection_is_known_by_its_serial)
{
	struct lp_trace *trace = new_trace();

	trace_text(trace, 1, B4 "A seq=5001 ack=1001");
	ck_assert(result.has_conn);
	ck_assert_uint_eq(result.conn.serial, plane_connection(0)->serial);
	ck_assert_uint_eq(result.dir, LP_TO_CLIENT);
	ck_assert(!result.opened);
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_connection_in_the_middle_of_a_change_is_not_known)
{
	struct lp_trace *trace = new_trace();
	uint32_t index =
	    (uint32_t)(plane_connection(0) - plane.region.connections);

	lp_region_begin(&plane.region, index);
	trace_text(trace, 0, C4 "A seq=1001 ack=5001");
	lp_region_end(&plane.region);
	ck_assert_uint_eq(result.reason, LP_REASON_RESET_UNKNOWN);
	lp_trace_free(trace);
}
END_TEST

START_TEST(what_a_packet_opens_the_next_one_of_its_trace_knows)
{
	struct lp_trace *trace = new_trace();
	struct lp_trace *other = new_trace();

	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	ck_assert(result.opened);
	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	ck_assert(!result.opened);
	ck_assert_uint_eq(result.reason, LP_REASON_FORWARDED);
	ck_assert_uint_eq(result.conn.serial, 0);
	trace_text(other, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	ck_assert(result.opened);
	lp_trace_free(trace);
	lp_trace_free(other);
	ck_assert_uint_eq(plane_connections(), 1);
}
END_TEST

static const char *
said_by(const char *stage)
{
	for (unsigned i = 0; i < result.stage_count; i++)
		if (strcmp(result.stages[i].name, stage) == 0)
			return result.stages[i].text;
	ck_abort_msg("it did not come to %s", stage);
	return NULL;
}

/* A file with both sides of a connection that is over. */
START_TEST(what_a_broker_sends_is_traced_while_its_connection_lives)
{
	static const char no[] = "no connection has these addresses and ports";
	static const char other[] = "has another source port";
	struct lp_trace *trace = new_trace();

	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	ck_assert(result.opened);
	trace_text(trace, 1, "tcp 10.8.0.20:9092 > 10.8.0.10:9 SA seq=1 ack=2");
	ck_assert_uint_eq(result.reason, LP_REASON_RESET_UNKNOWN);
	ck_assert_ptr_nonnull(strstr(said_by("conntrack"), other));
	/* Of the very one that lives, and of nobody's. */
	trace_text(trace, 1, B4 "A seq=5001 ack=1001");
	ck_assert_uint_eq(result.reason, LP_REASON_FORWARDED);
	trace_text(trace, 1, "tcp 10.8.0.77:9092 > 10.8.0.10:9 SA seq=1 ack=2");
	ck_assert_str_eq(said_by("conntrack"), no);
	/* The same, as it left. */
	trace_text(trace, 0, "tcp 10.9.0.100:9100 > 10.9.0.50:41000 SA ack=2");
	ck_assert_uint_eq(result.reason, LP_REASON_NOT_OURS);
	ck_assert_ptr_nonnull(strstr(said_by("conntrack"), "but leaves"));
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_next_hop_that_is_not_known_would_be_asked_for)
{
	struct lp_trace *trace = new_trace();

	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9101 S seq=1");
	ck_assert_uint_eq(result.verdict, LP_HOLD);
	ck_assert(result.has_hop && !result.has_hop_mac);
	ck_assert_uint_eq(result.output_count, 1);
	ck_assert(result.outputs[0].made);
	ck_assert_uint_eq(result.outputs[0].slot, BACK_SLOT);
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_next_hop_that_is_known_has_its_mac)
{
	static const uint8_t mac[6] = {2, 0x10, 0, 0, 0, 0x14};
	struct lp_trace *trace = new_trace();

	trace_text(trace, 0, C4 "A seq=1001 ack=5001");
	ck_assert(result.has_hop && result.has_hop_mac);
	ck_assert_mem_eq(result.hop_mac, mac, sizeof(mac));
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_silent_next_hop_is_silent_in_a_trace)
{
	struct lp_trace *trace;

	plane.helpful = false;
	plane_in(0, "tcp 10.9.0.50:41000 > 10.9.0.100:9101 S seq=1");
	for (int i = 0; i < LP_NEIGHBOR_PROBES_MAX + 1; i++)
		plane_wait_ms(LP_NEIGHBOR_RETRY_MS + 100);
	plane_forget();
	trace = new_trace();
	trace_text(trace, 0, "tcp 10.9.0.50:41001 > 10.9.0.100:9101 S seq=1");
	ck_assert_uint_eq(result.reason, LP_REASON_RESET_UNREACHABLE);
	ck_assert(result.opened);
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_removed_broker_is_gone_for_a_trace_that_goes_on)
{
	struct lp_trace *trace = new_trace();

	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, PAYMENTS_PUBLIC_0);
	lp_config_remove(&plane.config, LP_OBJECT_ENDPOINT, LEGACY_0);
	lp_config_remove(&plane.config, LP_OBJECT_BROKER, PAYMENTS_0);
	plane_publish();
	plane_run();
	plane_forget();
	trace_text(trace, 0, "tcp 10.9.0.50:41000 > 10.9.0.100:9100 S seq=1");
	ck_assert_uint_eq(result.reason, LP_REASON_RESET_CLOSED_PORT);
	lp_trace_free(trace);
}
END_TEST

START_TEST(without_a_configuration_a_packet_is_dropped)
{
	struct lp_trace *trace = new_trace();
	struct lp_trace_source none = source();
	struct packet packet;
	struct lp_trace_packet one = {.slot = 0};

	plane_build(&packet, 0, C4 "S seq=1");
	one.bytes = packet.bytes;
	one.len = (uint16_t)packet.len;
	none.snapshot = NULL;
	none.pipeline = NULL;
	lp_trace_begin(trace, &none, &one, 1);
	/* Nobody receives: there is no port. */
	ck_assert_int_eq(lp_trace_run(trace, &one, &result), -ENOBUFS);
	lp_trace_free(trace);
}
END_TEST

/* Of a stage that this page does not know; its name is any. */
START_TEST(what_a_stage_notes_is_what_it_says)
{
	static _Alignas(64) uint8_t ring[4096];
	static struct lp_batch batch;
	struct lp_capture capture = {.slots = 1,
	    .stride = lp_capture_stride(0),
	    .count = 2,
	    .entries = ring,
	    .region = &plane.region};
	struct lp_trace_text what = {.stage = "kafka",
	    .batch = &batch,
	    .pkt = &batch.pkts[0],
	    .result = &result,
	    .config = &plane.config};
	char text[LP_TRACE_TEXT_SIZE];
	uint8_t frame[64] = {0};

	batch.capture = &capture;
	batch.count = 1;
	batch.pkts[0] = (struct lp_pkt){.data = frame,
	    .len = sizeof(frame),
	    .conn = (uint32_t)(plane_connection(0) - plane.region.connections)};
	lp_capture_received(&batch);
	lp_capture_text(
	    lp_capture_note(&batch, &batch.pkts[0]), "Produce v9", 10);
	lp_trace_text_stage(text, &what);
	ck_assert_str_eq(text, "Produce v9");
}
END_TEST

START_TEST(a_slot_without_a_port_is_said)
{
	struct lp_trace *trace = new_trace();
	struct packet packet;

	plane_build(&packet, 0, C4 "S seq=1");
	ck_assert_int_eq(run(trace, 7, &packet), -ENODEV);
	lp_trace_free(trace);
}
END_TEST

START_TEST(a_packet_of_any_length_is_traced)
{
	struct lp_trace *trace = new_trace();
	struct packet whole;

	plane_build(&whole, 0, C4 "PA seq=1001 ack=5001 len=20 mss=1460");
	for (size_t len = 0; len <= whole.len; len++) {
		struct packet packet = {.len = len};

		memcpy(packet.bytes, whole.bytes, len);
		ck_assert_int_eq(run(trace, 0, &packet), 0);
		ck_assert_uint_ne(result.verdict, LP_UNDECIDED);
	}
	ck_assert_uint_eq(result.verdict, LP_FORWARD);
	lp_trace_free(trace);
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, a_trace_and_the_pipeline_agree_on_every_packet);
	tcase_add_test(
	    tests, a_trace_and_the_pipeline_agree_on_packets_at_random);
	tcase_add_test(tests,
	    without_a_connection_of_the_worker_the_first_port_is_the_same);
	tcase_add_test(tests, a_live_connection_is_known_by_its_serial);
	tcase_add_test(
	    tests, a_connection_in_the_middle_of_a_change_is_not_known);
	tcase_add_test(
	    tests, what_a_packet_opens_the_next_one_of_its_trace_knows);
	tcase_add_test(
	    tests, what_a_broker_sends_is_traced_while_its_connection_lives);
	tcase_add_test(tests, a_next_hop_that_is_not_known_would_be_asked_for);
	tcase_add_test(tests, a_next_hop_that_is_known_has_its_mac);
	tcase_add_test(tests, a_silent_next_hop_is_silent_in_a_trace);
	tcase_add_test(
	    tests, a_removed_broker_is_gone_for_a_trace_that_goes_on);
	tcase_add_test(tests, without_a_configuration_a_packet_is_dropped);
	tcase_add_test(tests, what_a_stage_notes_is_what_it_says);
	tcase_add_test(tests, a_slot_without_a_port_is_said);
	tcase_add_test(tests, a_packet_of_any_length_is_traced);
}

int
main(void)
{
	return plane_main("trace", add);
}
