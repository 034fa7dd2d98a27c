/* An agent in the place of async-profiler: writes what it is told to the log that it is told. */
#include <stdio.h>
#include <string.h>

__attribute__((visibility("default"))) int Agent_OnAttach(void *vm, const char *options, void *reserved);

int Agent_OnAttach(void *vm, const char *options, void *reserved)
{
    char path[1024];
    const char *log = strstr(options, ",log=");
    (void)vm;
    (void)reserved;
    if (!log)
        return 1;
    snprintf(path, sizeof path, "%s", log + strlen(",log="));
    FILE *f = fopen(path, "w");
    if (!f)
        return 2;
    fprintf(f, "told: %s,\n", options);
    fclose(f);
    return 0;
}
