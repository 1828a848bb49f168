/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/view_denials.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const char *
name_of(const Lp__Pb__DenialListReply *reply)
{
	return reply->dataplane != NULL ? reply->dataplane : "";
}

/* Numbers follow the time, but for a clock that was set back. */
static int
by_time(const void *one, const void *other)
{
	const struct lp_denials_row *a = one;
	const struct lp_denials_row *b = other;

	if (a->denial->time_ns != b->denial->time_ns)
		return a->denial->time_ns < b->denial->time_ns ? -1 : 1;
	if (a->denial->number != b->denial->number)
		return a->denial->number < b->denial->number ? -1 : 1;
	return strcmp(a->dataplane, b->dataplane);
}

/* Of those that have no place all is asked for again. */
static int
remember(struct lp_denials_past *past, const Lp__Pb__DenialListReply *reply)
{
	struct lp_denials_read *read = past->read;
	struct lp_denials_read *end = read + past->count;

	while (read < end && strcmp(read->dataplane, name_of(reply)) != 0)
		read++;
	if (read == past->read + LP_DENIALS_DATAPLANES_MAX)
		return 0;
	if (read == end) {
		read->dataplane = strdup(name_of(reply));
		if (read->dataplane == NULL)
			return -ENOMEM;
		past->count++;
	}
	read->log = reply->denials->log;
	read->last = reply->denials->last;
	return 0;
}

int
lp_view_denials_init(struct lp_denials_view *view,
    const struct lp_replies *replies, struct lp_denials_past *past,
    struct lp_error *error)
{
	size_t count = 0;
	int err = 0;

	for (size_t i = 0; i < replies->count; i++)
		count += replies->list[i]->denials->denials->n_denials;
	*view = (struct lp_denials_view){
	    .rows = calloc(count + 1, sizeof(*view->rows)), .past = past};
	if (view->rows == NULL)
		err = -ENOMEM;
	for (size_t i = 0; i < replies->count && err == 0; i++) {
		const Lp__Pb__DenialListReply *reply =
		    replies->list[i]->denials;

		for (size_t j = 0; j < reply->denials->n_denials; j++)
			view->rows[view->count++] = (struct lp_denials_row){
			    name_of(reply), reply->denials->denials[j]};
		view->lost += reply->denials->lost;
		if (past != NULL)
			err = remember(past, reply);
	}
	if (err == 0) {
		qsort(view->rows, view->count, sizeof(*view->rows), by_time);
		return LP_EXIT_OK;
	}
	lp_view_denials_fini(view);
	return lp_error_set(error, LP_EXIT_UNREACHABLE, "out of memory");
}

void
lp_view_denials_fini(struct lp_denials_view *view)
{
	free(view->rows);
	*view = (struct lp_denials_view){0};
}

bool
lp_view_denials_mixed(const struct lp_denials_view *view)
{
	if (view->past != NULL)
		return view->past->count > 1;
	for (size_t i = 1; i < view->count; i++)
		if (strcmp(view->rows[i].dataplane, view->rows[0].dataplane) !=
		    0)
			return true;
	return false;
}

void
lp_view_denials_forget(struct lp_denials_past *past)
{
	for (size_t i = 0; i < past->count; i++)
		free(past->read[i].dataplane);
	past->count = 0;
}
