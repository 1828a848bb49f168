/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On memory ports: the front port is alone, the back one is not.  The groups
 * of the front one are those of its own address and of two VIPs.
 */
#include "dataplane/pipeline/mld.h"

#include <check.h>
#include <stdio.h>

#include "tests/proto/objects.h"
#include "tests/support/plane.h"
#include "tests/support/plane_main.h"

enum {
	RECORDS_MAX = 61, /* in 1280 bytes */
	MANY = 250, /* VIPs more */
	V1_MS = 260000,
};

#define REPORT                                                                 \
	"mld-report :: > ff02::16 ttl=1 alert=0 dmac=33:33:00:00:00:16 "       \
	"smac=02:00:00:00:00:00 "
#define OURS "n=3 g0=ff02::1:ff00:10 g1=ff02::1:ff00:100 g2=ff02::1:ff00:101 "
#define NEW REPORT "rec=4 "
#define ANSWER REPORT "rec=2 "
#define QUERY "mld-query fe80::1 > ff02::1 "
#define QUERY_10 "mld-query fe80::1 > ff02::1:ff00:10 group=ff02::1:ff00:10 "
#define V1_10                                                                  \
	"mld-report1 :: > ff02::1:ff00:10 group=ff02::1:ff00:10 delay=0 "      \
	"ttl=1 "                                                               \
	"alert=0 dmac=33:33:ff:00:00:10 total=72"
#define V1_100                                                                 \
	"mld-report1 :: > ff02::1:ff00:100 group=ff02::1:ff00:100 "            \
	"dmac=33:33:ff:00:01:00"
#define V1_101 "mld-report1 :: > ff02::1:ff00:101 group=ff02::1:ff00:101"

static void
open_plane(void)
{
	struct lp_config config;

	plane_config(&config);
	plane_open_with(LP_CONNECTIONS_MIN, &config);
	plane.helpful = false;
	plane_port(FRONT_SLOT, FRONT, "alone");
	plane_port(BACK_SLOT, BACK, "");
	plane_publish();
	plane_run();
}

/* What was to be said at start has been. */
static void
setup(void)
{
	open_plane();
	plane_wait_ms(1500);
	plane_wait_ms(1500);
	plane_forget();
}

/* The next frame that is no announcement; false: there is none. */
static bool
take(uint8_t slot)
{
	while (plane_take(slot))
		if (strncmp(plane.text, "mld-", 4) == 0)
			return true;
	return false;
}

static void
expect(uint8_t slot, const char *text)
{
	ck_assert_msg(take(slot), "no report, not even %s", text);
	ck_assert_msg(packet_matches(plane.text, text), "expected %s\ngot %s",
	    text, plane.text);
}

static void
expect_none(void)
{
	for (uint8_t slot = 0; slot < LP_PORTS_MAX; slot++)
		ck_assert_msg(
		    !take(slot), "port %u has sent %s", slot, plane.text);
}

static void
add_listener(uint32_t id, const char *vip)
{
	char name[32];

	snprintf(name, sizeof(name), "listener%u", id);
	put(&plane.config, make_listener(id, LEGACY + 10, name, vip));
}

/* Of a cluster without brokers, which need no endpoints. */
static void
add_cluster(void)
{
	put(&plane.config, make_cluster(LEGACY + 10, "empty"));
}

/* 2001:db8:a::1:0 and on. */
static void
add_many(void)
{
	char vip[64];

	add_cluster();
	for (unsigned i = 0; i < MANY; i++) {
		snprintf(vip, sizeof(vip), "[2001:db8:a::1:%x]:9092", i);
		add_listener(100 + i, vip);
	}
	plane_publish();
	plane_run();
}

START_TEST(groups_are_reported_twice_at_start)
{
	plane_restart();
	plane_run();
	expect(FRONT_SLOT, NEW OURS "total=116 frame=130");
	expect_none();
	plane_wait_ms(990);
	expect_none();
	plane_wait_ms(20);
	expect(FRONT_SLOT, NEW OURS);
	expect_none();
	plane_wait_ms(100000);
	expect_none();
}
END_TEST

START_TEST(a_report_goes_before_announcements)
{
	plane_restart();
	plane_run();
	plane_expect(FRONT_SLOT, NEW);
}
END_TEST

START_TEST(later_only_new_groups_are_reported)
{
	add_cluster();
	add_listener(60, "[2001:db8:9::1:200]:9092");
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW "n=1 g0=ff02::1:ff01:200");
	expect_none();
	plane_wait_ms(1010);
	expect(FRONT_SLOT, NEW "n=1 g0=ff02::1:ff01:200");
	plane_publish();
	plane_run();
	plane_wait_ms(2000);
	expect_none();
}
END_TEST

