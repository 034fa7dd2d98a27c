#include "net/server_library.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <microhttpd.h>
#include <stdarg.h>
#include <stdbool.h>

#define MHD_FUNCTIONS(X)                                                                                               \
    X(MHD_add_response_header)                                                                                         \
    X(MHD_create_response_from_buffer)                                                                                 \
    X(MHD_create_response_from_callback)                                                                               \
    X(MHD_destroy_response)                                                                                            \
    X(MHD_get_connection_info)                                                                                         \
    X(MHD_get_connection_values)                                                                                       \
    X(MHD_get_daemon_info)                                                                                             \
    X(MHD_get_timeout)                                                                                                 \
    X(MHD_lookup_connection_value)                                                                                     \
    X(MHD_queue_response)                                                                                              \
    X(MHD_quiesce_daemon)                                                                                              \
    X(MHD_resume_connection)                                                                                           \
    X(MHD_run)                                                                                                         \
    X(MHD_start_daemon)                                                                                                \
    X(MHD_stop_daemon)                                                                                                 \
    X(MHD_suspend_connection)

#define TLS_FUNCTIONS(X)                                                                                               \
    X(gnutls_certificate_allocate_credentials)                                                                         \
    X(gnutls_certificate_free_credentials)                                                                             \
    X(gnutls_certificate_get_peers)                                                                                    \
    X(gnutls_certificate_server_set_request)                                                                           \
    X(gnutls_certificate_set_x509_key_mem2)                                                                            \
    X(gnutls_certificate_set_x509_system_trust)                                                                        \
    X(gnutls_certificate_set_x509_trust_mem)                                                                           \
    X(gnutls_certificate_verify_peers)                                                                                 \
    X(gnutls_credentials_set)                                                                                          \
    X(gnutls_priority_deinit)                                                                                          \
    X(gnutls_priority_init2)                                                                                           \
    X(gnutls_priority_set)                                                                                             \
    X(gnutls_session_set_verify_function)                                                                              \
    X(gnutls_strerror)

static struct {
#define MEMBER(f) __typeof__(f) *f##_;
    MHD_FUNCTIONS(MEMBER)
    TLS_FUNCTIONS(MEMBER)
} lib;

static void *server_library_load(const char *name, const char *package, struct err *err)
{
    void *so = dlopen(name, RTLD_NOW | RTLD_LOCAL);
    if (!so)
        (void)err_set(err, -ELIBACC, "load %s: %s; install the package %s", name, dlerror(), package);
    return so;
}

int server_library_open(struct err *err)
{
    static bool opened;
    if (opened)
        return 0;
    void *mhd = server_library_load("libmicrohttpd.so.12", "libmicrohttpd12", err);
    void *tls = mhd ? server_library_load("libgnutls.so.30", "libgnutls30", err) : NULL;
    if (!tls)
        return -ELIBACC;
#define FIND(so, f)                                                                                                    \
    lib.f##_ = (__typeof__(f) *)dlsym(so, #f);                                                                         \
    if (!lib.f##_)                                                                                                     \
        return err_set(err, -ELIBACC, "the HTTP server's libraries have no function %s", #f);
#define FIND_MHD(f) FIND(mhd, f)
#define FIND_TLS(f) FIND(tls, f)
    MHD_FUNCTIONS(FIND_MHD)
    TLS_FUNCTIONS(FIND_TLS)
    opened = true;
    return 0;
}

/* ---- libmicrohttpd ---- */

/* Options are one array, so that they can be passed on. */
struct MHD_Daemon *MHD_start_daemon(unsigned int flags, uint16_t port, MHD_AcceptPolicyCallback apc, void *apc_cls,
                                    MHD_AccessHandlerCallback dh, void *dh_cls, ...)
{
    va_list ap;
    va_start(ap, dh_cls);
    const int option = va_arg(ap, int);
    const struct MHD_OptionItem *items = va_arg(ap, const struct MHD_OptionItem *);
    va_end(ap);
    return option == MHD_OPTION_ARRAY
               ? lib.MHD_start_daemon_(flags, port, apc, apc_cls, dh, dh_cls, MHD_OPTION_ARRAY, items, MHD_OPTION_END)
               : NULL;
}

/* No type of information in use has an argument. */
const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType info_type, ...)
{
    return lib.MHD_get_connection_info_(connection, info_type);
}

const union MHD_DaemonInfo *MHD_get_daemon_info(struct MHD_Daemon *daemon, enum MHD_DaemonInfoType info_type, ...)
{
    return lib.MHD_get_daemon_info_(daemon, info_type);
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *header, const char *content)
{
    return lib.MHD_add_response_header_(response, header, content);
}

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *buffer, enum MHD_ResponseMemoryMode mode)
{
    return lib.MHD_create_response_from_buffer_(size, buffer, mode);
}

