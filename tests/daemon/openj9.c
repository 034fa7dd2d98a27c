/* A JVM that is attached to as OpenJ9 is: a HotSpot JVM in a program that maps a library called libj9vm29.so and speaks
 * OpenJ9's attach protocol on its side, with the real files, locks, semaphore and sockets. The library it is told to
 * load is loaded, and its Agent_OnAttach called with the JVM, so that the real profiler profiles it.
 *
 * usage: openj9 KEY=VALUE… LIBJVM CLASS OPTION…    options of the JVM; -Dcom.ibm.tools.attach.* mean what they do there
 *   j9=FILE      mapped, called libj9vm29.so
 *   log=FILE     what happens, a line each: "up", "woken", "connect PORT", "command TEXT", "loaded PATH", "detached"
 *   mode=        what is not as it should be:
 *     deaf         never waits for the semaphore
 *     mute         connects and shows no key
 *     stranger     shows another key
 *     silent       answers no command
 *     late         makes its files a second after the start
 *   LIBJVM "-": no JVM; then Agent_OnAttach is called without one.
 *
 * Facts: OpenJ9 openj9.internal.tools.attach.target.{AttachHandler,Attachment,AttachmentConnection,CommonDirectory,
 * FileLock,Reply,TargetDirectory,WaitLoop}, IPC.checkOwnerAccessOnly(), runtime/port/sysvipc/j9shsem.c.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <jni.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPTIONS_MAX = 16, PATH_SIZE = 1024, COMMAND_MAX = 16384, PROJECT = 0xa1, REST_MS = 300, LATE_MS = 1000 };

static const char *mode = "", *directory = "/tmp/.com_ibm_tools_attach", *id = "";
static int log_fd = -1, semaphore = -1;
static char own[PATH_SIZE], pid_text[16];
static JavaVM *vm;

static __attribute__((format(printf, 1, 2))) void note(const char *format, ...)
{
    char line[2048];
    va_list list;
    __builtin_va_start(list, format);
    int n = vsnprintf(line, sizeof line - 1, format, list);
    __builtin_va_end(list);
    n = n < (int)sizeof line - 1 ? n : (int)sizeof line - 2;
    line[n++] = '\n';
    (void)!write(log_fd, line, (size_t)n);
}

static __attribute__((noreturn)) void die(const char *what)
{
    note("cannot %s: %s", what, strerror(errno));
    fprintf(stderr, "cannot %s: %s\n", what, strerror(errno));
    exit(5);
}

static void in(const char *folder, const char *name, char ret[PATH_SIZE])
{
    if (snprintf(ret, PATH_SIZE, "%s/%s", folder, name) >= PATH_SIZE)
        die("name a file");
}

/* ---- its files ---- */

static void make(const char *folder, const char *name, int how, mode_t permissions, const char *text)
{
    char path[PATH_SIZE];
    in(folder, name, path);
    int fd = open(path, O_CREAT | O_WRONLY | how, permissions);
    if (fd < 0)
        die(path);
    (void)!fchmod(fd, permissions); /* of another JVM's file it may not */
    if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
        die(path);
    close(fd);
}

static void remove_files(void)
{
    static const char *const names[] = {"attachInfo", "attachNotificationSync"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[PATH_SIZE];
        in(own, names[i], path);
        unlink(path);
    }
}

/* A write lock of the first byte, as the JVM takes it. */
static int lock(const char *folder, const char *name, int how)
{
    char path[PATH_SIZE];
    struct flock byte = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_len = 1};
    in(folder, name, path);
    int fd = open(path, O_WRONLY | O_CREAT, 0666);
    if (fd >= 0 && fcntl(fd, how, &byte) == 0)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

static void make_files(void)
{
    char path[PATH_SIZE], text[PATH_SIZE];
    if (mkdir(directory, 0777) == 0)
        chmod(directory, 01777);
    int controller = lock(directory, "_controller", F_SETLKW);
    if (controller < 0)
        die("lock _controller");
    fchmod(controller, 0666);
    in(directory, "_notifier", path);
    if (access(path, F_OK) < 0)
        make(directory, "_notifier", O_EXCL, 0666, "");
    in(directory, id, own);
    if (mkdir(own, 0777) < 0 || chmod(own, 01711) < 0)
        die(own);
    make(own, "attachNotificationSync", O_EXCL, 0666, "");
    key_t key = ftok(path, PROJECT);
    /* One more than is used, as a mark. */
    semaphore = semget(key, 2, IPC_CREAT | 0666);
    if (semaphore < 0)
        die("open the semaphore");
    snprintf(text, sizeof text, "version=0.1\nuserUid=%u\nprocessId=%s\nvmId=%s\ndisplayName=%s\nnotifier=_notifier\n",
             getuid(), pid_text, id, "Shop");
    make(own, "attachInfo", O_EXCL, 0600, text);
    atexit(remove_files);
    close(controller);
}

