#include "components/docker_api.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "base/mem.h"
#include "net/url.h"

enum { FILTERS_MAX = 64 << 10 };

static const struct option filter_options[] = {
    {"name", OPT_STRING, offsetof(struct docker_filter, name), .required = true, .help = "Name of the filter."},
    {"values", OPT_STRING_LIST, offsetof(struct docker_filter, values), .required = true,
     .help = "Values, one of which must match."},
    {0},
};
const struct schema docker_filter_schema = {.size = sizeof(struct docker_filter), .options = filter_options};

/* --- the address --- */

static int docker_socket(struct str path, struct docker_host *ret, struct err *err)
{
    if (!path.n || path.p[0] != '/')
        return err_set(err, -EINVAL, "parsing host attribute: unix:// must be followed by an absolute path");
    if (path.n >= sizeof((struct sockaddr_un *)NULL)->sun_path)
        return err_set(err, -EINVAL, "parsing host attribute: the path of the socket is too long");
    *ret = (struct docker_host){xstrdup("http://localhost"), str_dup(path)};
    return 0;
}

int docker_host_parse(const char *text, struct docker_host *ret, struct err *err)
{
    static const struct str unix_scheme = {"unix://", 7}, tcp = {"tcp://", 6};
    cleanup_http_url struct http_url url = {0};
    struct str host = str_of(text);
    if (!host.n)
        return err_set(err, -EINVAL, "host attribute must not be empty");
    if (str_has_prefix(host, unix_scheme))
        return docker_socket((struct str){host.p + unix_scheme.n, host.n - unix_scheme.n}, ret, err);
    while (host.n && host.p[host.n - 1] == '/')
        host.n--;
    cleanup_free char *base =
        str_has_prefix(host, tcp) ? xasprintf("http://%.*s", (int)(host.n - tcp.n), host.p + tcp.n) : str_dup(host);
    if (!strstr(base, "://"))
        return err_set(err, -EINVAL, "parsing host attribute: unable to parse docker host `%s`", text);
    const int code = http_url_parse(base, &url, err);
    if (code < 0)
        return err_wrap(err, code, "parsing host attribute");
    *ret = (struct docker_host){TAKE_PTR(base), NULL};
    return 0;
}

void docker_host_done(struct docker_host *h)
{
    free(h->base);
    free(h->socket);
    *h = (struct docker_host){0};
}

int docker_host_take(struct docker_host *host, const char *url, struct http_refresh *h, const void *args,
                     const struct http_settings *settings, int64_t interval, struct err *err)
{
    struct docker_host next = {0};
    int code = docker_host_parse(url, &next, err);
    if (code == 0)
        code = http_refresh_take(h, args, settings, interval, err);
    if (code < 0) {
        docker_host_done(&next);
        return code;
    }
    docker_host_done(host);
    *host = next;
    return 0;
}

static const char *docker_remedy(const struct docker_host *h, const char *why)
{
    /* The socket belongs to root and to a group, and whoever may use it is as good as root: not for us to take. */
    if (!h->socket || !strstr(why, "onnect"))
        return "";
    return "; the user smolder runs as must be able to open the socket: give it the socket's group with --user=UID:GID";
}

char *docker_problem(const struct docker_host *h, const char *why)
{
    return xasprintf("%s: %s%s", h->socket ? h->socket : h->base, why, docker_remedy(h, why));
}

/* --- requests --- */

static bool docker_is_repeated(const struct docker_filter *filters, size_t i)
{
    for (size_t k = 0; k < i; k++)
        if (strcmp(filters[k].name, filters[i].name) == 0)
            return true;
    return false;
}

/* {"status":["running","paused"]}; blocks of one name are one filter. */
static void docker_put_filters(struct buf *out, const struct docker_filter *filters, size_t n)
{
    buf_byte(out, '{');
    for (size_t i = 0; i < n; i++) {
        bool first = true;
        if (docker_is_repeated(filters, i))
            continue;
        buf_puts(out, i ? "," : "");
        json_string(out, str_of(filters[i].name));
        buf_puts(out, ":[");
        for (size_t k = i; k < n; k++) {
            for (size_t v = 0; strcmp(filters[k].name, filters[i].name) == 0 && v < filters[k].values.len; v++) {
                buf_puts(out, first ? "" : ",");
                json_string(out, str_of(filters[k].values.items[v]));
                first = false;
            }
        }
        buf_byte(out, ']');
    }
    buf_byte(out, '}');
}

char *docker_url(const struct docker_host *h, const char *path, const struct block_list *filters)
{
    cleanup_buf struct buf json = BUF_INIT(FILTERS_MAX), url = BUF_INIT(4 * FILTERS_MAX);
    buf_printf(&url, "%s%s", h->base, path);
    if (filters && filters->len) {
        docker_put_filters(&json, filters->items, filters->len);
        buf_puts(&url, "?filters=");
        meta_put_escaped(&url, buf_slice(&json));
    }
    return xstrdup(buf_cstr(&url));
}

/* --- networks --- */

static struct labels *docker_network_labels(const struct value *network, const char *prefix)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    static const char *const texts[][2] = {{"Id", "id"}, {"Name", "name"}, {"Scope", "scope"}};
    static const char *const flags[][2] = {{"Internal", "internal"}, {"Ingress", "ingress"}};
    char name[128];
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        snprintf(name, sizeof name, "%s_network_%s", prefix, texts[i][1]);
        meta_put(&b, name, meta_text(network, texts[i][0]));
    }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        snprintf(name, sizeof name, "%s_network_%s", prefix, flags[i][1]);
        meta_put_flag(&b, name, meta_flag(network, flags[i][0]));
    }
    snprintf(name, sizeof name, "%s_network_label_", prefix);
    meta_put_map(&b, name, meta_member(network, "Labels"));
    return labels_build(&b, true);
}

void docker_networks_read(struct docker_networks *n, const struct value *answer, const char *prefix)
{
    *n = (struct docker_networks){STRMAP_INIT};
    for (size_t i = 0; answer && value_kind(answer) == VALUE_ARRAY && i < value_len(answer); i++) {
        const struct value *network = value_item(answer, i);
        const struct str id = meta_text(network, "Id");
        if (id.n)
            labels_unref(strmap_put(&n->by_id, id, docker_network_labels(network, prefix)));
    }
}

void docker_networks_put(const struct docker_networks *n, struct str id, struct labels_builder *b)
{
    const struct labels *labels = strmap_get(&n->by_id, id);
    for (size_t i = 0; i < labels_len(labels); i++)
        labels_set(b, labels_at(labels, i)->name, labels_at(labels, i)->value);
}

void docker_networks_done(struct docker_networks *n)
{
    strmap_each(&n->by_id, e) labels_unref(e->value);
    strmap_done(&n->by_id);
}
