#include "api/page/page_place.h"

#include "base/cleanup.h"
#include "base/json.h"

enum { PLACE_MAX = 4096 };

void page_place_reply(struct request *rq, const struct page_place *p)
{
    cleanup_buf struct buf out = BUF_INIT(PLACE_MAX);
    buf_printf(&out, "{\"here\":\"%s\",\"store\":", p->is_agent ? "agent" : "store");
    if (p->store) {
        buf_puts(&out, "{\"address\":");
        json_string(&out, str_of(p->store));
        buf_printf(&out, ",\"path\":\"/\",\"token\":%s}", p->store_token ? "true" : "false");
    } else {
        buf_puts(&out, "null");
    }
    buf_puts(&out, ",\"agent\":");
    if (p->agent) {
        buf_puts(&out, "{\"address\":");
        json_string(&out, str_of(p->agent));
        buf_puts(&out, ",\"path\":");
        json_string(&out, str_of(p->agent_path));
        buf_byte(&out, '}');
    } else {
        buf_puts(&out, "null");
    }
    buf_byte(&out, '}');
    request_set_header(rq, "Cache-Control", "no-store");
    request_reply_buf(rq, 200, "application/json", &out);
}
