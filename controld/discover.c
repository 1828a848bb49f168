/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Overview
 *
 *	heard, polled, a name ▸ gather ▸ plan ▸ one transaction ▸ its answer ▸
 *	events in the log, or a reason that is kept with the node
 *
 * It begins only while no other transaction is under way, and is then the
 * first: so what was planned is of the configuration that it is applied to.
 */
#include "controld/discover.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "controld/clock.h"
#include "controld/discover_plan.h"
#include "proto/log.h"

enum { COMMENT_SIZE = 512 };

struct lp_discover {
	struct lp_context *context;
	struct lp_commit *commit;
	struct lp_names *names;
	struct lp_poll *poll; /* NULL: nobody is asked */
	struct event *timer;
	struct lp_discover_times times;
	bool gathering; /* the timer is that of news */
	bool waiting; /* for the answer, on these: */
	struct lp_discover_step steps[LP_DISCOVER_PLAN_MAX];
	size_t step_count;
	uint64_t wrong, full; /* as last logged */
	size_t tls_told;
	struct lp_discover_change changes[LP_CLUSTERS_MAX];
	struct lp_discover_table table;
};

static void on_timer(evutil_socket_t fd, short what, void *arg);
static void on_name(void *arg);
static int start_poll(
    struct lp_discover *discover, const struct lp_poll_options *options);
static void on_polled(
    void *arg, uint32_t cluster_id, const struct lp_poll_answer *answer);
static void gather(struct lp_discover *discover);
static void set_timer(struct lp_discover *discover, unsigned ms);
static const struct lp_names_answer *look_up(void *arg, const char *host);
static void warn(
    struct lp_discover *discover, const char *what, const char *name);
static void warn_tls(const struct lp_config *config, uint32_t listener_id);
static void send_steps(struct lp_discover *discover);
static Lp__Pb__Operation *make_operation(const struct lp_discover *discover,
    const struct lp_discover_step *step, uint32_t place);
static Lp__Pb__Object *make_broker(const struct lp_discover_step *step);
static char *describe(const struct lp_config *config,
    const struct lp_discover_step *step, char text[LP_WHY_SIZE]);
static void done(
    struct lp_discover *discover, const Lp__Pb__TransactionReply *reply);
static void note_change(
    struct lp_discover *discover, uint32_t cluster_id, const char *text);
static void failed(
    struct lp_discover *discover, const Lp__Pb__Failure *failure);
static void put_off(struct lp_discover *discover,
    const struct lp_discover_step *step, const char *why);

static unsigned
or_default(unsigned ms, unsigned usual)
{
	return ms != 0 ? ms : usual;
}

int
lp_discover_new(struct lp_discover **out, struct lp_context *context,
    struct lp_commit *commit, const struct lp_discover_options *options)
{
	struct lp_discover *discover = calloc(1, sizeof(*discover));
	struct lp_names_options names = {
	    .base = context->base,
	    .again_ms = LP_NAMES_AGAIN_MS,
	    .resolve = options->resolve ? options->resolve : lp_names_resolve,
	    .changed = on_name,
	    .arg = discover,
	};
	int err = -ENOMEM;

	if (discover == NULL)
		return -ENOMEM;
	discover->context = context;
	discover->commit = commit;
	discover->times = (struct lp_discover_times){
	    .gather = or_default(options->times.gather, 1000),
	    .look = or_default(options->times.look, 5000),
	    .absent = or_default(options->times.absent, 300000),
	    .again = or_default(options->times.again, 300000),
	};
	discover->timer = evtimer_new(context->base, on_timer, discover);
	if (discover->timer != NULL)
		err = lp_names_new(&discover->names, &names);
	if (err == 0)
		err = start_poll(discover, &options->poll);
	if (err != 0) {
		lp_discover_free(discover);
		return err;
	}
	set_timer(discover, discover->times.look);
	*out = discover;
	return 0;
}

void
lp_discover_free(struct lp_discover *discover)
{
	if (discover == NULL)
		return;
	lp_poll_free(discover->poll);
	lp_names_free(discover->names);
	if (discover->timer != NULL)
		event_free(discover->timer);
	free(discover);
}

void
lp_discover_heard(struct lp_discover *discover, unsigned index,
    const Lp__Pb__BrokersSeen *seen)
{
	bool news = lp_discover_table_take(&discover->table,
	    &discover->context->current.config, seen, lp_clock_now_ms());

	warn(discover, "dataplane",
	    lp_reply_dataplane_name(
		lp_push_dataplane(discover->context->push, index)));
	if (news)
		gather(discover);
}

