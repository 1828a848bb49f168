/* SPDX-License-Identifier: Apache-2.0 */
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "controld/query.h"
#include "controld/stream.h"

const char *const basic =
    "add port front device=eth1 address=10.9.0.10/24 gateway=10.9.0.1;"
    "add cluster payments;"
    "add broker payments 1 to=10.9.0.21:9092;"
    "add broker payments 2 to=10.9.0.22:9092;"
    "add listener payments public vip=10.9.0.100:9092 base=9100";

void
make_dir(char dir[64])
{
	strcpy(dir, "/tmp/lp-controld-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static int
remove_one(
    const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)status;
	(void)type;
	(void)walk;
	return remove(path);
}

void
remove_dir(const char *dir)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
path_in(const char *dir, const char *name)
{
	static _Thread_local char paths[8][128];
	static _Thread_local unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, 128, "%s/%s", dir, name);
	return path;
}

/* ---- transactions ---- */

static void
take_ip(ProtobufCBinaryData *out, const struct lp_ip *ip)
{
	out->len = sizeof(ip->bytes);
	out->data = malloc(sizeof(ip->bytes));
	memcpy(out->data, ip->bytes, sizeof(ip->bytes));
}

static Lp__Pb__Endpoint *
make_endpoint(const char *text)
{
	Lp__Pb__Endpoint *message = malloc(sizeof(*message));
	struct lp_endpoint endpoint;
	char why[LP_WHY_SIZE] = "";

	ck_assert_msg(
	    lp_endpoint_parse(&endpoint, text, why) == 0, "%s: %s", text, why);
	lp__pb__endpoint__init(message);
	take_ip(&message->ip, &endpoint.ip);
	message->port = endpoint.port;
	return message;
}

static void
make_addresses(Lp__Pb__Port *port, char *text)
{
	char *rest = NULL;

	port->addresses = calloc(32, sizeof(*port->addresses));
	for (char *word = strtok_r(text, ",", &rest); word != NULL;
	     word = strtok_r(NULL, ",", &rest)) {
		Lp__Pb__Prefix *message = malloc(sizeof(*message));
		struct lp_prefix prefix;
		char why[LP_WHY_SIZE] = "";

		ck_assert_msg(
		    lp_prefix_parse(&prefix, word, why) == 0, "%s", why);
		lp__pb__prefix__init(message);
		take_ip(&message->ip, &prefix.ip);
		message->len = prefix.len;
		port->addresses[port->n_addresses++] = message;
	}
}

static void
set_port(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Port *port = op->object->port;
	struct lp_ip ip;
	uint8_t word = 0;

	if (strcmp(key, "device") == 0)
		port->device = strdup(value);
	if (strcmp(key, "name") == 0)
		port->name = strdup(value);
	if (strcmp(key, "address") == 0) {
		make_addresses(port, value);
		op->has_replace_addresses = op->replace_addresses = true;
	}
	if (strcmp(key, "side") == 0) {
		ck_assert_int_eq(lp_side_parse(&word, value), 0);
		port->has_side = true;
		port->side = word;
	}
	if (strcmp(key, "route") == 0)
		port->has_allow_default_route = port->allow_default_route =
		    true;
	if (strcmp(key, "gateway") == 0) {
		op->has_replace_gateway = op->replace_gateway = true;
		if (strcmp(value, "none") == 0)
			return;
		ck_assert_int_eq(lp_ip_parse(&ip, value, NULL), 0);
		if (lp_ip_is_v4(&ip)) {
			port->has_gateway_v4 = true;
			take_ip(&port->gateway_v4, &ip);
		} else {
			port->has_gateway_v6 = true;
			take_ip(&port->gateway_v6, &ip);
		}
	}
}

static void
set_broker(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Broker *broker = op->object->broker;

	if (strcmp(key, "to") != 0)
		return;
	broker->real = make_endpoint(value);
	broker->host = strdup(value);
	*strrchr(broker->host, ':') = '\0';
	if (broker->host[0] == '[') {
		memmove(broker->host, broker->host + 1, strlen(broker->host));
		broker->host[strlen(broker->host) - 1] = '\0';
	}
}

static void
set_listener(Lp__Pb__Operation *op, const char *key, char *value)
{
	Lp__Pb__Listener *listener = op->object->listener;
	uint8_t word = 0;

	if (strcmp(key, "vip") == 0)
		listener->vip = make_endpoint(value);
	if (strcmp(key, "name") == 0)
		listener->name = strdup(value);
	if (strcmp(key, "base") == 0) {
		listener->has_broker_base = true;
		listener->broker_base = (uint32_t)atoi(value);
	}
	if (strcmp(key, "source") == 0) {
		ck_assert_int_eq(lp_source_address_parse(&word, value), 0);
		listener->has_source_address = true;
		listener->source_address = word;
	}
	if (strcmp(key, "mode") == 0) {
		ck_assert_int_eq(lp_mode_parse(&word, value), 0);
		listener->has_mode = true;
		listener->mode = word;
	}
}

