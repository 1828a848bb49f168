/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What became of a packet, and why.
 *
 * Every packet that enters the pipeline leaves it with one verdict and one
 * reason, and every reason has a counter: the sum of all reasons equals the
 * packets received.  The list is the contract of `lpctl stats`: names are
 * stable, new ones are added at the end of their group.
 */
#ifndef LP_PROTO_REASONS_H
#define LP_PROTO_REASONS_H

enum lp_verdict {
	LP_UNDECIDED = 0, /* still in the pipeline */
	LP_FORWARD, /* transmit it */
	LP_LOCAL, /* ours: consumed, or turned into the answer */
	LP_HOLD, /* ownership moved to a table; transmitted later */
	LP_DROP,
};
enum { LP_VERDICTS = 5 };

/* clang-format off */
/* X(symbol, name, what an operator reads) */
#define LP_REASONS(X)                                                          \
	X(NONE, "none", "undecided")                                           \
	/* forwarded */                                                        \
	X(FORWARDED, "forwarded", "segment of a tracked connection")           \
	X(OPENED, "opened", "first segment of a new connection")               \
	X(OUT_OF_WINDOW, "out_of_window",                                      \
	    "forwarded, but changed no state: outside the window")             \
	X(ICMP_TRANSLATED, "icmp_translated",                                  \
	    "ICMP error of a tracked connection, translated")                  \
	X(WIRED, "wired",                                                      \
	    "inline, of no named broker's connection: passed as it is")        \
	X(WIRED_UNREAD, "wired_unread",                                        \
	    "inline, passed as it is: a fragment, a bad checksum or header")   \
	X(PICKED_UP, "picked_up",                                              \
	    "inline: first segment seen of a connection that was there before")\
	X(UNTRACKED, "untracked",                                              \
	    "inline, of a named broker: passed, connection table full")        \
	/* local */                                                            \
	X(ARP, "arp", "ARP, answered or learnt from")                          \
	X(NDP, "ndp", "neighbour discovery, answered or learnt from")          \
	X(ECHO, "icmp_echo", "ping of one of our addresses, answered")         \
	X(RESET_UNKNOWN, "reset_unknown",                                      \
	    "segment of no connection, answered by RST")                       \
	X(RESET_CLOSED_PORT, "reset_closed_port",                              \
	    "SYN to an address of ours where nothing listens, answered by RST")\
	X(RESET_TABLE_FULL, "reset_table_full",                                \
	    "new connection refused by RST: connection table full")            \
	X(RESET_NO_SOURCE_PORT, "reset_no_source_port",                        \
	    "new connection refused by RST: no free source port")              \
	X(RESET_NO_BROKER, "reset_no_broker",                                  \
	    "new connection refused by RST: no such broker")            \
	X(RESET_UNREACHABLE, "reset_unreachable",                              \
	    "new connection refused by RST: the broker's next hop is silent")  \
	X(REWRITTEN, "rewritten",                                              \
	    "its bytes left in segments of our own, with other addresses")     \
	X(HELD_EDIT, "held_edit",                                              \
	    "its bytes wait until an address in them is complete")             \
	X(HELD_GAP, "held_gap", "its bytes wait for others before them")       \
	X(MLD, "mld", "MLD query, answered for multicast groups of ours")      \
	X(RESET_RULE, "reset_rule",                                            \
	    "connection refused, or reset, by RST: a rule says so")            \
	X(RESET_ALONE, "reset_alone",                                          \
	    "refused by RST: closed, lp-controld has been away for too long")  \
	/* held */                                                             \
	X(NEIGHBOR_PENDING, "neighbor_pending",                                \
	    "waits for its next hop to be resolved")                           \
	/* dropped: frame and IP */                                            \
	X(RUNT, "runt", "shorter than its headers")                            \
	X(ETHERTYPE, "ethertype", "neither IPv4, IPv6 nor ARP")                \
	X(VLAN, "vlan", "VLAN tag")                                            \
	X(IP_HEADER, "ip_header", "bad IP version, header length or length")   \
	X(IP_CHECKSUM, "ip_checksum", "bad IPv4 header checksum")              \
	X(IP_FRAGMENT, "ip_fragment", "IP fragment")                           \
	X(IP_OPTIONS, "ip_options", "IPv6 extension header we do not walk")    \
	X(IP_PROTOCOL, "ip_protocol", "neither TCP nor ICMP")                  \
	X(IP_SOURCE, "ip_source", "source is multicast, loopback or ours")     \
	X(TTL, "ttl", "TTL or hop limit used up")                              \
	X(NOT_OURS, "not_ours", "destination is none of ours")                 \
	X(WRONG_SIDE, "wrong_side",                                            \
	    "of a known connection, by a port that its sender is not behind")  \
	X(TCP_HEADER, "tcp_header", "bad TCP header length or flags")          \
	X(TCP_CHECKSUM, "tcp_checksum", "bad TCP checksum")                    \
	X(TCP_CHECKSUM_PARTIAL, "tcp_checksum_partial",                        \
	    "TCP checksum left to hardware: turn tx offload off at the sender")\
	X(ICMP_INVALID, "icmp_invalid", "bad ICMP checksum or length")         \
	X(ICMP_UNKNOWN, "icmp_unknown", "ICMP of no connection of ours")       \
	X(NDP_INVALID, "ndp_invalid", "neighbour discovery with bad fields")   \
	X(ARP_INVALID, "arp_invalid", "ARP with bad fields")                   \
	X(MLD_INVALID, "mld_invalid", "MLD query with bad fields")             \
	/* dropped: connections */                                             \
	X(NO_CONNECTION, "no_connection",                                      \
	    "segment of no connection, not answerable")                        \
	X(RST_LIMITED, "rst_limited", "RST due, but over the rate limit")      \
	X(HALF_OPEN_FULL, "half_open_full", "too many half-open connections")  \
	X(STARTING, "starting", "no configuration yet")                        \
	X(EDIT_FULL, "edit_full",                                              \
	    "no room to rewrite what it may bring: it is sent again")          \
	X(UNREADABLE, "unreadable",                                            \
	    "it may tell addresses and cannot be read: connection reset")      \
	X(AHEAD, "ahead",                                                      \
	    "rules must see what is before it first, no room: it is sent again")\
	/* dropped: next hop and transmit */                                   \
	X(NO_ROUTE, "no_route", "no port leads to the next hop")               \
	X(NEIGHBOR_FAILED, "neighbor_failed", "next hop does not answer")      \
	X(NEIGHBOR_FULL, "neighbor_full", "neighbour table or its queue full") \
	X(TX_FULL, "tx_full", "transmit ring full")                            \
	X(TX_MTU, "tx_mtu", "larger than the MTU of the port out")             \
	X(PORT_GONE, "port_gone", "its port was removed")                      \
	X(STALE, "stale",                                                      \
	    "inline, held while we hung: newer ones had gone past it")
/* clang-format on */

enum lp_reason {
#define X(symbol, name, text) LP_REASON_##symbol,
	LP_REASONS(X)
#undef X
	    LP_REASON_COUNT
};

/* "tcp_checksum", and the sentence; for index < LP_REASON_COUNT. */
const char *lp_reason_name(unsigned reason);
const char *lp_reason_text(unsigned reason);
const char *lp_verdict_name(unsigned verdict);

#endif