void
lp_discover_answered(
    struct lp_discover *discover, const Lp__Pb__ControlReply *reply)
{
	if (!discover->waiting)
		return;
	discover->waiting = false;
	if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_TRANSACTION)
		done(discover, reply->transaction);
	else if (reply->body_case == LP__PB__CONTROL_REPLY__BODY_FAILURE)
		failed(discover, reply->failure);
	/* Maybe there is more to do than one transaction holds. */
	gather(discover);
}

struct lp_discover_table *
lp_discover_known(struct lp_discover *discover)
{
	return &discover->table;
}

const struct lp_discover_change *
lp_discover_last(const struct lp_discover *discover, uint32_t cluster_id)
{
	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++)
		if (discover->changes[i].cluster_id == cluster_id)
			return &discover->changes[i];
	return NULL;
}

bool
lp_discover_resolves_to(
    struct lp_discover *discover, const char *host, const struct lp_ip *ip)
{
	const struct lp_names_answer *answer = look_up(discover, host);

	if (answer == NULL || answer->count == 0)
		return true;
	for (unsigned i = 0; i < answer->count; i++)
		if (lp_ip_equal(&answer->ips[i], ip))
			return true;
	return false;
}

unsigned
lp_discover_absent_ms(const struct lp_discover *discover)
{
	return discover->times.absent;
}

const struct lp_poll_status *
lp_discover_polling(const struct lp_discover *discover, uint32_t cluster_id)
{
	return lp_poll_status(discover->poll, cluster_id);
}

static int
start_poll(struct lp_discover *discover, const struct lp_poll_options *options)
{
	struct lp_poll_options own = *options;

	if (options->directory == NULL)
		return 0;
	own.answered = on_polled;
	own.arg = discover;
	return lp_poll_new(&discover->poll, discover->context, &own);
}

/* A list like those that pass. */
static void
on_polled(void *arg, uint32_t cluster_id, const struct lp_poll_answer *answer)
{
	struct lp_discover *discover = arg;
	const struct lp_config *config = &discover->context->current.config;
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, cluster_id);
	Lp__Pb__BrokersListed list = LP__PB__BROKERS_LISTED__INIT;
	Lp__Pb__BrokerSeen broker = LP__PB__BROKER_SEEN__INIT;
	Lp__Pb__BrokersListed *lists[] = {&list};
	Lp__Pb__BrokerSeen *brokers[] = {&broker};
	Lp__Pb__BrokersSeen seen = LP__PB__BROKERS_SEEN__INIT;
	uint64_t now_ms = lp_clock_now_ms();
	bool news = false;

	list.cluster_id = broker.cluster_id = cluster_id;
	seen.brokers = brokers;
	seen.n_brokers = 1;
	for (size_t i = 0; i < answer->count; i++) {
		broker.node_id = answer->brokers[i].node_id;
		broker.host = answer->brokers[i].host;
		broker.port = answer->brokers[i].port;
		news |= lp_discover_table_polled(
		    &discover->table, config, &seen, now_ms);
	}
	seen.n_brokers = 0;
	seen.lists = lists;
	seen.n_lists = 1;
	news |=
	    lp_discover_table_polled(&discover->table, config, &seen, now_ms);
	warn(
	    discover, "cluster", cluster != NULL ? cluster->cluster.name : "?");
	if (news)
		gather(discover);
}

static void
on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct lp_discover *discover = arg;
	struct lp_discover_plan plan = {
	    .table = &discover->table,
	    .config = &discover->context->current.config,
	    .now_ms = lp_clock_now_ms(),
	    .absent_ms = discover->times.absent,
	    .again_ms = LP_NAMES_AGAIN_MS,
	    .look_up = look_up,
	    .arg = discover,
	};

	(void)fd;
	(void)what;
	discover->gathering = false;
	set_timer(discover, discover->times.look);
	if (discover->waiting)
		return;
	if (!lp_commit_is_idle(discover->commit)) {
		gather(discover);
		return;
	}
	discover->step_count = lp_discover_plan_make(&plan, discover->steps);
	if (discover->step_count > 0)
		send_steps(discover);
}

static void
on_name(void *arg)
{
	gather(arg);
}

static void
gather(struct lp_discover *discover)
{
	if (discover->gathering)
		return;
	discover->gathering = true;
	set_timer(discover, discover->times.gather);
}

static void
set_timer(struct lp_discover *discover, unsigned ms)
{
	const struct timeval wait = lp_clock_timeval(ms);

	evtimer_add(discover->timer, &wait);
}

static const struct lp_names_answer *
look_up(void *arg, const char *host)
{
	struct lp_discover *discover = arg;

	return lp_names_get(discover->names, host, lp_clock_now_ms());
}