static void
set_key(Lp__Pb__Operation *op, char *key)
{
	char *value = strchr(key, '=');

	ck_assert_msg(value != NULL, "%s: no '='", key);
	*value++ = '\0';
	if (strcmp(key, "may") == 0)
		op->has_may_exist = op->may_exist = true;
	else if (strcmp(key, "if") == 0)
		op->has_if_exists = op->if_exists = true;
	else if (op->kind == LP_OBJECT_PORT)
		set_port(op, key, value);
	else if (op->kind == LP_OBJECT_BROKER)
		set_broker(op, key, value);
	else if (op->kind == LP_OBJECT_LISTENER)
		set_listener(op, key, value);
	else if (strcmp(key, "name") == 0)
		op->object->cluster->name = strdup(value);
}

static void
make_body(Lp__Pb__Operation *op)
{
	Lp__Pb__Object *object = malloc(sizeof(*object));

	lp__pb__object__init(object);
	op->object = object;
	object->port = calloc(1, sizeof(struct lp_message_object));
	switch (op->kind) {
	case LP_OBJECT_PORT:
		object->body_case = LP__PB__OBJECT__BODY_PORT;
		lp__pb__port__init(object->port);
		break;
	case LP_OBJECT_CLUSTER:
		object->body_case = LP__PB__OBJECT__BODY_CLUSTER;
		lp__pb__cluster__init(object->cluster);
		break;
	case LP_OBJECT_BROKER:
		object->body_case = LP__PB__OBJECT__BODY_BROKER;
		lp__pb__broker__init(object->broker);
		break;
	default:
		object->body_case = LP__PB__OBJECT__BODY_LISTENER;
		lp__pb__listener__init(object->listener);
	}
}

static Lp__Pb__Operation *
make_operation(char *text)
{
	Lp__Pb__Operation *op = malloc(sizeof(*op));
	char *rest = NULL;
	const char *verb = strtok_r(text, " ", &rest);
	const char *kind = strtok_r(NULL, " ", &rest);
	char *word;

	lp__pb__operation__init(op);
	op->verb = strcmp(verb, "add") == 0 ? LP__PB__OPERATION__VERB__ADD
	    : strcmp(verb, "set") == 0      ? LP__PB__OPERATION__VERB__SET
					    : LP__PB__OPERATION__VERB__DEL;
	for (unsigned i = LP_OBJECT_PORT; i <= LP_OBJECT_ENDPOINT; i++)
		if (strcmp(kind, lp_object_kind_name(i)) == 0)
			op->kind = i;
	if (op->kind >= LP_OBJECT_BROKER && (word = strtok_r(NULL, " ", &rest)))
		op->cluster = strdup(word);
	word = strtok_r(NULL, " ", &rest);
	if (word != NULL && op->kind == LP_OBJECT_BROKER) {
		op->has_node_id = true;
		op->node_id = atoi(word);
	} else if (word != NULL) {
		op->name = strdup(word);
	}
	make_body(op);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL)
		set_key(op, word);
	return op;
}

Lp__Pb__ControlRequest *
make_transaction(const char *text)
{
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	Lp__Pb__Transaction *transaction = malloc(sizeof(*transaction));
	char *copy = strdup(text), *rest = NULL;

	lp__pb__control_request__init(request);
	lp__pb__transaction__init(transaction);
	request->protocol = LP_CONTROL_PROTOCOL;
	request->body_case = LP__PB__CONTROL_REQUEST__BODY_TRANSACTION;
	request->transaction = transaction;
	transaction->operations =
	    calloc(LP_OPERATIONS_MAX + 1, sizeof(*transaction->operations));
	transaction->comment = strdup(text);
	for (char *line = strtok_r(copy, ";", &rest); line != NULL;
	     line = strtok_r(NULL, ";", &rest))
		transaction->operations[transaction->n_operations++] =
		    make_operation(line);
	free(copy);
	return request;
}

