/* What the HTTP server and the agent's API make of what anybody can send or have in a file: the Host header, the
 * Authorization header, and texts that a support bundle takes secrets out of. Three parts, separated by LF; the rest is
 * a configuration. */
#include <stdlib.h>

#include "api/shared/access.h"
#include "api/shared/redact.h"
#include "base/cleanup.h"
#include "base/secret.h"
#include "net/server_host.h"

static char user[] = "ann", password[] = "in-a-literal";

static void check_auth(const char *path, const char *authorization)
{
    const struct http_block block = {.has_auth = true,
                                     .auth = {.has_basic = true, .basic = {.username = user, .password = password}}};
    struct access auth;
    access_init(&auth, &block);
    if (access_admits(&auth, path, authorization) && !strstr(authorization, "YW5uOmluLWEtbGl0ZXJhbA=="))
        abort(); /* let in without the password */
    access_done(&auth);
}

static void check_redaction(struct str text)
{
    cleanup_buf struct buf once = BUF_INIT(1 << 24);
    size_t first, end;
    secret_hide(text, &once);
    if (!buf_ok(&once))
        abort();
    for (size_t at = 0; secret_find(text, at, &first, &end); at = end) {
        if (first >= end || end > text.n || end <= at)
            abort();
    }
    cleanup_buf struct buf config = BUF_INIT(1 << 24);
    redact_config("fuzz", text, &config);
    if (memmem(config.p ? config.p : (uint8_t *)"", config.len, "//", 2) &&
        !memmem(config.p, config.len, "Omitted", 7) && !memmem(config.p, config.len, "\"", 1) &&
        !memmem(config.p, config.len, "`", 1))
        abort(); /* a comment is left */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = {(const char *)data, size}, host, authorization;
    if (!str_split(&rest, '\n', &host) || !str_split(&rest, '\n', &authorization))
        return 0;
    cleanup_free char *host_text = str_dup(host), *authorization_text = str_dup(authorization);
    (void)host_is_ours(host_text, "a.example, b.example");
    (void)host_is_ours("a.example", host_text);
    check_auth(host_text, authorization_text);
    check_redaction(rest);
    (void)secret_name(host);
    return 0;
}
