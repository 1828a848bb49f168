/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/store_rows.h"

#include <errno.h>
#include <stdio.h>

/* What a reader of rows needs. */
struct reader {
	struct lp_store_sql *sql;
	struct lp_config *config;
	struct lp_object *object; /* of which addresses are read */
};

static int read_port(void *arg, sqlite3_stmt *row);
static int read_address(void *arg, sqlite3_stmt *row);
static int read_cluster(void *arg, sqlite3_stmt *row);
static int read_broker(void *arg, sqlite3_stmt *row);
static int read_listener(void *arg, sqlite3_stmt *row);
static int read_endpoint(void *arg, sqlite3_stmt *row);
static int read_rule(void *arg, sqlite3_stmt *row);
static int put(struct reader *reader, struct lp_object *object);
static int start(struct reader *reader, struct lp_object *object,
    enum lp_object_kind kind, sqlite3_stmt *row);
static int get_text(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, char *out, size_t size);
static int get_ip(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, struct lp_ip *ip);
static int get_if_any(const struct reader *reader,
    const struct lp_object *object, sqlite3_stmt *row, int column, char *out,
    size_t size);
static int get_ip_if_any(const struct reader *reader,
    const struct lp_object *object, sqlite3_stmt *row, int column,
    struct lp_ip *ip);
static int get_word(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, uint8_t *out,
    int (*parse)(uint8_t *out, const char *text));
static int get_number(const struct reader *reader,
    const struct lp_object *object, sqlite3_stmt *row, int column, int64_t max,
    int64_t *out);
static int refuse(const struct reader *reader, const struct lp_object *object,
    const char *field, const char *why);
static int remove_row(void *arg, const struct lp_object *object);
static int remove_changed(
    void *arg, const struct lp_object *object, bool is_new);
static int keep(void *arg, const struct lp_object *object);
static int insert(void *arg, const struct lp_object *object, bool is_new);
static int insert_port(
    struct lp_store_sql *sql, const struct lp_object *object);
static int insert_listener(
    struct lp_store_sql *sql, const struct lp_object *object);
static int insert_rule(
    struct lp_store_sql *sql, const struct lp_object *object);

int
lp_store_rows_load(struct lp_store_sql *sql, struct lp_config *config)
{
	static const struct {
		const char *text;
		int (*read)(void *arg, sqlite3_stmt *row);
	} tables[] = {
	    {"SELECT id, name, device, backend, side, allow_default_route, "
	     "gateway_v4, gateway_v6, mtu, peer, on_loss, owner "
	     "FROM port ORDER BY id",
		read_port},
	    {"SELECT id, name, same_as, discover, owner FROM cluster "
	     "ORDER BY id",
		read_cluster},
	    {"SELECT id, cluster_id, node_id, host, real_ip, real_port, "
	     "discovered, owner FROM broker ORDER BY id",
		read_broker},
	    {"SELECT id, cluster_id, name, vip_ip, vip_port, broker_base, "
	     "mode, source_address, kafka, rewrite, advertise, unjudged, "
	     "owner FROM listener ORDER BY id",
		read_listener},
	    {"SELECT id, listener_id, broker_id, vip_ip, vip_port, chosen "
	     "FROM endpoint ORDER BY id",
		read_endpoint},
	    {"SELECT id, name, priority, shadow, match, action, owner "
	     "FROM rule ORDER BY id",
		read_rule},
	};
	struct reader reader = {.sql = sql, .config = config};

	for (size_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
		int err = lp_store_sql_each(
		    sql, tables[i].text, 0, tables[i].read, &reader);

		if (err != 0)
			return err;
	}
	return 0;
}

int
lp_store_rows_save(struct lp_store_sql *sql, const struct lp_config *from,
    const struct lp_config *to)
{
	const struct lp_config_diff removal = {
	    .put = remove_changed, .gone = remove_row, .arg = sql};
	const struct lp_config_diff insertion = {
	    .put = insert, .gone = keep, .arg = sql};
	int err = lp_config_diff(from, to, &removal);

	return err != 0 ? err : lp_config_diff(from, to, &insertion);
}

