/* The program's log: one line per event on stderr, logfmt or JSON.
 *
 *     log_info("attached", L_INT("pid", pid), L_STR("vm", "hotspot"));
 *     ts=2026-01-02T03:04:05.678901234Z level=info msg=attached pid=7 vm=hotspot
 *
 * Values with spaces, quotes, '=' or control characters are quoted; control characters, bidirectional controls and
 * invalid UTF-8 are escaped; secrets are redacted (base/secret.h). Keys are literals. Thread safe: a line is one
 * write(2). Libraries do not log; components and main do. Format: Alloy's `logging` block (level, format).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_format { LOG_LOGFMT, LOG_JSON };

struct log_field {
    const char *key;  /* NULL: of a component, which has two */
    const char *text; /* NULL: the number counts */
    int64_t number;
};

#define L_STR(k, v) ((struct log_field){.key = (k), .text = (v) ? (v) : ""})
/* By its id, "mod.x/discovery.relabel.a": component_path=/mod.x component_id=discovery.relabel.a, as the reference has
 * it. */
#define L_COMPONENT(id) ((struct log_field){.text = (id)})
#define L_INT(k, v)     ((struct log_field){.key = (k), .number = (int64_t)(v)})

void log_setup(enum log_level least, enum log_format format);
bool log_on(enum log_level level);
/* Appends every line to fd instead of stderr; for tests. */
void log_to(int fd);
void log_write(enum log_level level, const char *msg, const struct log_field *fields, size_t n);
/* Copies every line into `into`, too, until called with NULL; what does not fit is left out. The buffer belongs to this
 * module in between. */
void log_capture(struct buf *into);

#define LOG_AT(level, msg, ...)                                                                                        \
    do {                                                                                                               \
        if (log_on(level)) {                                                                                           \
            const struct log_field fields_[] = {{0}, ##__VA_ARGS__};                                                   \
            log_write((level), (msg), fields_ + 1, sizeof fields_ / sizeof fields_[0] - 1);                            \
        }                                                                                                              \
    } while (0)
#define log_debug(msg, ...) LOG_AT(LOG_DEBUG, msg, ##__VA_ARGS__)
#define log_info(msg, ...)  LOG_AT(LOG_INFO, msg, ##__VA_ARGS__)
#define log_warn(msg, ...)  LOG_AT(LOG_WARN, msg, ##__VA_ARGS__)
#define log_error(msg, ...) LOG_AT(LOG_ERROR, msg, ##__VA_ARGS__)
