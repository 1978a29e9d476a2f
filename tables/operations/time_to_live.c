/* UpdateTimeToLive, DescribeTimeToLive. */
#include "tables/operations/operations.h"
#include "tables/store/keeper.h"

struct update {
	struct job *job;
	bool is_enabled;
	struct span attribute;
	struct table *next;
};

static void on_found(void *arg, enum err e, struct table *t);
static void on_changed(void *arg, enum err e);
static void on_described(void *arg, enum err e, struct table *t);

static enum err read_specification(struct update *u, struct refusal *no)
{
	struct job *c = u->job;
	const struct json_value *v;
	struct fields f;
	enum err e = fields_object(&c->fields, "TimeToLiveSpecification", &v, no);

	if (e == OK && v == NULL)
		return fields_missing(&c->fields, "TimeToLiveSpecification", no);
	if (e == OK)
		e = fields_read(c->arena, v, &f, no);
	if (e == OK && fields_find(&f, "Enabled") == NULL)
		return fields_missing(&f, "Enabled", no);
	if (e == OK)
		e = fields_truth(&f, "Enabled", &u->is_enabled, no);
	if (e == OK)
		e = fields_need_text(&f, "AttributeName", &u->attribute, no);
	if (e == OK && (u->attribute.n == 0 || u->attribute.n > 255))
		return fields_outside(&f, "AttributeName", "",
				      "have length from 1 to 255", no);
	return e;
}

static void load(struct job *c, catalog_table_fn *fn, void *arg)
{
	struct refusal no;
	size_t place;

	if (job_use_named(c, &c->fields, (struct span){0}, &place, &no) != OK)
		job_refuse(c, &no);
	else if (job_may(c, c->operation->name, c->used[0].name, (struct span){0}))
		catalog_load(c->store, c->arena, c->used[0].name, fn, arg);
}

void update_time_to_live(struct job *c)
{
	struct update *u = arena_calloc(c->arena, 1, sizeof *u);
	struct refusal no;

	u->job = c;
	if (read_specification(u, &no) == OK)
		load(c, on_found, u);
	else
		job_refuse(c, &no);
}

static const char *why_not(const struct update *u, const struct table *t)
{
	if (u->is_enabled && t->ttl.n > 0)
		return "TimeToLive is already enabled";
	if (!u->is_enabled && t->ttl.n == 0)
		return "TimeToLive is already disabled";
	if (!u->is_enabled && !span_eq(u->attribute, t->ttl))
		return arena_printf(u->job->arena,
				    "TimeToLive is active on a different AttributeName: "
				    "current AttributeName is %.*s",
				    SPAN_ARG(t->ttl));
	return NULL;
}

static void on_found(void *arg, enum err e, struct table *t)
{
	struct update *u = arg;
	struct job *c = u->job;
	const char *why;

	if (e == ERR_NOTFOUND) {
		job_refuse_unknown_table(c, c->used[0].name);
		return;
	}
	if (e != OK) {
		job_fail(c, e);
		return;
	}
	why = why_not(u, t);
	if (why != NULL) {
		job_refuse(c, &(struct refusal){"ValidationException", why});
		return;
	}
	u->next = table_change(t);
	u->next->ttl = u->is_enabled ? arena_copy(u->next->arena, u->attribute)
				     : (struct span){0};
	u->next->ttl_is_new = u->is_enabled;
	c->used[0].table = u->next; /* goes with the job */
	catalog_change(c->store, c->arena, u->next, NULL, on_changed, u);
}

static void on_changed(void *arg, enum err e)
{
	struct update *u = arg;
	struct job *c = u->job;
	struct json_out o;

	if (e == ERR_CLAIMED || e == ERR_NOTFOUND) {
		job_restart(c);
		return;
	}
	if (e != OK) {
		job_fail(c, e);
		return;
	}
	keeper_fill(c->tables->keeper, u->next);
	o = job_json(128);
	json_out_raw(&o, "{\"TimeToLiveSpecification\":{");
	json_out_key(&o, "Enabled");
	json_out_raw(&o, u->is_enabled ? "true" : "false");
	json_out_key(&o, "AttributeName");
	json_out_string(&o, u->attribute);
	json_out_raw(&o, "}}");
	job_answer(c, &o);
}

void describe_time_to_live(struct job *c)
{
	load(c, on_described, c);
}

static void on_described(void *arg, enum err e, struct table *t)
{
	struct job *c = arg;
	struct json_out o;

	if (e == ERR_NOTFOUND) {
		job_refuse_unknown_table(c, c->used[0].name);
		return;
	}
	if (e != OK) {
		job_fail(c, e);
		return;
	}
	o = job_json(128);
	json_out_raw(&o, "{\"TimeToLiveDescription\":{");
	json_out_key(&o, "TimeToLiveStatus");
	json_out_raw(&o, t->ttl.n == 0   ? "\"DISABLED\""
			 : t->ttl_is_new ? "\"ENABLING\""
					 : "\"ENABLED\"");
	if (t->ttl.n > 0) {
		json_out_key(&o, "AttributeName");
		json_out_string(&o, t->ttl);
	}
	json_out_raw(&o, "}}");
	job_answer(c, &o);
}
