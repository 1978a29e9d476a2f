#ifndef CLI_UP_HOME_CREDENTIALS_H
#define CLI_UP_HOME_CREDENTIALS_H

/*
 * Would an AWS SDK find credentials here, as far as can be seen without asking anybody?
 * In the environment, in the files of ~/.aws, of a container, of a web identity, or of an
 * instance of EC2.
 *
 * source  AWS SDKs and Tools Reference Guide: "Standardized credential providers"
 */

#include <stdbool.h>

bool home_credentials_exist(void);

#endif
