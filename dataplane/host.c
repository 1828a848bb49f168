/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/host.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/log.h"

struct search {
	const struct lp_config *running;
	const struct lp_config *next;
	struct lp_refusal *refusal;
	bool refused;
	char held[LP_WHY_SIZE]; /* what runs, and the host has */
};

static const struct lp_backend_ops *backend_of(
    const struct lp_ports *ports, const struct lp_config *config);
static void match(void *arg, const struct lp_ip *ip, const char *device);
static const struct lp_object *find_owner(
    const struct lp_config *config, const struct lp_ip *ip, const char **field);
static bool has_address(
    const struct lp_port_object *port, const struct lp_ip *ip);
static void refuse(struct search *search, const struct lp_object *object,
    const char *field, const char *ip, const char *device);
static void warn(struct lp_ports *ports, const char *held);

int
lp_host_check(struct lp_ports *ports, const struct lp_config *running,
    const struct lp_config *next, struct lp_refusal *refusal)
{
	const struct lp_backend_ops *ops = backend_of(ports, next);
	struct search search = {
	    .running = running, .next = next, .refusal = refusal};
	int error;

	if (!ops || !ops->host_addresses)
		return 0;
	error = ops->host_addresses(match, &search);
	if (error) {
		*refusal = (struct lp_refusal){
		    .code = LP__PB__REJECTED__CODE__RESOURCE, .field = ""};
		snprintf(refusal->why, sizeof(refusal->why),
		    "cannot list the addresses of the kernel: %s",
		    strerror(-error));
		return -EINVAL;
	}
	warn(ports, search.held);
	return search.refused ? -EINVAL : 0;
}

/* All ports have one; before the first is open, it is that of any. */
static const struct lp_backend_ops *
backend_of(const struct lp_ports *ports, const struct lp_config *config)
{
	size_t first;

	if (ports->ops)
		return ports->ops;
	if (lp_config_range(config, LP_OBJECT_PORT, &first) == 0)
		return NULL;
	return lp_port_backend(config->objects[first].port.backend);
}

static void
match(void *arg, const struct lp_ip *ip, const char *device)
{
	struct search *search = arg;
	const struct lp_object *object;
	const char *field;
	const char *unused;
	char text[LP_IP_TEXT_SIZE];
	size_t len = strlen(search->held);

	object = find_owner(search->next, ip, &field);
	if (!object)
		return;
	lp_ip_format(text, ip);
	if (find_owner(search->running, ip, &unused))
		snprintf(search->held + len, sizeof(search->held) - len,
		    "%s%s on %s", len ? ", " : "", text, device);
	else if (!search->refused)
		refuse(search, object, field, text, device);
}

/* Endpoints that nobody chose have the address of their listener. */
static const struct lp_object *
find_owner(
    const struct lp_config *config, const struct lp_ip *ip, const char **field)
{
	size_t count = lp_config_count_plain(config);

	for (size_t i = 0; i < count; i++) {
		const struct lp_object *object = &config->objects[i];
		bool found = false;

		*field = "vip";
		if (object->kind == LP_OBJECT_LISTENER)
			found = object->listener.mode != LP_MODE_INLINE &&
			    lp_ip_equal(&object->listener.vip.ip, ip);
		else if (object->kind == LP_OBJECT_ENDPOINT)
			found = object->endpoint.chosen &&
			    lp_ip_equal(&object->endpoint.vip.ip, ip);
		else if (object->kind == LP_OBJECT_PORT) {
			*field = "address";
			found = has_address(&object->port, ip);
		}
		if (found)
			return object;
	}
	return NULL;
}

static bool
has_address(const struct lp_port_object *port, const struct lp_ip *ip)
{
	for (size_t i = 0; i < port->address_count; i++)
		if (lp_ip_equal(&port->addresses[i].ip, ip))
			return true;
	return false;
}

static void
refuse(struct search *search, const struct lp_object *object, const char *field,
    const char *ip, const char *device)
{
	struct lp_refusal *refusal = search->refusal;

	search->refused = true;
	memset(refusal, 0, sizeof(*refusal));
	refusal->code = LP__PB__REJECTED__CODE__RESOURCE;
	refusal->object_id = object->id;
	refusal->field = field;
	lp_config_label(search->next, object, refusal->object);
	snprintf(refusal->why, sizeof(refusal->why),
	    "the kernel holds %s on %s: remove it there (ip addr del), or "
	    "choose another",
	    ip, device);
}

static void
warn(struct lp_ports *ports, const char *held)
{
	if (held[0] != '\0' && strcmp(held, ports->held) != 0)
		lp_log_warn("the kernel holds addresses that are ours, and "
			    "the host cannot be reached by them: %s: "
			    "remove them there",
		    held);
	snprintf(ports->held, sizeof(ports->held), "%s", held);
}
