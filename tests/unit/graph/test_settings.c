#include "settings/settings.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "graph_fixture.h"

static void the_logging_block_applies_when_the_load_succeeds(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    LOADS(c, "logging {\n  level = \"error\"\n  format = \"json\"\n}\n");
    CHECK(!log_on(LOG_WARN));
    LOADS(c, "logging {\n  level = \"debug\"\n}\n");
    CHECK(log_on(LOG_DEBUG));
    REFUSES(c, "logging {\n  level = \"error\"\n}\ntest.node \"a\" {\n  slow = 1\n}\n",
            "f:5:10: 1 should be bool, got number");
    CHECK(log_on(LOG_DEBUG));
    LOADS(c, ""); /* no block: the default */
    CHECK(!log_on(LOG_DEBUG) && log_on(LOG_INFO));
    end(c, &loop);
}

static void unknown_words_are_refused(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    REFUSES(c, "logging {\n  level = \"loud\"\n}\n", "f:2:11: \"loud\" unrecognized log level \"loud\"");
    REFUSES(c, "logging {\n  level = \"info\\x00x\"\n}\n", "f:2:11: \"info\\x00x\" contains a NUL byte");
    REFUSES(c, "logging {\n  level = string.format(\"%1000d\", 1)\n}\n",
            "f:2:11: string.format(\"%1000d\", 1) is longer than anything it can be");
    REFUSES(c, "logging {\n  format = \"xml\"\n}\n", "f:2:12: \"xml\" unrecognized log format \"xml\"");
    REFUSES(c, "logging {\n  destination = \"printer\"\n}\n", "f:1:1: unrecognized log destination \"printer\"");
    REFUSES(c, "logging {\n  levle = \"info\"\n}\n",
            "f:2:3: unrecognized attribute name \"levle\", did you mean \"level\"?");
    REFUSES(c, "logging \"x\" { }\n", "f:1:9: block \"logging\" does not support specifying labels");
    end(c, &loop);
}

static void what_has_no_effect_is_checked_and_draws_a_warning(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(__LINE__, c,
                "tracing {\n  sampling_fraction = 0.5\n  sampler {\n    jaeger_remote {\n      url = \"http://x\"\n    "
                "}\n  }\n}\n"
                "logging {\n  write_to = [null]\n}\n",
                0,
                "f:1:1: tracing has no effect: smolder emits no traces\n"
                "f:9:1: logging: write_to has no effect, there are no receivers of logs; lines go to stderr");
    LOADS(c, "livedebugging {\n  enabled = true\n}\nhttp { }\nlogging {\n  write_to = []\n}\n");
    REFUSES(c, "logging {\n  write_to = 3\n}\ntracing {\n  write_to = [\"x\"]\n}\n",
            "f:2:14: 3 should be array, got number\n"
            "f:5:15: \"x\" expected capsule(\"otelcol.Consumer\"), got string");
    REFUSES(c, "livedebugging {\n  on = true\n}\ntracing {\n  fraction = 1\n}\nhttp {\n  port = 1\n}\n",
            "f:2:3: unrecognized attribute name \"on\"\nf:5:3: unrecognized attribute name \"fraction\"\n"
            "f:8:3: unrecognized attribute name \"port\"");
    end(c, &loop);
}

