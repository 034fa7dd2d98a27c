/* Where the page is and what else there is, so that a view can say what it needs: GET api/page, relative to the page.
 *
 *     {"here":"store","store":{"address":"127.0.0.1:4040","path":"/","token":false},
 *      "agent":{"address":"127.0.0.1:12345","path":"/smolder/"}}    null: there is none
 *
 * The page is the same at both addresses, the API is not: that of the agent starts recordings and shows the
 * configuration, so it stays at its own address, which may be open to fewer clients than that of the store.
 */
#pragma once

#include <stdbool.h>

#include "net/server_request.h"

struct page_place {
    bool is_agent;          /* it is the agent's address */
    const char *store;      /* address; NULL = none; borrowed */
    bool store_token;       /* it requires a token */
    const char *agent;      /* likewise */
    const char *agent_path; /* of its page: "/" */
};

void page_place_reply(struct request *rq, const struct page_place *p);
