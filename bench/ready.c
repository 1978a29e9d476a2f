#include "bench/ready.h"

#include "base/mem.h"

#include <jansson.h>
#include <stdio.h>

static enum err add(json_t *process, struct usage_table *t)
{
	const char *name, *role;
	int pid;

	if (json_unpack(process, "{s:s, s:s, s:i}", "name", &name, "role", &role, "pid",
			&pid))
		return ERR_MALFORMED;
	usage_add(t, name, role, pid);
	return OK;
}

static enum err take(json_t *root, struct usage_table *t, const char **url)
{
	const char *websocket;
	json_t *processes, *process;
	size_t i;

	if (json_unpack(root, "{s:s, s:o}", "websocket", &websocket, "processes",
			&processes))
		return ERR_MALFORMED;
	if (*url == NULL)
		*url = xstrdup(websocket);
	json_array_foreach (processes, i, process)
		if (add(process, t) != OK)
			return ERR_MALFORMED;
	return OK;
}

enum err ready_read(const char *path, struct usage_table *t, const char **url)
{
	json_error_t why;
	json_t *root = json_load_file(path, 0, &why);

	if (root == NULL) {
		fprintf(stderr, "bench: --pids-from %s: %s\n", path, why.text);
		return ERR_MALFORMED;
	}

	enum err e = take(root, t, url);
	if (e != OK)
		fprintf(stderr,
			"bench: --pids-from %s: not a ready file: it needs "
			"websocket and "
			"processes with name, role and pid\n",
			path);
	json_decref(root);
	return e;
}
