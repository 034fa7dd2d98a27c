/* "Record now" of the web page: a recording of one JVM for a while, then its profiles and their flame graphs.
 *
 *     POST api/v0/web/record?pid=&start_time=&seconds=[&events=]    seconds: 1 to RECORD_PAGE_MAX_S
 *
 * The reply is a stream of frames, so nothing of it is kept here and it ends with the client: a line of JSON, and as
 * many bytes behind it as its member "bytes" says.
 *
 *     {"phase":"starting"}
 *     {"phase":"recording","elapsed_ms":0,"chunks":0,"recorded":0}    when it begins, then every second
 *     {"file":"jfr","bytes":N}              the next part of the recording
 *     {"note":"…"}                          about what is missing
 *     {"phase":"converting"}
 *     {"file":"pprof","type":"process_cpu","samples":N,"bytes":N}
 *     {"file":"graphs","type":"process_cpu","bytes":N}    of the profile before it (record_view.h)
 *     {"phase":"done"}                      or {"error":"…"}: the last one
 *
 * 400, 404, 409 and 503 as those of agent_record.h. At most RECORD_PAGE_MOST at a time; one that has RECORD_PAGE_BYTES
 * ends. Recordings are converted in parser processes, as those of the component are. Loop thread.
 */
#pragma once

#include <uv.h>

#include "graph/controller.h"
#include "net/server.h"
#include "parser/parser_pool.h"

enum { RECORD_PAGE_MOST = 4, RECORD_PAGE_MAX_S = 600, RECORD_PAGE_BYTES = 24 << 20 };

struct agent_record_page;

/* `parsers` outlives it. */
struct agent_record_page *agent_record_page_new(uv_loop_t *loop, struct controller *c, struct parser_pool *parsers);
void agent_record_page_start(struct agent_record_page *p, struct request *rq);
/* Ends all recordings. Frees, then calls `closed` once no worker has one, perhaps before it returns. NULL is fine. */
void agent_record_page_close(struct agent_record_page *p, void (*closed)(void *arg), void *arg);
