/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The DPDK port: what the worker does.
 *
 * A device that filters nothing (a vdev on an interface of the kernel, a
 * switch that floods) hands out frames for other hosts, and those that the
 * kernel itself has sent there.  They are dropped here, as the steering
 * program leaves them to the kernel on AF_XDP: the stages see the same packets
 * on both.
 */
#include <rte_ethdev.h>
#include <string.h>

#include "dataplane/port/port_dpdk.h"

enum {
	/* Frames ahead whose first line is asked for. */
	PREFETCH_AHEAD = 4,
	/* Group addresses have the lowest bit of the first byte set. */
	GROUP_BIT = 1,
};

static_assert((unsigned)LP_BATCH_MAX <= UINT16_MAX, "bursts are 16 bits");

/* To us, or to a group, or all are, and not from our own host. */
static bool
is_for_us(const struct rte_mbuf *mbuf, bool all, uint64_t mac, uint64_t own)
{
	const uint8_t *frame = rte_pktmbuf_mtod(mbuf, const uint8_t *);

	if (mbuf->data_len < RTE_ETHER_HDR_LEN)
		return true; /* a runt, which is parse's to count */
	if (!all && !(frame[0] & GROUP_BIT))
		return lp_port_dpdk_mac(frame) == mac;
	return lp_port_dpdk_mac(frame + RTE_ETHER_ADDR_LEN) != own;
}

static uint8_t
flags_of(const struct rte_mbuf *mbuf)
{
	uint8_t flags = 0;

	if ((mbuf->ol_flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) ==
	    RTE_MBUF_F_RX_IP_CKSUM_GOOD)
		flags |= LP_PKT_IP_SUM_GOOD;
	if ((mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) ==
	    RTE_MBUF_F_RX_L4_CKSUM_GOOD)
		flags |= LP_PKT_TCP_SUM_GOOD;
	return flags;
}

/* Of a burst those that are packets for us; the others go back. */
static unsigned
receive(struct lp_port_dpdk *dpdk, struct rte_mbuf *mbufs[], unsigned received,
    struct lp_pkt pkts[])
{
	uint64_t mac = atomic_load_explicit(&dpdk->mac, memory_order_relaxed);
	uint64_t own = atomic_load_explicit(&dpdk->own, memory_order_relaxed);
	bool all = dpdk->is_inline;
	unsigned kept = 0, too_long = 0;
	uint64_t bytes = 0;

	for (unsigned i = 0; i < received; i++) {
		struct rte_mbuf *mbuf = mbufs[i];

		if (i + PREFETCH_AHEAD < received)
			rte_prefetch0(rte_pktmbuf_mtod(
			    mbufs[i + PREFETCH_AHEAD], void *));
		if (mbuf->nb_segs > 1 || !is_for_us(mbuf, all, mac, own)) {
			too_long += mbuf->nb_segs > 1;
			rte_pktmbuf_free(mbuf);
			continue;
		}
		lp_dpdk_pool_pkt_init(&pkts[kept], mbuf);
		pkts[kept].flags = flags_of(mbuf);
		pkts[kept].port_in = dpdk->port.slot;
		bytes += mbuf->data_len;
		kept++;
	}
	lp_count_add(&dpdk->io.rx_packets, kept);
	lp_count_add(&dpdk->io.rx_bytes, bytes);
	if (kept < received) {
		lp_count_add(&dpdk->io.rx_too_long, too_long);
		lp_count_add(
		    &dpdk->io.rx_other_host, received - kept - too_long);
	}
	return kept;
}

unsigned
lp_port_dpdk_io_rx(struct lp_port *port, struct lp_pkt pkts[], unsigned max)
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of(port);
	struct rte_mbuf *mbufs[LP_BATCH_MAX];
	unsigned got = 0;

	assert(max <= LP_BATCH_MAX);
	for (uint16_t i = 0; i < dpdk->queues && got < max; i++) {
		uint16_t queue =
		    (uint16_t)((dpdk->first_queue + i) % dpdk->queues);
		unsigned received = rte_eth_rx_burst(
		    dpdk->port_id, queue, mbufs, (uint16_t)(max - got));

		if (received > 0)
			got += receive(dpdk, mbufs, received, pkts + got);
	}
	dpdk->first_queue = (uint16_t)((dpdk->first_queue + 1) % dpdk->queues);
	return got;
}

unsigned
lp_port_dpdk_io_tx(struct lp_port *port, struct lp_pkt *pkts[], unsigned wanted)
{
	struct lp_port_dpdk *dpdk = lp_port_dpdk_of(port);
	struct rte_mbuf *mbufs[LP_OUTBOX_MAX];
	uint64_t bytes = 0;
	uint16_t sent;

	assert(wanted <= LP_OUTBOX_MAX);
	for (unsigned i = 0; i < wanted; i++) {
		struct rte_mbuf *mbuf = lp_dpdk_pool_mbuf(pkts[i]);
		size_t at = (size_t)(pkts[i]->data - (uint8_t *)mbuf->buf_addr);

		assert(at + pkts[i]->len <= mbuf->buf_len);
		mbuf->data_off = (uint16_t)at;
		mbuf->data_len = pkts[i]->len;
		mbuf->pkt_len = pkts[i]->len;
		mbufs[i] = mbuf;
	}
	sent = rte_eth_tx_burst(dpdk->port_id, 0, mbufs, (uint16_t)wanted);
	for (unsigned i = 0; i < sent; i++)
		bytes += pkts[i]->len;
	lp_count_add(&dpdk->io.tx_packets, sent);
	lp_count_add(&dpdk->io.tx_bytes, bytes);
	return sent;
}