static int
read_port(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	struct lp_port_object *port = &object.port;
	int64_t allow, mtu;

	if (start(reader, &object, LP_OBJECT_PORT, row) ||
	    get_text(reader, &object, row, 1, port->name, sizeof(port->name)) ||
	    get_text(
		reader, &object, row, 2, port->device, sizeof(port->device)) ||
	    get_word(
		reader, &object, row, 3, &port->backend, lp_backend_parse) ||
	    get_word(reader, &object, row, 4, &port->side, lp_side_parse) ||
	    get_number(reader, &object, row, 5, 1, &allow) ||
	    get_ip_if_any(reader, &object, row, 6, &port->gateway_v4) ||
	    get_ip_if_any(reader, &object, row, 7, &port->gateway_v6) ||
	    get_number(reader, &object, row, 8, UINT16_MAX, &mtu) ||
	    get_if_any(
		reader, &object, row, 9, port->peer, sizeof(port->peer)) ||
	    get_word(
		reader, &object, row, 10, &port->on_loss, lp_on_loss_parse))
		return -EINVAL;
	port->allow_default_route = allow != 0;
	port->mtu = (uint16_t)mtu; /* NULL is 0 */
	reader->object = &object;
	if (lp_store_sql_each(reader->sql,
		"SELECT port_id, ip, len FROM port_address "
		"WHERE port_id = ? ORDER BY place",
		object.id, read_address, reader) != 0)
		return -EINVAL;
	return put(reader, &object);
}

static int
read_address(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object *object = reader->object;
	struct lp_port_object *port = &object->port;
	struct lp_prefix *prefix = &port->addresses[port->address_count];
	int64_t len;

	if (port->address_count == LP_PORT_ADDRESSES_MAX)
		return refuse(reader, object, "address", "too many");
	if (get_ip(reader, object, row, 1, &prefix->ip) ||
	    get_number(reader, object, row, 2, 128, &len))
		return -EINVAL;
	prefix->len = (uint8_t)len;
	port->address_count++;
	return 0;
}

static int
read_cluster(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	int64_t same_as, discover;

	if (start(reader, &object, LP_OBJECT_CLUSTER, row) ||
	    get_text(reader, &object, row, 1, object.cluster.name,
		sizeof(object.cluster.name)) ||
	    get_number(reader, &object, row, 2, UINT32_MAX, &same_as) ||
	    get_number(reader, &object, row, 3, 1, &discover))
		return -EINVAL;
	object.cluster.discover = discover != 0;
	object.cluster.same_as = (uint32_t)same_as; /* NULL is 0 */
	return put(reader, &object);
}

static int
read_broker(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	struct lp_broker_object *broker = &object.broker;
	int64_t cluster_id, node_id, port, discovered;

	if (start(reader, &object, LP_OBJECT_BROKER, row) ||
	    get_number(reader, &object, row, 1, UINT32_MAX, &cluster_id) ||
	    get_number(reader, &object, row, 2, INT32_MAX, &node_id))
		return -EINVAL;
	broker->cluster_id = (uint32_t)cluster_id; /* first: they name it */
	broker->node_id = (int32_t)node_id;
	if (get_text(
		reader, &object, row, 3, broker->host, sizeof(broker->host)) ||
	    get_ip(reader, &object, row, 4, &broker->real.ip) ||
	    get_number(reader, &object, row, 5, UINT16_MAX, &port) ||
	    get_number(reader, &object, row, 6, 1, &discovered))
		return -EINVAL;
	broker->discovered = discovered != 0;
	broker->real.port = (uint16_t)port;
	return put(reader, &object);
}

