/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_status.h"

#include <inttypes.h>
#include <string.h>

#include "cli/clock.h"
#include "cli/output_text_discovery.h"
#include "cli/output_text_kafka.h"
#include "cli/table.h"
#include "proto/object.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

/* Of a certificate that ends soon: two weeks. */
static const uint64_t soon_ns = UINT64_C(14) * 86400 * 1000000000;

static enum lp_style
state_style(const char *state)
{
	if (strcmp(state, "applied") == 0)
		return LP_STYLE_GOOD;
	if (strcmp(state, "rejected") == 0 || strcmp(state, "fenced") == 0 ||
	    strcmp(state, "incompatible") == 0)
		return LP_STYLE_BAD;
	return LP_STYLE_WARN;
}

/* "2025-11-23T02:30:00.123Z (3 min 20 s ago)"; nothing for no time. */
static void
write_since(const struct lp_print *print, const char *what, uint64_t time_ns)
{
	char time[LP_CLOCK_RFC3339_SIZE];
	char ago[LP_CLOCK_DURATION_SIZE];

	if (time_ns == 0)
		return;
	(void)fprintf(
	    print->out, "%s %s", what, lp_clock_rfc3339(time, time_ns));
	if (time_ns <= print->now_ns)
		(void)fprintf(print->out, " (%s ago)",
		    lp_clock_duration(ago, print->now_ns - time_ns));
}

static void write_remote(
    const struct lp_print *print, const Lp__Pb__RemoteStatus *remote);

/* What is taken back unless somebody keeps it. */
static void
write_confirm(
    const struct lp_print *print, const Lp__Pb__ConfirmStatus *confirm)
{
	char time[LP_CLOCK_RFC3339_SIZE], left[LP_CLOCK_DURATION_SIZE];
	uint64_t left_ns = confirm->until_ns > print->now_ns
	    ? confirm->until_ns - print->now_ns
	    : 0;

	(void)fprintf(print->out,
	    "%sgeneration %" PRIu64 " waits to be confirmed until %s (in %s)%s"
	    ", or generation %" PRIu64 " comes back; it is by %s\n",
	    lp_table_style(LP_STYLE_WARN, print->color), confirm->generation,
	    lp_clock_rfc3339(time, confirm->until_ns),
	    lp_clock_duration(left, left_ns),
	    lp_table_plain(LP_STYLE_WARN, print->color), confirm->back_to,
	    lp_table_or_dash(confirm->who));
}

static void
write_controld(const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	(void)fprintf(print->out, "lp-controld %s, pid %u",
	    lp_table_or_dash(reply->version), reply->pid);
	write_since(print, ", started", reply->started_ns);
	(void)fprintf(print->out,
	    "\ndatabase %s, epoch %" PRIu64 "\ngeneration %" PRIu64,
	    lp_table_or_dash(reply->database), reply->epoch, reply->generation);
	write_since(print, " since", reply->since_ns);
	if (reply->has_digest)
		(void)fprintf(
		    print->out, ", digest %016" PRIx64, reply->digest);
	(void)fputc('\n', print->out);
	if (reply->confirm != NULL)
		write_confirm(print, reply->confirm);
	write_remote(print, reply->remote);
	(void)fputc('\n', print->out);
}

/* Those who come over TLS, and until when they can. */
static void
write_remote(const struct lp_print *print, const Lp__Pb__RemoteStatus *remote)
{
	char time[LP_CLOCK_RFC3339_SIZE], left[LP_CLOCK_DURATION_SIZE];
	enum lp_style style = LP_STYLE_PLAIN;

	if (remote == NULL)
		return;
	(void)fprintf(print->out,
	    "remote %s: clients %u, accepted %" PRIu64 ", refused %" PRIu64
	    " (no room %" PRIu64 ", too late %" PRIu64 "), closed as idle "
	    "%" PRIu64 ", requests delayed %" PRIu64 "\n",
	    remote->address, remote->clients, remote->accepted, remote->refused,
	    remote->full, remote->late, remote->idle, remote->delayed);
	if (remote->expires_ns < print->now_ns)
		style = LP_STYLE_BAD;
	else if (remote->expires_ns - print->now_ns < soon_ns)
		style = LP_STYLE_WARN;
	(void)fprintf(print->out, "certificate until %s%s%s",
	    lp_table_style(style, print->color),
	    lp_clock_rfc3339(time, remote->expires_ns),
	    lp_table_plain(style, print->color));
	if (style == LP_STYLE_BAD)
		(void)fputs(" (has expired: nobody can connect)", print->out);
	else
		(void)fprintf(print->out, " (%s)",
		    lp_clock_duration(
			left, remote->expires_ns - print->now_ns));
	if (remote->why != NULL)
		(void)fprintf(print->out, "; the files: %s%s%s",
		    lp_table_style(LP_STYLE_BAD, print->color), remote->why,
		    lp_table_plain(LP_STYLE_BAD, print->color));
	(void)fputc('\n', print->out);
}

