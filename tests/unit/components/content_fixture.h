/* A component that exports `content`, beside discovery_fixture.h. Header only. */
#pragma once

#include "discovery_fixture.h"

struct content_seen {
    char content[256], health[512];
    enum value_secrecy secrecy;
};

static inline bool content_look(void *arg, const struct component_view *v)
{
    struct content_seen *s = arg;
    const struct value *content = v->exports ? value_member(v->exports, STR("content")) : NULL;
    struct str text = {0};
    if (content && value_secret_text(content, &text)) {
        snprintf(s->content, sizeof s->content, "%.*s", STR_ARG(text));
        s->secrecy = value_secrecy(content);
    }
    snprintf(s->health, sizeof s->health, "%s", v->message ? v->message : "");
    return false;
}

/* Runs the loop until that content is exported and the health has that text. */
static inline struct content_seen content_wait(struct discovery_test *t, const char *content, const char *health)
{
    struct content_seen s = {0};
    for (int ms = 0; ms < DISCOVERY_DEADLINE_MS; ms++) {
        controller_each(t->controller, content_look, &s);
        if (strcmp(s.content, content) == 0 && strstr(s.health, health))
            return s;
        uv_run(&t->loop, UV_RUN_NOWAIT);
        usleep(1000);
    }
    FAIL_("content \"%s\" (%s), want \"%s\" (%s)", s.content, s.health, content, health);
    return s;
}
