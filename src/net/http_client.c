#include "net/http_client.h"

#include <curl/curl.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/list.h"
#include "base/mem.h"
#include "net/curl_library.h"
#include "net/curl_options.h"

enum { CONNECTIONS_KEPT = 8 };

struct http_client {
    unsigned refs;
    uv_loop_t *loop;
    CURLM *multi;
    CURL *spare; /* of the last call, for the next one; or NULL */
    uv_timer_t timer;
    struct list ready;            /* calls with callbacks to make */
    struct http_call *delivering; /* whose piece callback runs; NULL: none, or it was cancelled there */
};

struct watch {
    uv_poll_t poll;
    struct http_client *client;
    curl_socket_t fd;
    int events; /* UV_READABLE, UV_WRITABLE */
};

struct http_call {
    struct http_client *client;
    CURL *easy;
    struct http_options options;
    void (*on_piece)(void *arg, int status, struct str bytes);
    struct list ready; /* in the client's list, or not linked */
    struct buf pieces; /* of a streamed answer; not passed on yet */
    int status;        /* of the answer they belong to */
    bool is_full;      /* libcurl holds more, and does not read on */
    bool is_finished;  /* libcurl has done with it */
    CURLcode code;     /* if so */
    http_done *done;
    void *arg;
    struct str *body; /* copies of the slices, not of the bytes */
    size_t body_pieces, piece, offset, sent;
    bool follow_redirects;
    struct http_authorizer *authorizer; /* or NULL */
    struct http_wait wait;
    bool has_asked_again, is_repeated;
    uint64_t deadline; /* uv_now */
    struct buf answer;
    char *header_name, *header; /* the header to keep, and its value in the last answer; or NULL */
    char error[CURL_ERROR_SIZE];
};

/* There is one loop in the program, hence one client. */
static struct http_client *shared;

static void http_client_free_handle(uv_handle_t *h)
{
    free(h->data);
}

static void http_client_release_easy(struct http_client *c, CURL *easy)
{
    curl_multi_remove_handle(c->multi, easy);
    if (c->spare || !easy) {
        curl_easy_cleanup(easy);
        return;
    }
    curl_easy_reset(easy);
    c->spare = easy;
}

static void http_call_free(struct http_call *call)
{
    list_del(&call->ready);
    list_del(&call->wait.node);
    if (call->authorizer && --call->authorizer->refs == 0)
        call->authorizer->free(call->authorizer);
    http_client_release_easy(call->client, call->easy);
    http_options_done(&call->options);
    buf_done(&call->answer);
    buf_done(&call->pieces);
    free(call->body);
    free(call->header_name);
    free(call->header);
    http_client_put(call->client);
    free(call);
}

static enum http_failure http_call_failure(CURLcode code)
{
    switch (code) {
    case CURLE_OK:
        return HTTP_ANSWERED;
    case CURLE_OPERATION_TIMEDOUT:
        return HTTP_TIMED_OUT;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return HTTP_NO_HOST;
    case CURLE_COULDNT_CONNECT:
        return HTTP_NO_CONNECTION;
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
        return HTTP_NO_TLS;
    default:
        return HTTP_BROKEN;
    }
}

/* --- redirects --- */

static bool http_call_is_redirect(long status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Starts the next hop in what is left of the time. False: this answer is the one, or `error` says why there is none. */
static bool http_call_redirect(struct http_call *call, struct err *err)
{
    long status = 0;
    char *location = NULL;
    bool with_body;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_REDIRECT_URL, &location);
    if (!call->follow_redirects || !http_call_is_redirect(status) || !location)
        return false;
    cleanup_free char *to = xstrdup(location);
    if (http_options_redirect(&call->options, call->easy, status, to, &with_body, err) < 0)
        return false;
    if (!with_body)
        call->body_pieces = 0;
    call->piece = call->offset = call->sent = 0;
    call->is_finished = false;
    buf_reset(&call->answer);
    struct http_client *c = call->client;
    const uint64_t now = uv_now(c->loop);
    if (call->deadline != UINT64_MAX)
        curl_easy_setopt(call->easy, CURLOPT_TIMEOUT_MS, now < call->deadline ? (long)(call->deadline - now) : 1L);
    curl_multi_remove_handle(c->multi, call->easy);
    const CURLMcode added = curl_multi_add_handle(c->multi, call->easy);
    if (added == CURLM_OK)
        return true;
    (void)err_set(err, -EIO, "follow a redirect: %s", curl_multi_strerror(added));
    return false;
}

