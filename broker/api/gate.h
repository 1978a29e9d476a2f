#ifndef BROKER_API_GATE_H
#define BROKER_API_GATE_H

/*
 * Who may be at the management API at a time: so many connections, so many bytes of
 * requests and answers, and each for so long. evhttp has no such limits, so each of its connections
 * gets a bufferevent of ours, in which we see what comes and goes.
 *
 * When all places are taken, the connection that has been without a whole request for
 * longest makes room; when each has one that is being done, the newcomer gets 503.
 */

#include "broker/broker.h"

#include <event2/http.h>

struct gate;

/* Before http listens anywhere. */
struct gate *gate_new(struct broker *b, struct evhttp *http);

/* After http is freed. NULL is fine. */
void gate_close(struct gate *g);

/* Let clients come at this listening socket, and take it. False, with errno: it was not taken. */
bool gate_listen(struct gate *g, int fd);

/*
 * A request has come whole.
 *
 * returns  OK; ERR_BUSY: as many as may be wait already, and it is counted as refused
 */
must_use enum err gate_take(struct gate *g, struct evhttp_request *req);

/*
 * May an answer be made, or grow, that is perhaps large? One that is alone may always.
 *
 * own      bytes of it that gate_hold has been told of
 * returns  OK; ERR_BUSY: the others hold too much, and it is counted as refused
 */
must_use enum err gate_has_room(struct gate *g, size_t own);

/* Bytes of an answer that is being made; once it is given to evhttp, the gate sees them by itself. */
void gate_hold(struct gate *g, size_t bytes);
void gate_release(struct gate *g, size_t bytes);

/* A request begins to wait for an edge or the store, and ends to. */
void gate_wait(struct gate *g);
void gate_wake(struct gate *g);

#endif
