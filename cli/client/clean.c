#include "cli/client/clean.h"

#include "base/span.h"
#include "base/utf8.h"

#include <stdio.h>

void clean_print(const char *text)
{
	struct span s = span_str(text ? text : "");

	while (s.n > 0) {
		size_t n = utf8_first(s);
		bool control = n == 0 || s.p[0] < ' ' || s.p[0] == 0x7f ||
			       (s.p[0] == 0xc2 && s.p[1] < 0xa0);

		n = n > 0 ? n : 1;
		if (control)
			putchar('?');
		else
			fwrite(s.p, 1, n, stdout);
		s = span_of(s.p + n, s.n - n);
	}
}
