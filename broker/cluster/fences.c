#include "broker/cluster/fences.h"

#include "base/map.h"
#include "base/mem.h"
#include "store/leases.h"
#include "store/members.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>

enum { MOST = 1024, BOOT_MOST = 16 };

struct lost {
	uint16_t number;
	char boot[BOOT_MOST + 2]; /* and zeros */
};

struct fence {
	TAILQ_ENTRY(fence) at;
	struct lost lost; /* the key */
};

struct fences {
	struct store *store;
	struct members *members;
	struct map *map;
	TAILQ_HEAD(, fence) oldest_first;
	/* The cluster id of the data set that has all of them; empty: none. */
	char told[MEMBERS_CLUSTER];
};

static void write_all(void *arg);

struct fences *fences_new(struct store *st, struct members *m)
{
	struct fences *f = xcalloc(1, sizeof *f);

	f->store = st;
	f->members = m;
	f->map = map_new();
	TAILQ_INIT(&f->oldest_first);
	members_watch(m, &(struct members_watcher){.beat = write_all}, f);
	return f;
}

static struct lost lost(uint16_t number, struct span boot)
{
	struct lost l = {.number = number};

	memcpy(l.boot, boot.p, boot.n);
	return l;
}

static struct span key(const struct lost *l)
{
	return span_of(l, sizeof *l);
}

static void forget(struct fences *f, struct fence *x)
{
	map_remove(f->map, key(&x->lost));
	TAILQ_REMOVE(&f->oldest_first, x, at);
	free(x);
}

void fences_free(struct fences *f)
{
	struct fence *x;

	if (f == NULL)
		return;
	while ((x = TAILQ_FIRST(&f->oldest_first)) != NULL)
		forget(f, x);
	map_free(f->map);
	free(f);
}

void fences_add(struct fences *f, uint16_t number, struct span boot)
{
	struct fence *x;
	struct lost l;

	if (boot.n == 0 || boot.n > BOOT_MOST)
		return;
	l = lost(number, boot);
	if (map_find(f->map, key(&l)) != NULL)
		return;
	if (map_size(f->map) == MOST)
		forget(f, TAILQ_FIRST(&f->oldest_first));
	x = xcalloc(1, sizeof *x);
	x->lost = l;
	map_put(f->map, key(&x->lost), x);
	TAILQ_INSERT_TAIL(&f->oldest_first, x, at);
}

bool fences_contain(const struct fences *f, uint16_t number, const char *boot)
{
	struct lost l = lost(number, span_str(boot));

	return map_find(f->map, key(&l)) != NULL;
}

static void on_written(void *arg, enum err e)
{
	struct fences *f = arg;

	if (e != OK) /* all of them once more at the next beat */
		f->told[0] = '\0';
}

/* Each beat. */
static void write_all(void *arg)
{
	struct fences *f = arg;
	const char *cluster = members_cluster(f->members);
	struct fence *x;

	if (strcmp(f->told, cluster) == 0)
		return;
	snprintf(f->told, sizeof f->told, "%s", cluster);
	TAILQ_FOREACH (x, &f->oldest_first, at)
		store_edge_fence(f->store, x->lost.number, x->lost.boot, on_written, f);
}
