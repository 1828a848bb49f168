/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects of a configuration, as plain structs.
 *
 * These six are all that an operator configures and all that a dataplane is
 * told.  An object is known by its id for ever: ids come from one counter of
 * the database, start at 1 and are never used again.  Objects refer to one
 * another by id; names are for people.  Strings are NUL terminated and padded
 * with zeros, so that two equal objects are equal in memory after
 * lp_object_init().
 */
#ifndef LP_PROTO_OBJECT_H
#define LP_PROTO_OBJECT_H

#include "proto/address.h"
#include "proto/limits.h"
#include "proto/rule.h"

enum lp_object_kind {
	LP_OBJECT_PORT = 1,
	LP_OBJECT_CLUSTER = 2,
	LP_OBJECT_BROKER = 3,
	LP_OBJECT_LISTENER = 4,
	LP_OBJECT_ENDPOINT = 5,
	LP_OBJECT_RULE = 6,
};
enum { LP_OBJECT_KINDS = 7 }; /* one more than the last */

enum lp_backend {
	LP_BACKEND_AF_XDP = 1,
	LP_BACKEND_DPDK = 2,
	LP_BACKEND_MEMORY = 3, /* tests only */
};

/* Bits: a port may face clients, brokers, or both. */
enum lp_side {
	LP_SIDE_CLIENT = 1,
	LP_SIDE_BROKER = 2,
	LP_SIDE_BOTH = 3,
};

enum lp_listener_mode {
	LP_MODE_VIP = 1,
	LP_MODE_INLINE = 2, /* a bump in the wire: no VIP, no translation */
};

/* What becomes of the traffic of an inline port without its dataplane. */
enum lp_on_loss {
	/* Drop what the dataplane was to see; the rest goes on to the peer. */
	LP_ON_LOSS_DROP = 1,
	LP_ON_LOSS_WIRE = 2, /* All of it goes on to the peer. */
};

enum lp_source_address {
	LP_SOURCE_TRANSLATE = 1,
	LP_SOURCE_PRESERVE = 2,
};

/* How far the dataplane looks into the connections of a listener. */
enum lp_look {
	LP_LOOK_OBSERVE = 1, /* Kafka is read in passing; nothing is changed */
	LP_LOOK_OFF = 2, /* forwarded, and not read */
};

/* What becomes of the addresses of brokers that a cluster tells clients. */
enum lp_rewriting {
	LP_REWRITING_ON = 1, /* they become those of the listener */
	LP_REWRITING_OFF = 2, /* they pass as they are */
	LP_REWRITING_SHADOW = 3, /* they pass, and what would be is counted */
};

/* What becomes of bytes that rules of requests cannot judge. */
enum lp_unjudged {
	LP_UNJUDGED_PASS = 1, /* they pass */
	LP_UNJUDGED_RESET = 2, /* RST to both ends */
};

/*
 * A network device of the dataplane, with addresses of its own; or with a peer:
 * then the two are a bump in the wire, and what comes in by one leaves by the
 * other.
 */
struct lp_port_object {
	char name[LP_NAME_SIZE];
	char device[LP_DEVICE_SIZE];
	uint8_t backend; /* enum lp_backend */
	uint8_t side; /* enum lp_side */
	/* Allow a device that carries the host's default route. */
	bool allow_default_route;
	uint8_t address_count;
	/* DPDK: bytes of an IP packet; 0: the device's own. */
	uint16_t mtu;
	struct lp_prefix addresses[LP_PORT_ADDRESSES_MAX];
	struct lp_ip gateway_v4; /* none: lp_ip_is_none() */
	struct lp_ip gateway_v6;
	/*
	 * The name of the other port of a pair, "": none.  Each names the
	 * other, and both may be new in one change: hence no id.
	 */
	char peer[LP_NAME_SIZE];
	uint8_t on_loss; /* enum lp_on_loss; of ports with a peer */
};

static inline bool
lp_object_has_peer(const struct lp_port_object *port)
{
	return port->peer[0] != '\0';
}

struct lp_cluster_object {
	char name[LP_NAME_SIZE];
	/*
	 * The cluster that this one is, by other listeners of its brokers:
	 * their node ids and topics are the same.  0: it stands for itself;
	 * that one always does.
	 */
	uint32_t same_as;
	/* lp-controld adds, moves and retires its brokers by itself. */
	bool discover;
};

struct lp_broker_object {
	uint32_t cluster_id;
	int32_t node_id; /* Kafka's, >= 0 */
	char host[LP_HOST_SIZE]; /* as the operator wrote it */
	struct lp_endpoint real; /* what it resolved to */
	/* By lp-controld, which may change it; false: the operator's. */
	bool discovered;
};

