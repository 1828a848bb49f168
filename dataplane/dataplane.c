/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/dataplane.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sysexits.h>

#include "dataplane/apply.h"
#include "dataplane/clock.h"
#include "dataplane/control.h"
#include "dataplane/loss.h"
#include "dataplane/privilege.h"
#include "dataplane/region.h"
#include "dataplane/remote.h"
#include "proto/log.h"

static int serve(const struct lp_options *options, struct lp_keep *keep);
static int listen_too(struct lp_control *control,
    const struct lp_options *options, struct lp_keep *keep);
static int check_cpu(int cpu);
static int check_dpdk(const char *arguments);
static int exit_status(int error);

int
lp_dataplane_init(struct lp_dataplane *dataplane,
    const struct lp_options *options, struct lp_keep *keep)
{
	int error;

	memset(dataplane, 0, sizeof(*dataplane));
	dataplane->options = options;
	dataplane->keep = keep;
	dataplane->started_ns = lp_clock_ns();
	lp_config_init(&dataplane->running.config);
	error = check_cpu(options->cpu);
	if (!error)
		error = check_dpdk(options->dpdk);
	if (error)
		return error;
	error = lp_region_open(
	    &dataplane->region, keep, options->connections, options->buffers);
	if (error) {
		lp_log_error("state region for %" PRIu32
			     " connections (--connections): %s",
		    options->connections, strerror(-error));
		return error;
	}
	error = lp_denial_log_new(&dataplane->denials, lp_clock_real_ns());
	if (error) {
		lp_region_close(&dataplane->region);
		return error;
	}
	lp_ports_init(
	    &dataplane->ports, keep, dataplane->region.ledger, options);
	lp_loss_begin(dataplane);
	error = lp_apply_last_good(dataplane);
	if (error)
		lp_dataplane_fini(dataplane);
	return error;
}

void
lp_dataplane_fini(struct lp_dataplane *dataplane)
{
	lp_worker_free(dataplane->worker);
	lp_snapshot_publish(&dataplane->cell, NULL);
	lp_ports_fini(&dataplane->ports);
	lp_region_close(&dataplane->region);
	lp_config_fini(&dataplane->running.config);
	lp_denial_log_free(dataplane->denials);
}

int
lp_dataplane_main(const struct lp_options *options)
{
	struct lp_keep *keep;
	int error;

	prctl(PR_SET_NAME, "lp-packets");
	error = lp_privilege_drop_packets(options->dpdk_privileged);
	if (error) {
		lp_log_error("capabilities: %s", strerror(-error));
		return EX_OSERR;
	}
	error = lp_keep_new(&keep, options->keeper_fd);
	if (error) {
		lp_log_error(
		    "--keeper-fd %d: %s", options->keeper_fd, strerror(-error));
		return EX_OSERR;
	}
	lp_privilege_log_host(options->dpdk_privileged);
	error = serve(options, keep);
	lp_keep_free(keep);
	return exit_status(error);
}

static int
serve(const struct lp_options *options, struct lp_keep *keep)
{
	struct lp_dataplane dataplane;
	struct lp_control *control;
	int socket = lp_keep_get(keep, LP_CONTROL_KEEP_NAME);
	int error;

	if (socket < 0) {
		lp_log_error("no control socket: %s", strerror(-socket));
		return socket;
	}
	error = lp_dataplane_init(&dataplane, options, keep);
	if (error)
		return error;
	error = lp_control_new(&control, &dataplane, socket);
	if (error) {
		lp_log_error("control socket: %s", strerror(-error));
		goto out;
	}
	error = listen_too(control, options, keep);
	if (error)
		goto stop;
	error = lp_keep_ready(keep);
	if (error)
		lp_log_error("keeper: %s", strerror(-error));
	else
		lp_control_run(control);
stop:
	lp_control_free(control);
out:
	lp_dataplane_fini(&dataplane);
	return error;
}

/* For controllers of other machines, if there may be any. */
static int
listen_too(struct lp_control *control, const struct lp_options *options,
    struct lp_keep *keep)
{
	char why[LP_TLS_WHY_SIZE];
	int socket, error;

	if (options->listen.port == 0)
		return 0;
	socket = lp_keep_get(keep, LP_REMOTE_KEEP_NAME);
	if (socket < 0) {
		lp_log_error("no socket to listen on: %s", strerror(-socket));
		return socket;
	}
	error = lp_control_listen(control, socket, options->tls, why);
	if (!error)
		return 0;
	lp_log_error("--tls %s", why);
	return error == -ENOMEM ? error : -EINVAL;
}

/* Now, not when the first port comes. */
static int
check_cpu(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	if (sched_getaffinity(0, sizeof(set), &set) == 0 &&
	    CPU_ISSET(cpu, &set))
		return 0;
	lp_log_error("--cpu %d: there is no such CPU, or this process may not "
		     "run on it",
	    cpu);
	return -EINVAL;
}

/* The same for what the back end is told. */
static int
check_dpdk(const char *arguments)
{
	const struct lp_backend_ops *ops = lp_port_backend(LP_BACKEND_DPDK);
	char why[LP_WHY_SIZE];
	int error;

	if (!arguments)
		return 0;
	if (!ops) {
		lp_log_error("--dpdk: this dataplane was built without DPDK");
		return -EINVAL;
	}
	error = ops->check_arguments(arguments, why);
	if (error)
		lp_log_error("--dpdk: %s", why);
	return error;
}

static int
exit_status(int error)
{
	if (error == 0)
		return EXIT_SUCCESS;
	/* No such CPU, no certificate, or a table that this host has no memory
	 * for. */
	return error == -EINVAL || error == -ENOMEM ? EX_CONFIG : EXIT_FAILURE;
}
