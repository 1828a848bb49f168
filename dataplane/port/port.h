/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The port interface: everything that the dataplane knows of packet I/O.
 *
 * A back end (AF_XDP, DPDK, memory) is one constant table of functions.  All
 * ports of a process are opened by one back end on one buffer pool, so that
 * any port may transmit what any other received.  rx also refills and tx also
 * reaps completions: a stage never hears of rings.  Functions that not every
 * back end needs may be NULL, where it is said.
 *
 * Threads: functions marked "control" are called by the control thread,
 * functions marked "worker" by the one worker that owns the port.  A port is
 * handed from one to the other by the snapshot: control opens it before the
 * snapshot that names it is published, and closes it after no worker can see
 * it any more.
 *
 * Metadata: the LP_PORT_META_SIZE bytes in front of pkt->data belong to the
 * packet (the steering program may fill them); they are kept from rx to the
 * stages.
 */
#ifndef LP_PORT_PORT_H
#define LP_PORT_PORT_H

#include <stddef.h>

#include "dataplane/pipeline/batch.h"
#include "proto/object.h"

struct lp_keep; /* descriptors that outlive this process: dataplane/keep.h */
struct lp_pool;

/* Who owns a packet buffer: one byte a buffer in the state region. */
enum lp_buffer_owner {
	LP_BUFFER_FREE = 0, /* in the pool */
	LP_BUFFER_WORKER = 1, /* in a batch, an outbox or held */
	/* In rings of the port in slot n: LP_BUFFER_RX + n, LP_BUFFER_TX + n */
	LP_BUFFER_RX = 16,
	LP_BUFFER_TX = 16 + LP_PORTS_MAX,
};

struct lp_pool_config {
	uint32_t buffer_count; /* LP_BUFFERS_MIN..LP_BUFFERS_MAX */
	uint8_t *ledger; /* enum lp_buffer_owner, in the region; borrowed */
	struct lp_keep *keep; /* may be NULL (tests) */
	/* Where a buffer's size can be chosen: the MTU that it must hold. */
	uint16_t mtu; /* LP_PORT_MTU_MIN..LP_PORT_MTU_MAX; 0: the default */
	const char *arguments; /* of the back end itself; NULL: none */
};

struct lp_port_config {
	uint8_t slot; /* 0..LP_PORTS_MAX - 1, unique among open ports */
	struct lp_port_object object; /* name, device, ... */
	struct lp_pool *pool;
	struct lp_keep *keep; /* may be NULL */
	bool known; /* it was configured before: opened again, not added */
};

/* What a port is to steer to us; whole each time, the port finds the changes */
struct lp_steer {
	uint64_t generation;
	const struct lp_ip *addresses; /* ours on this port: own and VIPs */
	size_t address_count;
	/* Sources to steer by (preserved source addresses); often none. */
	const struct lp_endpoint *sources;
	size_t source_count;
	/*
	 * Inline: everything that comes in, of which sources, the named ends
	 * of connections, are to be seen; the rest goes on to the peer by
	 * itself, where the port can do that.
	 */
	bool is_inline;
	bool wire_on_loss; /* without us what is to be seen goes on, too */
	struct lp_port *peer; /* NULL: it is not open */
	/* Of the peer, open or not: what goes on by itself does not need us. */
	const char *peer_device; /* NULL: it has none */
};

struct lp_port_link {
	bool present; /* the device is (still) there, the very same one */
	bool up; /* administratively up and has a carrier */
	uint16_t mtu; /* bytes of IP packet */
	uint8_t mac[6];
	uint16_t queues;
	/* "copy", "zero-copy", "generic copy", "memory"; DPDK: the driver */
	char mode[32];
	char driver[32]; /* "veth", "net_memif"; "" where there is none */
	int16_t numa_node; /* of the device; negative: none, or not known */
	uint32_t speed_mbps; /* Mbit/s; 0: not known */
	/* What the device does for us, "rx-ip-checksum rss"; "": nothing. */
	char offloads[96];
	char why[LP_WHY_SIZE]; /* why it is slow or not up; "" if it is fine */
};

/* Counters of one port, read by control at any time. */
struct lp_port_counter {
	const char *name; /* constant: "rx_packets", "rx_ring_full", ... */
	uint64_t value;
};
enum { LP_PORT_COUNTERS_MAX = 24 };

/*
 * Common head of every back end's port.  Control writes and reads it; workers
 * see what a snapshot copied of it.
 */
struct lp_port {
	const struct lp_backend_ops *ops;
	uint8_t slot;
	uint8_t mac[6];
	uint16_t mtu;
	/* One more when neighbours must hear of it again: a new MAC, link up */
	uint32_t incarnation;
	bool alone; /* nobody else speaks on the device: no kernel behind it */
};

/* One address that the host's own network has, and the device it is on. */
typedef void lp_port_host_address(
    void *arg, const struct lp_ip *ip, const char *device);