static void tls_wants_one_certificate_and_one_key(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    static const struct {
        const char *attributes, *why;
    } cases[] = {
        {"key_pem = \"k\"", "must specify either cert_pem or cert_file"},
        {"cert_pem = \"c\"", "must specify either key_pem or key_file"},
        {"cert_pem = \"c\"\n cert_file = \"f\"\n key_pem = \"k\"", "cannot specify both cert_pem and cert_file"},
        {"cert_pem = \"c\"\n key_file = \"f\"\n key_pem = \"k\"", "cannot specify both key_pem and key_file"},
        {"cert_pem = \"c\"\n key_pem = \"k\"\n client_ca_file = \"a\"\n client_ca_pem = \"b\"",
         "cannot specify both client_ca_pem and client_ca_file"},
        {"cert_pem = \"c\"\n key_pem = \"k\"\n client_ca_pem = \"b\"",
         "cannot specify client_ca_pem or client_ca_file when client_auth_type is NoClientCert"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[512], want[256];
        snprintf(text, sizeof text, "http {\n  tls {\n %s\n  }\n}\n", cases[i].attributes);
        snprintf(want, sizeof want, "f:2:3: %s", cases[i].why);
        REFUSES(c, text, want);
    }
    REFUSES(c, "http {\n  tls {\n    min_version = \"TLS1.2\"\n    client_auth_type = \"Maybe\"\n  }\n}\n",
            "f:3:19: \"TLS1.2\" unknown TLS version \"TLS1.2\", expected TLS10, TLS11, TLS12 or TLS13\n"
            "f:4:24: \"Maybe\" unknown client auth type \"Maybe\", expected NoClientCert, RequestClientCert, "
            "RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert");
    LOADS(c, "http {\n  tls {\n    cert_pem = \"c\"\n    key_pem = \"k\"\n    min_version = \"TLS13\"\n"
             "    client_auth_type = \"RequestClientCert\"\n    client_ca_file = \"a\"\n  }\n}\n");
    end(c, &loop);
}

static const char *auth_without_basic = "http {\n  auth {\n    filter { }\n  }\n}\n";

static void authentication_of_nobody_draws_a_warning(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(__LINE__, c, auth_without_basic, 0, "f:1:1: http: auth without a basic block disables authentication");
    REFUSES(c, "http {\n  auth {\n    basic {\n      username = \"u\"\n    }\n  }\n}\n",
            "f:3:5: missing required attribute \"password\"");
    end(c, &loop);
}

/* --- what the program does with them --- */

static struct buf calls = BUF_INIT(1 << 16);
static bool refuse;

static int prepare(void *arg, const struct settings *s, struct err *err)
{
    (void)arg;
    buf_printf(&calls, "prepare %s%s, ", s->http.has_auth ? s->http.auth.basic.username : "-",
               s->live_debugging ? " live" : "");
    return refuse ? err_set(err, -EIO, "no such certificate") : 0;
}

static void apply(void *arg, const struct settings *s)
{
    (void)arg;
    buf_printf(&calls, "apply %s, ", s->http.has_auth ? s->http.auth.basic.username : "-");
}

static void the_program_can_refuse_a_load(void)
{
    static const char text[] = "livedebugging {\n  enabled = true\n}\nhttp {\n  auth {\n    basic {\n      username = "
                               "\"ann\"\n      password = \"p\"\n    }\n  }\n}\ntest.node \"a\" { }\n";
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    controller_free(c);
    settle(&loop);
    c = controller_new(
        &(struct controller_options){.loop = &loop, .components = registry, .prepare = prepare, .apply = apply});
    refuse = true;
    REFUSES(c, text, "f:4:1: Failed to evaluate service: no such certificate");
    CHECK(!controller_ready(c) && !nodes);
    refuse = false;
    LOADS(c, text);
    CHECK_STR(buf_cstr(&calls), "prepare ann live, prepare ann live, apply ann, ");
    buf_reset(&calls);
    REFUSES(c, "http { }\ntest.node \"a\" {\n  slow = 1\n}\n", "f:3:10: 1 should be bool, got number");
    CHECK_STR(buf_cstr(&calls), "");
    LOADS(c, "");
    CHECK_STR(buf_cstr(&calls), "prepare -, apply -, ");
    buf_done(&calls);
    end(c, &loop);
}

static void old_names_of_functions_draw_a_warning(void)
{
    uv_loop_t loop;
    struct controller *c = controller(&loop);
    check_load_(__LINE__, c, "test.node \"a\" {\n  input = env(\"NOPE\")\n}\n", 0,
                "f:2:11: env is deprecated; use sys.env");
    end(c, &loop);
}

int main(void)
{
    RUN(the_logging_block_applies_when_the_load_succeeds);
    RUN(unknown_words_are_refused);
    RUN(what_has_no_effect_is_checked_and_draws_a_warning);
    RUN(tls_wants_one_certificate_and_one_key);
    RUN(authentication_of_nobody_draws_a_warning);
    RUN(the_program_can_refuse_a_load);
    RUN(old_names_of_functions_draw_a_warning);
    return REPORT();
}