struct lp_listener_object {
	uint32_t cluster_id;
	char name[LP_NAME_SIZE];
	struct lp_endpoint vip; /* the bootstrap endpoint; inline: none */
	/* endpoint of node n: vip.ip:(base + n); inline: 0 */
	uint16_t broker_base;
	uint8_t mode; /* enum lp_listener_mode */
	uint8_t source_address; /* enum lp_source_address */
	uint8_t kafka; /* enum lp_look; of connections yet to be opened */
	uint8_t rewrite; /* enum lp_rewriting; inline: off */
	/*
	 * What clients are told in place of the VIP: a name, or an address as
	 * text; "": the VIP.
	 */
	char advertise[LP_HOST_SIZE];
	/*
	 * enum lp_unjudged; 0: nobody has said it, so that no rule acts on its
	 * requests.
	 */
	uint8_t unjudged;
};

/*
 * Where clients of one listener reach one broker.  Made by lp-controld when
 * a broker or a listener is added, and kept, so that it never moves.  Inline
 * it is where the broker really is.  A broker whose node id makes no port with
 * the base of the listener has none there, until the operator chooses one.
 */
struct lp_endpoint_object {
	uint32_t listener_id;
	uint32_t broker_id;
	struct lp_endpoint vip;
	/* By the operator: it does not follow the VIP and base of the listener.
	 */
	bool chosen;
};

/*
 * A match and what becomes of what it matches (proto/rule.h), both in their
 * canonical text.  Its name is its own among all rules.  The higher priority
 * is asked first; of equal ones the older rule, which has the lower id.
 */
struct lp_rule_object {
	char name[LP_NAME_SIZE];
	uint32_t priority; /* 0..LP_RULE_PRIORITY_MAX */
	bool shadow; /* matches and counts, and does not act */
	char match[LP_RULE_MATCH_SIZE];
	char action[LP_RULE_ACTION_SIZE];
};

struct lp_object {
	uint32_t id;
	uint8_t kind; /* enum lp_object_kind */
	/*
	 * The label of the files that declare it; "": of none.  It changes
	 * nothing that a dataplane does.  Endpoints have none: they are those
	 * of their brokers and listeners.
	 */
	char owner[LP_OWNER_SIZE];
	union {
		struct lp_port_object port;
		struct lp_cluster_object cluster;
		struct lp_broker_object broker;
		struct lp_listener_object listener;
		struct lp_endpoint_object endpoint;
		struct lp_rule_object rule;
	};
};

/* Zeroes the object, sets kind and the defaults of its optional fields. */
void lp_object_init(struct lp_object *object, enum lp_object_kind kind);

/*
 * Checks one object by itself: names, ranges, addresses, families.  0, or
 * -EINVAL with the field's name in *field (a constant string) and the reason
 * in why[LP_WHY_SIZE].
 */
int lp_object_check(
    const struct lp_object *object, const char **field, char *why);

/* The same of a name alone, whose field is "name". */
int lp_object_check_name(const char *name, const char **field, char *why);

/* The same of an owner that is not "", whose field is "owner". */
int lp_object_check_owner(const char *owner, const char **field, char *why);

/*
 * What rewrite is where nobody says it: on, but off where there is no VIP or
 * nothing is read.  As what messages leave out it never changes.
 */
uint8_t lp_object_rewriting(const struct lp_listener_object *listener);

/* Whether base + node id, where it is by default, is a port at all. */
static inline bool
lp_object_has_room(const struct lp_listener_object *listener, int32_t node_id)
{
	return (int64_t)listener->broker_base + node_id <= UINT16_MAX;
}

/* "port", "cluster", ...; NULL if there is no such kind. */
const char *lp_object_kind_name(unsigned kind);

/* Room for "endpoint payments/public/1": see lp_config_label(). */
enum { LP_OBJECT_LABEL_SIZE = 2 * LP_NAME_SIZE + 32 };

/* The words of the enums above, both ways; NULL or -EINVAL for others. */
const char *lp_backend_name(unsigned backend); /* "af_xdp" "dpdk" "memory" */
const char *lp_side_name(unsigned side); /* "client" "broker" "both" */
const char *lp_mode_name(unsigned mode); /* "vip" "inline" */
const char *lp_on_loss_name(unsigned how); /* "drop" "wire" */
const char *lp_source_address_name(unsigned how); /* "translate" "preserve" */
const char *lp_look_name(unsigned look); /* "observe" "off" */
const char *lp_rewriting_name(unsigned how); /* "on" "off" "shadow" */
const char *lp_unjudged_name(unsigned how); /* "pass" "reset" */
int lp_backend_parse(uint8_t *out, const char *text);
int lp_side_parse(uint8_t *out, const char *text);
int lp_mode_parse(uint8_t *out, const char *text);
int lp_on_loss_parse(uint8_t *out, const char *text);
int lp_source_address_parse(uint8_t *out, const char *text);
int lp_look_parse(uint8_t *out, const char *text);
int lp_rewriting_parse(uint8_t *out, const char *text);
int lp_unjudged_parse(uint8_t *out, const char *text);

#endif
