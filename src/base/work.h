/* Work on the threads of libuv's pool, which are created by the first of it.
 *
 * Capabilities belong to threads, so a thread that exists when the main process gives up its own would keep them. The
 * agent therefore holds work back until it has become an ordinary user: what components want done while they are
 * loaded is done afterwards, and with the rights of that user. Loop thread only.
 */
#pragma once

#include <stdbool.h>
#include <uv.h>

/* As uv_queue_work(), never failing; after work_hold() it waits for work_release(). */
void work_queue(uv_loop_t *loop, uv_work_t *req, uv_work_cb work, uv_after_work_cb after);
/* As uv_cancel(): false where it is too late, or too early, so that the work will be done. */
bool work_cancel(uv_work_t *req);

/* Before any work is queued. */
void work_hold(void);
void work_release(void);