static int
read_listener(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	struct lp_listener_object *listener = &object.listener;
	int64_t cluster_id, port, base;

	if (start(reader, &object, LP_OBJECT_LISTENER, row) ||
	    get_number(reader, &object, row, 1, UINT32_MAX, &cluster_id))
		return -EINVAL;
	listener->cluster_id = (uint32_t)cluster_id;
	if (get_text(reader, &object, row, 2, listener->name,
		sizeof(listener->name)) ||
	    get_ip_if_any(reader, &object, row, 3, &listener->vip.ip) ||
	    get_number(reader, &object, row, 4, UINT16_MAX, &port) ||
	    get_number(reader, &object, row, 5, UINT16_MAX, &base) ||
	    get_word(reader, &object, row, 6, &listener->mode, lp_mode_parse) ||
	    get_word(reader, &object, row, 7, &listener->source_address,
		lp_source_address_parse) ||
	    get_word(
		reader, &object, row, 8, &listener->kafka, lp_look_parse) ||
	    get_word(reader, &object, row, 9, &listener->rewrite,
		lp_rewriting_parse) ||
	    get_if_any(reader, &object, row, 10, listener->advertise,
		sizeof(listener->advertise)) ||
	    (sqlite3_column_type(row, 11) != SQLITE_NULL &&
		get_word(reader, &object, row, 11, &listener->unjudged,
		    lp_unjudged_parse)))
		return -EINVAL;
	listener->vip.port = (uint16_t)port;
	listener->broker_base = (uint16_t)base;
	return put(reader, &object);
}

static int
read_endpoint(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	struct lp_endpoint_object *endpoint = &object.endpoint;
	int64_t listener_id, broker_id, port, chosen;

	if (start(reader, &object, LP_OBJECT_ENDPOINT, row) ||
	    get_number(reader, &object, row, 1, UINT32_MAX, &listener_id) ||
	    get_number(reader, &object, row, 2, UINT32_MAX, &broker_id) ||
	    get_ip(reader, &object, row, 3, &endpoint->vip.ip) ||
	    get_number(reader, &object, row, 4, UINT16_MAX, &port) ||
	    get_number(reader, &object, row, 5, 1, &chosen))
		return -EINVAL;
	endpoint->chosen = chosen != 0;
	endpoint->listener_id = (uint32_t)listener_id;
	endpoint->broker_id = (uint32_t)broker_id;
	endpoint->vip.port = (uint16_t)port;
	return put(reader, &object);
}

static int
read_rule(void *arg, sqlite3_stmt *row)
{
	struct reader *reader = arg;
	struct lp_object object;
	struct lp_rule_object *rule = &object.rule;
	int64_t priority, shadow;

	if (start(reader, &object, LP_OBJECT_RULE, row) ||
	    get_text(reader, &object, row, 1, rule->name, sizeof(rule->name)) ||
	    get_number(
		reader, &object, row, 2, LP_RULE_PRIORITY_MAX, &priority) ||
	    get_number(reader, &object, row, 3, 1, &shadow) ||
	    get_text(
		reader, &object, row, 4, rule->match, sizeof(rule->match)) ||
	    get_text(
		reader, &object, row, 5, rule->action, sizeof(rule->action)))
		return -EINVAL;
	rule->priority = (uint32_t)priority;
	rule->shadow = shadow != 0;
	return put(reader, &object);
}

static int
put(struct reader *reader, struct lp_object *object)
{
	const char *field = "";
	char why[LP_WHY_SIZE] = "";
	int err;

	if (lp_object_check(object, &field, why) != 0)
		return refuse(reader, object, field, why);
	err = lp_config_put(reader->config, object);
	if (err == -ENOSPC)
		return refuse(reader, object, "id", "too many of its kind");
	return err == 0
	    ? 0
	    : lp_store_sql_refuse(reader->sql, err, "%s", strerror(-err));
}

static int
start(struct reader *reader, struct lp_object *object, enum lp_object_kind kind,
    sqlite3_stmt *row)
{
	int64_t id;

	lp_object_init(object, kind);
	if (get_number(reader, object, row, 0, UINT32_MAX, &id) != 0)
		return -EINVAL;
	object->id = (uint32_t)id;
	if (id == 0)
		return refuse(reader, object, "id", "0 is no id");
	/* The last column of all that have one. */
	if (kind == LP_OBJECT_ENDPOINT)
		return 0;
	return get_if_any(reader, object, row, sqlite3_column_count(row) - 1,
	    object->owner, sizeof(object->owner));
}

static int
get_text(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, char *out, size_t size)
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	if (text == NULL)
		return refuse(reader, object, sqlite3_column_name(row, column),
		    "missing");
	if (strlen(text) >= size)
		return refuse(reader, object, sqlite3_column_name(row, column),
		    "too long");
	strcpy(out, text); /* the object is zero behind it */
	return 0;
}

