#include "base/conf.h"

#include "capture.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct fields {
	const char *name, *path;
	int64_t edges;
	bool demo;
};

static const struct conf_key keys[] = {
	CONF_TEXT(struct fields, name, "name", "edge-0", "the name"),
	CONF_TEXT(struct fields, path, "the-path", NULL, "the path"),
	CONF_INT(struct fields, edges, "edges", "2", 0, 100, "how many"),
	CONF_BOOL(struct fields, demo, "demo", "false", "show it"),
};

/* A rule that no type tells: nothing is 13; and a path may be a secret. */
static bool is_right(const void *conf, struct conf_wrong *w)
{
	const struct fields *f = conf;

	w->is_secret = f->path != NULL;
	if (f->path != NULL && strcmp(f->path, "13") == 0)
		return conf_refuse(w, "the-path", "not 13");
	return f->edges != 13 || conf_refuse(w, "edges", "not 13");
}

static const struct conf_table table = {"gatepost-edge", "Terminates WebSockets.", keys,
					4, is_right};

enum { MOST = 8 };

/* Load with the flags of one line, split at spaces; *said is what went to fd. */
static enum err load(struct fields *out, const char *flags, int fd, char **said)
{
	char line[512] = "gatepost-edge", *argv[MOST + 1] = {line};
	int argc = 1;
	struct capture *c = capture_start(fd);

	snprintf(line, sizeof line, "gatepost-edge %s", flags);
	strtok(line, " ");
	while (argc < MOST && (argv[argc] = strtok(NULL, " ")))
		argc++;
	memset(out, 0x5a, sizeof *out);

	enum err e = conf_load(&table, out, argc, argv);

	*said = capture_end(c);
	return e;
}

static enum err load_with(struct fields *out, const char *edges)
{
	const struct conf_default defaults[] = {{"edges", "3"}, {"edges", edges}};
	char *argv[] = {"gatepost-edge", "--demo", NULL};

	return conf_load_with(&table, defaults, 2, out, 2, argv);
}

Test(conf, the_last_of_other_defaults_takes_the_place_of_the_tables)
{
	struct fields f;

	cr_assert(eq(int, load_with(&f, "7"), OK));
	cr_assert(eq(i64, f.edges, 7));
	cr_assert(f.demo);
	cr_assert(eq(str, (char *)f.name, "edge-0"));
}

static void expect(const char *flags, const char *name, int64_t edges, bool demo)
{
	struct fields f;
	char *said;

	cr_assert(eq(int, load(&f, flags, STDERR_FILENO, &said), OK), "%s", said);
	cr_assert(eq(str, said, ""));
	cr_assert(eq(str, (char *)f.name, (char *)name), "%s", flags);
	cr_assert(eq(i64, f.edges, edges), "%s", flags);
	cr_assert(f.demo == demo, "%s", flags);
	free(said);
}

static void refuse(const char *flags, const char *want)
{
	struct fields f;
	char *said;

	cr_assert(eq(int, load(&f, flags, STDERR_FILENO, &said), ERR_MALFORMED), "%s",
		  flags);
	cr_assert(eq(str, said, (char *)want));
	free(said);
}

static void file_write(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	cr_assert(out != NULL);
	fputs(text, out);
	fclose(out);
}

/* A folder of the test's own, to stand in. */
static void start(void)
{
	char folder[] = "/tmp/unit-conf-XXXXXX";

	cr_assert(mkdtemp(folder) != NULL);
	cr_assert(eq(int, chdir(folder), 0));
}

static void end(void)
{
	char *folder = getcwd(NULL, 0);

	unlink("s.conf");
	cr_assert(eq(int, chdir("/"), 0));
	rmdir(folder);
	free(folder);
}

TestSuite(conf, .init = start, .fini = end);

Test(conf, without_a_word_all_is_default)
{
	struct fields f;
	char *said;

	expect("", "edge-0", 2, false);
	cr_assert(eq(int, load(&f, "", STDERR_FILENO, &said), OK));
	cr_assert(f.path == NULL);
	free(said);
}

Test(conf, flags_are_read_in_both_forms_and_the_last_wins)
{
	expect("--name a --edges=3", "a", 3, false);
	expect("--edges 3 --edges 4", "edge-0", 4, false);
	expect("--name=", "", 2, false);
	expect("--name a=b", "a=b", 2, false);
}

Test(conf, a_bool_may_stand_alone)
{
	expect("--demo --name a", "a", 2, true);
	expect("--demo false --name a", "a", 2, false);
	expect("--demo=true", "edge-0", 2, true);
	expect("--demo", "edge-0", 2, true);
}

Test(conf, a_flag_beats_the_environment_beats_the_file_beats_the_default)
{
	file_write("s.conf",
		   "# settings\n\n  name = from file  \nedges=7\r\ndemo = true");
	expect("--settings s.conf", "from file", 7, true);
	setenv("GATEPOST_EDGES", "8", 1);
	expect("--settings s.conf", "from file", 8, true);
	expect("--settings s.conf --edges 9", "from file", 9, true);
	setenv("GATEPOST_SETTINGS", "s.conf", 1);
	expect("", "from file", 8, true);
	setenv("GATEPOST_EDGES", "", 1);
	expect("", "from file", 7, true);
}