void
apply(struct lp_config *config, uint32_t *next_id, const char *text)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);
	struct lp_model_change change;
	int err = lp_model_apply(&change, config, *next_id,
	    request->transaction->operations,
	    request->transaction->n_operations);

	ck_assert_msg(err == 0, "%s: %s: %s", change.error.object,
	    change.error.field, change.error.why);
	lp_config_fini(config);
	*config = change.config;
	*next_id = change.next_id;
	lp_config_init(&change.config);
	lp_model_change_fini(&change);
	lp__pb__control_request__free_unpacked(request, NULL);
}

char *
dump(const struct lp_config *config)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < config->count; i++) {
		const struct lp_object *object = &config->objects[i];
		char label[LP_OBJECT_LABEL_SIZE];
		char ip[LP_ENDPOINT_TEXT_SIZE] = "";

		if (object->kind == LP_OBJECT_BROKER)
			lp_endpoint_format(ip, &object->broker.real);
		if (object->kind == LP_OBJECT_LISTENER)
			lp_endpoint_format(ip, &object->listener.vip);
		if (object->kind == LP_OBJECT_ENDPOINT)
			lp_endpoint_format(ip, &object->endpoint.vip);
		fprintf(out, "%u %s %s\n", object->id,
		    lp_config_label(config, object, label), ip);
	}
	fclose(out);
	return text;
}

/* ---- a daemon ---- */

const struct lp_push_times patient = {
    .backoff_min = 1,
    .backoff_max = 4,
    .slow = 10,
    .hello = 60000,
    .answer = 60000,
    .beat = 60000,
    .silence = 60000,
};

static void
keep_reply(void *arg, uint64_t client, const Lp__Pb__ControlReply *reply)
{
	struct world *world = arg;
	uint8_t *frame;
	size_t len;

	ck_assert_uint_lt(world->reply_count, REPLIES_MAX);
	ck_assert_int_eq(lp_message_frame(&frame, &len, &reply->base), 0);
	world->clients[world->reply_count] = client;
	world->replies[world->reply_count++] = lp_message_unpack_reply(
	    frame + LP_FRAME_HEADER_SIZE, len - LP_FRAME_HEADER_SIZE);
	free(frame);
}

void
world_start(
    struct world *world, const struct lp_push_times *times, unsigned dataplanes)
{
	struct lp_store_options store = {0};
	struct lp_session_options options = {0};
	struct lp_generation current;
	char why[LP_STORE_WHY_SIZE];

	*world = (struct world){0};
	make_dir(world->dir);
	store.path = path_in(world->dir, "db");
	world->base = event_base_new();
	ck_assert_msg(lp_store_open(&world->store, &current, &store, why) == 0,
	    "%s", why);
	world->paths[0] = strdup(path_in(world->dir, "dp0"));
	world->paths[1] = strdup(path_in(world->dir, "dp1"));
	options.base = world->base;
	options.store = world->store;
	options.dataplanes = world->paths;
	options.dataplane_count = dataplanes;
	options.times = *times;
	options.query_ms = 200;
	options.reply = keep_reply;
	options.arg = world;
	ck_assert_int_eq(
	    lp_session_new(&world->session, &options, &current), 0);
}

void
world_stop(struct world *world)
{
	lp_session_free(world->session);
	lp_store_close(world->store);
	event_base_free(world->base);
	for (unsigned i = 0; i < world->reply_count; i++)
		lp__pb__control_reply__free_unpacked(world->replies[i], NULL);
	for (unsigned i = 0; i < 2; i++)
		free((char *)world->paths[i]);
	remove_dir(world->dir);
}

