/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ARP and neighbour discovery as bytes: one message for both.
 *
 *	solicit:   who has target?		ARP request, NS
 *	advertise: target is at mac		ARP reply, gratuitous ARP, NA
 */
#ifndef LP_PIPELINE_NEIGHBOR_WIRE_H
#define LP_PIPELINE_NEIGHBOR_WIRE_H

#include "dataplane/pipeline/make.h"

struct lp_neighbor_message {
	bool solicit;
	bool has_mac; /* mac says where sender is */
	bool confirms; /* sender answers us: it is where we know it to be */
	struct lp_ip sender; /* whose mac it is; of a probe: lp_ip_is_none() */
	struct lp_ip target; /* who is asked for */
	uint8_t mac[6];
};

/* True for an ARP packet, or an ICMPv6 one of type 135 or 136. */
bool lp_neighbor_wire_is(const struct lp_pkt *pkt);

/* LP_REASON_NONE and *message, or why it is invalid (RFC 826; 4861, 7.1). */
enum lp_reason lp_neighbor_wire_read(
    const struct lp_pkt *pkt, struct lp_neighbor_message *message);

/* Turns a solicitation into its answer, in place: message->target is at mac. */
void lp_neighbor_wire_answer(struct lp_pkt *pkt,
    const struct lp_neighbor_message *message, const uint8_t mac[6]);

/* Asks for target; to mac `at` (a probe), or to all if it is NULL. */
void lp_neighbor_wire_solicit(const struct lp_make *make,
    struct lp_batch *batch, uint8_t slot, const uint8_t mac[6],
    const struct lp_ip *own, const struct lp_ip *target, const uint8_t *at);

/* Tells all that own is at mac: gratuitous ARP, or an unsolicited NA. */
void lp_neighbor_wire_announce(const struct lp_make *make,
    struct lp_batch *batch, uint8_t slot, const uint8_t mac[6],
    const struct lp_ip *own);

#endif
