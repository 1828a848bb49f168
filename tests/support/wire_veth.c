/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire of ports on devices: near<i> is the port's, which DPDK opens by its
 * vdev for interfaces of the kernel; the test has a raw socket at far<i>.
 *
 * A frame sent into a device is received some time later, and what the port
 * leaves to the kernel never is: settle() waits until the counters of the port
 * account for every frame that was injected, and takes what was received.  The
 * pipeline gets it from there, so that a turn finds in its ports exactly what
 * was put in before it, as it does on memory ports.  For that another port
 * stands in front of the real one; it also keeps the pipeline's heartbeat from
 * the device, since the time of a plane is not that of the kernel.
 */
#include <errno.h>
#include <linux/if_packet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/ensure.h"
#include "tests/support/veth.h"
#include "tests/support/wire.h"

enum {
	READY_MAX = 512, /* frames that wait for a turn */
	POLL_MS = 1, /* between two looks at counters, which wake nobody */
	WAIT_MS = 60000, /* for what is lost: it is there at once */
};

struct front {
	struct lp_port port; /* what the pipeline sees */
	struct lp_port *real;
	int far; /* raw socket */
	struct lp_pkt ready[READY_MAX];
	unsigned first, end; /* of ready */
	uint64_t injected;
	unsigned unsettled; /* of those injected */
	uint64_t lost; /* the kernel does not let DPDK have them */
	uint64_t filtered; /* for other hosts: DPDK drops them itself */
	uint64_t received; /* of the real port */
	uint64_t given; /* to the pipeline */
	uint64_t sent;
	uint64_t taken; /* of those sent, and of those from the peer */
	bool is_inline;
	struct front *peer; /* NULL: none */
};

static const struct lp_backend_ops *ops;
static struct lp_pool *pool;
static struct front *fronts[LP_PORTS_MAX];

static struct front *
front_of(struct lp_port *port)
{
	return (struct front *)port;
}

static bool
is_dpdk(void)
{
	return strcmp(ops->name, "dpdk") == 0;
}

static unsigned
front_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	struct front *front = front_of(port);
	unsigned count = front->end - front->first;

	if (count > max)
		count = max;
	memcpy(pkts, front->ready + front->first, count * sizeof(pkts[0]));
	front->first += count;
	if (front->first == front->end)
		front->first = front->end = 0;
	front->given += count;
	return count;
}

static unsigned
front_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned count)
{
	struct front *front = front_of(port);
	unsigned taken = ops->tx(front->real, pkts, count);

	front->sent += taken;
	return taken;
}

static void
front_flush(struct lp_port *port)
{
	if (ops->flush != NULL)
		ops->flush(front_of(port)->real);
}

static const struct lp_backend_ops front_ops = {
    .name = "front",
    .rx = front_rx,
    .tx = front_tx,
    .flush = front_flush,
};

static bool
wire_enter(const struct lp_backend_ops *backend)
{
	ops = backend;
	memset(fronts, 0, sizeof(fronts));
	if (!veth_enter())
		return false;
	/* No addresses of the kernel's own: it would speak. */
	veth_sysctl("1", "net/ipv6/conf/default/addr_gen_mode");
	/* No room to put fragments together, see is_lost(). */
	veth_sysctl("0", "net/ipv4/ipfrag_low_thresh");
	veth_sysctl("0", "net/ipv4/ipfrag_high_thresh");
	return true;
}

static void
make_devices(uint8_t slot, const char *options)
{
	char mac[32], near[16], far[16];
	const char *at;
	unsigned mtu = 1500;

	snprintf(mac, sizeof(mac), "02:00:00:00:00:%02x", slot);
	snprintf(near, sizeof(near), "near%u", slot);
	snprintf(far, sizeof(far), "far%u", slot);
	if ((at = strstr(options, "mtu=")) != NULL)
		sscanf(at, "mtu=%u", &mtu);
	if ((at = strstr(options, "mac=")) != NULL)
		sscanf(at, "mac=%31[^,]", mac);
	veth_run("exec ip link add %s address %s mtu %u type veth "
		 "peer name %s mtu %u",
	    near, mac, mtu, far, mtu);
	veth_sysctl("1", "net/ipv6/conf/%s/disable_ipv6", far);
	/* A veth drops what is redirected to it by XDP without NAPI. */
	if (strstr(options, "inline") != NULL)
		veth_run("exec ethtool -K %s gro on", far);
	veth_up(near);
	veth_up(far);
	veth_await_up(far);
}

static struct lp_port *
wire_open(uint8_t slot, struct lp_pool *from, const char *options)
{
	struct lp_port_config config = {.slot = slot, .pool = from};
	struct front *front = calloc(1, sizeof(*front));
	char why[LP_WHY_SIZE] = "", far[16];
	const int on = 1;

	ensure(front != NULL && !fronts[slot], "no memory, or open");
	pool = from;
	make_devices(slot, options);
	snprintf(far, sizeof(far), "far%u", slot);
	front->far = veth_socket(far);
	ensure(setsockopt(front->far, SOL_PACKET, PACKET_AUXDATA, &on,
		   sizeof(on)) == 0,
	    "PACKET_AUXDATA: %s", strerror(errno));
	snprintf(
	    config.object.device, sizeof(config.object.device), "near%u", slot);
	if (is_dpdk())
		snprintf(config.object.device, sizeof(config.object.device),
		    "net_af_packet%u,iface=near%u", slot, slot);
	front->is_inline = strstr(options, "inline") != NULL;
	if (front->is_inline)
		strcpy(config.object.peer, "peer");
	ensure(ops->open(&front->real, &config, why) == 0, "%s", why);
	front->port = *front->real;
	front->port.ops = &front_ops;
	fronts[slot] = front;
	return &front->port;
}

