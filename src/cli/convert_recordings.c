#include "cli/convert_recordings.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/mem.h"
#include "cli/convert_row.h"
#include "pprof/from_jfr.h"

/* An input that is read, or of which something is still in the row. */
struct recording_input {
    struct chunks *chunks; /* NULL = it gave none; owned */
    size_t number;
    bool read; /* to its end, which is in the row */
};

struct recordings {
    struct recordings_listener listener;
    struct conversion *conversion;
    struct row *row;
};

struct recordings *recordings_new(struct conversion *c, unsigned jobs, const struct recordings_listener *l)
{
    struct recordings *r = xcalloc(1, sizeof *r);
    *r = (struct recordings){.listener = *l, .conversion = c, .row = row_new(c, jobs)};
    return r;
}

static void recordings_input_free(struct recording_input *in)
{
    chunks_close(in->chunks);
    free(in);
}

/* Inputs in the row are those of which the end is there, and the one that is read, which is its reader's. */
void recordings_free(struct recordings *r)
{
    if (!r)
        return;
    while (row_len(r->row)) {
        const struct row_item *item = row_item_at(r->row, 0);
        struct recording_input *in = item->kind == ROW_END ? item->input : NULL;
        row_remove(r->row, 0);
        if (in)
            recordings_input_free(in);
    }
    row_free(r->row);
    free(r);
}

/* ---- taking from the row ---- */

/* What is read of this input from its next chunk in the row on must stay. */
static void recordings_keep(struct recordings *r, struct recording_input *in)
{
    uint64_t from = CHUNKS_KEEP_NONE;
    for (size_t i = 0; from == CHUNKS_KEEP_NONE && i < row_len(r->row); i++) {
        const struct row_item *item = row_item_at(r->row, i);
        from = item->input == in && item->kind == ROW_CHUNK ? item->at : CHUNKS_KEEP_NONE;
    }
    if (in->chunks)
        chunks_keep(in->chunks, from);
}

/* The whole input was converted. */
static int recordings_end(struct recordings *r, struct recording_input *in, const struct err *how)
{
    struct err why = *how;
    const bool broke_off = in->chunks != NULL;
    int code = why.code;
    if (code == 0 && in->chunks)
        code = chunks_check(in->chunks, &why);
    code = r->listener.on_end(r->listener.context, in->number, broke_off, &why);
    recordings_input_free(in);
    return code;
}

static void recordings_tell_refused(struct recordings *r, const struct chunks *c, uint64_t at, struct err *why)
{
    (void)err_wrap(why, why->code, "%s: byte %" PRIu64, chunks_name(c), at);
    r->listener.on_damage(r->listener.context, why->text);
}

/* The rest of an input of which others follow in the row, one chunk after the other. */
static int recordings_read_rest(struct recordings *r, struct recording_input *in)
{
    struct chunks *c = in->chunks;
    struct str chunk;
    struct err why = {0};
    int more;
    while ((more = chunks_next(c, &chunk, &why)) > 0 || more == -EBADMSG) {
        if (more < 0) {
            r->listener.on_damage(r->listener.context, why.text);
        } else if (conversion_add(r->conversion, chunk.p, chunk.n, &why) == 0) {
            r->listener.on_chunk(r->listener.context);
        } else {
            recordings_tell_refused(r, c, chunks_at(c), &why);
            chunks_refused(c);
        }
    }
    why.code = more;
    return recordings_end(r, in, &why);
}

/* The front was refused: what follows it in its recording is read again. */
static int recordings_go_back(struct recordings *r, struct err *why)
{
    struct recording_input *in = row_item_at(r->row, 0)->input;
    const uint64_t at = row_item_at(r->row, 0)->at;
    const struct chunks_place place = row_item_at(r->row, 0)->place;
    size_t i = 0;
    while (i < row_len(r->row)) {
        if (row_item_at(r->row, i)->input == in)
            row_remove(r->row, i);
        else
            i++;
    }
    recordings_tell_refused(r, in->chunks, at, why);
    chunks_go_back(in->chunks, &place);
    chunks_refused(in->chunks);
    recordings_keep(r, in);
    return in->read ? recordings_read_rest(r, in) : 0;
}

