/* Shared by the import components: the exported form of module content. */
#pragma once

#include "base/str.h"
#include "conf/files.h"
#include "graph/component.h"

extern const char *const import_source_exports[];

/* Publishes a module of one text, or of files. `module_path` may be NULL. */
void import_source_export_text(struct component *self, const char *name, struct str text, const char *module_path);
void import_source_export_files(struct component *self, const struct conf_files *files, const char *module_path);