Test(conf, the_environment_names_a_row_in_capitals)
{
	struct fields f;
	char *said;

	setenv("GATEPOST_THE_PATH", "/there", 1);
	setenv("GATEPOST_EDGE_SERVICE_HOST", "10.0.0.1",
	       1); /* Kubernetes makes such ones */
	cr_assert(eq(int, load(&f, "", STDERR_FILENO, &said), OK));
	cr_assert(eq(str, (char *)f.path, "/there"));
	free(said);
}

Test(conf, a_bad_flag_is_refused_with_what_to_do)
{
	refuse("--nope 1", "gatepost-edge: --nope: no such flag; see --help\n");
	refuse("--edge 1", "gatepost-edge: --edge: no such flag; see --help\n");
	refuse("edges", "gatepost-edge: \"edges\": not a flag; see --help\n");
	refuse("--edges", "gatepost-edge: --edges: its value is missing; see --help\n");
	refuse("--edges x", "gatepost-edge: edges = \"x\" (flag, --edges): not a number; "
			    "allowed: 0 to 100\n");
	refuse("--edges 101",
	       "gatepost-edge: edges = \"101\" (flag, --edges): too large; "
	       "allowed: 0 to 100\n");
}

Test(conf, a_bad_variable_is_refused_by_its_name)
{
	setenv("GATEPOST_EDGES", "12 apples", 1);
	refuse("", "gatepost-edge: edges = \"12 apples\" (environment, GATEPOST_EDGES): "
		   "not a "
		   "number; allowed: 0 to 100\n");
	expect("--edges 1", "edge-0", 1, false);
}

Test(conf, a_bad_line_of_the_file_is_refused_by_its_number)
{
	file_write("s.conf", "\nedges = x\n");
	refuse("--settings s.conf",
	       "gatepost-edge: edges = \"x\" (file, s.conf line 2): not a "
	       "number; allowed: 0 to 100\n");
	file_write("s.conf", "edges = 1\nnope = 2\n");
	refuse("--settings s.conf",
	       "gatepost-edge: s.conf line 2: no setting is named \"nope\"; "
	       "see --help\n");
	file_write("s.conf", "settings = other\n");
	refuse("--settings s.conf", "gatepost-edge: s.conf line 1: no setting is named "
				    "\"settings\"; see --help\n");
	file_write("s.conf", "edges 5\n");
	refuse("--settings s.conf",
	       "gatepost-edge: s.conf line 1: \"edges 5\" is not `name = value`\n");
	file_write("s.conf", "edges = 5\nedges = 6\n");
	refuse("--settings s.conf",
	       "gatepost-edge: s.conf line 2: \"edges\" is set a second time "
	       "(first: file, s.conf line 1)\n");
}

Test(conf, a_file_that_is_none_is_refused)
{
	refuse("--settings nofile",
	       "gatepost-edge: settings = \"nofile\" (flag, --settings): "
	       "cannot be opened: No such file or directory\n");
	refuse("--settings /", "gatepost-edge: /: cannot be read: Is a directory\n");
	refuse("--settings /dev/zero",
	       "gatepost-edge: /dev/zero line 1: longer than 4094 bytes, or not text\n");
}

Test(conf, help_and_version_are_printed_and_end_the_start)
{
	struct fields f;
	char *said;

	cr_assert(eq(int, load(&f, "--version", STDOUT_FILENO, &said), ERR_EXIT));
	cr_assert(strncmp(said, "gatepost-edge 0.", 16) == 0, "%s", said);
	free(said);
	cr_assert(eq(int, load(&f, "--nope --help", STDOUT_FILENO, &said), ERR_EXIT));
	cr_assert(strstr(said, "--edges NUMBER\n") != NULL);
	free(said);
}

Test(conf, what_the_check_finds_wrong_is_told_with_where_it_came_from)
{
	refuse("--edges 13", "gatepost-edge: edges = \"13\" (flag, --edges): not 13\n");
	setenv("GATEPOST_EDGES", "13", 1);
	refuse("",
	       "gatepost-edge: edges = \"13\" (environment, GATEPOST_EDGES): not 13\n");
	unsetenv("GATEPOST_EDGES");
}

Test(conf, what_the_check_calls_a_secret_is_not_shown)
{
	refuse("--the-path 13",
	       "gatepost-edge: the-path = \"…\" (flag, --the-path): not 13\n");
}

Test(conf, a_row_is_refused_by_its_name_and_in_as_many_words_as_there_is_room_for)
{
	struct conf_wrong w = {0};
	char endless[1000];

	cr_assert(not(conf_refuse(&w, "edges", "not 13")));
	cr_assert(eq(str, (char *)w.name, "edges"));
	cr_assert(eq(str, w.why, "not 13"));
	cr_assert(not(w.is_secret));
	memset(endless, 'x', sizeof endless);
	endless[sizeof endless - 1] = '\0';
	cr_assert(not(conf_refuse(&w, "edges", endless)));
	cr_assert(eq(sz, strlen(w.why), sizeof w.why - 1));
}
