/* Whether what an endpoint answered is a profile, by its header and its first bytes; texts of the reference. */
#pragma once

#include "base/err.h"
#include "base/str.h"

/* `type`: Content-Type, "" when missing. `profile`: its name, for messages. -EBADMSG. */
must_check int scrape_reply_check(int status, const char *type, struct str body, const char *profile, struct err *err);