START_TEST(what_comes_meanwhile_is_reported_twice_too)
{
	add_cluster();
	add_listener(60, "[2001:db8:9::200]:9092");
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW "n=1 g0=ff02::1:ff00:200");
	plane_wait_ms(500);
	add_listener(61, "[2001:db8:9::300]:9092");
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW "n=1 g0=ff02::1:ff00:300");
	expect_none();
	plane_wait_ms(1010);
	expect(FRONT_SLOT, NEW "n=2 g0=ff02::1:ff00:200 g1=ff02::1:ff00:300");
	plane_wait_ms(2000);
	expect_none();
}
END_TEST

START_TEST(an_address_without_a_group_of_its_own_is_not_reported)
{
	add_cluster();
	/* IPv4; and one that ends like another. */
	add_listener(60, "10.9.0.102:9092");
	add_listener(61, "[2001:db8:a::100]:9092");
	plane_publish();
	plane_run();
	plane_wait_ms(2000);
	expect_none();
}
END_TEST

START_TEST(a_port_that_comes_back_reports_again)
{
	plane.ports.port[FRONT_SLOT] = NULL;
	plane_publish();
	plane_run();
	expect_none();
	plane.ports.port[FRONT_SLOT] = plane.wires[FRONT_SLOT];
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW OURS);
	expect_none();
}
END_TEST

START_TEST(a_port_whose_link_comes_up_reports_again)
{
	plane.wires[FRONT_SLOT]->incarnation++;
	plane.wires[BACK_SLOT]->incarnation++;
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW OURS);
	plane_wait_ms(1010);
	expect(FRONT_SLOT, NEW OURS);
	expect_none();
}
END_TEST

START_TEST(every_port_reports_its_own_groups)
{
	plane.wires[BACK_SLOT]->alone = true;
	plane_publish();
	plane_run();
	expect(BACK_SLOT,
	    "mld-report :: > ff02::16 rec=4 n=1 g0=ff02::1:ff00:10 "
	    "smac=02:00:00:00:00:01");
	expect_none();
}
END_TEST