/* Each once. */
static void
warn(struct lp_discover *discover, const char *what, const char *name)
{
	struct lp_discover_table *table = &discover->table;

	if (discover->wrong == 0 && table->wrong > 0)
		lp_log_warn("%s %s: it reports brokers that no cluster has: "
			    "they are ignored",
		    what, name);
	if (discover->full == 0 && table->full > 0)
		lp_log_warn("discovery: more than %d brokers were met: some "
			    "are forgotten",
		    LP_DISCOVER_TABLE_NODES_MAX);
	discover->wrong = table->wrong;
	discover->full = table->full;
	if (discover->tls_told > table->tls_count)
		discover->tls_told = table->tls_count;
	while (discover->tls_told < table->tls_count)
		warn_tls(&discover->context->current.config,
		    table->tls[discover->tls_told++]);
}

static void
warn_tls(const struct lp_config *config, uint32_t listener_id)
{
	const struct lp_object *listener =
	    lp_config_find(config, LP_OBJECT_LISTENER, listener_id);
	const struct lp_object *cluster = listener == NULL
	    ? NULL
	    : lp_config_find(
		  config, LP_OBJECT_CLUSTER, listener->listener.cluster_id);
	char label[LP_OBJECT_LABEL_SIZE];

	if (cluster == NULL)
		return;
	lp_log_warn("%s: a client speaks TLS here, and what is encrypted "
		    "cannot be rewritten: it learns the brokers' own "
		    "addresses.  What works: lpctl set-listener %s %s "
		    "--rewrite off; for each broker a VIP of its own, at the "
		    "broker's own port: lpctl set-broker %s ID --endpoint "
		    "%s=IP:PORT; the brokers' names as they are, and the "
		    "clients' DNS leading each of them to its VIP",
	    lp_config_label(config, listener, label), cluster->cluster.name,
	    listener->listener.name, cluster->cluster.name,
	    listener->listener.name);
}

static void
send_steps(struct lp_discover *discover)
{
	const struct lp_reply_to to = {.client = LP_REPLY_SELF,
	    .audit = {.who = "discovery", .request = "transaction"}};
	const struct lp_config *config = &discover->context->current.config;
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	Lp__Pb__Transaction *transaction = malloc(sizeof(*transaction));
	char comment[COMMENT_SIZE] = "", text[LP_WHY_SIZE];
	size_t len = 0;

	if (request == NULL || transaction == NULL) {
		free(request);
		free(transaction);
		return;
	}
	lp__pb__control_request__init(request);
	lp__pb__transaction__init(transaction);
	request->protocol = LP_CONTROL_PROTOCOL;
	request->body_case = LP__PB__CONTROL_REQUEST__BODY_TRANSACTION;
	request->transaction = transaction;
	transaction->operations =
	    calloc(discover->step_count, sizeof(*transaction->operations));
	for (size_t i = 0;
	     transaction->operations != NULL && i < discover->step_count; i++) {
		Lp__Pb__Operation *operation = make_operation(
		    discover, &discover->steps[i], (uint32_t)i + 1);

		if (operation == NULL)
			break;
		transaction->operations[transaction->n_operations++] =
		    operation;
		if (len < sizeof(comment))
			len += (size_t)snprintf(comment + len,
			    sizeof(comment) - len, "%s%s", len > 0 ? "; " : "",
			    describe(config, &discover->steps[i], text));
	}
	transaction->comment = strdup(comment);
	if (transaction->comment == NULL ||
	    transaction->n_operations < discover->step_count) {
		lp__pb__control_request__free_unpacked(request, NULL);
		return; /* no memory: the next look may have some */
	}
	discover->waiting = true;
	lp_commit_add(discover->commit, &to, request);
}

/* As unpacking makes it: its parts are to be freed. */
static Lp__Pb__Operation *
make_operation(const struct lp_discover *discover,
    const struct lp_discover_step *step, uint32_t place)
{
	const struct lp_object *cluster =
	    lp_config_find(&discover->context->current.config,
		LP_OBJECT_CLUSTER, step->cluster_id);
	Lp__Pb__Operation *operation = malloc(sizeof(*operation));

	if (operation == NULL)
		return NULL;
	lp__pb__operation__init(operation);
	operation->verb = step->verb == LP_DISCOVER_ADD
	    ? LP__PB__OPERATION__VERB__ADD
	    : step->verb == LP_DISCOVER_RETIRE ? LP__PB__OPERATION__VERB__DEL
					       : LP__PB__OPERATION__VERB__SET;
	operation->kind = LP_OBJECT_BROKER;
	operation->cluster = strdup(cluster->cluster.name);
	operation->has_node_id = operation->has_place = true;
	operation->node_id = step->node_id;
	operation->place = place;
	if (step->verb != LP_DISCOVER_RETIRE)
		operation->object = make_broker(step);
	if (operation->cluster == NULL ||
	    (step->verb != LP_DISCOVER_RETIRE && operation->object == NULL)) {
		lp__pb__operation__free_unpacked(operation, NULL);
		return NULL;
	}
	return operation;
}

