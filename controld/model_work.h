/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A transaction in the making: what the files of the model share.  Nobody else
 * includes this.
 */
#ifndef LP_CONTROLD_MODEL_WORK_H
#define LP_CONTROLD_MODEL_WORK_H

#include "controld/model.h"

struct lp_model_touch {
	uint32_t id;
	uint32_t place;
	uint32_t turn; /* a later one counts */
	uint8_t kind; /* enum lp_object_kind */
};

/*
 * Of model_rule.c.  The rules are apart until all operations are done: else
 * each object that comes or goes would move all of them.
 */
struct lp_model_rules {
	struct lp_config config;
	/* NULL: no operation is about a rule. */
	uint32_t *ids; /* hashed by name; 0: free */
	size_t size; /* a power of two */
	uint32_t *gone; /* to be removed in one pass; one an operation */
	size_t gone_count;
};

struct lp_model_work {
	struct lp_model_change *change;
	const struct lp_config *from; /* what is changed; it has passed */
	const Lp__Pb__Operation *op;
	uint32_t place; /* of op */
	size_t op_count;
	uint32_t cluster_id; /* of op, when it names a cluster */
	struct lp_model_touch *touches; /* one an operation at most */
	size_t touch_count;
	bool settled;
	struct lp_model_rules rules;
	bool is_check; /* lp_model_check(): nothing comes of it */
};

/* Of model.c: the start of a transaction, and its operation at an index. */
int lp_model_begin(struct lp_model_work *work, uint32_t next_id);
int lp_model_run(
    struct lp_model_work *work, const Lp__Pb__Operation *op, size_t index);

/* Fills in the error, about the operation; returns -EINVAL. */
int lp_model_work_refuse(struct lp_model_work *work, const char *field,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * After a refusal, of which it returns what that has returned: what is not
 * there, by its name.
 */
int lp_model_work_lacks(struct lp_model_work *work, int rc,
    enum lp_object_kind kind, const char *name);

/* The cluster that the operation names, or the object itself, is not there. */
int lp_model_work_unknown(struct lp_model_work *work);

/* A cluster that a field names is not there. */
int lp_model_work_unknown_cluster(
    struct lp_model_work *work, const char *field, const char *name);

/* The operation concerns that object: once for each operation. */
void lp_model_work_touch(
    struct lp_model_work *work, const struct lp_object *object);

/*
 * All operations are done: of those that are more than there may be of their
 * kind the first, whose id is returned, and the error is about it.  0: there is
 * none.
 */
uint32_t lp_model_work_exceeds(struct lp_model_work *work);

/* All is touched: from here on once each, ordered by id. */
void lp_model_work_settle(struct lp_model_work *work);

/* Of the command that touched the object last; 0: of none. */
uint32_t lp_model_work_place(const struct lp_model_work *work, uint32_t id);

#endif
