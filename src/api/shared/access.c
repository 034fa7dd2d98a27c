#include "api/shared/access.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/cleanup.h"
#include "base/mem.h"
#include "base/secret.h"

void access_init(struct access *a, const struct http_block *block)
{
    *a = (struct access){0};
    if (!block->has_auth || !block->auth.has_basic)
        return;
    const struct http_server_auth *auth = &block->auth;
    cleanup_free char *pair = xasprintf("%s:%s", auth->basic.username, auth->basic.password);
    cleanup_free char *coded = base64_encode(str_of(pair));
    a->expected = xasprintf("Basic %s", coded);
    a->only_these = auth->filter.authenticate_matching_paths;
    a->paths.items = xcalloc(auth->filter.paths.len + 1, sizeof *a->paths.items);
    for (; a->paths.len < auth->filter.paths.len; a->paths.len++)
        a->paths.items[a->paths.len] = xstrdup(auth->filter.paths.items[a->paths.len]);
}

void access_done(struct access *a)
{
    for (size_t i = 0; i < a->paths.len; i++)
        free(a->paths.items[i]);
    free(a->paths.items);
    free(a->expected);
    *a = (struct access){0};
}

static bool access_is_listed(const struct access *a, const char *path)
{
    for (size_t i = 0; i < a->paths.len; i++) {
        if (strncmp(path, a->paths.items[i], strlen(a->paths.items[i])) == 0)
            return true;
    }
    return false;
}

bool access_admits(const struct access *a, const char *path, const char *authorization)
{
    if (!a->expected || (a->paths.len > 0 && access_is_listed(a, path) != a->only_these))
        return true;
    /* The scheme's name is not case-sensitive; the rest is compared as it is coded, which is unique. */
    const size_t scheme = sizeof "Basic " - 1;
    if (!authorization || strncasecmp(authorization, "Basic ", scheme) != 0)
        return false;
    return secret_equal(str_trim(str_of(authorization + scheme)), str_of(a->expected + scheme));
}
