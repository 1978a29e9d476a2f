#ifndef BROKER_FUNCTION_DEMO_PAGE_H
#define BROKER_FUNCTION_DEMO_PAGE_H

/* The page of demo/, made at build time. */

/* The document: UTF-8, with a zero at the end. */
extern const unsigned char demo_before_stage[], demo_after_stage[];

extern const char demo_policy[]; /* its Content-Security-Policy */

#endif
