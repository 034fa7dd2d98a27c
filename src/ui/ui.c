#include "ui/ui.h"

/* page.S.in */
extern const char ui_page_start[], ui_page_end[], ui_policy_start[], ui_report_start[], ui_report_end[];

struct str ui_page(void)
{
    return (struct str){ui_page_start, (size_t)(ui_page_end - ui_page_start)};
}

const char *ui_page_policy(void)
{
    return ui_policy_start;
}

struct str ui_report_page(void)
{
    return (struct str){ui_report_start, (size_t)(ui_report_end - ui_report_start)};
}
