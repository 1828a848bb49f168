/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Prometheus' text format (version 0.0.4), written row by row.
 *
 * The format wants all samples of a metric together, and what is told comes
 * by rows: so each metric has a buffer of its own, and the page is all of
 * them, one behind the other, without a copy.
 */
#ifndef LP_CONTROLD_EXPORT_TEXT_H
#define LP_CONTROLD_EXPORT_TEXT_H

#include <event2/buffer.h>
#include <stdbool.h>

#include "controld/export_metrics.h"
#include "proto/message.h"

enum {
	/* Bytes of a label's value; what is longer is cut. */
	LP_EXPORT_TEXT_VALUE_MAX = 1024, /* a client id of 255, as \xNN */
	LP_EXPORT_TEXT_LABELS_MAX = 8,
	/* Escaped (five bytes for one at worst), with name and quotes. */
	LP_EXPORT_TEXT_LABEL_SIZE = 5 * LP_EXPORT_TEXT_VALUE_MAX + 32,
	LP_EXPORT_TEXT_LABELS_SIZE =
	    LP_EXPORT_TEXT_LABELS_MAX * LP_EXPORT_TEXT_LABEL_SIZE,
};

/* All zero: empty, and may take nothing; lp_export_text_init() first. */
struct lp_export_text {
	struct evbuffer *metrics[LP_EXPORT_METRIC_COUNT]; /* NULL: none yet */
	size_t size, size_max; /* bytes in all of them */
	uint64_t skipped; /* rows: told twice, or beyond size_max */
	bool no_memory; /* since then it is not whole */
	uint64_t *seen; /* hashes of what was told; 0: free */
	size_t seen_count, seen_size; /* a power of two, or 0 */
};

/* What several metrics say of one thing. */
struct lp_export_row {
	struct lp_export_text *text;
	enum lp_export_set set;
	uint64_t hash;
	size_t len;
	char labels[LP_EXPORT_TEXT_LABELS_SIZE];
};

void lp_export_text_init(struct lp_export_text *text, size_t size_max);
/* May be used again after another init. */
void lp_export_text_fini(struct lp_export_text *text);

/*
 * Begins a row: a value for each label of the set, in its order; NULL is "".
 * False: it was told before, or there is no room: leave it out.
 */
bool lp_export_text_row(struct lp_export_row *row, struct lp_export_text *text,
    enum lp_export_set set, const char *const values[]);

/* A sample; `own` is the value of the metric's own label, if it has one. */
void lp_export_text_add(struct lp_export_row *row, enum lp_export_metric metric,
    const char *own, uint64_t value);

/* All samples of a histogram; nothing if it is absent or empty. */
void lp_export_text_histogram(struct lp_export_row *row,
    enum lp_export_metric metric, const char *own,
    const Lp__Pb__Histogram *histogram);

/*
 * Moves what all texts have behind the page, metric by metric, with HELP and
 * TYPE.  0 or -ENOMEM.
 */
int lp_export_text_join(
    struct evbuffer *page, struct lp_export_text *texts[], unsigned count);

/*
 * A value between quotes: valid UTF-8 without control characters, whatever
 * the bytes are.  Writes at most 5 * LP_EXPORT_TEXT_VALUE_MAX bytes, no NUL;
 * returns how many.
 */
size_t lp_export_text_escape(char *out, const char *value);

#endif
