/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/output_text_ports.h"

#include <string.h>

#include "cli/table.h"

#define COLUMNS(columns) (columns), sizeof(columns) / sizeof((columns)[0])

enum {
	COLUMN_DATAPLANE = 1, /* of the ports that run */
	COLUMN_PEER = 6, /* of those configured */
	COLUMN_ON_LOSS,
};

static int write_configured(
    const struct lp_print *print, const struct lp_view *view);
static int write_live(
    const struct lp_print *print, const struct lp_ports_view *view);

int
lp_output_text_ports(
    const struct lp_print *print, const struct lp_ports_view *view)
{
	size_t index = 0;
	int err = write_configured(print, &view->config);

	if (err != 0 ||
	    lp_view_next(&view->config, LP_OBJECT_PORT, &index) == NULL)
		return err;
	(void)fputc('\n', print->out);
	return write_live(print, view);
}

/* ---- configured --------------------------------------------------------- */

static void
write_addresses(struct lp_table *table, const struct lp_port_object *port)
{
	char list[LP_PORT_ADDRESSES_MAX * (LP_PREFIX_TEXT_SIZE + 1)] = "";
	char *end = list;

	for (unsigned i = 0; i < port->address_count; i++) {
		if (i > 0)
			*end++ = ',';
		end += strlen(lp_prefix_format(end, &port->addresses[i]));
	}
	lp_table_add(table, LP_STYLE_PLAIN, "%s", list);
}

static void
write_gateways(struct lp_table *table, const struct lp_port_object *port)
{
	bool has_v4 = !lp_ip_is_none(&port->gateway_v4);
	bool has_v6 = !lp_ip_is_none(&port->gateway_v6);
	char v4[LP_IP_TEXT_SIZE] = "";
	char v6[LP_IP_TEXT_SIZE] = "";

	if (has_v4)
		(void)lp_ip_format(v4, &port->gateway_v4);
	if (has_v6)
		(void)lp_ip_format(v6, &port->gateway_v6);
	lp_table_add(table, LP_STYLE_PLAIN, "%s%s%s", v4,
	    has_v4 && has_v6 ? "," : "", v6);
}

/* One with a peer has none. */
static void
write_side(struct lp_table *table, const struct lp_port_object *port)
{
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    lp_object_has_peer(port) ? "inline" : lp_side_name(port->side));
}

static void
write_peer(struct lp_table *table, const struct lp_port_object *port)
{
	bool has_peer = lp_object_has_peer(port);

	lp_table_add(table, LP_STYLE_PLAIN, "%s", has_peer ? port->peer : "-");
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    has_peer ? lp_on_loss_name(port->on_loss) : "-");
}

static int
write_configured(const struct lp_print *print, const struct lp_view *view)
{
	static const struct lp_column columns[] = {{"PORT", false},
	    {"DEVICE", false}, {"BACKEND", false}, {"SIDE", false},
	    {"ADDRESSES", false}, {"GATEWAYS", false}, {"PEER", false},
	    {"ON LOSS", false}};
	const struct lp_object *object;
	struct lp_table table;
	bool has_peers = false;
	size_t index = 0;

	lp_table_init(&table, COLUMNS(columns));
	while ((object = lp_view_next(view, LP_OBJECT_PORT, &index)) != NULL) {
		const struct lp_port_object *port = &object->port;

		lp_table_add(&table, LP_STYLE_PLAIN, "%s", port->name);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s", port->device);
		lp_table_add(&table, LP_STYLE_PLAIN, "%s",
		    lp_backend_name(port->backend));
		write_side(&table, port);
		write_addresses(&table, port);
		write_gateways(&table, port);
		write_peer(&table, port);
		has_peers |= lp_object_has_peer(port);
	}
	if (!has_peers) {
		lp_table_hide(&table, COLUMN_PEER);
		lp_table_hide(&table, COLUMN_ON_LOSS);
	}
	return lp_table_write(&table, print->out, print->color);
}

/* ---- live --------------------------------------------------------------- */

static void
add_text(struct lp_table *table, const char *text)
{
	lp_table_add(table, LP_STYLE_PLAIN, "%s",
	    text != NULL && text[0] != '\0' ? text : "-");
}

static void
add_number(struct lp_table *table, bool known, int64_t number)
{
	if (known)
		lp_table_add(table, LP_STYLE_PLAIN, "%lld", (long long)number);
	else
		add_text(table, NULL);
}

static void
add_notes(struct lp_table *table, const Lp__Pb__PortStats *port)
{
	if (port->offloads != NULL)
		lp_table_note(table, LP_STYLE_PLAIN, "offloads: %s",
		    port->offloads[0] != '\0' ? port->offloads : "-");
	if (port->why != NULL && port->why[0] != '\0')
		lp_table_note(table, LP_STYLE_WARN, "why: %s", port->why);
}

/* row: NULL where no dataplane has answered at all. */
static void
add_live(struct lp_table *table, const struct lp_object *object,
    const struct lp_stats_row *row)
{
	static const Lp__Pb__PortStats none = LP__PB__PORT_STATS__INIT;
	const Lp__Pb__PortStats *port =
	    row != NULL ? lp_view_port(row, object->id) : NULL;
	const Lp__Pb__PortStats *shown = port != NULL ? port : &none;
	char speed[LP_VIEW_SPEED_SIZE];

	lp_table_add(table, LP_STYLE_PLAIN, "%s", object->port.name);
	add_text(table, row != NULL ? row->dataplane : NULL);
	lp_table_add(table,
	    port == NULL    ? LP_STYLE_WARN
		: shown->up ? LP_STYLE_GOOD
			    : LP_STYLE_BAD,
	    "%s%s", lp_view_link(port), lp_view_speed(speed, port));
	add_text(table, shown->driver);
	add_text(table, shown->mode);
	add_number(table, shown->has_mtu, shown->mtu);
	add_number(table, shown->has_queues, shown->queues);
	add_number(table, shown->has_numa_node, shown->numa_node);
	if (port != NULL)
		add_notes(table, port);
	else if (row != NULL)
		lp_table_note(
		    table, LP_STYLE_WARN, "why: it does not run this port");
}

static int
write_live(const struct lp_print *print, const struct lp_ports_view *view)
{
	static const struct lp_column columns[] = {{"PORT", false},
	    {"DATAPLANE", false}, {"LINK", false}, {"DRIVER", false},
	    {"MODE", false}, {"MTU", true}, {"QUEUES", true}, {"NUMA", true}};
	const struct lp_stats_view *live = &view->live;
	const struct lp_object *object;
	char why[LP_ERROR_SIZE];
	struct lp_table table;
	size_t index = 0;
	int err;

	lp_table_init(&table, COLUMNS(columns));
	/* One alone needs no name, unless another is missing beside it. */
	if (live->count == 0 || (live->count == 1 && view->why == NULL))
		lp_table_hide(&table, COLUMN_DATAPLANE);
	while ((object = lp_view_next(&view->config, LP_OBJECT_PORT, &index)) !=
	    NULL) {
		if (live->count == 0)
			add_live(&table, object, NULL);
		for (size_t i = 0; i < live->count; i++)
			add_live(&table, object, &live->rows[i]);
	}
	err = lp_table_write(&table, print->out, print->color);
	if (err == 0 && view->why != NULL) {
		(void)snprintf(why, sizeof(why), "%s", view->why);
		(void)fprintf(print->out, "%s\n", lp_table_safe(why));
	}
	return err;
}