START_TEST(a_query_is_answered)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, QUERY "delay=0"},
	    {PLANE_OUT, 0, ANSWER OURS},
	    {PLANE_REASON, 0, "mld"},
	    {PLANE_WAIT_MS, 0, "5000"},
	    {PLANE_IN, 0, QUERY_10},
	    {PLANE_OUT, 0, ANSWER "n=1 g0=ff02::1:ff00:10"},
	    {PLANE_WAIT_MS, 0, "5000"},
	    /* The querier may ask for sources, too; or of one of us. */
	    {PLANE_IN, 0, QUERY_10 "len=60"},
	    {PLANE_OUT, 0, ANSWER "n=1 g0=ff02::1:ff00:10"},
	    {PLANE_IN, 0, "mld-query fe80::1 > 2001:db8:9::10"},
	    {PLANE_OUT, 0, ANSWER OURS},
	    /* Padding before router alert. */
	    {PLANE_IN, 0, QUERY "@56=0 @57=0 @58=5 @59=2 @60=0 @61=0"},
	    {PLANE_OUT, 0, ANSWER OURS},
	    {PLANE_IN, 0, QUERY "@56=1 @57=0 @58=5 @59=2 @60=0 @61=0"},
	    {PLANE_OUT, 0, ANSWER OURS},
	    {PLANE_WAIT_MS, 0, "5000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(an_answer_comes_within_the_delay_and_within_a_second)
{
	static const struct {
		const char *query;
		uint64_t within_ms;
	} all[] = {{QUERY "delay=1", 1}, {QUERY "delay=300", 300},
	    {QUERY "delay=300 len=60", 300}, {QUERY "delay=32767", 1000},
	    /* 4 s, as a floating point number. */
	    {QUERY "delay=0x8000", 1000}, {QUERY "delay=0xffff", 1000}};
	unsigned at_once = 0;

	for (unsigned turn = 0; turn < 20; turn++) {
		bool now;

		plane_in(FRONT_SLOT, all[_i].query);
		now = take(FRONT_SLOT);
		at_once += now;
		plane_wait_ms(all[_i].within_ms);
		ck_assert(take(FRONT_SLOT) != now);
		plane_wait_ms(3000 + turn);
		expect_none();
	}
	/* Spread: hardly ever at once, unless it is one of two. */
	ck_assert_uint_le(at_once, all[_i].within_ms > 1 ? 3 : 19);
}
END_TEST

START_TEST(many_queries_have_one_answer)
{
	for (unsigned i = 0; i < 100; i++)
		plane_queue(FRONT_SLOT,
		    i % 2 ? QUERY_10 "delay=1000" : QUERY "delay=1000");
	plane_run();
	plane_wait_ms(1000);
	expect(FRONT_SLOT, ANSWER OURS);
	expect_none();
	ck_assert_uint_eq(plane_reason(LP_REASON_MLD), 100);
}
END_TEST

START_TEST(a_query_for_groups_of_others_is_not_answered)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, QUERY "group=ff02::1:ff00:77"},
	    {PLANE_REASON, 0, "mld"},
	    {PLANE_IN, 0, QUERY "group=ff02::fb"},
	    {PLANE_IN, 0, QUERY "group=ff02::1"},
	    {PLANE_IN, 0, QUERY "group=ff05::1:ff00:10"},
	    {PLANE_IN, 0, QUERY "group=2001:db8:9::10"},
	    {PLANE_REASON, 0, "mld"},
	    {PLANE_WAIT_MS, 0, "2000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_querier_of_the_first_version_has_reports_of_it)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 0, QUERY "v=1"},
	    {PLANE_OUT, 0, V1_10},
	    {PLANE_OUT, 0, V1_100},
	    {PLANE_OUT, 0, V1_101},
	    {PLANE_REASON, 0, "mld"},
	    {PLANE_WAIT_MS, 0, "2000"},
	    {PLANE_IN, 0, QUERY_10 "v=1"},
	    {PLANE_OUT, 0, V1_10},
	    /* RFC 3810, 8.2.1: it also has them if another asks. */
	    {PLANE_WAIT_MS, 0, "200000"},
	    {PLANE_IN, 0, QUERY_10 "v=2"},
	    {PLANE_OUT, 0, V1_10},
	    {PLANE_WAIT_MS, 0, "60001"},
	    {PLANE_IN, 0, QUERY_10 "v=2"},
	    {PLANE_OUT, 0, ANSWER "n=1"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(a_querier_of_the_first_version_has_reports_of_what_is_new)
{
	plane_in(FRONT_SLOT, QUERY_10 "v=1");
	expect(FRONT_SLOT, V1_10);
	add_cluster();
	add_listener(60, "[2001:db8:9::200]:9092");
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, "mld-report1 :: > ff02::1:ff00:200 type=131");
	plane_wait_ms(1010);
	expect(FRONT_SLOT, "mld-report1 :: > ff02::1:ff00:200 type=131");
	expect_none();
	/* Another link, perhaps another querier. */
	plane.wires[FRONT_SLOT]->incarnation++;
	plane_publish();
	plane_run();
	expect(FRONT_SLOT, NEW "n=4");
}
END_TEST

START_TEST(a_bad_query_is_dropped)
{
	static const struct {
		const char *text, *reason;
	} all[] = {
	    {QUERY "ttl=2", "mld_invalid"},
	    {QUERY "ttl=255", "mld_invalid"},
	    {QUERY "badsum=1", "mld_invalid"},
	    {QUERY "ext=none", "mld_invalid"},
	    {QUERY "ext=hop", "mld_invalid"},
	    {QUERY "ext=dst", "mld_invalid"},
	    {QUERY "@57=3", "mld_invalid"},
	    {QUERY "@56=1 @57=255", "mld_invalid"},
	    {QUERY "@56=0 @57=0 @58=0 @59=0 @60=5 @61=2", "mld_invalid"},
	    {QUERY "@56=0 @57=0 @58=0 @59=0 @60=0 @61=5", "mld_invalid"},
	    {QUERY "len=23", "mld_invalid"},
	    {QUERY "len=25", "mld_invalid"},
	    {QUERY "len=27", "mld_invalid"},
	    {QUERY "len=8", "mld_invalid"},
	    {QUERY "len=7", "icmp_invalid"},
	    {QUERY "cut=80", "ip_header"},
	    {"mld-query 2001:db8:9::1 > ff02::1", "mld_invalid"},
	    {"mld-query fec0::1 > ff02::1", "mld_invalid"},
	    {"mld-query 2001:db8:9::100 > ff02::1", "mld_invalid"},
	    {"mld-query :: > ff02::1", "ip_source"},
	    {"mld-query ff02::1 > ff02::1", "ip_source"},
	    /* What others report. */
	    {"icmp fe80::2 > ff02::16 ttl=1 ext=alert type=143", "not_ours"},
	};
	const struct plane_row rows[] = {
	    {PLANE_IN, 0, all[_i].text},
	    {PLANE_REASON, 0, all[_i].reason},
	    {PLANE_WAIT_MS, 0, "2000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

START_TEST(on_a_port_that_is_not_alone_a_query_is_the_kernels)
{
	static const struct plane_row rows[] = {
	    {PLANE_IN, 1, QUERY},
	    {PLANE_REASON, 0, "not_ours"},
	    {PLANE_IN, 1, QUERY "badsum=1"},
	    {PLANE_REASON, 0, "icmp_invalid"},
	    {PLANE_WAIT_MS, 0, "2000"},
	};

	PLANE_ROWS(rows);
}
END_TEST

/* Reports of the front port until there are none: records, and packets. */
static unsigned
count_records(unsigned *packets)
{
	unsigned records = 0;

	*packets = 0;
	while (take(FRONT_SLOT)) {
		unsigned long n = packet_number(plane.text, "n", 0);

		ck_assert(packet_matches(plane.text, REPORT));
		ck_assert_uint_le(n, RECORDS_MAX);
		ck_assert_uint_le(plane.frame.len, 14 + 1280);
		records += (unsigned)n;
		(*packets)++;
	}
	return records;
}

START_TEST(many_groups_are_reported_by_several_packets)
{
	unsigned packets, records;

	add_many();
	records = count_records(&packets);
	ck_assert_uint_eq(packets, 4);
	ck_assert_uint_eq(records, 4 * RECORDS_MAX);
	/* Not all at once. */
	plane_wait_ms(1);
	ck_assert_uint_eq(count_records(&packets), MANY - records);
	ck_assert_uint_eq(packets, 1);
	plane_wait_ms(1001);
	records = count_records(&packets);
	plane_wait_ms(1);
	ck_assert_uint_eq(records + count_records(&packets), MANY);
	plane_in(FRONT_SLOT, QUERY);
	records = count_records(&packets);
	plane_wait_ms(1);
	ck_assert_uint_eq(records + count_records(&packets), MANY + 3);
	plane_wait_ms(2000);
	expect_none();
}
END_TEST

START_TEST(what_is_asked_for_all_the_time_keeps_nothing_waiting)
{
	bool seen[MANY] = {false};
	unsigned count = 0;

	add_many();
	plane_wait_ms(1);
	plane_wait_ms(1100);
	plane_wait_ms(1);
	plane_forget();
	for (unsigned i = 0; i < MANY; i++) {
		plane_in(FRONT_SLOT, QUERY "v=1");
		while (take(FRONT_SLOT)) {
			unsigned low = (unsigned)plane.frame.bytes[52] << 8 |
			    plane.frame.bytes[53];

			if (plane.frame.bytes[51] == 1 && !seen[low]) {
				seen[low] = true;
				count++;
			}
		}
		plane_wait_ms(1);
	}
	ck_assert_uint_eq(count, MANY);
}
END_TEST

START_TEST(without_a_buffer_a_report_waits_for_one)
{
	static struct lp_pkt pkts[LP_BUFFERS_MIN];
	const struct lp_backend_ops *backend = lp_port_backend(plane.backend);
	unsigned count = 0;

	plane.wires[FRONT_SLOT]->incarnation++;
	plane_publish();
	while (backend->alloc(plane.pool, &pkts[count]))
		count++;
	plane_run();
	plane_wait_ms(10);
	plane_quiet();
	while (count > 0) {
		struct lp_pkt *pkt = &pkts[--count];

		backend->release(plane.pool, &pkt, 1);
	}
	plane_wait_ms(1);
	expect(FRONT_SLOT, NEW OURS);
	plane_wait_ms(1010);
	expect(FRONT_SLOT, NEW OURS);
	expect_none();
}
END_TEST

static void
add(TCase *tests)
{
	tcase_add_checked_fixture(tests, setup, plane_close);
	tcase_set_timeout(tests, 60);
	tcase_add_test(tests, groups_are_reported_twice_at_start);
	tcase_add_test(tests, a_report_goes_before_announcements);
	tcase_add_test(tests, later_only_new_groups_are_reported);
	tcase_add_test(tests, what_comes_meanwhile_is_reported_twice_too);
	tcase_add_test(
	    tests, an_address_without_a_group_of_its_own_is_not_reported);
	tcase_add_test(tests, a_port_that_comes_back_reports_again);
	tcase_add_test(tests, a_port_whose_link_comes_up_reports_again);
	tcase_add_test(tests, every_port_reports_its_own_groups);
	tcase_add_test(tests, a_query_is_answered);
	tcase_add_loop_test(
	    tests, an_answer_comes_within_the_delay_and_within_a_second, 0, 6);
	tcase_add_test(tests, many_queries_have_one_answer);
	tcase_add_test(tests, a_query_for_groups_of_others_is_not_answered);
	tcase_add_test(tests, a_querier_of_the_first_version_has_reports_of_it);
	tcase_add_test(
	    tests, a_querier_of_the_first_version_has_reports_of_what_is_new);
	tcase_add_loop_test(tests, a_bad_query_is_dropped, 0, 22);
	tcase_add_test(
	    tests, on_a_port_that_is_not_alone_a_query_is_the_kernels);
	tcase_add_test(tests, many_groups_are_reported_by_several_packets);
	tcase_add_test(
	    tests, what_is_asked_for_all_the_time_keeps_nothing_waiting);
	tcase_add_test(tests, without_a_buffer_a_report_waits_for_one);
}

int
main(void)
{
	return plane_main("mld", add);
}
