#include "ui/ui.h"

extern const char ui_page_start[], ui_page_end[], ui_report_start[], ui_report_end[]; /* page.S.in */

struct str ui_page(void)
{
    return (struct str){ui_page_start, (size_t)(ui_page_end - ui_page_start)};
}

struct str ui_report_page(void)
{
    return (struct str){ui_report_start, (size_t)(ui_report_end - ui_report_start)};
}