/* --- authorization --- */

static int http_call_add(struct http_call *call, struct err *err)
{
    const CURLMcode added = curl_multi_add_handle(call->client->multi, call->easy);
    return added == CURLM_OK ? 0 : err_set(err, -EIO, "start a request: %s", curl_multi_strerror(added));
}

/* Adds it now, or once there is a token. */
static int http_call_authorize(struct http_call *call, struct err *err)
{
    const char *now = NULL;
    int code = call->authorizer ? call->authorizer->ask(call->authorizer, &call->wait, &now, err) : 0;
    if (code < 0 || (call->authorizer && !now))
        return code;
    if (now)
        http_options_authorize(&call->options, call->easy, now);
    return http_call_add(call, err);
}

static void http_call_on_authorized(struct http_wait *w, const char *authorization, const char *problem)
{
    struct http_call *call = (struct http_call *)((char *)w - offsetof(struct http_call, wait));
    struct err err = {0};
    if (authorization) {
        http_options_authorize(&call->options, call->easy, authorization);
        if (http_call_add(call, &err) == 0)
            return;
        problem = err.text;
    }
    const struct http_response r = {.failure = HTTP_NO_TOKEN, .error = problem, .type = "", .body = STR("")};
    call->done(call->arg, &r);
    http_call_free(call);
}

/* The server does not take the authorization: once more with a new one. */
static bool http_call_ask_again(struct http_call *call)
{
    long status = 0;
    struct err err = {0};
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status != 401 || !call->authorizer || call->has_asked_again)
        return false;
    call->has_asked_again = true;
    call->authorizer->reject(call->authorizer);
    call->piece = call->offset = call->sent = 0;
    buf_reset(&call->answer);
    curl_multi_remove_handle(call->client->multi, call->easy);
    return http_call_authorize(call, &err) == 0;
}

/* --- connections of HTTP/2 --- */

/* A server that gives a connection up has not looked at the streams it does not name (RFC 9113, 6.8); libcurl repeats
 * them if it learns of it early enough, and else reports an error of the session. */
static bool http_call_repeat(struct http_call *call)
{
    struct err err = {0};
    if (call->code != CURLE_HTTP2 || call->is_repeated || call->answer.len || call->status)
        return false;
    call->is_repeated = true;
    call->piece = call->offset = call->sent = 0;
    call->is_finished = false;
    curl_multi_remove_handle(call->client->multi, call->easy);
    return http_call_add(call, &err) == 0;
}

/* libcurl keeps the connection of a stream that timed out, for the next ones. One on which nothing came meanwhile is
 * only half open; with its socket shut down it is not used again, as one of HTTP/1.1 is not. */
static void http_call_give_up_connection(const struct http_call *call)
{
    curl_socket_t fd = CURL_SOCKET_BAD;
    curl_off_t took_us = 0;
    struct tcp_info info;
    socklen_t size = sizeof info;
    curl_easy_getinfo(call->easy, CURLINFO_ACTIVESOCKET, &fd);
    curl_easy_getinfo(call->easy, CURLINFO_TOTAL_TIME_T, &took_us);
    if (fd == CURL_SOCKET_BAD || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0)
        return;
    if ((curl_off_t)info.tcpi_last_data_recv * 1000 >= took_us)
        (void)shutdown(fd, SHUT_RDWR);
}