/* What the kernel says by itself: reports of its multicast groups. */
static bool
is_noise(const uint8_t *frame, size_t len)
{
	return len >= 14 + 40 + 8 + 1 && frame[12] == 0x86 &&
	    frame[13] == 0xdd && frame[20] == 0 && frame[54] == 58 &&
	    (frame[62] == 143 || frame[62] == 131 || frame[62] == 132);
}

/* The kernel hands a tag out beside the frame: it is put back. */
static size_t
put_tag_back(uint8_t *frame, size_t len, size_t max, struct msghdr *message)
{
	const struct cmsghdr *at = CMSG_FIRSTHDR(message);
	struct tpacket_auxdata aux;
	unsigned type = 0x8100;

	if (at == NULL || at->cmsg_type != PACKET_AUXDATA)
		return len;
	memcpy(&aux, CMSG_DATA(at), sizeof(aux));
	if (!(aux.tp_status & TP_STATUS_VLAN_VALID))
		return len;
	ensure(len + 4 <= max, "no room for a tag");
	if (aux.tp_status & TP_STATUS_VLAN_TPID_VALID)
		type = aux.tp_vlan_tpid;
	memmove(frame + 16, frame + 12, len - 12);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	frame[14] = (uint8_t)(aux.tp_vlan_tci >> 8);
	frame[15] = (uint8_t)aux.tp_vlan_tci;
	return len + 4;
}

/* The next frame at the far end that a port has sent; 0: none in time. */
static size_t
receive(const struct front *front, void *buf, size_t max, int timeout_ms)
{
	struct pollfd ready = {.fd = front->far, .events = POLLIN};
	struct sockaddr_ll from;

	while (poll(&ready, 1, timeout_ms) > 0) {
		union {
			struct cmsghdr head;
			char room[CMSG_SPACE(sizeof(struct tpacket_auxdata))];
		} control;
		struct iovec bytes = {.iov_base = buf, .iov_len = max};
		struct msghdr message = {.msg_name = &from,
		    .msg_namelen = sizeof(from),
		    .msg_iov = &bytes,
		    .msg_iovlen = 1,
		    .msg_control = &control,
		    .msg_controllen = sizeof(control)};
		ssize_t len = recvmsg(front->far, &message, MSG_TRUNC);

		ensure(len > 0, "recvmsg: %s", strerror(errno));
		if (from.sll_pkttype != PACKET_OUTGOING &&
		    !is_noise(buf, (size_t)len < max ? (size_t)len : max))
			return put_tag_back(buf, (size_t)len, max, &message);
	}
	return 0;
}

static uint64_t
wired(const struct front *front)
{
	return wire_counter(front->real, "steer_wired");
}

/* By our doing, and by what its peer had come in. */
static uint64_t
leaving(const struct front *front)
{
	return front->sent + (front->peer != NULL ? wired(front->peer) : 0);
}

static void
wire_close(uint8_t slot)
{
	struct front *front = fronts[slot];
	uint8_t frame[LP_BUFFER_SIZE];

	for (; front->first < front->end; front->first++) {
		struct lp_pkt *pkt = &front->ready[front->first];

		ops->release(pool, &pkt, 1);
	}
	for (unsigned i = 0; i < LP_PORTS_MAX; i++) {
		if (fronts[i] == NULL || fronts[i]->peer != front)
			continue;
		fronts[i]->sent += wired(front);
		fronts[i]->peer = NULL;
	}
	ops->close(front->real);
	if (ops->reclaim != NULL)
		ops->reclaim(pool, slot);
	while (front->taken < leaving(front) &&
	    receive(front, frame, sizeof(frame), WAIT_MS) > 0)
		front->taken++;
	ensure(front->taken == leaving(front), "port %u: %lu sent, %lu arrived",
	    slot, leaving(front), front->taken);
	ensure(receive(front, frame, sizeof(frame), 0) == 0,
	    "port %u: a frame that it has not sent", slot);
	close(front->far);
	free(front);
	fronts[slot] = NULL;
}

static void
wire_steer(uint8_t slot, const struct lp_steer *steer)
{
	struct lp_steer real = *steer;
	char why[LP_WHY_SIZE] = "";

	fronts[slot]->peer = NULL;
	if (steer->peer != NULL) {
		fronts[slot]->peer = front_of(steer->peer);
		real.peer = fronts[slot]->peer->real;
	}
	if (ops->steer != NULL)
		ensure(
		    ops->steer(fronts[slot]->real, &real, why) == 0, "%s", why);
}

