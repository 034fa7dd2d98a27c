#include "cli/convert_view.h"

#include <errno.h>
#include <stdlib.h>

#include "lang/duration.h"

static int view_patterns(const char *flag, const struct flag_list *list, struct frame_patterns *ret, struct err *err)
{
    int code = 0;
    for (size_t i = 0; code == 0 && i < list->len; i++)
        code = frame_patterns_add(ret, list->items[i], err);
    return code < 0 ? err_wrap(err, code, "--%s", flag) : 0;
}

static int view_read_skip(const char *text, uint32_t *ret, struct err *err)
{
    uint64_t n = 0;
    if (*text && (!str_to_u64(str_of(text), &n) || n > UINT32_MAX))
        return err_set(err, -EINVAL, "--skip=%s: expected a number of frames", text);
    *ret = (uint32_t)n;
    return 0;
}

static int view_read_share(const char *text, double *ret, struct err *err)
{
    char *end = NULL;
    const double percent = *text ? strtod(text, &end) : 0;
    if (end && *end == '%')
        end++;
    if (*text && (end == text || *end || !(percent >= 0) || percent > 100))
        return err_set(err, -EINVAL, "--minwidth=%s: expected a percentage from 0 to 100, such as 0.5", text);
    *ret = percent / 100;
    return 0;
}

static int view_selection(const struct view_flags *f, struct conversion_options *o, struct view_choice *c,
                          struct err *err)
{
    int code = view_patterns("thread", &f->threads, &c->threads, err);
    if (code == 0)
        code = view_patterns("span", &f->spans, &c->spans, err);
    int64_t latency = 0;
    if (code == 0 && *f->latency && (duration_parse(str_of(f->latency), &latency, NULL) < 0 || latency <= 0))
        code = err_set(err, -EINVAL, "--latency=%s: expected a duration such as 100ms", f->latency);
    c->select = (struct event_selection){
        .threads = &c->threads, .states = f->states, .latency_ns = latency, .spans = &c->spans};
    if (selection_has_any(&c->select))
        o->select = &c->select;
    if (code == 0 && o->compat && o->select)
        code = err_set(err, -EINVAL, "--compat cannot be combined with flags that select samples");
    return code;
}

static int view_check(const struct view_flags *f, const struct conversion_options *o, struct err *err)
{
    if (f->lines && f->bci)
        return err_set(err, -EINVAL, "--lines cannot be combined with --bci");
    if ((f->lines || f->bci) && o->no_lines)
        return err_set(err, -EINVAL, "--no-lines cannot be combined with --lines or --bci");
    return 0;
}

int view_choose(const struct view_flags *f, bool numbers, struct conversion_options *o, struct view_choice *ret,
                struct err *err)
{
    struct view_choice *c = ret;
    *c = (struct view_choice){0};
    int code = view_check(f, o, err);
    if (code == 0)
        code = view_selection(f, o, c, err);
    if (code == 0)
        code = view_patterns("include", &f->include, &c->include, err);
    if (code == 0)
        code = view_patterns("exclude", &f->exclude, &c->exclude, err);
    if (code == 0)
        code = view_read_skip(f->skip, &c->view.skip, err);
    if (code == 0)
        code = view_read_share(f->min_width, &c->view.min_share, err);
    c->view.include = &c->include;
    c->view.exclude = &c->exclude;
    c->view.naming.number = f->bci ? VIEW_NUMBER_BCI : f->lines && numbers ? VIEW_NUMBER_LINE : VIEW_NUMBER_NONE;
    c->view.naming.dot = f->dot;
    c->view.naming.simple = f->simple;
    c->view.reverse = f->reverse;
    c->view.class_frames = f->class_frames;
    c->view.classify = f->classify;
    c->view.naming.strip_types = f->classify && !o->frame_types;
    o->bytecode_indices |= f->bci;
    o->frame_types |= f->classify;
    o->allocated_class |= f->class_frames;
    o->lock_class |= f->class_frames;
    if (code == 0 && o->compat && stack_view_changes(&c->view))
        code = err_set(err, -EINVAL, "--compat cannot be combined with flags that change stacks");
    return code;
}

void view_choice_done(struct view_choice *c)
{
    frame_patterns_done(&c->include);
    frame_patterns_done(&c->exclude);
    frame_patterns_done(&c->threads);
    frame_patterns_done(&c->spans);
}

int view_set(const struct view_choice *c, struct profile_set *set, struct err *err)
{
    if (!stack_view_changes(&c->view) || set->len == 0)
        return 0;
    const int code = stack_view_apply_all(set, &c->view, err);
    if (code == 0 && set->len == 0)
        return err_set(err, -ESRCH, "no stack matches --include and --exclude");
    return code;
}