struct MHD_Response *MHD_create_response_from_callback(uint64_t size, size_t block_size, MHD_ContentReaderCallback crc,
                                                       void *crc_cls, MHD_ContentReaderFreeCallback crfc)
{
    return lib.MHD_create_response_from_callback_(size, block_size, crc, crc_cls, crfc);
}

void MHD_destroy_response(struct MHD_Response *response)
{
    lib.MHD_destroy_response_(response);
}

int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIterator iterator,
                              void *iterator_cls)
{
    return lib.MHD_get_connection_values_(connection, kind, iterator, iterator_cls);
}

enum MHD_Result MHD_get_timeout(struct MHD_Daemon *daemon, MHD_UNSIGNED_LONG_LONG *timeout)
{
    return lib.MHD_get_timeout_(daemon, timeout);
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key)
{
    return lib.MHD_lookup_connection_value_(connection, kind, key);
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status_code,
                                   struct MHD_Response *response)
{
    return lib.MHD_queue_response_(connection, status_code, response);
}

MHD_socket MHD_quiesce_daemon(struct MHD_Daemon *daemon)
{
    return lib.MHD_quiesce_daemon_(daemon);
}

void MHD_resume_connection(struct MHD_Connection *connection)
{
    lib.MHD_resume_connection_(connection);
}

enum MHD_Result MHD_run(struct MHD_Daemon *daemon)
{
    return lib.MHD_run_(daemon);
}

void MHD_stop_daemon(struct MHD_Daemon *daemon)
{
    lib.MHD_stop_daemon_(daemon);
}

void MHD_suspend_connection(struct MHD_Connection *connection)
{
    lib.MHD_suspend_connection_(connection);
}

/* ---- GnuTLS ---- */

int gnutls_certificate_allocate_credentials(gnutls_certificate_credentials_t *res)
{
    return lib.gnutls_certificate_allocate_credentials_(res);
}

void gnutls_certificate_free_credentials(gnutls_certificate_credentials_t sc)
{
    lib.gnutls_certificate_free_credentials_(sc);
}

const gnutls_datum_t *gnutls_certificate_get_peers(gnutls_session_t session, unsigned int *list_size)
{
    return lib.gnutls_certificate_get_peers_(session, list_size);
}

void gnutls_certificate_server_set_request(gnutls_session_t session, gnutls_certificate_request_t req)
{
    lib.gnutls_certificate_server_set_request_(session, req);
}

int gnutls_certificate_set_x509_key_mem2(gnutls_certificate_credentials_t res, const gnutls_datum_t *cert,
                                         const gnutls_datum_t *key, gnutls_x509_crt_fmt_t type, const char *pass,
                                         unsigned int flags)
{
    return lib.gnutls_certificate_set_x509_key_mem2_(res, cert, key, type, pass, flags);
}

int gnutls_certificate_set_x509_system_trust(gnutls_certificate_credentials_t cred)
{
    return lib.gnutls_certificate_set_x509_system_trust_(cred);
}

int gnutls_certificate_set_x509_trust_mem(gnutls_certificate_credentials_t res, const gnutls_datum_t *ca,
                                          gnutls_x509_crt_fmt_t type)
{
    return lib.gnutls_certificate_set_x509_trust_mem_(res, ca, type);
}

int gnutls_certificate_verify_peers(gnutls_session_t session, gnutls_typed_vdata_st *data, unsigned int elements,
                                    unsigned int *status)
{
    return lib.gnutls_certificate_verify_peers_(session, data, elements, status);
}

int gnutls_credentials_set(gnutls_session_t session, gnutls_credentials_type_t type, void *cred)
{
    return lib.gnutls_credentials_set_(session, type, cred);
}

void gnutls_priority_deinit(gnutls_priority_t priority_cache)
{
    lib.gnutls_priority_deinit_(priority_cache);
}

int gnutls_priority_init2(gnutls_priority_t *priority_cache, const char *priorities, const char **err_pos,
                          unsigned flags)
{
    return lib.gnutls_priority_init2_(priority_cache, priorities, err_pos, flags);
}

int gnutls_priority_set(gnutls_session_t session, gnutls_priority_t priority)
{
    return lib.gnutls_priority_set_(session, priority);
}

void gnutls_session_set_verify_function(gnutls_session_t session, gnutls_certificate_verify_function *func)
{
    lib.gnutls_session_set_verify_function_(session, func);
}

const char *gnutls_strerror(int error)
{
    return lib.gnutls_strerror_(error);
}
