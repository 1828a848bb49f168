/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a transaction makes of a configuration.
 *
 * Pure: no SQL, no sockets, no clock.  A transaction is applied to a copy;
 * it becomes the new configuration only if every operation fits and the
 * result passes lp_config_check().  Ids, and the endpoint of each broker on
 * each listener, are made here.
 */
#ifndef LP_CONTROLD_MODEL_H
#define LP_CONTROLD_MODEL_H

#include "proto/config.h"
#include "proto/message.h"

enum {
	/* So that all of them fit into one frame. */
	LP_MODEL_NOTES_MAX = 128,
	LP_MODEL_NOTE_SIZE = 448,
};

/* Why a transaction was refused, and where. */
struct lp_model_error {
	uint32_t place; /* which command, from 1; 0: the transaction */
	char object[LP_OBJECT_LABEL_SIZE]; /* "listener payments/public" */
	const char *field; /* "vip"; "" if it is none; a constant string */
	char why[LP_WHY_SIZE];
	/* What is not there, as in struct lp_config_error. */
	uint8_t lacks;
	char lacking[2 * LP_NAME_SIZE];
};

struct lp_model_change {
	struct lp_config config; /* the result */
	uint32_t next_id; /* of the next object; UINT32_MAX: none left */
	char (*notes)[LP_MODEL_NOTE_SIZE]; /* what the operator should know */
	size_t note_count; /* at most LP_MODEL_NOTES_MAX */
	struct lp_model_error error;
};

/*
 * Applies the operations to a copy of `from`.  0 with config, next_id and
 * notes; -EINVAL with error; -ENOMEM.  lp_model_change_fini() in every case.
 */
int lp_model_apply(struct lp_model_change *change, const struct lp_config *from,
    uint32_t next_id, Lp__Pb__Operation *const *operations, size_t count);

/*
 * All that lp_model_apply() would refuse of it, one after another, and not the
 * first alone: calls found for each, and goes on without what is refused; so
 * errors that only follow from another one tell what lacks.  0 with the notes,
 * if found was never called; -ENOMEM.  lp_model_change_fini() in every case.
 */
int lp_model_check(struct lp_model_change *change, const struct lp_config *from,
    uint32_t next_id, Lp__Pb__Operation *const *operations, size_t count,
    void (*found)(void *arg, const struct lp_model_error *error), void *arg);

void lp_model_change_fini(struct lp_model_change *change);

#endif
