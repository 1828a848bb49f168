/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The steering program of one port, loaded, and its maps (steer.h).
 *
 * Control thread, except lp_xdp_steer_copies and its descriptor.
 */
#ifndef LP_PORT_XDP_STEER_H
#define LP_PORT_XDP_STEER_H

#include "dataplane/port/port.h"
#include "dataplane/port/steer.h"

struct bpf_object;
struct ring_buffer;

/* A frame that the kernel has too; false: no more now. */
typedef bool lp_xdp_steer_copy(void *context, const void *bytes, size_t len);

struct lp_xdp_steer {
	struct bpf_object *object;
	int program;
	int addresses;
	int sources;
	int xsks;
	int peer;
	int counters;
	int cpu_count;
	uint64_t *cpu_values; /* one entry of a per-CPU map */
	uint32_t set; /* the number of the newest set of members */
	struct lp_steer_control *control; /* mapped */
	size_t control_size;
	/* worker */
	struct ring_buffer *copies;
	lp_xdp_steer_copy *copy;
	void *copy_context;
};

/* Loads; nobody runs it yet.  0, or -errno and one line in why. */
int lp_xdp_steer_open(struct lp_xdp_steer *steer, lp_xdp_steer_copy *copy,
    void *context, char why[LP_WHY_SIZE]);
void lp_xdp_steer_close(struct lp_xdp_steer *steer);

/* What the socket of that receive queue is. */
int lp_xdp_steer_socket(struct lp_xdp_steer *steer, uint32_t queue, int fd);

/* The address that the device has now. */
void lp_xdp_steer_mac(struct lp_xdp_steer *steer, const uint8_t mac[6]);

/*
 * Before the program is on a device: whether it is an inline port's, which
 * gives nothing to the kernel.
 */
void lp_xdp_steer_mode(struct lp_xdp_steer *steer, enum lp_steer_mode mode);

/* Inline: the device that the rest goes to; 0: none. */
int lp_xdp_steer_peer(
    struct lp_xdp_steer *steer, unsigned ifindex, char why[LP_WHY_SIZE]);

/* The whole set of what is ours: new ones first, then old ones go. */
int lp_xdp_steer_set(struct lp_xdp_steer *steer, const struct lp_steer *whole,
    char why[LP_WHY_SIZE]);

void lp_xdp_steer_beat(struct lp_xdp_steer *steer, uint64_t now_ns);

/* Sums over the processors. */
void lp_xdp_steer_counters(
    const struct lp_xdp_steer *steer, uint64_t values[LP_STEER_COUNTERS]);

/* Readable when a copy waits. */
int lp_xdp_steer_copies_fd(const struct lp_xdp_steer *steer);

/* worker: gives waiting copies to the function, until it says false. */
void lp_xdp_steer_copies(struct lp_xdp_steer *steer);

#endif
