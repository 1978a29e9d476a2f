#ifndef CONFIG_NEAREST_H
#define CONFIG_NEAREST_H

/* The known name that is nearest to an unknown one. */

/*
 * names    ends with a NULL
 * returns  the name that is meant in all likelihood: the same but for case, or one slip
 *          (two from six letters on) away; NULL when none is that near
 */
const char *nearest_name(const char *written, const char *const *names);

#endif
