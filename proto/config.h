/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One whole configuration: the objects of a generation, checked together.
 *
 * lp-controld keeps one, a dataplane builds its snapshot from one, and both
 * check it with the same code; so what one of them stores the other accepts.
 * Objects lie in one array ordered by (kind, id): that order is canonical,
 * and the digest is taken over it.
 */
#ifndef LP_PROTO_CONFIG_H
#define LP_PROTO_CONFIG_H

#include <stddef.h>

#include "proto/object.h"

struct lp_config {
	struct lp_object *objects; /* ordered by (kind, id) */
	size_t count; /* at most LP_OBJECTS_MAX */
	size_t size; /* places allocated */
	bool is_making; /* a change: twice as many of each kind may be there */
};

/* What is wrong with a configuration, and where. */
struct lp_config_error {
	uint32_t object_id; /* 0: the configuration as a whole */
	char object[LP_OBJECT_LABEL_SIZE]; /* "listener payments/public" */
	const char *field; /* "vip"; a constant string, never NULL */
	char why[LP_WHY_SIZE];
	/*
	 * What it needs and is not there: enum lp_object_kind, 0: it is not
	 * that; and its name as rules have it, "": any of that kind would do.
	 */
	uint8_t lacks;
	char lacking[2 * LP_NAME_SIZE];
};

void lp_config_init(struct lp_config *config);
void lp_config_fini(struct lp_config *config);

/* -ENOMEM, or 0 with a deep copy in *to, which must be initialised. */
int lp_config_copy(struct lp_config *to, const struct lp_config *from);

/* The same of `count` objects from place `first` on. */
int lp_config_copy_part(struct lp_config *to, const struct lp_config *from,
    size_t first, size_t count);

/*
 * Inserts the object, or replaces the one of the same kind and id.
 * -ENOSPC at the limit of its kind, -ENOMEM.
 */
int lp_config_put(struct lp_config *config, const struct lp_object *object);

/* Puts it behind all others, where it belongs, without a limit.  -ENOMEM. */
int lp_config_append(struct lp_config *config, const struct lp_object *object);

/*
 * What `last` has follows what `config` has, where it belongs; *last is empty
 * then.  -ENOMEM, with both as they were.
 */
int lp_config_join(struct lp_config *config, struct lp_config *last);

/* 0, or -ENOENT. */
int lp_config_remove(
    struct lp_config *config, enum lp_object_kind kind, uint32_t id);

/*
 * Removes many of one kind in one pass.  The ids rise, and all of them are
 * there.
 */
void lp_config_remove_all(struct lp_config *config, enum lp_object_kind kind,
    const uint32_t *ids, size_t count);

/* NULL if there is none.  Valid until the configuration changes. */
const struct lp_object *lp_config_find(
    const struct lp_config *config, enum lp_object_kind kind, uint32_t id);

/*
 * By name: a port, cluster or rule by its name (cluster_id 0), a listener by
 * its name within a cluster; a broker by its node id.
 */
const struct lp_object *lp_config_find_name(const struct lp_config *config,
    enum lp_object_kind kind, uint32_t cluster_id, const char *name);
/*
 * A port or cluster by its name, a listener by CLUSTER/NAME: as rules name
 * them.
 */
const struct lp_object *lp_config_find_text(
    const struct lp_config *config, enum lp_object_kind kind, const char *text);
const struct lp_object *lp_config_find_broker(
    const struct lp_config *config, uint32_t cluster_id, int32_t node_id);

/* The id of the cluster that it is the same as, or its own. */
uint32_t lp_config_root(const struct lp_config *config, uint32_t cluster_id);

/* Where clients of that listener reach that broker. */
const struct lp_object *lp_config_find_endpoint(
    const struct lp_config *config, uint32_t listener_id, uint32_t broker_id);

/*
 * The next broker that is to be reached by that listener and has no endpoint
 * there: base and node id make no port, and none was chosen.  NULL: no more.
 * *index is 0 at first.
 */
const struct lp_object *lp_config_next_missing(const struct lp_config *config,
    const struct lp_object *listener, size_t *index);

/* How many of a kind there may be. */
size_t lp_config_max(enum lp_object_kind kind);

/*
 * The objects of one kind: *first and the returned count index
 * config->objects.
 */
size_t lp_config_range(
    const struct lp_config *config, enum lp_object_kind kind, size_t *first);

/*
 * How many objects there are without the rules: they come last, and there may
 * be very many.
 */
size_t lp_config_count_plain(const struct lp_config *config);

/*
 * Checks every object by itself and against all others: unique names, ids
 * that exist, addresses and endpoints that do not collide, one family from
 * VIP to broker, a port for every VIP and broker that is needed, rules of
 * which each can be followed.  0, or
 * -EINVAL with the first error found.
 */
int lp_config_check(
    const struct lp_config *config, struct lp_config_error *error);

/*
 * The same of a configuration that was made of `passed`, which has passed:
 * rules are not read again that are the same, while all else is.
 */
int lp_config_check_change(const struct lp_config *config,
    const struct lp_config *passed, struct lp_config_error *error);

/*
 * All rules that cannot be followed, each with its first error, and listeners
 * that have not said what rules ask of them.  All else has passed the check.
 * Calls found for each.
 */
void lp_config_check_rule_all(const struct lp_config *config,
    void (*found)(void *arg, const struct lp_config_error *error), void *arg);

/* "listener payments/public"; for messages.  Returns buf. */
char *lp_config_label(const struct lp_config *config,
    const struct lp_object *object, char buf[LP_OBJECT_LABEL_SIZE]);

/*
 * XXH3 (64 bits) over the packed objects in canonical order.  Equal on every
 * host for equal content; 0 only for no memory.
 */
uint64_t lp_config_digest(const struct lp_config *config);

/*
 * Calls gone for each object of `from` that `to` lacks, then put for each
 * object that is new or other in `to`, in canonical order: what is full has
 * room by then.  Stops at, and returns, the first result of a callback that is
 * not 0.
 */
struct lp_config_diff {
	int (*put)(void *arg, const struct lp_object *object, bool is_new);
	int (*gone)(void *arg, const struct lp_object *object);
	void *arg;
};
int lp_config_diff(const struct lp_config *from, const struct lp_config *to,
    const struct lp_config_diff *diff);

#endif
