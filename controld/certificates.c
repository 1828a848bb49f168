/* SPDX-License-Identifier: Apache-2.0 */
#include "controld/certificates.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "proto/log.h"

struct lp_certificates {
	struct lp_tls *tls;
	struct event *tick, *hangup;
	void (*checked)(void *arg);
	void *arg;
};

static int start(struct lp_certificates *certificates, struct event_base *base);
static void on_tick(evutil_socket_t fd, short what, void *arg);
static void on_hangup(evutil_socket_t number, short what, void *arg);

int
lp_certificates_open(struct lp_certificates **out, struct event_base *base,
    const char *directory, void (*checked)(void *arg), void *arg,
    char why[LP_TLS_WHY_SIZE])
{
	struct lp_certificates *certificates = calloc(1, sizeof(*certificates));
	int err = -ENOMEM;

	if (certificates != NULL)
		err = lp_tls_open(&certificates->tls, directory, true, why);
	if (err == -EKEYEXPIRED) {
		lp_log_warn("%s", why);
		err = 0;
	}
	if (err == 0)
		err = lp_tls_check_role(certificates->tls, "controld", why);
	if (err == 0) {
		certificates->checked = checked;
		certificates->arg = arg;
		err = start(certificates, base);
	}
	if (err == 0)
		*out = certificates;
	else
		lp_certificates_close(certificates);
	return err;
}

void
lp_certificates_close(struct lp_certificates *certificates)
{
	if (certificates == NULL)
		return;
	if (certificates->tick != NULL)
		event_free(certificates->tick);
	if (certificates->hangup != NULL)
		event_free(certificates->hangup);
	lp_tls_close(certificates->tls);
	free(certificates);
}

struct lp_tls *
lp_certificates_tls(const struct lp_certificates *certificates)
{
	return certificates != NULL ? certificates->tls : NULL;
}

static int
start(struct lp_certificates *certificates, struct event_base *base)
{
	const struct timeval every = {.tv_sec = LP_TLS_TICK_S};

	certificates->tick =
	    event_new(base, -1, EV_PERSIST, on_tick, certificates);
	certificates->hangup =
	    evsignal_new(base, SIGHUP, on_hangup, certificates);
	if (certificates->tick == NULL || certificates->hangup == NULL ||
	    event_add(certificates->tick, &every) != 0 ||
	    event_add(certificates->hangup, NULL) != 0)
		return -ENOMEM;
	/* Nothing to reload yet, but something to say, maybe. */
	(void)lp_tls_tick(certificates->tls);
	return 0;
}

static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	const struct lp_certificates *certificates = arg;

	(void)fd;
	(void)what;
	(void)lp_tls_tick(certificates->tls);
	certificates->checked(certificates->arg);
}

static void
on_hangup(evutil_socket_t number, short what, void *arg)
{
	const struct lp_certificates *certificates = arg;

	(void)number;
	(void)what;
	(void)lp_tls_reload(certificates->tls);
	certificates->checked(certificates->arg);
}
