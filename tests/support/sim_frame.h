/* SPDX-License-Identifier: Apache-2.0 */
/* Segments of simulated peers as Ethernet frames, IPv4 and IPv6, and back. */
#ifndef LP_TESTS_SUPPORT_SIM_FRAME_H
#define LP_TESTS_SUPPORT_SIM_FRAME_H

#include "tests/support/packet.h"
#include "tests/support/sim_tcp.h"

struct sim_place {
	uint8_t mac[6];
	uint8_t ip[16]; /* the first four of IPv4 */
	uint16_t port;
};

void sim_frame_build(struct packet *frame, bool v6, const struct sim_place *src,
    const struct sim_place *dst, const struct sim_segment *segment);

enum sim_frame_result {
	SIM_FRAME_TCP,
	SIM_FRAME_WRONG_SUM, /* *segment is filled */
	SIM_FRAME_OTHER,
};

/* Also who has sent it, and to whom. */
enum sim_frame_result sim_frame_read(const struct packet *frame, bool v6,
    struct sim_place *src, struct sim_place *dst, struct sim_segment *segment);

/* "[SA seq=1000 ack=1 win=100 len=0]" */
void sim_frame_describe(char text[128], const struct sim_segment *segment);

#endif
