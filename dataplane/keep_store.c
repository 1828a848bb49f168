/* SPDX-License-Identifier: Apache-2.0 */
#include "dataplane/keep_store.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

static int find(const struct lp_keep_store *store, const char *name);
static void drop(struct lp_keep_store *store, const char *name);

void
lp_keep_store_init(struct lp_keep_store *store)
{
	memset(store, 0, sizeof(*store));
}

void
lp_keep_store_fini(struct lp_keep_store *store)
{
	for (int i = 0; i < LP_KEEP_MAX; i++)
		if (store->places[i].name[0] != '\0')
			close(store->places[i].fd);
	lp_keep_store_init(store);
}

int
lp_keep_store_put(struct lp_keep_store *store, const char *name, int fd)
{
	int i;

	if (name[0] == '\0' || strlen(name) >= LP_KEEP_NAME_SIZE || fd < 0) {
		if (fd >= 0)
			close(fd);
		return -EINVAL;
	}
	drop(store, name);
	i = find(store, "");
	if (i < 0) {
		close(fd);
		return -ENOSPC;
	}
	strcpy(store->places[i].name, name);
	store->places[i].fd = fd;
	return 0;
}

int
lp_keep_store_serve(struct lp_keep_store *store, int socket, bool *ready)
{
	struct lp_keep_message message;
	int fd;
	int answer_fd = -1;
	int place;
	int error = lp_keep_wire_recv(socket, &message, &fd);

	if (error)
		return error == -EBADMSG ? 0 : error;
	message.result = 0;
	switch (message.op) {
	case LP_KEEP_GET:
		place = message.name[0] ? find(store, message.name) : -1;
		message.result = place < 0 ? -ENOENT : 0;
		answer_fd = place < 0 ? -1 : store->places[place].fd;
		break;
	case LP_KEEP_PUT:
		message.result = lp_keep_store_put(store, message.name, fd);
		fd = -1;
		break;
	case LP_KEEP_DROP:
		drop(store, message.name);
		break;
	case LP_KEEP_READY:
		*ready = true;
		break;
	default:
		message.result = -EOPNOTSUPP;
	}
	if (fd >= 0)
		close(fd);
	return lp_keep_wire_send(socket, &message, answer_fd);
}

static int
find(const struct lp_keep_store *store, const char *name)
{
	for (int i = 0; i < LP_KEEP_MAX; i++)
		if (strcmp(store->places[i].name, name) == 0)
			return i;
	return -1;
}

static void
drop(struct lp_keep_store *store, const char *name)
{
	int i = name[0] != '\0' ? find(store, name) : -1;

	if (i < 0)
		return;
	close(store->places[i].fd);
	store->places[i].name[0] = '\0';
}
