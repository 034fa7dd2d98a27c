#include "api/page/page_index.h"

#include "ui/ui.h"

void page_index(struct request *rq)
{
    request_set_header(rq, "Cache-Control", "no-cache");
    request_set_header(rq, "Content-Security-Policy", ui_page_policy());
    request_reply_static(rq, 200, "text/html; charset=utf-8", ui_page());
}
