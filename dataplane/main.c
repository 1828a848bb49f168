/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lp-dataplane: one program, two processes.  Started by hand it is the
 * keeper (keeper.c), which starts it again as the packet process
 * (dataplane.c).
 */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "dataplane/control.h"
#include "dataplane/dataplane.h"
#include "dataplane/keeper.h"
#include "dataplane/privilege.h"
#include "dataplane/remote.h"
#include "proto/listen.h"
#include "proto/log.h"
#include "proto/tcp.h"

static int run_keeper(const struct lp_options *options, int argc, char **argv);

int
main(int argc, char **argv)
{
	struct lp_options options;

	lp_options_parse(&options, argc, argv);
	lp_log_init("lp-dataplane", options.verbose);
	if (options.keeper_fd != LP_OPTIONS_NO_KEEPER)
		return lp_dataplane_main(&options);
	return run_keeper(&options, argc, argv);
}

/* What needs more than the capabilities kept is done here, before the drop. */
static int
run_keeper(const struct lp_options *options, int argc, char **argv)
{
	struct lp_keep_store store;
	const struct lp_keeper_config config = {
	    .program = "/proc/self/exe",
	    .title = "lp-dataplane: packets",
	    .argc = argc,
	    .argv = argv,
	    .store = &store,
	};
	char why[LP_WHY_SIZE];
	int socket = lp_listen_open(options->socket_path, options->group, why);
	int status;
	int error;

	if (socket < 0) {
		lp_log_error("%s", why);
		return EX_CONFIG;
	}
	lp_keep_store_init(&store);
	lp_keep_store_put(&store, LP_CONTROL_KEEP_NAME, socket);
	if (options->listen.port != 0) {
		socket = lp_tcp_listen(&options->listen, why);
		if (socket < 0) {
			lp_log_error("--listen %s", why);
			status = EX_CONFIG;
			goto out;
		}
		lp_keep_store_put(&store, LP_REMOTE_KEEP_NAME, socket);
	}
	lp_privilege_raise_memlock();
	error = lp_privilege_drop_keeper(options->dpdk_privileged);
	if (error) {
		lp_log_error("capabilities: %s", strerror(-error));
		status = EX_OSERR;
	} else {
		status = lp_keeper_run(&config);
	}
out:
	lp_keep_store_fini(&store);
	unlink(options->socket_path);
	return status;
}
