#include "lang/stability.h"

#include <errno.h>

#include "test.h"

static void words_come_back_as_themselves(void)
{
    for (enum stability s = STABILITY_GA; s <= STABILITY_EXPERIMENTAL; s++) {
        enum stability back = STABILITY_GA;
        CHECK(stability_parse(stability_name(s), &back));
        CHECK_INT(back, s);
    }
}

static void other_words_are_none(void)
{
    static const char *const others[] = {"", "ga", "experimental ", "Experimental", "public_preview", "generally"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        enum stability s = STABILITY_PREVIEW;
        if (stability_parse(others[i], &s))
            FAIL_("\"%s\" is taken for a level", others[i]);
        CHECK_INT(s, STABILITY_PREVIEW);
    }
}

static void only_what_is_settled_enough_is_allowed(void)
{
    for (enum stability feature = STABILITY_GA; feature <= STABILITY_EXPERIMENTAL; feature++)
        for (enum stability least = STABILITY_GA; least <= STABILITY_EXPERIMENTAL; least++) {
            struct err err = {0};
            const int code = stability_check("component \"a.b\"", feature, least, &err);
            CHECK_INT(code, feature <= least ? 0 : -EPERM);
            CHECK_INT(err.text[0] != '\0', code < 0);
        }
}

static void the_message_says_what_to_do(void)
{
    struct err err = {0};
    CHECK_INT(stability_check("component \"a.b\"", STABILITY_EXPERIMENTAL, STABILITY_GA, &err), -EPERM);
    CHECK_STR(err.text, "component \"a.b\" is at stability level \"experimental\", which is below the minimum allowed "
                        "stability level \"generally-available\". Use --stability.level command-line flag to enable "
                        "\"experimental\" features");
}

int main(void)
{
    RUN(words_come_back_as_themselves);
    RUN(other_words_are_none);
    RUN(only_what_is_settled_enough_is_allowed);
    RUN(the_message_says_what_to_do);
    return REPORT();
}