static Lp__Pb__Object *
make_broker(const struct lp_discover_step *step)
{
	struct lp_object object;
	struct lp_message_object holder;
	uint8_t bytes[LP_OBJECT_PACKED_MAX];
	size_t len;

	lp_object_init(&object, LP_OBJECT_BROKER);
	object.broker.node_id = step->node_id;
	strcpy(object.broker.host, step->host);
	object.broker.real = step->real;
	object.broker.discovered = step->discovered;
	len = lp__pb__object__pack(
	    lp_message_from_object(&holder, &object), bytes);
	return lp__pb__object__unpack(NULL, len, bytes);
}

/* "broker payments/3 added at kafka-3:9092 (10.0.0.3:9092)" */
static char *
describe(const struct lp_config *config, const struct lp_discover_step *step,
    char text[LP_WHY_SIZE])
{
	static const char *const verbs[] = {
	    [LP_DISCOVER_ADD] = "added at",
	    [LP_DISCOVER_MOVE] = "moved to",
	    [LP_DISCOVER_FOLLOW] = "follows its name",
	    [LP_DISCOVER_RETIRE] = "retired: no list names it any more",
	};
	const struct lp_object *cluster =
	    lp_config_find(config, LP_OBJECT_CLUSTER, step->cluster_id);
	char real[LP_ENDPOINT_TEXT_SIZE];
	size_t len = (size_t)snprintf(text, LP_WHY_SIZE, "broker %s/%d %s",
	    cluster != NULL ? cluster->cluster.name : "?", step->node_id,
	    verbs[step->verb]);

	if (step->verb != LP_DISCOVER_RETIRE && len < LP_WHY_SIZE)
		snprintf(text + len, LP_WHY_SIZE - len, " %.100s:%u (%s)",
		    step->host, step->real.port,
		    lp_endpoint_format(real, &step->real));
	return text;
}

static void
done(struct lp_discover *discover, const Lp__Pb__TransactionReply *reply)
{
	const struct lp_config *config = &discover->context->current.config;
	char text[LP_WHY_SIZE];

	for (size_t i = 0; i < discover->step_count; i++) {
		const struct lp_discover_step *step = &discover->steps[i];

		describe(config, step, text);
		lp_log_info("discovery: %s (generation %" PRIu64 ")", text,
		    reply->generation);
		note_change(discover, step->cluster_id, text);
	}
	for (size_t i = 0; i < reply->n_notes; i++)
		lp_log_warn("discovery: %s", reply->notes[i]);
}

static void
note_change(struct lp_discover *discover, uint32_t cluster_id, const char *text)
{
	struct lp_discover_change *place = &discover->changes[0];

	for (unsigned i = 0; i < LP_CLUSTERS_MAX; i++) {
		struct lp_discover_change *at = &discover->changes[i];

		if (at->cluster_id == cluster_id) {
			place = at;
			break;
		}
		if (at->time_ns < place->time_ns)
			place = at;
	}
	place->cluster_id = cluster_id;
	place->time_ns = lp_clock_time_ns();
	snprintf(place->text, sizeof(place->text), "%s", text);
}

/* What is stored, and only late, is done. */
static void
failed(struct lp_discover *discover, const Lp__Pb__Failure *failure)
{
	const struct lp_config *config = &discover->context->current.config;
	size_t first = 0, end = discover->step_count;
	char text[LP_WHY_SIZE], why[LP_WHY_SIZE];

	if (failure->result == LP__PB__FAILURE__RESULT__TIMEOUT) {
		lp_log_warn("discovery: %s", failure->text);
		for (size_t i = 0; i < end; i++)
			note_change(discover, discover->steps[i].cluster_id,
			    describe(config, &discover->steps[i], text));
		return;
	}
	snprintf(why, sizeof(why), "%s%s%s%s%s",
	    failure->object ? failure->object : "", failure->object ? ": " : "",
	    failure->field ? failure->field : "", failure->field ? ": " : "",
	    failure->text ? failure->text : "");
	/* The others may do without it. */
	if (failure->place > 0 && failure->place <= end) {
		first = failure->place - 1;
		end = first + 1;
	}
	for (size_t i = first; i < end; i++) {
		describe(config, &discover->steps[i], text);
		lp_log_warn("discovery: not done: %s: %s", text, why);
		put_off(discover, &discover->steps[i], why);
	}
}

/* A broker that no list has named yet is kept in mind, too. */
static void
put_off(struct lp_discover *discover, const struct lp_discover_step *step,
    const char *why)
{
	struct lp_discover_node *node = lp_discover_table_defer(
	    &discover->table, step->cluster_id, step->node_id);

	if (node == NULL)
		return;
	node->again_ms = lp_clock_now_ms() + discover->times.again;
	snprintf(node->why, sizeof(node->why), "%s", why);
}