static bool
is_for_another(const struct front *front, const uint8_t *frame)
{
	return !front->is_inline && !(frame[0] & 1) &&
	    memcmp(frame, front->port.mac, 6) != 0;
}

/*
 * net_af_packet has its packets from a socket of the kernel, which takes VLAN
 * tags off, if they are whole, and puts IPv4 fragments together, before it
 * hands them out.
 */
static bool
is_lost(const uint8_t *frame, size_t len)
{
	size_t at = 12;
	unsigned type = (unsigned)frame[at] << 8 | frame[at + 1];
	size_t header, total;

	if (type == 0x8100 || type == 0x88a8) {
		at += 4;
		if (len < at + 4)
			return true;
		type = (unsigned)frame[at] << 8 | frame[at + 1];
	}
	at += 2;
	if (type != 0x0800 || len < at + 20)
		return false;
	header = (frame[at] & 15u) * 4;
	total = (size_t)frame[at + 2] << 8 | frame[at + 3];
	return frame[at] >> 4 == 4 && header >= 20 && total >= header &&
	    at + total <= len && (frame[at + 6] & 0x3f || frame[at + 7]);
}

static bool
wire_inject(uint8_t slot, const void *bytes, size_t len)
{
	struct front *front = fronts[slot];
	ssize_t rc;

	if (front->unsettled + front->end - front->first >=
	    READY_MAX - LP_BATCH_MAX)
		return false;
	if (ops->beat != NULL)
		ops->beat(front->real, veth_now_ns());
	rc = send(front->far, bytes, len, 0);
	ensure(
	    rc == (ssize_t)len, "send of %zu bytes: %s", len, strerror(errno));
	front->injected++;
	front->unsettled++;
	if (is_dpdk() && is_lost(bytes, len))
		front->lost++;
	else if (is_dpdk() && is_for_another(front, bytes))
		front->filtered++;
	return true;
}

/* All that came in is with us, or with the kernel alone. */
static bool
is_settled(struct front *front)
{
	uint64_t passed = wire_counter(front->real, "steer_passed");
	uint64_t copied = wire_counter(front->real, "steer_copied");

	ensure(wire_counter(front->real, "steer_dropped_dead") == 0 &&
		wire_counter(front->real, "steer_dropped_no_socket") == 0,
	    "the steering program drops what is ours");
	memmove(front->ready, front->ready + front->first,
	    (front->end - front->first) * sizeof(front->ready[0]));
	front->end -= front->first;
	front->first = 0;
	if (READY_MAX - front->end >= LP_BATCH_MAX)
		front->end += ops->rx(
		    front->real, front->ready + front->end, LP_BATCH_MAX);
	front->received = wire_counter(front->real, "rx_packets");
	ensure(front->given + front->end == front->received,
	    "a port counts other packets than it gives");
	/* The kernel's own reports are for others, too: there may be more. */
	return front->received + passed + wired(front) + front->filtered +
		front->lost ==
	    front->injected + copied &&
	    (front->filtered == 0 ||
		wire_counter(front->real, "rx_other_host") >= front->filtered);
}

static void
settle(struct front *front)
{
	const uint64_t end = veth_now_ns() + WAIT_MS * 1000000ULL;
	struct pollfd ready[LP_PORT_QUEUES_MAX + 1];
	int fds[LP_PORT_QUEUES_MAX + 1];

	while (!is_settled(front)) {
		unsigned count = 0;

		ensure(veth_now_ns() < end, "%lu frames in, %lu received",
		    front->injected, front->received);
		if (ops->fds != NULL)
			count =
			    ops->fds(front->real, fds, LP_PORT_QUEUES_MAX + 1);
		for (unsigned i = 0; i < count; i++)
			ready[i] = (struct pollfd){fds[i], POLLIN, 0};
		(void)poll(ready, count, POLL_MS);
	}
	front->unsettled = 0;
}

static void
wire_settle(void)
{
	for (unsigned i = 0; i < LP_PORTS_MAX; i++)
		if (fronts[i])
			settle(fronts[i]);
}

static size_t
wire_take(uint8_t slot, void *buf, size_t max)
{
	struct front *front = fronts[slot];
	size_t len;

	if (front->taken == leaving(front))
		return 0;
	len = receive(front, buf, max, WAIT_MS);
	ensure(len > 0, "port %u: %lu sent, %lu arrived", slot, leaving(front),
	    front->taken);
	front->taken++;
	return len;
}

static uint64_t
wire_received(uint8_t slot)
{
	return fronts[slot]->given;
}

static uint64_t
wire_passed(uint8_t slot)
{
	return wire_counter(fronts[slot]->real, "steer_passed") +
	    fronts[slot]->filtered + fronts[slot]->lost;
}

static uint64_t
wire_wired(uint8_t slot)
{
	return wired(fronts[slot]);
}

const struct wire_ops wire_veth = {
    .enter = wire_enter,
    .open = wire_open,
    .close = wire_close,
    .steer = wire_steer,
    .inject = wire_inject,
    .settle = wire_settle,
    .take = wire_take,
    .received = wire_received,
    .passed = wire_passed,
    .wired = wire_wired,
};
