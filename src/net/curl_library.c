#include "net/curl_library.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include "os/code_pages.h"

/* The checking macros of the same names would get in the way of the definitions. */
#undef curl_easy_setopt
#undef curl_easy_getinfo
#undef curl_multi_setopt

#define FUNCTIONS(X)                                                                                                   \
    X(curl_global_init)                                                                                                \
    X(curl_free)                                                                                                       \
    X(curl_slist_append)                                                                                               \
    X(curl_slist_free_all)                                                                                             \
    X(curl_url)                                                                                                        \
    X(curl_url_set)                                                                                                    \
    X(curl_url_get)                                                                                                    \
    X(curl_url_cleanup)                                                                                                \
    X(curl_easy_init)                                                                                                  \
    X(curl_easy_reset)                                                                                                 \
    X(curl_easy_cleanup)                                                                                               \
    X(curl_easy_setopt)                                                                                                \
    X(curl_easy_getinfo)                                                                                               \
    X(curl_easy_pause)                                                                                                 \
    X(curl_easy_strerror)                                                                                              \
    X(curl_multi_init)                                                                                                 \
    X(curl_multi_cleanup)                                                                                              \
    X(curl_multi_setopt)                                                                                               \
    X(curl_multi_add_handle)                                                                                           \
    X(curl_multi_remove_handle)                                                                                        \
    X(curl_multi_socket_action)                                                                                        \
    X(curl_multi_info_read)                                                                                            \
    X(curl_multi_assign)                                                                                               \
    X(curl_multi_strerror)

static struct {
#define MEMBER(f) __typeof__(f) *f##_;
    FUNCTIONS(MEMBER)
} lib;

static void *curl_library_load(void)
{
    static const char *const names[] = {"libcurl-gnutls.so.4", "libcurl.so.4"};
    void *so = NULL;
    for (size_t i = 0; !so && i < sizeof names / sizeof names[0]; i++)
        so = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
    return so;
}

int curl_library_open(struct err *err)
{
    static bool opened;
    if (opened)
        return 0;
    void *so = curl_library_load();
    if (!so)
        return err_set(err, -ELIBACC, "load libcurl: %s; install the package libcurl3-gnutls or libcurl4", dlerror());
#define FIND(f)                                                                                                        \
    lib.f##_ = (__typeof__(f) *)dlsym(so, #f);                                                                         \
    if (!lib.f##_)                                                                                                     \
        return err_set(err, -ELIBACC, "libcurl has no function %s", #f);
    FUNCTIONS(FIND)
    opened = true;
    code_pages_release(NULL); /* relocations have touched the tables of a dozen libraries */
    return 0;
}

CURLcode curl_global_init(long flags)
{
    return lib.curl_global_init_(flags);
}

void curl_free(void *p)
{
    lib.curl_free_(p);
}

struct curl_slist *curl_slist_append(struct curl_slist *list, const char *text)
{
    return lib.curl_slist_append_(list, text);
}

void curl_slist_free_all(struct curl_slist *list)
{
    if (list)
        lib.curl_slist_free_all_(list);
}

CURLU *curl_url(void)
{
    return lib.curl_url_();
}

CURLUcode curl_url_set(CURLU *u, CURLUPart what, const char *part, unsigned flags)
{
    return lib.curl_url_set_(u, what, part, flags);
}

/* Whether the handle is const depends on libcurl's version, so this is defined under another name for the compiler. */
CURLUcode url_get(const CURLU *u, CURLUPart what, char **part, unsigned flags) __asm__("curl_url_get");
CURLUcode url_get(const CURLU *u, CURLUPart what, char **part, unsigned flags)
{
    return lib.curl_url_get_((CURLU *)u, what, part, flags);
}

void curl_url_cleanup(CURLU *u)
{
    lib.curl_url_cleanup_(u);
}

CURL *curl_easy_init(void)
{
    return lib.curl_easy_init_();
}

void curl_easy_reset(CURL *easy)
{
    lib.curl_easy_reset_(easy);
}

void curl_easy_cleanup(CURL *easy)
{
    lib.curl_easy_cleanup_(easy);
}

/* The one optional argument is a long, a curl_off_t or a pointer: 64 bits in the same place on both of our machines
 * (x86-64 System V ABI §3.5.7, AAPCS64 §6.8), so it passes as one. */
#define PASS_ONE(target, handle, option)                                                                               \
    ({                                                                                                                 \
        va_list ap_;                                                                                                   \
        va_start(ap_, option);                                                                                         \
        void *value_ = va_arg(ap_, void *);                                                                            \
        va_end(ap_);                                                                                                   \
        target(handle, option, value_);                                                                                \
    })
_Static_assert(sizeof(long) == sizeof(void *) && sizeof(curl_off_t) == sizeof(void *), "PASS_ONE");

CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    return PASS_ONE(lib.curl_easy_setopt_, easy, option);
}

CURLcode curl_easy_getinfo(CURL *easy, CURLINFO info, ...)
{
    return PASS_ONE(lib.curl_easy_getinfo_, easy, info);
}

CURLcode curl_easy_pause(CURL *easy, int what)
{
    return lib.curl_easy_pause_(easy, what);
}

const char *curl_easy_strerror(CURLcode code)
{
    return lib.curl_easy_strerror_(code);
}

CURLM *curl_multi_init(void)
{
    return lib.curl_multi_init_();
}

CURLMcode curl_multi_cleanup(CURLM *multi)
{
    return lib.curl_multi_cleanup_(multi);
}

CURLMcode curl_multi_setopt(CURLM *multi, CURLMoption option, ...)
{
    return PASS_ONE(lib.curl_multi_setopt_, multi, option);
}

CURLMcode curl_multi_add_handle(CURLM *multi, CURL *easy)
{
    return lib.curl_multi_add_handle_(multi, easy);
}

CURLMcode curl_multi_remove_handle(CURLM *multi, CURL *easy)
{
    return lib.curl_multi_remove_handle_(multi, easy);
}

CURLMcode curl_multi_socket_action(CURLM *multi, curl_socket_t fd, int events, int *running)
{
    return lib.curl_multi_socket_action_(multi, fd, events, running);
}

CURLMsg *curl_multi_info_read(CURLM *multi, int *left)
{
    return lib.curl_multi_info_read_(multi, left);
}

CURLMcode curl_multi_assign(CURLM *multi, curl_socket_t fd, void *p)
{
    return lib.curl_multi_assign_(multi, fd, p);
}

const char *curl_multi_strerror(CURLMcode code)
{
    return lib.curl_multi_strerror_(code);
}