static void http_call_finish(struct http_call *call)
{
    const CURLcode code = call->code;
    struct err err = {0};
    if (code == CURLE_OK && (http_call_redirect(call, &err) || http_call_ask_again(call)))
        return;
    if (http_call_repeat(call))
        return;
    if (code == CURLE_OPERATION_TIMEDOUT)
        http_call_give_up_connection(call);
    struct http_response r = {.failure = http_call_failure(code), .error = "", .type = "", .sent = call->sent};
    long status = 0;
    curl_off_t retry_after = 0;
    const char *type = NULL;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(call->easy, CURLINFO_RETRY_AFTER, &retry_after);
    curl_easy_getinfo(call->easy, CURLINFO_CONTENT_TYPE, &type);
    if (err.code) {
        r.failure = HTTP_BROKEN;
        r.error = err.text;
    } else if (code == CURLE_OK) {
        r.status = (int)status;
        r.type = type ? type : "";
        r.header = call->header;
        r.retry_after_ms = retry_after > 0 && retry_after < INT32_MAX ? (int64_t)retry_after * 1000 : 0;
        r.body = (struct str){buf_cstr(&call->answer), call->answer.len};
    } else {
        r.error = call->error[0] ? call->error : curl_easy_strerror(code);
    }
    http_done *done = call->done;
    void *arg = call->arg;
    /* The callback may start and cancel calls, so this one is out of the multi before; its strings live until after. */
    curl_multi_remove_handle(call->client->multi, call->easy);
    done(arg, &r);
    http_call_free(call);
}

/* --- callbacks --- */

static void http_call_set_ready(struct http_call *call)
{
    list_del(&call->ready);
    list_push(&call->client->ready, &call->ready);
}

/* False: the callback cancelled the call. */
static bool http_call_pass_piece(struct http_call *call)
{
    struct http_client *c = call->client;
    if (call->pieces.len == 0)
        return true;
    cleanup_buf struct buf piece = call->pieces; /* outlives a cancel by the callback */
    call->pieces = BUF_INIT(HTTP_PIECE_MAX);
    c->delivering = call;
    call->on_piece(call->arg, call->status, buf_slice(&piece));
    const bool goes_on = c->delivering == call;
    c->delivering = NULL;
    return goes_on;
}

static void http_call_deliver(struct http_call *call)
{
    if (!http_call_pass_piece(call))
        return;
    if (call->is_full && !call->is_finished) {
        call->is_full = false;
        curl_easy_pause(call->easy, CURLPAUSE_CONT); /* which may fill the pieces at once */
    } else if (call->is_finished && call->pieces.len == 0) {
        http_call_finish(call);
    }
}

/* After each use of libcurl, which accepts few of its own functions in its callbacks. */
static void http_client_collect(struct http_client *c)
{
    c->refs++; /* a callback may put the last reference of its owner */
    int left;
    for (CURLMsg *m; (m = curl_multi_info_read(c->multi, &left));) {
        if (m->msg != CURLMSG_DONE)
            continue;
        struct http_call *call = NULL;
        const CURLcode code = m->data.result;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, (char **)&call);
        call->is_finished = true;
        call->code = code;
        http_call_set_ready(call);
    }
    while (!list_empty(&c->ready)) {
        struct http_call *call = list_entry(c->ready.next, struct http_call, ready);
        list_del(&call->ready);
        http_call_deliver(call);
    }
    http_client_put(c);
}

static void http_client_on_timer(uv_timer_t *t)
{
    struct http_client *c = t->data;
    int running;
    curl_multi_socket_action(c->multi, CURL_SOCKET_TIMEOUT, 0, &running);
    http_client_collect(c);
}

static void http_client_on_ready(uv_poll_t *p, int status, int events)
{
    struct watch *w = p->data;
    struct http_client *c = w->client;
    /* An error of the socket (POLLERR) stops the polling. libcurl finds out what it is by reading and writing, and then
     * repeats the request if a kept connection was closed meanwhile; CURL_CSELECT_ERR would make it give up. */
    int flags = status < 0 ? CURL_CSELECT_IN | CURL_CSELECT_OUT : 0, running;
    flags |= events & UV_READABLE ? CURL_CSELECT_IN : 0;
    flags |= events & UV_WRITABLE ? CURL_CSELECT_OUT : 0;
    curl_multi_socket_action(c->multi, w->fd, flags, &running);
    if (status < 0 && !uv_is_closing((uv_handle_t *)p))
        uv_poll_start(p, w->events, http_client_on_ready);
    http_client_collect(c);
}

