/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames for tests of the steering program, and the kernel running it on them
 * (BPF_PROG_TEST_RUN); no device is involved.
 */
#ifndef LP_TESTS_STEER_FRAME_H
#define LP_TESTS_STEER_FRAME_H

#include "dataplane/port/xdp_steer.h"

enum { STEER_FRAME_MAX = 256 };

/* Verdicts: the kernel has no sum of "pass" and "copy". */
enum steer_verdict {
	PASS,
	OURS,
	COPY, /* to the kernel, and a copy to us */
};

/* One row: a frame is put together from these. */
struct steer_row {
	const char *what;
	const char *to; /* MAC: "us", "other", "all", "group" */
	const char *source; /* IP; NULL: an ARP or ND frame */
	const char *destination;
	const char *target; /* of ARP and ND */
	const char *quoted; /* destination of what an ICMP error quotes */
	enum steer_verdict verdict;
	uint16_t type; /* EtherType; 0: that of the addresses */
	uint16_t source_port; /* quoted: of the destination */
	uint16_t destination_port;
	uint8_t protocol; /* 0: UDP; of what is quoted */
	uint8_t nd; /* ICMP type */
	uint8_t fragment; /* offset in units of 8 */
	bool more; /* fragments follow */
	uint8_t options; /* words of IPv4 options, IPv6 option headers */
	uint8_t cut; /* bytes missing at the end */
};

/* Puts the frame together; returns its size. */
size_t steer_frame(uint8_t *frame, const struct steer_row *row);

/* What the program says of it. */
uint32_t steer_run(
    const struct lp_xdp_steer *steer, const uint8_t *frame, size_t len);

struct lp_ip steer_ip(const char *text);

/* What a port of VIPs is told. */
struct lp_steer steer_whole(uint64_t generation, const struct lp_ip *addresses,
    size_t count, const struct lp_endpoint *sources, size_t source_count);

#endif
