/* Settings of clients, kept beside the profiles: Pyroscope's SettingsService. The store does not interpret names and
 * values.
 *
 * To be called from the `work` function of store_read() or, where something changes, store_write().
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

enum { SETTINGS_MAX = 1024, SETTING_NAME_MAX = 1024, SETTING_VALUE_MAX = 256 << 10 };

struct store_reader;

struct store_setting {
    struct str name, value;
    int64_t modified_ms;
};
/* By name; borrowed during `visit`. */
must_check int store_each_setting(struct store_reader *r, void (*visit)(void *arg, const struct store_setting *s),
                                  void *arg, struct err *err);
/* -EINVAL: no name, or too large. -EMSGSIZE: too many. */
must_check int store_put_setting(struct store_reader *r, const struct store_setting *s, struct err *err);
/* 0 also where there was none. */
must_check int store_delete_setting(struct store_reader *r, struct str name, struct err *err);
