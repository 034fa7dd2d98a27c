/* smolder reference [NAME]: reference of a component or function as Markdown, generated from their tables.
 *
 * The pages under docs/components and docs/functions hold this output between two marks; tools/update-docs puts it
 * there and a test compares. `reasons` is the table of states and reasons of JVMs (jvm/probe/reason.h), which
 * docs/troubleshooting.md holds likewise.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/terminal.h"
#include "cli/command.h"
#include "components/all.h"
#include "jvm/probe/reason.h"
#include "lang/stdlib.h"

enum { DEPTH_MAX = 4, PATH_MAX_BYTES = 256, HELP_MAX = 4096 };

static const char *type_name(const struct option *o)
{
    switch (o->kind) {
    case OPT_BOOL:
        return "bool";
    case OPT_INT:
    case OPT_UINT:
    case OPT_FLOAT:
        return "number";
    case OPT_DURATION:
        return "duration";
    case OPT_STRING:
    case OPT_ENUM:
        return "string";
    case OPT_SECRET:
        return "secret";
    case OPT_STRING_LIST:
        return "list(string)";
    case OPT_STRING_MAP:
        return "map(string)";
    case OPT_ANY:
        return "any";
    case OPT_CUSTOM:
        return o->custom->name;
    case OPT_BLOCK:
    case OPT_BLOCKS:
        return "block";
    }
    return "?";
}

static bool reference_is_block(const struct option *o)
{
    return o->kind == OPT_BLOCK || o->kind == OPT_BLOCKS;
}

static const char *zero_of(const struct option *o)
{
    switch (o->kind) {
    case OPT_BOOL:
        return "false";
    case OPT_STRING_LIST:
        return "[]";
    case OPT_STRING_MAP:
        return "{}";
    case OPT_STRING:
    case OPT_SECRET:
    case OPT_ENUM:
        return "\"\"";
    default:
        return "";
    }
}

static void put_attributes(const struct schema *s)
{
    bool any = false;
    for (const struct option *o = s->options; o->name; o++) {
        if (reference_is_block(o))
            continue;
        if (!any)
            puts("| Name | Type | Description | Default | Required |\n|---|---|---|---|---|");
        any = true;
        const char *value = o->required ? "" : o->default_text ? o->default_text : zero_of(o);
        cleanup_buf struct buf words = BUF_INIT(HELP_MAX);
        if (o->kind == OPT_ENUM) {
            buf_puts(&words, " One of ");
            option_words_list(o->words, "`", &words);
            buf_puts(&words, ".");
        }
        printf("| `%s` | `%s` | %s%s | %s%s%s | %s |\n", o->name, type_name(o), o->help ? o->help : "",
               buf_cstr(&words), *value ? "`" : "", value, *value ? "`" : "", o->required ? "yes" : "no");
    }
    if (!any)
        puts("No arguments.");
}

static void put_blocks(const struct schema *s, const char *path, unsigned depth)
{
    for (const struct option *o = s->options; o->name && depth < DEPTH_MAX; o++) {
        if (!reference_is_block(o))
            continue;
        char name[PATH_MAX_BYTES];
        snprintf(name, sizeof name, "%s%s%s", path, *path ? " > " : "", o->name);
        printf("\n### Block `%s%s`\n\n%s %s\n\n", name, o->block->label_offset ? " LABEL" : "", o->help ? o->help : "",
               o->kind == OPT_BLOCKS ? "Any number of blocks." : "At most one block.");
        put_attributes(o->block);
        put_blocks(o->block, name, depth + 1);
    }
}

static void reference_put_component(const struct component_def *def)
{
    printf("%s\n\n## Arguments\n\n", def->help ? def->help : "");
    put_attributes(def->args);
    put_blocks(def->args, "", 0);
    if (def->imports) {
        puts("\n## Definitions\n\nThe label is a namespace: `LABEL.NAME` is a block for each `declare \"NAME\"` of the "
             "module.");
        return;
    }
    puts("\n## Exported fields\n");
    if (!def->exports || !def->exports[0])
        puts("None.");
    for (const char *const *name = def->exports; name && *name; name++)
        printf("- `%s`\n", *name);
}

/* A cell of a table. Two backquotes, as the text may hold one; a bar would end the cell. */
static void put_code(const char *text)
{
    const bool quoted = strchr(text, '`');
    fputs(quoted ? "| `` " : "| `", stdout);
    for (; *text; text++)
        printf(*text == '|' ? "\\|" : "%c", *text);
    fputs(quoted ? " `` " : "` ", stdout);
}