static void
give_up(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

void
world_run(struct world *world, bool (*done)(void *arg), void *arg)
{
	const struct timeval limit = {.tv_sec = 10};
	bool late = false;
	struct event *guard = evtimer_new(world->base, give_up, &late);

	evtimer_add(guard, &limit);
	while (!done(arg) && !late)
		event_base_loop(world->base, EVLOOP_ONCE);
	event_free(guard);
	ck_assert_msg(!late, "this did not happen within 10 s");
}

struct count {
	const struct world *world;
	unsigned count;
};

static bool
has_replies(void *arg)
{
	const struct count *count = arg;

	return count->world->reply_count >= count->count;
}

const Lp__Pb__ControlReply *
world_replies(struct world *world, unsigned count)
{
	struct count wanted = {world, count};

	world_run(world, has_replies, &wanted);
	return world->replies[count - 1];
}

void
world_send(struct world *world, const char *text, uint32_t timeout_ms)
{
	Lp__Pb__ControlRequest *request = make_transaction(text);

	request->cookie = 7;
	request->transaction->has_timeout_ms = true;
	request->transaction->timeout_ms = timeout_ms;
	lp_session_request(world->session, 1, "tester", request);
}

const Lp__Pb__DataplaneStatus *
world_status(struct world *world, unsigned index)
{
	Lp__Pb__ControlRequest *request = malloc(sizeof(*request));
	Lp__Pb__StatusRequest *status = malloc(sizeof(*status));

	lp__pb__control_request__init(request);
	lp__pb__status_request__init(status);
	request->protocol = LP_CONTROL_PROTOCOL;
	request->body_case = LP__PB__CONTROL_REQUEST__BODY_STATUS;
	request->status = status;
	lp_session_request(world->session, 2, "tester", request);
	/* Not one of those that the test counts. */
	world->reply_count--;
	static _Thread_local Lp__Pb__ControlReply *last;
	if (last != NULL)
		lp__pb__control_reply__free_unpacked(last, NULL);
	last = world->replies[world->reply_count];
	ck_assert_int_eq(last->body_case, LP__PB__CONTROL_REPLY__BODY_STATUS);
	return last->status->dataplanes[index];
}

struct wanted_state {
	struct world *world;
	unsigned index;
	const char *state;
};

static bool
in_state(void *arg)
{
	const struct wanted_state *wanted = arg;

	return strcmp(world_status(wanted->world, wanted->index)->state,
		   wanted->state) == 0;
}

void
world_state(struct world *world, unsigned index, const char *state)
{
	struct wanted_state wanted = {world, index, state};

	world_run(world, in_state, &wanted);
}

/* ---- a dataplane ---- */

static void
fake_read(struct bufferevent *bev, void *arg)
{
	struct fake *fake = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	const uint8_t *payload;
	size_t len;

	while (lp_stream_next(input, &payload, &len) == LP_OK) {
		Lp__Pb__DataplaneMessage *message =
		    lp_message_unpack_dataplane(payload, len);

		ck_assert_ptr_nonnull(message);
		ck_assert_uint_lt(fake->first + fake->count, FRAMES_MAX);
		fake->frames[fake->first + fake->count++] = message;
		lp_stream_drop(input, len);
	}
}

static void
fake_event(struct bufferevent *bev, short what, void *arg)
{
	struct fake *fake = arg;

	(void)what;
	bufferevent_free(bev);
	if (fake->bev == bev)
		fake->bev = NULL;
}

static void
fake_accept(struct evconnlistener *listener, evutil_socket_t fd,
    struct sockaddr *address, int len, void *arg)
{
	struct fake *fake = arg;

	(void)listener;
	(void)address;
	(void)len;
	ck_assert_ptr_null(fake->bev);
	fake->bev = bufferevent_socket_new(
	    fake->world->base, fd, BEV_OPT_CLOSE_ON_FREE);
	bufferevent_setcb(fake->bev, fake_read, NULL, fake_event, fake);
	bufferevent_enable(fake->bev, EV_READ | EV_WRITE);
	fake->connections++;
}

void
fake_start(struct fake *fake, struct world *world, const char *path)
{
	struct sockaddr_un address;

	*fake = (struct fake){.world = world};
	ck_assert_int_eq(lp_stream_address(&address, path), 0);
	fake->listener = evconnlistener_new_bind(world->base, fake_accept, fake,
	    LEV_OPT_CLOSE_ON_FREE, 8, (struct sockaddr *)&address,
	    sizeof(address));
	ck_assert_ptr_nonnull(fake->listener);
}

void
fake_stop(struct fake *fake)
{
	fake_hang_up(fake);
	evconnlistener_free(fake->listener);
	for (; fake->count > 0; fake->count--)
		lp__pb__dataplane_message__free_unpacked(
		    fake->frames[fake->first++], NULL);
}

void
fake_hang_up(struct fake *fake)
{
	if (fake->bev != NULL)
		bufferevent_free(fake->bev);
	fake->bev = NULL;
}

struct wanted_fake {
	struct fake *fake;
	unsigned count;
};

static bool
is_connected(void *arg)
{
	const struct wanted_fake *wanted = arg;

	return wanted->fake->connections >= wanted->count &&
	    wanted->fake->bev != NULL;
}

static bool
is_closed(void *arg)
{
	return ((const struct fake *)arg)->bev == NULL;
}

static bool
has_frame(void *arg)
{
	return ((const struct fake *)arg)->count > 0;
}

void
fake_wait_connection(struct fake *fake, unsigned connections)
{
	struct wanted_fake wanted = {fake, connections};

	world_run(fake->world, is_connected, &wanted);
}

void
fake_wait_closed(struct fake *fake)
{
	world_run(fake->world, is_closed, fake);
}

Lp__Pb__DataplaneMessage *
fake_take(struct fake *fake, Lp__Pb__DataplaneMessage__BodyCase body)
{
	static _Thread_local Lp__Pb__DataplaneMessage *last;

	do {
		if (last != NULL)
			lp__pb__dataplane_message__free_unpacked(last, NULL);
		world_run(fake->world, has_frame, fake);
		last = fake->frames[fake->first++];
		fake->count--;
	} while (last->body_case == LP__PB__DATAPLANE_MESSAGE__BODY_BEAT &&
	    body != LP__PB__DATAPLANE_MESSAGE__BODY_BEAT);
	ck_assert_int_eq(last->body_case, body);
	return last;
}

void
fake_send(struct fake *fake, Lp__Pb__DataplaneMessage *message)
{
	ck_assert_ptr_nonnull(fake->bev);
	ck_assert_int_eq(
	    lp_stream_add(bufferevent_get_output(fake->bev), &message->base),
	    0);
}

void
fake_send_bytes(struct fake *fake, const void *bytes, size_t len)
{
	ck_assert_ptr_nonnull(fake->bev);
	bufferevent_write(fake->bev, bytes, len);
}

void
fake_hello(
    struct fake *fake, uint64_t epoch, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Hello hello = LP__PB__HELLO__INIT;
	char *backends[] = {(char *)"af_xdp", (char *)"memory"};

	hello.id = (char *)"host-a";
	hello.boot_id = 5;
	hello.protocol_min = LP_DATAPLANE_PROTOCOL_MIN;
	hello.protocol_max = LP_DATAPLANE_PROTOCOL_MAX;
	hello.n_backends = 2;
	hello.backends = backends;
	hello.epoch = epoch;
	hello.generation = generation;
	hello.digest = digest;
	hello.version = (char *)"0.1.0";
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_HELLO;
	message.hello = &hello;
	fake_send(fake, &message);
}

void
fake_beat(struct fake *fake, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Beat beat = LP__PB__BEAT__INIT;

	beat.generation = generation;
	beat.digest = digest;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_BEAT;
	message.beat = &beat;
	fake_send(fake, &message);
}

void
fake_applied(struct fake *fake, uint64_t generation, uint64_t digest)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Applied applied = LP__PB__APPLIED__INIT;

	applied.generation = generation;
	applied.digest = digest;
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_APPLIED;
	message.applied = &applied;
	fake_send(fake, &message);
}

