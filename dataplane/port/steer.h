/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the steering program (steer.bpf.c) and its port (xdp_steer.c) share:
 * the layout of the maps.  Compiled for both machines, so only fixed types.
 */
#ifndef LP_PORT_STEER_H
#define LP_PORT_STEER_H

#include <linux/types.h>

enum {
	/* A set is added before the old one is removed: room for two. */
	LP_STEER_ADDRESSES_MAX = 16384,
	LP_STEER_SOURCES_MAX = 4096,
	LP_STEER_QUEUES_MAX = 64,
	/* Bytes of a copied ARP or ND frame; longer ones are not copied. */
	LP_STEER_COPY_MAX = 128,
	LP_STEER_COPIES_SIZE = 65536,
	/* IPv6 extension headers walked over. */
	LP_STEER_EXTENSIONS_MAX = 4,
};

/* What becomes of the traffic of the port. */
enum lp_steer_mode {
	LP_STEER_VIP = 1, /* ours to user space, the rest to the kernel */
	/* a bump: what is named to user space, the rest out of the peer */
	LP_STEER_INLINE = 2,
};

/*
 * The one entry of the map control, mapped into the process: the control
 * thread writes, the program reads.
 */
struct lp_steer_control {
	__u64 heartbeat_ns; /* CLOCK_MONOTONIC; 0: never */
	__u64 timeout_ns; /* dead if the heartbeat is older */
	__u64 generation;
	__u32 mode; /* enum lp_steer_mode */
	__u8 mac[6]; /* unicast frames to others are not ours */
	__u8 wire_on_loss; /* inline: what is named too goes to the peer */
	__u8 spare;
};

/* Keys; the value is the number of the set that has it (struct below). */
struct lp_steer_address {
	__u32 ip[4]; /* network order, IPv4 mapped */
};

struct lp_steer_source {
	__u32 ip[4];
	__u16 port; /* network order */
	__u16 zero;
};

struct lp_steer_member {
	__u32 set;
};

/* A record of the ring buffer copies. */
struct lp_steer_copy {
	__u32 len;
	__u8 bytes[LP_STEER_COPY_MAX];
};

/* Indexes of the map counters: frames. */
enum lp_steer_counter {
	LP_STEER_PASSED = 0, /* to the kernel */
	LP_STEER_REDIRECTED, /* to a socket of ours */
	LP_STEER_DEAD, /* ours, dropped: the dataplane does not live */
	LP_STEER_NO_SOCKET, /* ours, dropped: its queue has no socket */
	LP_STEER_COPIED, /* to the kernel and a copy to us */
	LP_STEER_COPY_LOST, /* the copy did not fit */
	LP_STEER_VLAN, /* tagged, to the kernel */
	LP_STEER_WIRED, /* inline: to the peer */
	LP_STEER_NO_PEER, /* inline, dropped: the peer is not there */
	LP_STEER_COUNTERS, /* how many */
};

#endif
