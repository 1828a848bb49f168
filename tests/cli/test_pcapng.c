/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of a file, as they were; and what libpcap, which we have not
 * written, makes of them.  LP_GOLDEN=write writes the file.
 */
#include "cli/pcapng.h"

#include <check.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "tests/cli/support.h"

static const uint8_t bytes[5] = {1, 2, 3, 4, 5};

static const struct lp_pcapng_packet packets[] = {
    {.interface = 0,
	.time_ns = SUPPORT_NOW_NS,
	.bytes = bytes,
	.len = 5,
	.wire_len = 1500,
	.comment = "connection 7 from the client: opened"},
    {.interface = 1,
	.time_ns = SUPPORT_NOW_NS + 1,
	.bytes = bytes,
	.len = 4,
	.wire_len = 4,
	.sent = true,
	.comment = "caf\303\251"},
    {.interface = 1, .time_ns = UINT64_C(0x1fffffffff)},
};
enum { PACKETS = sizeof(packets) / sizeof(packets[0]) };

static void
write_all(FILE *file)
{
	lp_pcapng_begin(file, "lpctl 0.1.0");
	lp_pcapng_interface(file, "front", "eth1 of edge-1", 0);
	lp_pcapng_interface(file, "back", NULL, 128);
	for (int i = 0; i < PACKETS; i++)
		lp_pcapng_packet(file, &packets[i]);
}

START_TEST(the_bytes_are_as_they_were)
{
	const char *path = GOLDEN "/capture.pcapng";
	struct support_output out;
	uint8_t golden[4096];
	size_t len;
	FILE *file;

	support_output_open(&out);
	write_all(out.file);
	(void)support_output_text(&out);
	if (getenv("LP_GOLDEN") != NULL) {
		file = fopen(path, "wb");
		ck_assert_uint_eq(fwrite(out.text, 1, out.len, file), out.len);
		ck_assert_int_eq(fclose(file), 0);
	}
	file = fopen(path, "rb");
	ck_assert_ptr_nonnull(file);
	len = fread(golden, 1, sizeof(golden), file);
	(void)fclose(file);
	ck_assert_uint_eq(out.len, len);
	ck_assert_mem_eq(out.text, golden, len);
	support_output_close(&out);
}
END_TEST

START_TEST(libpcap_reads_what_was_written)
{
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = tmpfile();
	struct pcap_pkthdr *head;
	const u_char *data;
	pcap_t *pcap;

	ck_assert_ptr_nonnull(file);
	lp_pcapng_begin(file, "lpctl 0.1.0");
	/* libpcap wants one snaplen for all interfaces. */
	lp_pcapng_interface(file, "front", "eth1 of edge-1", 0);
	lp_pcapng_interface(file, "back", NULL, 0);
	for (int i = 0; i < PACKETS; i++)
		lp_pcapng_packet(file, &packets[i]);
	rewind(file);
	pcap = pcap_fopen_offline_with_tstamp_precision(
	    file, PCAP_TSTAMP_PRECISION_NANO, why);
	ck_assert_msg(pcap != NULL, "%s", why);
	ck_assert_int_eq(pcap_datalink(pcap), DLT_EN10MB);
	for (int i = 0; i < PACKETS; i++) {
		ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), 1);
		ck_assert_uint_eq(head->caplen, packets[i].len);
		ck_assert_uint_eq(head->len, packets[i].wire_len);
		ck_assert_int_eq(memcmp(data, bytes, packets[i].len), 0);
		ck_assert_uint_eq((uint64_t)head->ts.tv_sec * 1000000000u +
			(uint64_t)head->ts.tv_usec,
		    packets[i].time_ns);
	}
	ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}
END_TEST

START_TEST(a_comment_that_is_too_long_is_cut)
{
	static char comment[100000];
	struct lp_pcapng_packet packet = packets[0];
	char why[PCAP_ERRBUF_SIZE];
	FILE *file = tmpfile();
	struct pcap_pkthdr *head;
	const u_char *data;
	pcap_t *pcap;

	ck_assert_ptr_nonnull(file);
	memset(comment, 'x', sizeof(comment) - 1);
	packet.comment = comment;
	lp_pcapng_begin(file, "lpctl 0.1.0");
	lp_pcapng_interface(file, "front", NULL, 0);
	lp_pcapng_packet(file, &packet);
	lp_pcapng_packet(file, &packets[0]);
	rewind(file);
	pcap = pcap_fopen_offline(file, why);
	ck_assert_msg(pcap != NULL, "%s", why);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), 1);
	ck_assert_int_eq(pcap_next_ex(pcap, &head, &data), PCAP_ERROR_BREAK);
	pcap_close(pcap);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("pcapng");
	TCase *tcase = tcase_create("pcapng");
	SRunner *runner = srunner_create(suite);
	int failed;

	suite_add_tcase(suite, tcase);
	tcase_add_test(tcase, the_bytes_are_as_they_were);
	tcase_add_test(tcase, libpcap_reads_what_was_written);
	tcase_add_test(tcase, a_comment_that_is_too_long_is_cut);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
