#include "base/secret_file.h"

#include <unistd.h>

const char secret_file_fault[] =
	"others may read it: chmod 600, since there are secrets in it";

bool secret_file_is_kept(const struct stat *st)
{
	unsigned open = st->st_mode & 077;

	return open == 0 || (open == S_IRGRP && st->st_uid != geteuid());
}
