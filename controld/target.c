/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "proto/tls.h"

static int parse_host(
    struct lp_target *target, const char *text, bool alone, char *why);

int
lp_target_parse(
    struct lp_target *target, const char *text, char why[LP_WHY_SIZE])
{
	static const char scheme[] = "tls://";
	size_t len = sizeof(scheme) - 1;

	memset(target, 0, sizeof(*target));
	if (strncmp(text, scheme, len) == 0)
		return parse_host(target, text + len, true, why);
	if (strchr(text, '/') != NULL || strchr(text, ':') == NULL)
		return 0;
	return parse_host(target, text, false, why);
}

/* alone: it may have no port. */
static int
parse_host(struct lp_target *target, const char *text, bool alone, char *why)
{
	struct lp_ip ip;

	if (lp_hostport_split(target->host, &target->port, text, why) != 0) {
		target->host[0] = '\0';
		if (!alone ||
		    (strchr(text, ':') != NULL &&
			lp_ip_parse(&ip, text, NULL) != 0) ||
		    strlen(text) >= sizeof(target->host))
			return -EINVAL;
		strcpy(target->host, text);
		target->port = LP_TLS_DATAPLANE_PORT;
	}
	if (lp_ip_parse(&ip, target->host, NULL) != 0 &&
	    lp_hostname_check(target->host, why) != 0) {
		target->host[0] = '\0';
		return -EINVAL;
	}
	lp_hostport_format(target->text, target->host, target->port);
	return 0;
}
