#include "redis/sentinel.h"

#include "base/log.h"
#include "base/mem.h"
#include "redis/dial.h"
#include "redis/feed.h"
#include "redis/greet.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct redis_sentinel {
	const struct redis_url *url;
	struct redis_url at; /* the sentinel that is asked, as if it were a Redis */
	struct redis_dial dial;
	int64_t timeout_ms;
	redis_master_fn *fn;
	void *arg;
	unsigned next;        /* the place of the next one to ask */
	unsigned left;        /* how many are still to be asked in this round */
	struct redis_end end; /* of the last one */
	redisReader *reader;
	bool is_auth;        /* the next reply is AUTH's */
	struct timer *timer; /* timeout: ask the next one */
};

static void on_timer(void *arg);
static void ask_next(struct redis_sentinel *s);
static void on_event(struct bufferevent *bev, short what, void *arg);
static void on_readable(struct bufferevent *bev, void *arg);
static void pass_over(struct redis_sentinel *s);

struct redis_sentinel *redis_sentinel_new(struct loop *l, const struct redis_url *url,
					  const struct redis_tls *tls, int64_t timeout_ms,
					  redis_master_fn *fn, void *arg)
{
	struct redis_sentinel *s = xcalloc(1, sizeof *s);

	s->url = url;
	s->timeout_ms = timeout_ms;
	s->fn = fn;
	s->arg = arg;
	redis_dial_init(&s->dial, loop_base(l), tls);
	s->dial.on_readable = on_readable;
	s->dial.on_event = on_event;
	s->dial.arg = s;
	s->timer = timer_new(l, on_timer, s);
	return s;
}

static void hang_up(struct redis_sentinel *s)
{
	timer_stop(s->timer);
	redis_dial_stop(&s->dial);
	if (s->reader != NULL)
		redisReaderFree(s->reader);
	s->reader = NULL;
}

void redis_sentinel_free(struct redis_sentinel *s)
{
	if (s == NULL)
		return;
	hang_up(s);
	timer_free(s->timer);
	redis_dial_close(&s->dial);
	explicit_bzero(&s->at, sizeof s->at);
	free(s);
}

void redis_sentinel_ask(struct redis_sentinel *s)
{
	s->left = s->url->sentinels.n;
	s->dial.attempts++;
	timer_after(s->timer, 0);
}

static void on_timer(void *arg)
{
	struct redis_sentinel *s = arg;

	if (s->dial.bev == NULL) {
		ask_next(s);
		return;
	}
	redis_end_set(&s->end, "start it, or remove it from --redis",
		      "it does not answer");
	pass_over(s);
}

/* The place and the login of the one whose turn it is. */
static void turn_to(struct redis_sentinel *s, unsigned i)
{
	const struct redis_sentinels *all = &s->url->sentinels;

	s->at = (struct redis_url){.tls = s->url->tls};
	redis_url_set_place(&s->at, &all->at[i]);
	memcpy(s->at.user, all->user, sizeof s->at.user);
	memcpy(s->at.password, all->password, sizeof s->at.password);
}

static void ask_next(struct redis_sentinel *s)
{
	if (s->left == 0) {
		s->fn(s->arg, NULL, &s->end);
		return;
	}
	s->left--;
	turn_to(s, s->next);
	s->next = (s->next + 1) % s->url->sentinels.n;
	if (!redis_dial(&s->dial, &s->at, &s->end)) {
		pass_over(s);
		return;
	}
	s->reader = redisReaderCreate();
	assert(s->reader != NULL);
	timer_after(s->timer, s->timeout_ms);
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct redis_sentinel *s = arg;
	struct evbuffer *out = bufferevent_get_output(bev);
	struct redis_greet_words auth;

	if (!(what & BEV_EVENT_CONNECTED)) {
		redis_dial_why(&s->dial, what, &s->end);
		pass_over(s);
		return;
	}
	redis_greet_say(REDIS_GREET_AUTH, &s->at, &auth);
	s->is_auth = auth.argc > 0;
	if (s->is_auth)
		redis_feed_command(out, auth.argc, auth.argv);
	redis_feed_command(out, 3,
			   (const char *[]){"SENTINEL", "get-master-addr-by-name",
					    s->url->sentinels.master});
}

/* [host, port], both as text */
static bool read_place(const redisReply *reply, struct redis_place *out)
{
	unsigned long port;

	if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2 ||
	    reply->element[0]->type != REDIS_REPLY_STRING ||
	    reply->element[1]->type != REDIS_REPLY_STRING ||
	    reply->element[0]->len == 0 || reply->element[0]->len >= sizeof out->host)
		return false;
	port = strtoul(reply->element[1]->str, NULL, 10);
	memcpy(out->host, reply->element[0]->str, reply->element[0]->len + 1);
	out->port = (uint16_t)port;
	return port >= 1 && port <= UINT16_MAX;
}

static void take_reply(struct redis_sentinel *s, const redisReply *reply)
{
	struct redis_place master;

	if (reply->type == REDIS_REPLY_ERROR) {
		redis_end_set(&s->end,
			      "correct sentinel_user and sentinel_password behind the ? "
			      "in --redis, or the ACL at the sentinel",
			      "it answers %s", reply->str);
		pass_over(s);
	} else if (s->is_auth) {
		s->is_auth = false;
	} else if (read_place(reply, &master)) {
		hang_up(s);
		s->fn(s->arg, &master, NULL);
	} else {
		redis_end_set(&s->end, "correct the name behind the / in --redis",
			      "it does not know %s", s->url->sentinels.master);
		pass_over(s);
	}
}

static void on_readable(struct bufferevent *bev, void *arg)
{
	struct redis_sentinel *s = arg;
	void *reply = NULL;
	bool good = redis_feed(s->reader, bufferevent_get_input(bev));

	while (good && s->reader != NULL) {
		good = redisReaderGetReply(s->reader, &reply) == REDIS_OK;
		if (!good || reply == NULL)
			break;
		take_reply(s, reply);
		freeReplyObject(reply);
	}
	if (good)
		return;
	redis_end_set(&s->end, "write the port of a sentinel into --redis",
		      "not a Redis reply");
	pass_over(s);
}

/* This one failed: log it, and ask the next one on the loop's next turn. */
static void pass_over(struct redis_sentinel *s)
{
	log_warn_flood("redis.sentinel", S("address", s->at.shown), S("why", s->end.why),
		       S("hint", s->end.hint ? s->end.hint
					     : "start it, or remove it from --redis"));
	hang_up(s);
	timer_after(s->timer, 0);
}