static int
get_ip(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, struct lp_ip *ip)
{
	char text[LP_IP_TEXT_SIZE];
	char why[LP_WHY_SIZE];
	int err = get_text(reader, object, row, column, text, sizeof(text));

	if (err != 0)
		return err;
	if (lp_ip_parse(ip, text, why) != 0)
		return refuse(
		    reader, object, sqlite3_column_name(row, column), why);
	return 0;
}

/* What NULL stands for is there already. */
static int
get_if_any(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, char *out, size_t size)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return 0;
	return get_text(reader, object, row, column, out, size);
}

static int
get_ip_if_any(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, struct lp_ip *ip)
{
	if (sqlite3_column_type(row, column) == SQLITE_NULL)
		return 0;
	return get_ip(reader, object, row, column, ip);
}

static int
get_word(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, uint8_t *out,
    int (*parse)(uint8_t *out, const char *text))
{
	const char *text = (const char *)sqlite3_column_text(row, column);

	if (text == NULL || parse(out, text) != 0)
		return refuse(reader, object, sqlite3_column_name(row, column),
		    "unknown word");
	return 0;
}

static int
get_number(const struct reader *reader, const struct lp_object *object,
    sqlite3_stmt *row, int column, int64_t max, int64_t *out)
{
	*out = sqlite3_column_int64(row, column);
	if (*out < 0 || *out > max)
		return refuse(reader, object, sqlite3_column_name(row, column),
		    "out of range");
	return 0;
}

static int
refuse(const struct reader *reader, const struct lp_object *object,
    const char *field, const char *why)
{
	char name[LP_OBJECT_LABEL_SIZE];

	lp_config_label(reader->config, object, name);
	return lp_store_sql_refuse(reader->sql, -EINVAL,
	    "%s (id %u): %s: %s; correct the row, or restore the file from "
	    "a copy",
	    name, object->id, field, why);
}

static int
remove_row(void *arg, const struct lp_object *object)
{
	static const char *const texts[LP_OBJECT_KINDS] = {
	    [LP_OBJECT_PORT] = "DELETE FROM port WHERE id = ?",
	    [LP_OBJECT_CLUSTER] = "DELETE FROM cluster WHERE id = ?",
	    [LP_OBJECT_BROKER] = "DELETE FROM broker WHERE id = ?",
	    [LP_OBJECT_LISTENER] = "DELETE FROM listener WHERE id = ?",
	    [LP_OBJECT_ENDPOINT] = "DELETE FROM endpoint WHERE id = ?",
	    [LP_OBJECT_RULE] = "DELETE FROM rule WHERE id = ?",
	};

	return lp_store_sql_run(
	    arg, texts[object->kind], "i", (int64_t)object->id);
}

static int
remove_changed(void *arg, const struct lp_object *object, bool is_new)
{
	return is_new ? 0 : remove_row(arg, object);
}

static int
keep(void *arg, const struct lp_object *object)
{
	(void)arg;
	(void)object;
	return 0;
}

static int
insert(void *arg, const struct lp_object *object, bool is_new)
{
	const struct lp_broker_object *broker = &object->broker;
	const struct lp_endpoint_object *endpoint = &object->endpoint;
	char ip[LP_IP_TEXT_SIZE];

	(void)is_new;
	switch (object->kind) {
	case LP_OBJECT_PORT:
		return insert_port(arg, object);
	case LP_OBJECT_CLUSTER:
		return lp_store_sql_run(arg,
		    "INSERT INTO cluster (id, name, same_as, discover, "
		    "owner) VALUES (?, ?, nullif(?, 0), ?, nullif(?, ''))",
		    "itiit", (int64_t)object->id, object->cluster.name,
		    (int64_t)object->cluster.same_as,
		    (int64_t)object->cluster.discover, object->owner);
	case LP_OBJECT_BROKER:
		return lp_store_sql_run(arg,
		    "INSERT INTO broker (id, cluster_id, node_id, host, "
		    "real_ip, real_port, discovered, owner) "
		    "VALUES (?, ?, ?, ?, ?, ?, ?, nullif(?, ''))",
		    "iiittiit", (int64_t)object->id,
		    (int64_t)broker->cluster_id, (int64_t)broker->node_id,
		    broker->host, lp_ip_format(ip, &broker->real.ip),
		    (int64_t)broker->real.port, (int64_t)broker->discovered,
		    object->owner);
	case LP_OBJECT_LISTENER:
		return insert_listener(arg, object);
	case LP_OBJECT_RULE:
		return insert_rule(arg, object);
	default:
		return lp_store_sql_run(arg,
		    "INSERT INTO endpoint (id, listener_id, broker_id, "
		    "vip_ip, vip_port, chosen) VALUES (?, ?, ?, ?, ?, ?)",
		    "iiitii", (int64_t)object->id,
		    (int64_t)endpoint->listener_id,
		    (int64_t)endpoint->broker_id,
		    lp_ip_format(ip, &endpoint->vip.ip),
		    (int64_t)endpoint->vip.port, (int64_t)endpoint->chosen);
	}
}