static int http_client_set_timer(CURLM *multi, long timeout_ms, void *arg)
{
    (void)multi;
    struct http_client *c = arg;
    if (timeout_ms < 0)
        uv_timer_stop(&c->timer);
    else
        uv_timer_start(&c->timer, http_client_on_timer, (uint64_t)timeout_ms, 0);
    return 0;
}

static int http_client_set_watch(CURL *easy, curl_socket_t fd, int what, void *arg, void *fd_arg)
{
    (void)easy;
    struct http_client *c = arg;
    struct watch *w = fd_arg;
    if (what == CURL_POLL_REMOVE) {
        if (w) {
            curl_multi_assign(c->multi, fd, NULL);
            uv_close((uv_handle_t *)&w->poll, http_client_free_handle);
        }
        return 0;
    }
    if (!w) {
        w = xcalloc(1, sizeof *w);
        w->client = c;
        w->fd = fd;
        if (uv_poll_init_socket(c->loop, &w->poll, fd) < 0) {
            free(w);
            return -1;
        }
        w->poll.data = w;
        curl_multi_assign(c->multi, fd, w);
    }
    w->events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
    return uv_poll_start(&w->poll, w->events, http_client_on_ready) < 0 ? -1 : 0;
}

static size_t http_call_read_body(char *p, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t room = size * n, given = 0;
    while (given < room && call->piece < call->body_pieces) {
        struct str s = call->body[call->piece];
        size_t k = s.n - call->offset < room - given ? s.n - call->offset : room - given;
        if (k)
            memcpy(p + given, s.p + call->offset, k);
        given += k;
        call->offset += k;
        if (call->offset == s.n) {
            call->piece++;
            call->offset = 0;
        }
    }
    call->sent += given;
    return given;
}

/* A kept connection that turned out to be dead makes libcurl send the body once more. */
static int http_call_rewind_body(void *arg, curl_off_t offset, int origin)
{
    struct http_call *call = arg;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    call->piece = call->offset = call->sent = 0;
    return CURL_SEEKFUNC_OK;
}

/* False: there is no room for it now. */
static bool http_call_keep_piece(struct http_call *call, const char *p, size_t n)
{
    long status = 0;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (call->follow_redirects && http_call_is_redirect(status))
        return true;
    if (call->pieces.len > 0 && n > HTTP_PIECE_MAX - call->pieces.len)
        return false;
    call->status = (int)status;
    buf_append(&call->pieces, p, n);
    http_call_set_ready(call);
    return true;
}

static size_t http_call_keep_answer(char *p, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    size_t got = size * n, room = call->answer.max - call->answer.len;
    if (call->on_piece && !http_call_keep_piece(call, p, got)) {
        call->is_full = true;
        return CURL_WRITEFUNC_PAUSE;
    }
    if (!buf_ok(&call->pieces)) /* libcurl passed more at once than it says it does */
        return 0;
    buf_append(&call->answer, p, got < room ? got : room);
    return got;
}

/* A line of an answer's head; those of redirects and of "100 Continue" come before. */
static size_t http_call_keep_header(char *p, size_t size, size_t n, void *arg)
{
    struct http_call *call = arg;
    const struct str line = {p, size * n};
    const size_t name = strlen(call->header_name);
    if (str_has_prefix(line, STR("HTTP/")))
        free(TAKE_PTR(call->header));
    if (line.n > name && line.p[name] == ':' && strncasecmp(line.p, call->header_name, name) == 0) {
        free(call->header);
        call->header = str_dup(str_trim((struct str){line.p + name + 1, line.n - name - 1}));
    }
    return line.n;
}

static int http_client_open(struct http_client *c, struct err *err)
{
    if (c->multi)
        return 0;
    int code = curl_library_open(err);
    if (code < 0)
        return code;
    static bool initialised;
    if (!initialised && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, -ENOMEM, "initialise libcurl");
    initialised = true;
    c->multi = curl_multi_init();
    if (!c->multi)
        return err_set(err, -ENOMEM, "initialise libcurl");
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETFUNCTION, http_client_set_watch);
    curl_multi_setopt(c->multi, CURLMOPT_SOCKETDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERFUNCTION, http_client_set_timer);
    curl_multi_setopt(c->multi, CURLMOPT_TIMERDATA, c);
    curl_multi_setopt(c->multi, CURLMOPT_MAXCONNECTS, (long)CONNECTIONS_KEPT);
    return 0;
}

