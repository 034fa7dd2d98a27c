/* Components that only have a name and arguments, for validating configurations of the reference: most of what those
 * use is none of this program's business. Nothing of them can be built. */
#pragma once

#include <errno.h>
#include <stddef.h>

#include "flow/receiver.h"
#include "flow/targets.h"
#include "graph/component.h"
#include "lang/coerce.h"

/* One record for all of them; each table uses the fields it needs. */
struct stand_in {
    char *text, *other, *third, *fourth;
    struct targets targets;
    struct receivers receivers;
    struct value *any;
    struct string_map map;
    struct block_list blocks, more;
};

#define AT_(field) offsetof(struct stand_in, field)
#define TEXT_(name, needed)                                                                                            \
    {                                                                                                                  \
        name, OPT_STRING, AT_(text), .required = needed                                                                \
    }
#define TARGETS_(name, needed)                                                                                         \
    {                                                                                                                  \
        name, OPT_CUSTOM, AT_(targets), .required = needed, .custom = &targets_option                                  \
    }
#define RECEIVERS_(name, needed)                                                                                       \
    {                                                                                                                  \
        name, OPT_CUSTOM, AT_(receivers), .required = needed, .custom = &receivers_option                              \
    }
#define BLOCKS_(name, field, what)                                                                                     \
    {                                                                                                                  \
        name, OPT_BLOCKS, AT_(field), .block = &what##_schema                                                          \
    }
#define SCHEMA_(what, ...)                                                                                             \
    static const struct option what##_options[] = {__VA_ARGS__, {0}};                                                  \
    static const struct schema what##_schema = {.size = sizeof(struct stand_in), .options = what##_options}
#define COMPONENT_(what, title, ...)                                                                                   \
    static const char *const what##_exports[] = {__VA_ARGS__, NULL};                                                   \
    static const struct component_def what##_def = {.name = title, .args = &what##_schema, .exports = what##_exports}

static int decode_action(struct value *v, void *field, struct err *err)
{
    cleanup_buf struct buf text = BUF_INIT(ERR_MAX);
    const int code = coerce_text(v, &text, err);
    if (code < 0)
        return code;
    if (strcmp(buf_cstr(&text), "insert") != 0)
        return err_set(err, -EINVAL, "unknown action %s", buf_cstr(&text));
    *(bool *)field = true;
    return 0;
}

static void action_done(void *field)
{
    *(bool *)field = false;
}

static bool actions_equal(const void *a, const void *b)
{
    return *(const bool *)a == *(const bool *)b;
}

static struct value *action_value(const void *field)
{
    return value_bool(*(const bool *)field);
}

static const struct option_type action_option = {"string", decode_action, action_done, actions_equal, action_value};

SCHEMA_(url, TEXT_("url", true), {"username", OPT_STRING, AT_(other)}, {"password", OPT_SECRET, AT_(third)});
SCHEMA_(basic_auth, {"username", OPT_STRING, AT_(other)}, {"password", OPT_SECRET, AT_(third)});
SCHEMA_(endpoint, TEXT_("url", true), BLOCKS_("basic_auth", blocks, basic_auth));
SCHEMA_(client, TEXT_("endpoint", true));
SCHEMA_(header, TEXT_("key", true), {"action", OPT_CUSTOM, AT_(any), .custom = &action_option});
SCHEMA_(mapping, {"mapping", OPT_STRING_MAP, AT_(map), .required = true});
SCHEMA_(values, {"values", OPT_STRING_MAP, AT_(map), .required = true});
SCHEMA_(rule, {"source_labels", OPT_ANY, AT_(any)}, {"regex", OPT_STRING, AT_(text)},
        {"action", OPT_STRING, AT_(other)}, {"replacement", OPT_STRING, AT_(third)},
        {"target_label", OPT_STRING, AT_(fourth)});

SCHEMA_(prometheus_relabel, RECEIVERS_("forward_to", true), BLOCKS_("rule", blocks, rule));
COMPONENT_(prometheus_relabel, "prometheus.relabel", "receiver");
SCHEMA_(scrape, TARGETS_("targets", true), RECEIVERS_("forward_to", true));
COMPONENT_(scrape, "prometheus.scrape", "targets");
SCHEMA_(remote_write, BLOCKS_("endpoint", blocks, endpoint));
COMPONENT_(remote_write, "prometheus.remote_write", "receiver");
SCHEMA_(redis, TEXT_("redis_addr", true));
COMPONENT_(redis, "prometheus.exporter.redis", "targets");
SCHEMA_(file_match, TARGETS_("path_targets", true));
COMPONENT_(file_match, "local.file_match", "targets");
SCHEMA_(local_file, TEXT_("filename", true));
COMPONENT_(local_file, "local.file", "content");
SCHEMA_(remote_http, TEXT_("url", true));
COMPONENT_(remote_http, "remote.http", "content");
SCHEMA_(source_file, TARGETS_("targets", true), RECEIVERS_("forward_to", true), {"encoding", OPT_STRING, AT_(text)});
COMPONENT_(source_file, "loki.source.file", "nothing");
SCHEMA_(process, RECEIVERS_("forward_to", true), BLOCKS_("stage.logfmt", blocks, mapping),
        BLOCKS_("stage.labels", more, values));
COMPONENT_(process, "loki.process", "receiver");
SCHEMA_(loki_write, BLOCKS_("endpoint", blocks, endpoint));
COMPONENT_(loki_write, "loki.write", "receiver");
SCHEMA_(otlp, BLOCKS_("client", blocks, client));
COMPONENT_(otlp, "otelcol.exporter.otlp", "input");
SCHEMA_(headers, BLOCKS_("header", blocks, header));
COMPONENT_(headers, "otelcol.auth.headers", "handler");
SCHEMA_(kubernetes, TEXT_("role", true));
COMPONENT_(kubernetes, "discovery.kubernetes", "targets");
SCHEMA_(relabel, TARGETS_("targets", true), BLOCKS_("rule", blocks, rule));
COMPONENT_(relabel, "discovery.relabel", "output", "rules");
SCHEMA_(import_file, TEXT_("filename", true));
COMPONENT_(import_file, "import.file", "files");
SCHEMA_(import_string, TEXT_("content", true));
COMPONENT_(import_string, "import.string", "files");
SCHEMA_(import_http, TEXT_("url", true));
COMPONENT_(import_http, "import.http", "files");
SCHEMA_(import_git, TEXT_("repository", true), {"revision", OPT_STRING, AT_(other)}, {"path", OPT_STRING, AT_(third)});
COMPONENT_(import_git, "import.git", "files");

static const struct component_def *const stand_ins[] = {
    &prometheus_relabel_def,
    &scrape_def,
    &remote_write_def,
    &redis_def,
    &file_match_def,
    &local_file_def,
    &remote_http_def,
    &source_file_def,
    &process_def,
    &loki_write_def,
    &otlp_def,
    &headers_def,
    &kubernetes_def,
    &relabel_def,
    &import_file_def,
    &import_string_def,
    &import_http_def,
    &import_git_def,
    NULL,
};
