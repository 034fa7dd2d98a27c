/* Runs one fuzz target over files, so that every seed and every former crash is a normal test: replay
 * FILE-OR-DIRECTORY… Of text cases (X.test, tests/lang/README.md) each program is an input. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "cases.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In memory exactly as large as the input, so that the sanitizer sees a read beyond it. */
static void run(struct str input)
{
    uint8_t *data = malloc(input.n ? input.n : 1);
    if (!data)
        abort();
    if (input.n)
        memcpy(data, input.p, input.n);
    LLVMFuzzerTestOneInput(data, input.n);
    free(data);
}

static int replay_cases(const char *path, int *count)
{
    size_t n = 0;
    cleanup_free char *text = case_file(path, &n);
    struct str rest = {text, n};
    struct case_section program, want;
    for (; text && case_section(&rest, &program) && case_section(&rest, &want); ++*count)
        run(program.text);
    return text == NULL;
}

static int replay_file(const char *path, int *count)
{
    struct stat st;
    cleanup_fclose FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &st) < 0) {
        perror(path);
        return 1;
    }
    cleanup_free char *data = malloc(st.st_size ? (size_t)st.st_size : 1);
    run((struct str){data, data ? fread(data, 1, (size_t)st.st_size, f) : 0});
    ++*count;
    return 0;
}

static int replay(const char *path, int *count)
{
    DIR *dir = opendir(path);
    const char *dot = strrchr(path, '.');
    if (!dir)
        return dot && strcmp(dot, ".test") == 0 ? replay_cases(path, count) : replay_file(path, count);
    int failed = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        char name[4096];
        if (e->d_name[0] == '.')
            continue;
        snprintf(name, sizeof name, "%s/%s", path, e->d_name);
        failed |= replay(name, count);
    }
    closedir(dir);
    return failed;
}

int main(int argc, char **argv)
{
    int count = 0, failed = 0;
    for (int i = 1; i < argc; i++)
        failed |= replay(argv[i], &count);
    printf("%d inputs replayed\n", count);
    return failed || count == 0;
}