void
fake_rejected(struct fake *fake, uint64_t generation,
    Lp__Pb__Rejected__Code code, const char *object, const char *field,
    const char *text)
{
	Lp__Pb__DataplaneMessage message = LP__PB__DATAPLANE_MESSAGE__INIT;
	Lp__Pb__Rejected rejected = LP__PB__REJECTED__INIT;
	Lp__Pb__Rejected__Problem problem = LP__PB__REJECTED__PROBLEM__INIT;
	Lp__Pb__Rejected__Problem *problems[] = {&problem};

	problem.object = (char *)object;
	problem.field = (char *)field;
	problem.text = (char *)text;
	rejected.generation = generation;
	rejected.code = code;
	rejected.n_problems = object != NULL;
	rejected.problems = problems;
	if (code == LP__PB__REJECTED__CODE__FENCED) {
		rejected.has_epoch = true;
		rejected.epoch = 9;
	}
	message.body_case = LP__PB__DATAPLANE_MESSAGE__BODY_REJECTED;
	message.rejected = &rejected;
	fake_send(fake, &message);
}

struct pushed
fake_take_push(struct fake *fake)
{
	const Lp__Pb__Begin *begin =
	    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_BEGIN)->begin;
	struct pushed pushed = {
	    .generation = begin->generation,
	    .digest = begin->digest,
	    .base = begin->base_generation,
	    .epoch = begin->epoch,
	    .full = begin->full,
	    .objects = begin->object_count,
	};

	for (unsigned i = 0; i < pushed.objects; i++)
		pushed.gone +=
		    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_OBJECT)
			->object->gone != 0;
	ck_assert_uint_eq(fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_END)
			      ->end->generation,
	    pushed.generation);
	return pushed;
}

struct pushed
fake_synchronise(struct fake *fake)
{
	struct pushed pushed;

	fake_wait_connection(fake, fake->connections + !fake->bev);
	fake_hello(fake, 0, 0, 0);
	ck_assert_int_eq(
	    fake_take(fake, LP__PB__DATAPLANE_MESSAGE__BODY_WELCOME)
		->welcome->sync,
	    LP__PB__WELCOME__SYNC__REPLACE);
	pushed = fake_take_push(fake);
	fake_applied(fake, pushed.generation, pushed.digest);
	return pushed;
}