struct http_client *http_client_get(uv_loop_t *loop)
{
    if (!shared) {
        shared = xcalloc(1, sizeof *shared);
        shared->loop = loop;
        uv_timer_init(loop, &shared->timer);
        shared->timer.data = shared;
        list_init(&shared->ready);
    }
    shared->refs++;
    return shared;
}

struct http_client *http_client_again(void)
{
    return http_client_get(shared ? shared->loop : NULL);
}

void http_client_put(struct http_client *c)
{
    if (!c || --c->refs > 0)
        return;
    if (shared == c)
        shared = NULL;
    if (c->spare)
        curl_easy_cleanup(c->spare);
    if (c->multi)
        curl_multi_cleanup(c->multi);
    uv_close((uv_handle_t *)&c->timer, http_client_free_handle);
}

static void http_call_set_options(struct http_call *call)
{
    curl_easy_setopt(call->easy, CURLOPT_PRIVATE, call);
    curl_easy_setopt(call->easy, CURLOPT_ERRORBUFFER, call->error);
    curl_easy_setopt(call->easy, CURLOPT_READFUNCTION, http_call_read_body);
    curl_easy_setopt(call->easy, CURLOPT_READDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_SEEKFUNCTION, http_call_rewind_body);
    curl_easy_setopt(call->easy, CURLOPT_SEEKDATA, call);
    curl_easy_setopt(call->easy, CURLOPT_WRITEFUNCTION, http_call_keep_answer);
    curl_easy_setopt(call->easy, CURLOPT_WRITEDATA, call);
    if (!call->header_name)
        return;
    curl_easy_setopt(call->easy, CURLOPT_HEADERFUNCTION, http_call_keep_header);
    curl_easy_setopt(call->easy, CURLOPT_HEADERDATA, call);
}

static void http_call_copy_body(struct http_call *call, const struct http_request *req)
{
    call->body_pieces = req->body_pieces;
    call->body = xcalloc(req->body_pieces + 1, sizeof *call->body);
    for (size_t i = 0; i < req->body_pieces; i++)
        call->body[i] = req->body[i];
}

int http_start(struct http_client *c, const struct http_request *req, http_done *done, void *arg,
               struct http_call **ret, struct err *err)
{
    int code = http_client_open(c, err);
    if (code < 0)
        return code;
    struct http_call *call = xcalloc(1, sizeof *call);
    call->client = c;
    c->refs++;
    call->done = done;
    call->on_piece = req->piece;
    call->arg = arg;
    call->follow_redirects = req->follow_redirects;
    call->deadline = req->timeout_ms > 0 ? uv_now(c->loop) + (uint64_t)req->timeout_ms : UINT64_MAX;
    call->answer = BUF_INIT(req->response_max);
    call->pieces = BUF_INIT(HTTP_PIECE_MAX);
    list_init(&call->ready);
    http_call_copy_body(call, req);
    call->header_name = req->keep_header ? xstrdup(req->keep_header) : NULL;
    call->authorizer = http_options_has_header(req, "Authorization") ? NULL : req->authorizer;
    if (call->authorizer)
        call->authorizer->refs++;
    call->wait.done = http_call_on_authorized;
    list_init(&call->wait.node);
    call->easy = c->spare ? TAKE_PTR(c->spare) : curl_easy_init();
    code = call->easy ? http_options_apply(&call->options, call->easy, req, err)
                      : err_set(err, -ENOMEM, "create a request");
    if (code == 0) {
        http_call_set_options(call);
        code = http_call_authorize(call, err);
    }
    if (code < 0) {
        http_call_free(call);
        return code;
    }
    *ret = call;
    return 0;
}

void http_cancel(struct http_call *call)
{
    if (call->client->delivering == call)
        call->client->delivering = NULL;
    http_call_free(call);
}