static void
dataplane_row(struct lp_table *table, const Lp__Pb__DataplaneStatus *dataplane)
{
	const char *state = lp_table_or_dash(dataplane->state);
	char time[LP_CLOCK_RFC3339_SIZE] = "-";

	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(dataplane->id));
	lp_table_add(table, state_style(state), "%s", state);
	if (dataplane->has_generation)
		lp_table_add(
		    table, LP_STYLE_PLAIN, "%" PRIu64, dataplane->generation);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "-");
	if (dataplane->since_ns != 0)
		(void)lp_clock_rfc3339(time, dataplane->since_ns);
	lp_table_add(table, LP_STYLE_PLAIN, "%s", time);
	lp_table_add(
	    table, LP_STYLE_PLAIN, "%s", lp_table_or_dash(dataplane->version));
	/* Of another machine also who it says it is. */
	if (dataplane->peer != NULL)
		lp_table_add(table, LP_STYLE_PLAIN, "%s (%s)",
		    lp_table_or_dash(dataplane->path), dataplane->peer);
	else
		lp_table_add(table, LP_STYLE_PLAIN, "%s",
		    lp_table_or_dash(dataplane->path));
}

static void
write_whys(const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	for (size_t i = 0; i < reply->n_dataplanes; i++) {
		const Lp__Pb__DataplaneStatus *dataplane = reply->dataplanes[i];
		const char *name =
		    dataplane->id != NULL && dataplane->id[0] != '\0'
		    ? dataplane->id
		    : dataplane->path;

		if (dataplane->why == NULL || dataplane->why[0] == '\0')
			continue;
		(void)fprintf(print->out, "%s: %s%s%s\n",
		    lp_table_or_dash(name),
		    lp_table_style(LP_STYLE_BAD, print->color), dataplane->why,
		    lp_table_plain(LP_STYLE_BAD, print->color));
	}
}

/* What each does without any lp-controld, and when it last had to. */
static void
write_alone(
    const struct lp_print *print, const Lp__Pb__DataplaneStatus *dataplane)
{
	char time[LP_CLOCK_RFC3339_SIZE];

	if (dataplane->on_loss == NULL)
		return;
	(void)fprintf(print->out, "%s: without lp-controld: %s",
	    lp_table_or_dash(dataplane->id), dataplane->on_loss);
	if (dataplane->has_alone_ns)
		(void)fprintf(print->out, "; was so from %s",
		    lp_clock_rfc3339(time, dataplane->alone_ns));
	if (dataplane->has_alone_ns && dataplane->has_joined_ns)
		(void)fprintf(print->out, " to %s",
		    lp_clock_rfc3339(time, dataplane->joined_ns));
	if (dataplane->has_closed_ns)
		(void)fprintf(print->out, ", %sclosed%s from %s",
		    lp_table_style(LP_STYLE_WARN, print->color),
		    lp_table_plain(LP_STYLE_WARN, print->color),
		    lp_clock_rfc3339(time, dataplane->closed_ns));
	(void)fputc('\n', print->out);
}

/* And what inline ports do without any lp-dataplane. */
static void
write_port_losses(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	for (size_t i = 0; i < reply->n_port_losses; i++) {
		const Lp__Pb__PortLossStatus *row = reply->port_losses[i];

		(void)fprintf(print->out, "%s%s %s",
		    i == 0 ? "without lp-dataplane: " : ", ", row->port,
		    lp_table_or_dash(lp_on_loss_name(row->on_loss)));
	}
	if (reply->n_port_losses > 0)
		(void)fputc('\n', print->out);
}

int
lp_output_text_status(
    const struct lp_print *print, const Lp__Pb__StatusReply *reply)
{
	static const struct lp_column columns[] = {{"DATAPLANE", false},
	    {"STATE", false}, {"GENERATION", true}, {"SINCE", false},
	    {"VERSION", false}, {"SOCKET", false}};
	struct lp_table table;
	int err;

	write_controld(print, reply);
	lp_table_init(&table, COLUMNS(columns));
	for (size_t i = 0; i < reply->n_dataplanes; i++)
		dataplane_row(&table, reply->dataplanes[i]);
	err = lp_table_write(&table, print->out, print->color);
	if (err != 0)
		return err;
	write_whys(print, reply);
	for (size_t i = 0; i < reply->n_dataplanes; i++)
		write_alone(print, reply->dataplanes[i]);
	write_port_losses(print, reply);
	for (size_t i = 0; i < reply->n_warnings; i++)
		(void)fprintf(print->out, "%swarning: %s%s\n",
		    lp_table_style(LP_STYLE_WARN, print->color),
		    reply->warnings[i],
		    lp_table_plain(LP_STYLE_WARN, print->color));
	lp_output_text_discovery(print, reply);
	return lp_output_text_kafka_ids(print, reply);
}
