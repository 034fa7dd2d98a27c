#include "components/import_source.h"

#include "base/cleanup.h"
#include "base/mem.h"

const char *const import_source_exports[] = {"files", "module_path", NULL};

static struct value *import_file_value(const char *name, struct str text)
{
    struct value *file = value_object();
    value_object_put(file, STR("name"), value_string(str_of(name)));
    value_object_put(file, STR("text"), value_string(text));
    return file;
}

static void import_source_export(struct component *self, struct value *const *files, size_t n, const char *module_path)
{
    struct value *exports = value_object();
    value_object_put(exports, STR("files"), value_array(files, n));
    value_object_put(exports, STR("module_path"), module_path ? value_string(str_of(module_path)) : value_null());
    component_export(self, exports);
}

void import_source_export_text(struct component *self, const char *name, struct str text, const char *module_path)
{
    struct value *file = import_file_value(name, text);
    import_source_export(self, &file, 1, module_path);
}

void import_source_export_files(struct component *self, const struct conf_files *files, const char *module_path)
{
    cleanup_free struct value **values = xcalloc(files->len + 1, sizeof *values);
    for (size_t i = 0; i < files->len; i++)
        values[i] = import_file_value(files->items[i].name, (struct str){files->items[i].text, files->items[i].len});
    import_source_export(self, values, files->len, module_path);
}
