/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/tls.h"

#define SCHEME "tls://"

static int split_host(struct lp_place *out, const char *text, char *why);
static const char *usual_directory(char buf[PATH_MAX]);

int
lp_place_make(char place[LP_PLACE_SIZE], const char *remote,
    const char *directory, char why[LP_WHY_SIZE])
{
	struct lp_place parts;
	char buf[PATH_MAX];

	if (split_host(&parts, remote, why) != 0)
		return -EINVAL;
	if (directory == NULL)
		directory = usual_directory(buf);
	if (strlen(directory) >= PATH_MAX) {
		snprintf(why, LP_WHY_SIZE,
		    "the path of the directory of "
		    "certificates is too long");
		return -EINVAL;
	}
	(void)snprintf(
	    place, LP_PLACE_SIZE, SCHEME "%s/%s", parts.name, directory);
	return 0;
}

bool
lp_place_split(struct lp_place *out, const char *place)
{
	char text[sizeof(out->name)];
	const char *slash;
	size_t len;

	if (strncmp(place, SCHEME, strlen(SCHEME)) != 0)
		return false;
	place += strlen(SCHEME);
	slash = strchr(place, '/');
	len = slash != NULL ? (size_t)(slash - place) : 0;
	if (slash == NULL || len >= sizeof(text))
		return false;
	memcpy(text, place, len);
	text[len] = '\0';
	if (split_host(out, text, NULL) != 0)
		return false;
	out->directory = slash + 1;
	return true;
}

/* Also without a port; an IPv6 address is then without brackets, too. */
static int
split_host(struct lp_place *out, const char *text, char *why)
{
	struct lp_ip ip;
	size_t len = strlen(text);

	if (lp_ip_parse(&ip, text, NULL) == 0 || strchr(text, ':') == NULL) {
		out->port = LP_TLS_PORT;
		if (lp_ip_parse(&ip, text, NULL) != 0 &&
		    lp_hostname_check(text, why) != 0)
			return -EINVAL;
		(void)snprintf(out->host, sizeof(out->host), "%s", text);
	} else if (len > 2 && text[0] == '[' && text[len - 1] == ']') {
		(void)snprintf(out->host, sizeof(out->host), "%.*s",
		    (int)(len - 2), text + 1);
		out->port = LP_TLS_PORT;
		if (lp_ip_parse(&ip, out->host, why) != 0)
			return -EINVAL;
	} else if (lp_hostport_split(out->host, &out->port, text, why) != 0) {
		return -EINVAL;
	}
	lp_hostport_format(out->name, out->host, out->port);
	return 0;
}

static const char *
usual_directory(char buf[PATH_MAX])
{
	const char *home = getenv("HOME");
	char path[PATH_MAX];

	if (home == NULL || home[0] != '/' ||
	    snprintf(path, sizeof(path), "%s/.config/lightpath/cert.pem",
		home) >= (int)sizeof(path) ||
	    access(path, F_OK) != 0)
		return LP_TLS_DIRECTORY;
	*strrchr(path, '/') = '\0';
	return strcpy(buf, path);
}