static void reference_put_function(const struct stdlib_function *f)
{
    puts("```text");
    if (f->constant)
        printf("%s %s\n", f->def.name, f->result);
    else
        printf("%s(%s) %s\n", f->def.name, f->parameters ? f->parameters : "", f->result);
    printf("```\n\n%s\n", f->help);
    if (f->stability != STABILITY_GA)
        printf("\nStability level: %s; requires `--stability.level=%s`.\n", stability_name(f->stability),
               stability_name(f->stability));
    if (f->alias)
        printf("\nDeprecated alias: `%s`; its use logs a warning.\n", f->alias);
    puts("\n## Examples\n\n| Expression | Value |\n|---|---|");
    for (size_t i = 0; i < STDLIB_EXAMPLES_MAX && f->examples[i].expression; i++) {
        const char *texts[] = {f->examples[i].expression, f->examples[i].value};
        for (size_t k = 0; k < ARRAY_LEN(texts); k++)
            put_code(texts[k]);
        puts("|");
    }
}

/* What a user can grep for: the first column is the text that a reason contains. */
static void reference_put_reasons(void)
{
    puts("| state | meaning |\n|---|---|");
    for (unsigned s = 0; s < JVM_STATE_COUNT; s++)
        printf("| `%s` | %s |\n", jvm_state_name(s), jvm_state_meaning(s));
    puts("\n| reason contains | code | state | cause | action |\n|---|---|---|---|---|");
    for (size_t i = 0; i < jvm_reason_count; i++) {
        const struct jvm_reason *r = &jvm_reasons[i];
        fputs(r->match[0] ? "| " : i + 1 < jvm_reason_count ? "| (no reason)" : "| (anything else)", stdout);
        for (size_t k = 0; k < JVM_REASON_MATCHES && r->match[k]; k++)
            printf("%s`%s`", k ? ", " : "", r->match[k]);
        printf(" | `%s` | `%s` | %s | %s |\n", r->code, jvm_state_name(r->state), r->cause, r->remedy);
    }
}

static void put_list(void)
{
    const struct stdlib_function *f;
    puts("Components:");
    for (const struct component_def *const *def = all_components; *def; def++)
        printf("  %-24s %s\n", (*def)->name, (*def)->help ? (*def)->help : "");
    puts("\nFunctions and constants:");
    for (size_t i = 0; (f = stdlib_row(i)); i++) {
        const char *stop = strchr(f->help, '.');
        while (stop && stop[1] && stop[1] != ' ')
            stop = strchr(stop + 1, '.');
        printf("  %-24s %.*s\n", f->def.name, (int)(stop ? stop + 1 - f->help : (long)strlen(f->help)), f->help);
    }
}

static int reference_run(int argc, char **argv)
{
    const struct stdlib_function *f;
    const bool help = argc == 1 && !strcmp(argv[0], "--help");
    if (argc > 1 || (argc == 1 && argv[0][0] == '-')) {
        fputs("usage: smolder reference [COMPONENT|FUNCTION|reasons]\n", help ? stdout : stderr);
        return help ? EXIT_OK : EXIT_USAGE;
    }
    if (argc == 0) {
        put_list();
        return EXIT_OK;
    }
    if (!strcmp(argv[0], "reasons")) {
        reference_put_reasons();
        return EXIT_OK;
    }
    for (const struct component_def *const *def = all_components; *def; def++)
        if (!strcmp(argv[0], (*def)->name)) {
            reference_put_component(*def);
            return EXIT_OK;
        }
    for (size_t i = 0; (f = stdlib_row(i)); i++)
        if (!strcmp(argv[0], f->def.name) || (f->alias && !strcmp(argv[0], f->alias))) {
            reference_put_function(f);
            return EXIT_OK;
        }
    terminal_printf(stderr, "smolder reference: no component or function \"%s\"; run smolder reference for a list\n",
                    argv[0]);
    return EXIT_INPUT;
}

const struct command command_reference = {
    "reference", "smolder reference [COMPONENT|FUNCTION|reasons]",
    "Print the reference of a component or function, or the reasons of JVMs, as Markdown.", reference_run};
