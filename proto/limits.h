/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits that all three processes agree on.
 *
 * Everything that crosses a process border or is stored in the database has
 * its maximum here; what only the packet path knows is in
 * dataplane/pipeline/limits.h.  Reaching a limit is a normal outcome: the
 * object is refused with a message that names the limit.
 */
#ifndef LP_PROTO_LIMITS_H
#define LP_PROTO_LIMITS_H

enum lp_limits {
	/* Names of ports, clusters, listeners, rules: bytes with the final NUL.
	 */
	LP_NAME_SIZE = 64,
	/* The label of the files that declare an object, likewise. */
	LP_OWNER_SIZE = 32,
	/* RFC 1035: 253 bytes of text, and the final NUL. */
	LP_HOST_SIZE = 254,
	/* An interface name (IFNAMSIZ is 16), or DPDK device arguments. */
	LP_DEVICE_SIZE = 256,
	/* One line that says why; always NUL terminated. */
	LP_WHY_SIZE = 256,

	LP_PORTS_MAX = 16,
	LP_PORT_ADDRESSES_MAX = 16,
	/* Bytes of an IP packet: RFC 8200, 5; what jumbo frames come to. */
	LP_PORT_MTU_MIN = 1280,
	LP_PORT_MTU_MAX = 9600,
	LP_CLUSTERS_MAX = 64,
	LP_BROKERS_MAX = 1024,
	LP_LISTENERS_MAX = 256,
	LP_ENDPOINTS_MAX = 4096,
	LP_RULES_MAX = 100000,
	/* Of them, those that limit and are not in shadow. */
	LP_RULES_LIMITING_MAX = 4096,
	LP_OBJECTS_MAX = LP_PORTS_MAX + LP_CLUSTERS_MAX + LP_BROKERS_MAX +
	    LP_LISTENERS_MAX + LP_ENDPOINTS_MAX + LP_RULES_MAX,

	/* Bytes of one frame on either socket, its 4-byte length included. */
	LP_FRAME_SIZE_MAX = 65536,
	/* Commands of one command line of lpctl. */
	LP_COMMANDS_MAX = 4096,
	/* Operations of one transaction: all objects go, and others come. */
	LP_OPERATIONS_MAX = 2 * LP_OBJECTS_MAX,
	/* That one may wait to be confirmed. */
	LP_CONFIRM_MAX_S = 3600,
	/* That one may wait for dataplanes; others wait behind it. */
	LP_TIMEOUT_MAX_S = 600,
	/* Rows in one frame of a streamed reply (connections, stats). */
	LP_ROWS_MAX = 128,
	/* Questions that one dataplane may owe answers to. */
	LP_QUESTIONS_MAX = 8,
	/* Rules that one question names. */
	LP_RULES_ASKED_MAX = 32,

	/* Kafka's: bytes of a topic's id (a UUID) and, at most, of its name. */
	LP_TOPIC_ID_SIZE = 16,
	LP_TOPIC_NAME_MAX = 249,
	/* Topic ids whose names a process knows. */
	LP_TOPIC_IDS_MAX = 1 << 17,

	/* One packet of a trace: jumbo frames, and Ethernet with a VLAN tag. */
	LP_TRACE_PACKET_MAX = LP_PORT_MTU_MAX + 18,
	/* Packets of one request; and their bytes, so that answers fit. */
	LP_TRACE_PACKETS_MAX = 8,
	LP_TRACE_BYTES_MAX = 16384,
	/* Of a frame that we make ourselves: as much is shown. */
	LP_TRACE_MADE_MAX = 256,
	/* Rules that do not hold, of each question: a screen of them. */
	LP_TRACE_RULES_MAX = 20,
};

#endif