/* ---- one attachment ---- */

struct attachment {
    char key[64];
    int port, socket;
};

static void answer(int socket, const char *text)
{
    if (write(socket, text, strlen(text)) < 0 || write(socket, "", 1) < 0)
        note("cannot answer: %s", strerror(errno));
}

/* Up to a NUL that is the last byte of what came at once: as the JVM reads, and so two commands at once are one. */
static bool receive(int socket, char *ret)
{
    for (size_t n = 0; n < COMMAND_MAX;) {
        ssize_t got = read(socket, ret + n, COMMAND_MAX - n);
        if (got <= 0)
            return false;
        n += (size_t)got;
        if (ret[n - 1] == '\0')
            return true;
    }
    return false;
}

static void load(int socket, char *command)
{
    char text[COMMAND_MAX + 64], *open = strchr(command, '('), *comma = strchr(command, ','),
                                 *close = strrchr(command, ')');
    if (!open || !close) {
        answer(socket, "ATTACH_ERR syntax error");
        return;
    }
    *close = '\0';
    if (comma)
        *comma = '\0';
    char *library = open + 1, *options = comma ? comma + 1 : "";
    void *handle = dlopen(library, RTLD_NOW);
    jint (*attach)(JavaVM *, char *, void *) =
        handle ? (jint(*)(JavaVM *, char *, void *))dlsym(handle, "Agent_OnAttach") : NULL;
    if (!attach) {
        note("not loaded %s", dlerror());
        snprintf(text, sizeof text, "ATTACH_ERR AgentLoadException %s:%s", library, options);
        answer(socket, text);
        return;
    }
    note("loaded %s", library);
    const int status = attach(vm, options, NULL);
    snprintf(text, sizeof text, status ? "ATTACH_ERR AgentInitializationException%d" : "ATTACH_ACK", status);
    answer(socket, text);
}

/* False to end the attachment. */
static bool carry_out(int socket, char *command)
{
    note("command %s", command);
    if (strcmp(mode, "silent") == 0) {
        pause();
    } else if (strncmp(command, "ATTACH_DETACH", strlen("ATTACH_DETACH")) == 0) {
        return false;
    } else if (strncmp(command, "ATTACH_LOADAGENT", strlen("ATTACH_LOADAGENT")) == 0) {
        load(socket, command);
    } else if (strcmp(command, "ATTACH_GETSYSTEMPROPERTIES") == 0) {
        answer(socket, "#comment\njava.vm.name=Eclipse OpenJ9 VM\n");
    } else if (strncmp(command, "ATTACH_DIAGNOSTICS:", strlen("ATTACH_DIAGNOSTICS:")) == 0) {
        answer(socket, "#comment\nopenj9_diagnostics.string_result=a line\\n\\tand an\\=other\n");
    } else {
        char text[COMMAND_MAX + 64];
        snprintf(text, sizeof text, "ATTACH_ERR command invalid: %s", command);
        answer(socket, text);
    }
    return true;
}

static void *attachment(void *arg)
{
    struct attachment *a = arg;
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)a->port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char text[128];
    static __thread char command[COMMAND_MAX + 1];
    JNIEnv *env;
    a->socket = socket(AF_INET, SOCK_STREAM, 0);
    note("connect %d", a->port);
    if (connect(a->socket, (struct sockaddr *)&to, sizeof to) < 0) {
        note("cannot connect: %s", strerror(errno));
    } else if (strcmp(mode, "mute") == 0) {
        pause();
    } else if (!vm || (*vm)->AttachCurrentThreadAsDaemon(vm, (void **)&env, NULL) == JNI_OK) {
        snprintf(text, sizeof text, "ATTACH_CONNECTED %s ", strcmp(mode, "stranger") == 0 ? "0123" : a->key);
        answer(a->socket, text);
        bool on = true;
        while (on && receive(a->socket, command))
            on = carry_out(a->socket, command);
        if (!on) {
            answer(a->socket, "ATTACH_DETACHED");
            note("detached");
        }
        if (vm)
            (*vm)->DetachCurrentThread(vm);
    }
    close(a->socket);
    free(a);
    return NULL;
}

/* ---- waiting to be woken ---- */

