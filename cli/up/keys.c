#include "cli/up/keys.h"

#include "base/log.h"
#include "base/mem.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

struct entry {
	char *function;
	struct key_pair *pair; /* it does not move */
};

struct keys {
	char *file;
	struct key_pair *nobody;
	struct entry *list;
	size_t n;
	bool is_written;
};

static struct key_pair *make_pair(void)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
	struct key_pair *pair = xcalloc(1, sizeof *pair);
	unsigned char random[38];

	if (RAND_bytes(random, sizeof random) != 1)
		abort(); /* the system gives no random numbers */
	memcpy(pair->id, "GP", 2);
	for (size_t i = 0; i < 18; i++)
		pair->id[2 + i] = letters[random[i] % 32];
	for (size_t i = 0; i < 20; i++)
		snprintf(pair->secret + 2 * i, 3, "%02x", random[18 + i]);
	return pair;
}

static void free_pair(struct key_pair *pair)
{
	OPENSSL_cleanse(pair, sizeof *pair);
	free(pair);
}

struct keys *keys_new(const char *folder)
{
	struct keys *k = xcalloc(1, sizeof *k);

	k->file = xasprintf("%s/function-keys", folder);
	k->nobody = make_pair();
	return k;
}

void keys_free(struct keys *k)
{
	if (k == NULL)
		return;
	for (size_t i = 0; i < k->n; i++) {
		free_pair(k->list[i].pair);
		free(k->list[i].function);
	}
	free_pair(k->nobody);
	free(k->list);
	free(k->file);
	free(k);
}

const char *keys_file(const struct keys *k)
{
	return k->file;
}

const struct key_pair *keys_find(const struct keys *k, const char *function)
{
	for (size_t i = 0; i < k->n; i++)
		if (strcmp(k->list[i].function, function) == 0)
			return k->list[i].pair;
	return NULL;
}

/* A name that the file cannot hold has no key: its requests are everybody's. */
static bool can_be_written(const char *name)
{
	for (const char *at = name; *at; at++)
		if (*at <= ' ' || *at > '~')
			return false;
	return *name != '\0';
}

static void add_missing(struct keys *k, const struct config *c)
{
	for (size_t i = 0; i < c->n_functions; i++) {
		const struct config_function *f = &c->functions[i];

		if (f->sort != CONFIG_LAMBDA || keys_find(k, f->name) ||
		    !can_be_written(f->name))
			continue;
		k->list = xrealloc(k->list, (k->n + 1) * sizeof *k->list);
		k->list[k->n++] = (struct entry){xstrdup(f->name), make_pair()};
	}
}

static bool write_all(const struct keys *k, const char *path)
{
	FILE *out = fopen(path, "we");

	if (out == NULL)
		return false;
	(void)fchmod(fileno(out), 0600); /* its folder is ours alone */
	/* Brokers refuse a file without any key: this one is nobody's. */
	fprintf(out, "[nobody]\naws_access_key_id = %s\naws_secret_access_key = %s\n",
		k->nobody->id, k->nobody->secret);
	for (size_t i = 0; i < k->n; i++)
		fprintf(out,
			"[function-%zu]\nfunction = %s\naws_access_key_id = %s\n"
			"aws_secret_access_key = %s\n",
			i, k->list[i].function, k->list[i].pair->id,
			k->list[i].pair->secret);
	return fclose(out) == 0;
}

bool keys_write(struct keys *k, const struct config *c)
{
	char *next = xasprintf("%s.new", k->file);
	size_t before = k->n;

	add_missing(k, c);
	if (k->n == before && k->is_written) {
		free(next);
		return true;
	}
	k->is_written = write_all(k, next) && rename(next, k->file) == 0;
	if (!k->is_written)
		log_error("keys.failed", S("file", k->file), S("why", strerror(errno)));
	free(next);
	return k->is_written;
}