static int
insert_port(struct lp_store_sql *sql, const struct lp_object *object)
{
	const struct lp_port_object *port = &object->port;
	char v4[LP_IP_TEXT_SIZE], v6[LP_IP_TEXT_SIZE];
	int err;

	err = lp_store_sql_run(sql,
	    "INSERT INTO port (id, name, device, backend, side, "
	    "allow_default_route, gateway_v4, gateway_v6, mtu, peer, "
	    "on_loss, owner) VALUES (?, ?, ?, ?, ?, ?, ?, ?, nullif(?, 0), "
	    "nullif(?, ''), ?, nullif(?, ''))",
	    "ittttittittt", (int64_t)object->id, port->name, port->device,
	    lp_backend_name(port->backend), lp_side_name(port->side),
	    (int64_t)port->allow_default_route,
	    lp_ip_is_none(&port->gateway_v4)
		? NULL
		: lp_ip_format(v4, &port->gateway_v4),
	    lp_ip_is_none(&port->gateway_v6)
		? NULL
		: lp_ip_format(v6, &port->gateway_v6),
	    (int64_t)port->mtu, port->peer, lp_on_loss_name(port->on_loss),
	    object->owner);
	for (unsigned i = 0; err == 0 && i < port->address_count; i++)
		err = lp_store_sql_run(sql,
		    "INSERT INTO port_address (port_id, place, ip, len) "
		    "VALUES (?, ?, ?, ?)",
		    "iiti", (int64_t)object->id, (int64_t)i,
		    lp_ip_format(v4, &port->addresses[i].ip),
		    (int64_t)port->addresses[i].len);
	return err;
}

static int
insert_listener(struct lp_store_sql *sql, const struct lp_object *object)
{
	const struct lp_listener_object *listener = &object->listener;
	char ip[LP_IP_TEXT_SIZE];

	return lp_store_sql_run(sql,
	    "INSERT INTO listener (id, cluster_id, name, vip_ip, vip_port, "
	    "broker_base, mode, source_address, kafka, rewrite, advertise, "
	    "unjudged, owner) VALUES (?, ?, ?, ?, nullif(?, 0), ?, ?, ?, ?, "
	    "?, nullif(?, ''), ?, nullif(?, ''))",
	    "iittiittttttt", (int64_t)object->id, (int64_t)listener->cluster_id,
	    listener->name,
	    lp_ip_is_none(&listener->vip.ip)
		? NULL
		: lp_ip_format(ip, &listener->vip.ip),
	    (int64_t)listener->vip.port, (int64_t)listener->broker_base,
	    lp_mode_name(listener->mode),
	    lp_source_address_name(listener->source_address),
	    lp_look_name(listener->kafka), lp_rewriting_name(listener->rewrite),
	    listener->advertise, lp_unjudged_name(listener->unjudged),
	    object->owner);
}

static int
insert_rule(struct lp_store_sql *sql, const struct lp_object *object)
{
	const struct lp_rule_object *rule = &object->rule;

	return lp_store_sql_run(sql,
	    "INSERT INTO rule (id, name, priority, shadow, match, action, "
	    "owner) VALUES (?, ?, ?, ?, ?, ?, nullif(?, ''))",
	    "itiittt", (int64_t)object->id, rule->name, (int64_t)rule->priority,
	    (int64_t)rule->shadow, rule->match, rule->action, object->owner);
}