static int recordings_take_chunk(struct recordings *r)
{
    struct recording_input *in = row_item_at(r->row, 0)->input;
    struct err why = {0};
    if (row_convert(r->row, &why) < 0)
        return recordings_go_back(r, &why);
    row_remove(r->row, 0);
    recordings_keep(r, in);
    r->listener.on_chunk(r->listener.context);
    return 0;
}

static int recordings_take(struct recordings *r)
{
    const struct row_item *front = row_item_at(r->row, 0);
    const struct err why = front->why;
    struct recording_input *in = front->input;
    const enum row_kind kind = front->kind;
    if (kind == ROW_CHUNK)
        return recordings_take_chunk(r);
    if (kind == ROW_BEGIN)
        conversion_next_recording(r->conversion);
    row_remove(r->row, 0);
    if (kind == ROW_DAMAGE)
        r->listener.on_damage(r->listener.context, why.text);
    return kind == ROW_END ? recordings_end(r, in, &why) : 0;
}

int recordings_finish(struct recordings *r)
{
    int code = 0;
    while (code == 0 && row_len(r->row))
        code = recordings_take(r);
    return code;
}

/* ---- adding to it ---- */

/* Before something is read: what makes room may go back. */
static int recordings_make_room(struct recordings *r)
{
    int code = 0;
    while (code == 0 && row_is_full(r->row))
        code = recordings_take(r);
    return code;
}

static int recordings_add_chunk(struct recordings *r, struct recording_input *in, struct str chunk)
{
    struct row_item item = {.kind = ROW_CHUNK,
                            .input = in,
                            .chunk = chunk,
                            .at = chunks_at(in->chunks),
                            .place = chunks_place_of(in->chunks)};
    const bool stays = chunks_stays(in->chunks);
    if (!stays && row_reads_ahead(r->row) && chunk.n <= ROW_COPY_MAX)
        item.copy = malloc(chunk.n + 1);
    if (item.copy)
        item.chunk = (struct str){memcpy(item.copy, chunk.p, chunk.n), chunk.n};
    row_add(r->row, &item);
    recordings_keep(r, in);
    /* The next one of the stream takes its place. */
    return stays || item.copy ? 0 : recordings_finish(r);
}

static int recordings_read_next(struct recordings *r, struct recording_input *in, bool *ended, struct err *why)
{
    struct str chunk;
    int code = recordings_make_room(r);
    if (code < 0)
        return code;
    const int more = chunks_next(in->chunks, &chunk, why);
    *ended = more <= 0 && more != -EBADMSG;
    why->code = more < 0 ? more : 0;
    if (more > 0)
        code = recordings_add_chunk(r, in, chunk);
    else if (!*ended)
        row_add(r->row, &(struct row_item){.kind = ROW_DAMAGE, .input = in, .why = *why});
    if (!*ended)
        r->listener.on_progress(r->listener.context, in->chunks);
    return code;
}

static void recordings_forget(struct recordings *r, struct recording_input *in)
{
    for (size_t i = row_len(r->row); i-- > 0;) {
        if (row_item_at(r->row, i)->input == in)
            row_remove(r->row, i);
    }
    recordings_input_free(in);
}

static int recordings_add_end(struct recordings *r, struct recording_input *in, const struct err *why)
{
    const int code = recordings_make_room(r);
    if (code < 0) {
        recordings_forget(r, in);
        return code;
    }
    in->read = true;
    row_add(r->row, &(struct row_item){.kind = ROW_END, .input = in, .why = *why});
    return 0;
}

static struct recording_input *recordings_input_new(struct chunks *c, size_t number)
{
    struct recording_input *in = xcalloc(1, sizeof *in);
    *in = (struct recording_input){.chunks = c, .number = number};
    return in;
}

int recordings_read(struct recordings *r, size_t input, struct chunks *c)
{
    struct recording_input *in = recordings_input_new(c, input);
    struct err why = {0};
    bool ended = false;
    int code = recordings_make_room(r);
    if (code == 0)
        row_add(r->row, &(struct row_item){.kind = ROW_BEGIN, .input = in});
    while (code == 0 && !ended)
        code = recordings_read_next(r, in, &ended, &why);
    if (code < 0) {
        recordings_forget(r, in);
        return code;
    }
    r->listener.on_closed(r->listener.context, c);
    return recordings_add_end(r, in, &why);
}

int recordings_give_up(struct recordings *r, size_t input, const struct err *why)
{
    return recordings_add_end(r, recordings_input_new(NULL, input), why);
}
