#include "broker/channels/channels.h"

#include "base/mem.h"
#include "broker/channels/delivery/fanout.h"
#include "broker/channels/delivery/generation.h"
#include "broker/channels/occupancy/occupancy.h"
#include "broker/channels/delivery/probe.h"

#include <stdio.h>
#include <stdlib.h>

struct channels {
	struct generation *generation;
	struct interest *interest;
	struct receipts *receipts;
	struct fanout *fanout;
	struct publishers *publishers;
	struct readers *readers;
	struct gaps *gaps;
	struct presence *presence;
	struct probes *probes;
	struct occupancies *occupancies;
	char boot[17];
};

struct channels *channels_new(const struct channels_uses *uses)
{
	struct channels *c = xcalloc(1, sizeof *c);
	struct loop *l = uses->loop;

	c->generation = generation_new(l, uses->store, uses->members);
	c->interest = interest_new(&(struct interest_uses){.loop = l,
							   .store = uses->store,
							   .members = uses->members,
							   .metrics = uses->metrics});
	c->receipts = receipts_new(l);
	c->fanout = fanout_new(c->interest, uses->metrics);
	c->publishers =
		publishers_new(&(struct publishers_uses){.loop = l,
							 .store = uses->store,
							 .generation = c->generation,
							 .interest = c->interest,
							 .fanout = c->fanout,
							 .receipts = c->receipts,
							 .metrics = uses->metrics});
	c->readers = readers_new(&(struct readers_uses){.loop = l,
							.store = uses->store,
							.generation = c->generation,
							.interest = c->interest});
	c->gaps = gaps_new(&(struct gaps_uses){.interest = c->interest,
					       .readers = c->readers,
					       .metrics = uses->metrics,
					       .ns = uses->ns,
					       .arg = uses->arg});
	c->presence = presence_new(&(struct presence_uses){.loop = l,
							   .store = uses->store,
							   .interest = c->interest,
							   .metrics = uses->metrics,
							   .ns = uses->ns,
							   .arg = uses->arg});
	c->probes = probes_new(&(struct probes_uses){.loop = l,
						     .interest = c->interest,
						     .receipts = c->receipts,
						     .metrics = uses->metrics});
	snprintf(c->boot, sizeof c->boot, "%016llx", (unsigned long long)uses->boot);
	c->occupancies =
		occupancy_new(&(struct occupancy_uses){.loop = l,
						       .store = uses->store,
						       .members = uses->members,
						       .interest = c->interest,
						       .readers = c->readers,
						       .metrics = uses->metrics,
						       .boot = c->boot,
						       .tries = uses->webhook_tries,
						       .routes = uses->routes,
						       .arg = uses->arg});
	return c;
}

void channels_free(struct channels *c)
{
	if (c == NULL)
		return;
	occupancy_free(c->occupancies);
	probes_free(c->probes);
	presence_free(c->presence);
	publishers_free(c->publishers);
	readers_free(c->readers);
	gaps_free(c->gaps);
	fanout_free(c->fanout);
	receipts_free(c->receipts);
	interest_free(c->interest);
	generation_free(c->generation);
	free(c);
}

void channels_link_up(struct channels *c, struct edge_link *edge)
{
	interest_link_up(c->interest, edge);
	probes_link_up(c->probes, edge);
}

void channels_link_lost(struct channels *c, struct edge_link *edge)
{
	probes_link_lost(c->probes, edge);
	receipts_link_lost(c->receipts, edge);
	interest_link_lost(c->interest, edge);
}

void channels_interest(struct channels *c, struct edge_link *from,
		       const Gatepost__Interest *m)
{
	interest_receive(c->interest, from, m);
}

void channels_gap(struct channels *c, struct edge_link *from, const Gatepost__Gap *m)
{
	gaps_receive(c->gaps, from, m);
}

bool channels_outcome(struct channels *c, struct edge_link *from,
		      const Gatepost__Outcome *o)
{
	return receipts_outcome(c->receipts, from, o);
}

const char *channels_missing(const struct channels *c)
{
	return probes_missing(c->probes);
}

struct publishers *channels_publishers(const struct channels *c)
{
	return c->publishers;
}

struct readers *channels_readers(const struct channels *c)
{
	return c->readers;
}

struct presence *channels_presence(const struct channels *c)
{
	return c->presence;
}

const struct interest *channels_carried(const struct channels *c)
{
	return c->interest;
}

struct occupancies *channels_occupancies(const struct channels *c)
{
	return c->occupancies;
}