struct lp_backend_ops {
	const char *name; /* "af_xdp" */

	/* control: 0, or -errno and one line in why. */
	int (*pool_open)(struct lp_pool **pool,
	    const struct lp_pool_config *config, char why[LP_WHY_SIZE]);
	/* control, with no port open and no worker running. */
	void (*pool_close)(struct lp_pool *pool);
	/*
	 * control, before anything else: whether the back end takes these
	 * arguments of the command line; 0, or -EINVAL and why not.  NULL: it
	 * takes none.
	 */
	int (*check_arguments)(const char *arguments, char why[LP_WHY_SIZE]);

	/*
	 * control: on -errno nothing is left behind.  -EBUSY may be retried
	 * inside for up to a second (AF_XDP: a dead predecessor's socket).
	 */
	int (*open)(struct lp_port **port, const struct lp_port_config *config,
	    char why[LP_WHY_SIZE]);
	/*
	 * control.  Buffers in the port's rings stay marked in the ledger
	 * until the worker calls reclaim.
	 */
	void (*close)(struct lp_port *port);
	/*
	 * control: whether an open port may become what the object says: may
	 * lose its leave to have the host's default route, may get another
	 * MTU.  0, or -errno and why not.  NULL: it may.
	 */
	int (*check_route)(const struct lp_port *port,
	    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
	int (*check_mtu)(const struct lp_port *port,
	    const struct lp_port_object *object, char why[LP_WHY_SIZE]);
	/*
	 * control: every address that the host has itself; 0 or -errno.  NULL
	 * where ports share no device with a host.
	 */
	int (*host_addresses)(lp_port_host_address *each, void *arg);
	/*
	 * control: the port has become that object, which the checks have
	 * let pass.  NULL: there is nothing to do for it.
	 */
	void (*become)(
	    struct lp_port *port, const struct lp_port_object *object);
	/* control; NULL where there is nothing to steer. */
	int (*steer)(struct lp_port *port, const struct lp_steer *steer,
	    char why[LP_WHY_SIZE]);
	/*
	 * worker, each LP_BEAT_NS and at least once a second: the dataplane is
	 * alive.  NULL where nobody wants to know.
	 */
	void (*beat)(struct lp_port *port, uint64_t now_ns);
	/*
	 * control: the state of the device now.  mac and mtu of the port
	 * follow it, and a snapshot made afterwards has them.
	 */
	void (*link)(struct lp_port *port, struct lp_port_link *link);
	/* control: fills at most max counters, returns how many. */
	unsigned (*counters)(const struct lp_port *port,
	    struct lp_port_counter counters[], unsigned max);

	/* worker: up to max packets, returns how many. */
	unsigned (*rx)(
	    struct lp_port *port, struct lp_pkt pkts[], unsigned max);
	/*
	 * worker: takes the buffers of the first n packets and returns n; the
	 * caller keeps, and releases, the others (ring full).
	 */
	unsigned (*tx)(
	    struct lp_port *port, struct lp_pkt *pkts[], unsigned count);
	/*
	 * worker: how many more it takes if no more than so many are to be in
	 * its rings at once.  NULL: it cannot tell.
	 */
	unsigned (*room)(struct lp_port *port, unsigned most);
	/*
	 * worker, once a turn after all tx: tells the kernel that there is
	 * work, where it asked to be told (a system call at most per port).
	 * NULL: tx has done it.
	 */
	void (*flush)(struct lp_port *port);
	/*
	 * worker: descriptors to poll for input; returns how many.  NULL:
	 * nothing tells of input, ports must be looked at again and again.
	 */
	unsigned (*fds)(const struct lp_port *port, int fds[], unsigned max);

	/*
	 * worker: the first thing that its thread does, and the last.  NULL:
	 * any thread will do.  0 or -errno.
	 */
	int (*enter)(struct lp_pool *pool);
	void (*leave)(struct lp_pool *pool);

	/*
	 * worker: an empty buffer with headroom; false when there is none.
	 * Sets data, buf, and len = 0.
	 */
	bool (*alloc)(struct lp_pool *pool, struct lp_pkt *pkt);
	/* worker: back to the pool. */
	void (*release)(
	    struct lp_pool *pool, struct lp_pkt *pkts[], unsigned count);
	/*
	 * worker: the port in slot was closed; take back what it held.  NULL:
	 * close has done it.
	 */
	void (*reclaim)(struct lp_pool *pool, uint8_t slot);
	/* worker, now and then: free buffers, for the stats. */
	uint32_t (*free_count)(const struct lp_pool *pool);
};

extern const struct lp_backend_ops lp_port_xdp_ops; /* port_xdp.c */
extern const struct lp_backend_ops lp_port_dpdk_ops; /* port_dpdk.c */
extern const struct lp_backend_ops lp_port_memory_ops; /* port_memory.c */

/* The built-in back end of that kind (enum lp_backend), or NULL. */
const struct lp_backend_ops *lp_port_backend(unsigned backend);

#endif