static bool only_ours(const char *path)
{
    struct stat st;
    return lstat(path, &st) == 0 && st.st_uid == getuid() && (st.st_mode & 066) == 0;
}

static void look_for_reply(void)
{
    char path[PATH_SIZE];
    in(own, "replyInfo", path);
    if (!only_ours(own)) {
        note("wrong permissions of %s", own);
        return;
    }
    if (access(path, F_OK) < 0)
        return;
    struct attachment *a = calloc(1, sizeof *a);
    FILE *reply = only_ours(path) ? fopen(path, "r") : NULL;
    pthread_t thread;
    if (!a || !reply || fscanf(reply, "%63s %d", a->key, &a->port) != 2) {
        note("no use for the reply");
        free(a);
    } else if (pthread_create(&thread, NULL, attachment, a) == 0) {
        pthread_detach(thread);
    }
    if (reply)
        fclose(reply);
}

static void *wait_loop(void *arg)
{
    if (strcmp(mode, "late") == 0) {
        usleep(LATE_MS * 1000);
        make_files();
    }
    note("up");
    while (strcmp(mode, "deaf") == 0)
        pause();
    for (;;) {
        struct sembuf take = {.sem_op = -1};
        if (semop(semaphore, &take, 1) < 0) {
            if (errno == EINTR)
                continue;
            note("the semaphore is gone: %s", strerror(errno));
            return arg;
        }
        note("woken");
        look_for_reply();
        /* While the attacher holds it, this JVM takes no second post. */
        int held = lock(own, "attachNotificationSync", F_SETLKW);
        if (held >= 0)
            close(held);
        usleep(REST_MS * 1000);
    }
}

/* ---- the JVM ---- */

static const char *value(const char *text, const char *key)
{
    size_t n = strlen(key);
    return strncmp(text, key, n) == 0 ? text + n : NULL;
}

static void apply(const char *option)
{
    const char *v;
    if ((v = value(option, "-Dcom.ibm.tools.attach.directory=")))
        directory = v;
    if ((v = value(option, "-Dcom.ibm.tools.attach.id=")))
        id = v;
    if ((v = value(option, "log=")) && (log_fd = open(v, O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0644)) < 0)
        die(v);
    if ((v = value(option, "mode=")))
        mode = v;
    if ((v = value(option, "j9="))) {
        int fd = open(v, O_RDONLY);
        if (fd < 0 || mmap(NULL, 1, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
            die(v);
        close(fd);
    }
}

static int run(const char *libjvm, const char *class, JavaVMOption *options, int count)
{
    JavaVMInitArgs args = {.version = JNI_VERSION_1_8, .options = options, .nOptions = count};
    JNIEnv *env;
    pthread_t waiter;
    void *lib = libjvm ? dlopen(libjvm, RTLD_NOW | RTLD_GLOBAL) : NULL;
    jint (*create)(JavaVM **, void **, void *) =
        lib ? (jint(*)(JavaVM **, void **, void *))dlsym(lib, "JNI_CreateJavaVM") : NULL;
    if (libjvm && (!create || create(&vm, (void **)&env, &args) != JNI_OK))
        return 2;
    if (strcmp(mode, "late") != 0)
        make_files();
    if (pthread_create(&waiter, NULL, wait_loop, NULL) != 0)
        return 4;
    if (!libjvm) {
        puts("ready");
        fflush(stdout);
        pthread_join(waiter, NULL);
        return 0;
    }
    jclass main_class = (*env)->FindClass(env, class);
    jclass strings = (*env)->FindClass(env, "java/lang/String");
    jmethodID method = main_class ? (*env)->GetStaticMethodID(env, main_class, "main", "([Ljava/lang/String;)V") : NULL;
    if (!method)
        return 3;
    (*env)->CallStaticVoidMethod(env, main_class, method, (*env)->NewObjectArray(env, 0, strings, NULL));
    return (*vm)->DestroyJavaVM(vm);
}

int main(int argc, char **argv)
{
    JavaVMOption options[OPTIONS_MAX] = {0};
    int at = 1, count = 0;
    snprintf(pid_text, sizeof pid_text, "%d", getpid());
    id = pid_text;
    for (; at < argc && strchr(argv[at], '='); at++)
        apply(argv[at]);
    if (argc < at + 2)
        return 1;
    for (int i = at + 2; i < argc && count < OPTIONS_MAX; i++) {
        apply(argv[i]);
        options[count++].optionString = argv[i];
    }
    return run(strcmp(argv[at], "-") == 0 ? NULL : argv[at], argv[at + 1], options, count);
}
