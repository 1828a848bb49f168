/* SPDX-License-Identifier: Apache-2.0 */
/* The part of lp_config_check() that is about inline ports and listeners. */
#include "proto/config_check.h"

static int check_pair(const struct lp_config_check *check,
    const struct lp_object *port, const struct lp_object *peer);
static int check_listeners(const struct lp_config_check *check);

int
lp_config_check_peer(const struct lp_config_check *check)
{
	const struct lp_object *ports[LP_PORTS_MAX];
	size_t count = lp_config_check_list(check, LP_OBJECT_PORT, ports);
	int rc = 0;

	for (size_t i = 0; i < count && !rc; i++) {
		const struct lp_object *port = ports[i];
		const struct lp_object *peer;

		if (!lp_object_has_peer(&port->port))
			continue;
		peer = lp_config_find_name(
		    check->config, LP_OBJECT_PORT, 0, port->port.peer);
		if (!peer)
			return lp_config_check_lacks(check,
			    lp_config_check_refuse(check, port, "peer",
				"there is no port %s: the two of a pair come "
				"and go in one change",
				port->port.peer),
			    LP_OBJECT_PORT, port->port.peer);
		rc = check_pair(check, port, peer);
	}
	return rc ? rc : check_listeners(check);
}

/* Each names the other, and they agree on what both have to do. */
static int
check_pair(const struct lp_config_check *check, const struct lp_object *port,
    const struct lp_object *peer)
{
	const struct lp_port_object *a = &port->port, *b = &peer->port;
	const struct lp_object *newer = port->id > peer->id ? port : peer;

	if (!lp_object_has_peer(b))
		return lp_config_check_refuse(check, peer, "peer",
		    "port %s has it as its peer: each of a pair names the "
		    "other (peer %s)",
		    a->name, a->name);
	if (strcmp(b->peer, a->name) != 0)
		return lp_config_check_refuse(check, newer, "peer",
		    "port %s has %s as its peer, port %s has %s: each of a "
		    "pair names the other",
		    a->name, a->peer, b->name, b->peer);
	if (a->on_loss != b->on_loss)
		return lp_config_check_refuse(check, newer, "on_loss",
		    "port %s says %s, its peer %s says %s: set both in one "
		    "change",
		    a->name, lp_on_loss_name(a->on_loss), b->name,
		    lp_on_loss_name(b->on_loss));
	if (a->mtu != b->mtu)
		return lp_config_check_refuse(check, newer, "mtu",
		    "port %s has %u, its peer %s has %u (0: the device's "
		    "own): what fits one must fit the other",
		    a->name, a->mtu, b->name, b->mtu);
	return 0;
}

/* A second one would see the very same connections. */
static int
check_listeners(const struct lp_config_check *check)
{
	const struct lp_object *list[LP_LISTENERS_MAX];
	size_t count = lp_config_check_list(check, LP_OBJECT_LISTENER, list);
	char label[LP_OBJECT_LABEL_SIZE];

	for (size_t i = 1; i < count; i++) {
		const struct lp_listener_object *newer = &list[i]->listener;

		for (size_t j = 0; j < i; j++) {
			const struct lp_listener_object *older =
			    &list[j]->listener;

			if (newer->mode == LP_MODE_INLINE &&
			    older->mode == LP_MODE_INLINE &&
			    newer->cluster_id == older->cluster_id)
				return lp_config_check_refuse(check, list[i],
				    "mode",
				    "%s is inline already: one sees all "
				    "connections of its cluster",
				    lp_config_label(
					check->config, list[j], label));
		}
	}
	return 0;
}
