/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rules of a transaction in the making, of which there may be very many: they
 * are found through a table of their names, and those that go, go in one
 * pass.
 */
#ifndef LP_CONTROLD_MODEL_RULE_H
#define LP_CONTROLD_MODEL_RULE_H

#include "controld/model_work.h"

/*
 * Takes the rules apart, before any operation, and puts them behind the other
 * objects again, after all.  0, or -ENOMEM.
 */
int lp_model_rule_part(struct lp_model_work *work);
int lp_model_rule_join(struct lp_model_work *work);

/* Before any other of these; twice is no harm.  0, or -ENOMEM. */
int lp_model_rule_begin(struct lp_model_work *work);
void lp_model_rule_end(struct lp_model_work *work);

/* NULL if there is none of that name, or it is to go. */
const struct lp_object *lp_model_rule_find(
    const struct lp_model_work *work, const char *name);

/* -ENOSPC if there are as many as there may be, -ENOMEM. */
int lp_model_rule_put(struct lp_model_work *work, const struct lp_object *rule);

/*
 * After a rule was put: name is the one it had before, NULL: it is new.
 * lp_model_rule_gone(): it goes with the next lp_model_rule_sweep().
 */
void lp_model_rule_named(
    struct lp_model_work *work, const struct lp_object *rule, const char *name);
void lp_model_rule_gone(
    struct lp_model_work *work, const struct lp_object *rule);
void lp_model_rule_sweep(struct lp_model_work *work);

/*
 * The fields of the operation have been merged: nothing is missing, the name
 * is free, the texts become canonical.  0, or -EINVAL with the error.
 */
int lp_model_rule_take(
    struct lp_model_work *work, struct lp_object *rule, bool is_new);

/*
 * The object has been set, and may have another name: rules go on naming it.
 * 0; -EINVAL with the error if one would become too long.
 */
int lp_model_rule_follow(struct lp_model_work *work,
    const struct lp_object *before, const struct lp_object *object);

/* -EINVAL with the error if a rule names that object; 0. */
int lp_model_rule_check_unnamed(
    struct lp_model_work *work, const struct lp_object *object);

#endif
