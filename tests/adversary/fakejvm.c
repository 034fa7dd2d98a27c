/* A process that an agent takes for a JVM, and that does what the test says: java KEY=VALUE…
 *
 *   lib=FILE       mapped, as a JVM has its libjvm.so
 *   count=N        so many processes (1); the first one only waits for the others
 *   mode=          what the attach socket does:
 *     answer         every command succeeds; `start` opens the recording and writes `records` into it
 *     refuse         the profiler says no (code 100)
 *     mute           accepts, never answers
 *     drip, flood, garbage   a byte a second; bytes without end; random bytes after control characters
 *     nolisten, full a socket that nobody listens on; one whose queue is full
 *     nosocket       handles SIGQUIT, makes no socket
 *     exec           becomes sleep(1) when SIGQUIT comes
 *     stop           stops itself when it is asked for anything
 *   early=0        makes the socket at SIGQUIT only, as a JVM does (1: at the start)
 *   delay=MS       between a request and its answer
 *   die=MS         ends itself by the signal `by` (SIGSEGV), or, by=0, exits, that long after the first `start`
 *   records=A,B files to write one after the other, `pause=MS` apart (and `step=MS` more for each process), `again=1`
 *   without end hold=FILE then writes into the recording out of a mapping of FILE; hold=big: two gigabytes at a time,
 *   again and again wobble=1 then sets the recording's size to nothing and to 8 EB by turns argpage=FILE the command
 *   line's memory is replaced by a mapping of FILE; envpage=FILE the environment's uids=N each process takes the next
 *   of N user ids 1… of its user namespace library=skip does not map the library that it is told to load sleeping=1 no
 *   handler of SIGQUIT, no socket
 *
 * Says on standard output, one line each: "ready PID", "quit" (a SIGQUIT came), "conn UID GID PID REQUEST"
 * (SO_PEERCRED), "load UID GID MODE PATH" (the library's), "file UID GID MODE PATH" and "folder UID GID MODE PATH" (the
 * recording's, as this process sees them), "held SECONDS".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { ARGS_MAX = 32, REQUEST_MAX = 16384, SPACE = 256 << 20, PAGE = 4096, ARGUMENTS = 5 };

static char *args[ARGS_MAX]; /* copies: the command line itself may be replaced */
static int socket_fd = -1, recording = -1;
static void *held;
static size_t held_bytes;
static bool started, feeding;
static off_t written; /* of the present recording */
static int which;     /* of `count` */

static const char *arg(const char *key, const char *otherwise)
{
    size_t n = strlen(key);
    for (int i = 0; args[i]; i++)
        if (strncmp(args[i], key, n) == 0 && args[i][n] == '=')
            return args[i] + n + 1;
    return otherwise;
}

static int number(const char *key, int otherwise)
{
    return atoi(arg(key, "")) + (*arg(key, "") ? 0 : otherwise);
}

static bool mode_is(const char *mode)
{
    return strcmp(arg("mode", "answer"), mode) == 0;
}

static __attribute__((noreturn)) void die(const char *what)
{
    printf("cannot %s: %s\n", what, strerror(errno));
    fflush(stdout);
    exit(1);
}

static void sleep_ms(int ms)
{
    usleep((useconds_t)ms * 1000);
}

/* One write, so that lines of several processes do not mix. */
static __attribute__((format(printf, 1, 2))) void say(const char *format, ...)
{
    char line[4096];
    va_list list;
    __builtin_va_start(list, format);
    int n = vsnprintf(line, sizeof line - 1, format, list);
    __builtin_va_end(list);
    n = n < (int)sizeof line - 1 ? n : (int)sizeof line - 2;
    line[n++] = '\n';
    (void)!write(1, line, (size_t)n);
}

static void map_library(void)
{
    int fd = open(arg("lib", ""), O_RDONLY);
    if (fd < 0 || mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) == MAP_FAILED)
        die("map the library");
    close(fd);
    mmap(NULL, SPACE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
}

static void listen_here(void)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    snprintf(un.sun_path, sizeof un.sun_path, "/tmp/.java_pid%d", getpid());
    socket_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    unlink(un.sun_path);
    if (bind(socket_fd, (void *)&un, sizeof un) < 0)
        die("bind");
    chmod(un.sun_path, 0600);
    if (!mode_is("nolisten") && listen(socket_fd, mode_is("full") ? 0 : 64) < 0)
        die("listen");
}

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The write takes the recording's lock and keeps it until the page is there. */
static void hold(void)
{
    do {
        double begun = seconds();
        (void)!pwrite(recording, held, held_bytes, 64 << 20);
        say("held %.2f", seconds() - begun);
    } while (strcmp(arg("hold", ""), "big") == 0);
}

static void write_file(const char *name)
{
    static const char open_chunk[68] = "FLR\0\0\2\0\0\0\0\0\0\x40\0\0";
    int fd = open(name, O_RDONLY);
    if (fd < 0)
        die("open a record");
    static char block[1 << 20];
    for (ssize_t n; (n = read(fd, block, sizeof block)) > 0; written += n)
        if (pwrite(recording, block, (size_t)n, written) != n)
            say("cannot write the recording: %s", strerror(errno));
    close(fd);
    (void)!pwrite(recording, open_chunk, sizeof open_chunk, written);
}

/* The records behind the first, which is there before `start` is answered; then all of them again. */
static void *feed(void *unused)
{
    (void)unused;
    bool first = true;
    do {
        char list[4096];
        snprintf(list, sizeof list, "%s", arg("records", ""));
        for (char *rest = list, *name; (name = strsep(&rest, ",")) && *name; first = false) {
            if (!first)
                write_file(name);
            sleep_ms(number("pause", 0) + which * number("step", 0));
        }
    } while (number("again", 0));
    feeding = false;
    if (held)
        hold();
    for (int i = 0; number("wobble", 0); i++) {
        (void)!ftruncate(recording, i % 2 ? INT64_MAX : i % 4 ? 0 : 100);
        sleep_ms(1);
    }
    return NULL;
}

static void *end_soon(void *unused)
{
    sleep_ms(number("die", 0));
    int by = number("by", SIGSEGV);
    if (by)
        kill(getpid(), by);
    else
        exit(0);
    return unused;
}

static void in_thread(void *(*body)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, NULL) != 0)
        die("start a thread");
}

static void say_owner(const char *what, const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0)
        say("%s %u %u %o %s", what, st.st_uid, st.st_gid, st.st_mode & 07777, path);
    else
        say("%s ? ? ? %s: %s", what, path, strerror(errno));
}

static void take_recording(char *options)
{
    char *file = strstr(options, ",file=");
    if (!file)
        return;
    file += strlen(",file=");
    file[strcspn(file, ",")] = '\0';
    say_owner("file", file);
    if (recording >= 0)
        close(recording);
    recording = open(file, O_RDWR);
    char *slash = strrchr(file, '/');
    if (slash)
        *slash = '\0';
    say_owner("folder", file);
    if (recording < 0) {
        say("cannot open the recording: %s", strerror(errno));
        return;
    }
    if (!started && number("die", 0))
        in_thread(end_soon);
    written = 0;
    char first[4096];
    snprintf(first, sizeof first, "%s", *arg("records", "") ? arg("records", "") : "/dev/null");
    first[strcspn(first, ",")] = '\0';
    write_file(first);
    if (!feeding && (*arg("records", "") || held)) {
        feeding = true;
        in_thread(feed);
    }
    started = true;
}

/* As a JVM that loads it. */
static void load(const char *path)
{
    say_owner("load", path);
    int fd = strcmp(arg("library", ""), "skip") == 0 ? -1 : open(path, O_RDONLY);
    if (fd < 0)
        return;
    mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    close(fd);
}

/* Version, command and three arguments, each ended by a zero byte: the library, whether its path is absolute, and the
 * options. */
static char *read_request(int c, char *request, char **library)
{
    size_t n = 0;
    int zeros = 0;
    while (zeros < ARGUMENTS && n < REQUEST_MAX - 1) {
        ssize_t got = read(c, request + n, REQUEST_MAX - 1 - n);
        if (got <= 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            zeros += !request[n + (size_t)i];
        n += (size_t)got;
    }
    request[n] = '\0';
    char *at = request;
    for (int i = 0; i < ARGUMENTS - 1 && at < request + n; i++) {
        at += strlen(at) + 1;
        if (i == 1)
            *library = at;
    }
    return at <= request + n ? at : request + n;
}

static void pour(int c)
{
    static char block[1 << 16];
    int random = open("/dev/urandom", O_RDONLY);
    (void)!read(random, block, sizeof block);
    close(random);
    /* CSI and NEL as C1 controls, and text from right to left: random bytes hold them now and then. */
    static const char acting[] = "0\n\xc2\x9b"
                                 "31m \xc2\x85 \xe2\x80\xae";
    memcpy(block, acting, sizeof acting - 1);
    if (mode_is("garbage"))
        (void)!write(c, block, PAGE);
    while (mode_is("flood") && write(c, block, sizeof block) > 0)
        ;
    while (mode_is("drip") && write(c, "0", 1) > 0)
        sleep(1);
    close(c);
}

static void serve(int c)
{
    static char request[REQUEST_MAX];
    struct ucred peer = {0};
    getsockopt(c, SOL_SOCKET, SO_PEERCRED, &peer, &(socklen_t){sizeof peer});
    if (mode_is("stop"))
        raise(SIGSTOP);
    char *library = request, *options = read_request(c, request, &library);
    say("conn %d %d %d %s", (int)peer.uid, (int)peer.gid, (int)peer.pid, options);
    if (mode_is("mute"))
        return;
    if (mode_is("drip") || mode_is("flood") || mode_is("garbage")) {
        pour(c);
        return;
    }
    if (*library == '/')
        load(library);
    if (!mode_is("refuse") && strncmp(options, "start,", strlen("start,")) == 0)
        take_recording(options);
    sleep_ms(number("delay", 0));
    const char *text = mode_is("refuse") ? "0\nreturn code: 100\n" : "0\nreturn code: 0\n";
    (void)!write(c, text, strlen(text));
    close(c);
}

static void on_quit(void)
{
    say("quit");
    if (mode_is("exec"))
        execl("/bin/sleep", "java", "1000", (char *)NULL);
    if (socket_fd < 0 && !mode_is("nosocket") && !mode_is("exec"))
        listen_here();
}

static __attribute__((noreturn)) void jvm(void)
{
    sigset_t quit;
    sigemptyset(&quit);
    sigaddset(&quit, SIGQUIT);
    if (number("sleeping", 0))
        for (say("ready %d", getpid());;)
            pause();
    /* The handler is what an agent sees; the signal itself is read. */
    signal(SIGQUIT, (void (*)(int))exit);
    sigprocmask(SIG_BLOCK, &quit, NULL);
    int quits = signalfd(-1, &quit, SFD_CLOEXEC);
    if (number("early", 1) && !mode_is("nosocket") && !mode_is("exec"))
        listen_here();
    say("ready %d", getpid());
    bool accepting = !mode_is("full") && !mode_is("nolisten");
    for (;;) {
        struct pollfd fds[] = {{.fd = quits, .events = POLLIN}, {.fd = accepting ? socket_fd : -1, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0)
            continue;
        struct signalfd_siginfo info;
        if (fds[0].revents && read(quits, &info, sizeof info) > 0)
            on_quit();
        int c = fds[1].revents ? accept4(socket_fd, NULL, NULL, SOCK_CLOEXEC) : -1;
        if (c >= 0)
            serve(c);
    }
}

static void prepare_hold(void)
{
    const char *name = arg("hold", NULL);
    if (!name)
        return;
    bool big = strcmp(name, "big") == 0;
    int fd = big ? -1 : open(name, O_RDONLY);
    held_bytes = big ? 2000UL << 20 : PAGE;
    held = mmap(NULL, held_bytes, PROT_READ, big ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED, fd, 0);
    if (held == MAP_FAILED)
        die("map what is to be held");
}

/* `at` lies in a block of the program's start that is more than a page long. */
static void replace_page(const char *file, const char *at, int i)
{
    if (!file)
        return;
    int fd = open(file, O_RDONLY);
    uintptr_t page = ((uintptr_t)at + 2 * PAGE - 1) & ~(uintptr_t)(PAGE - 1);
    if (fd < 0 ||
        mmap((void *)page, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, fd, (off_t)PAGE * (i % 200)) == MAP_FAILED)
        die("replace a page");
    close(fd);
}

static void take_uid(int i)
{
    int uids = number("uids", 0);
    if (uids && (setgid((gid_t)(i % uids) + 1) < 0 || setuid((uid_t)(i % uids) + 1) < 0))
        die("take a user id");
    prctl(PR_SET_DUMPABLE, 1);
}

static __attribute__((noreturn)) void child(int i, const char *long_argument, const char *long_variable)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    which = i;
    take_uid(i);
    replace_page(arg("argpage", NULL), long_argument, i);
    replace_page(arg("envpage", NULL), long_variable, i);
    jvm();
}

/* Starts itself once more with room for replace_page() in both blocks. */
static void start_over(char **argv)
{
    enum { ROOM = 5 * PAGE };
    static char fill[ROOM], variable[ROOM + 8] = "FILL=";
    char *again[ARGS_MAX + 3] = {argv[0]};
    int n = 1;
    for (; argv[n] && n < ARGS_MAX; n++)
        again[n] = argv[n];
    memset(fill, 'a', sizeof fill - 1);
    memset(variable + strlen("FILL="), 'b', ROOM);
    again[n++] = fill;
    execve("/proc/self/exe", again, (char *[]){variable, NULL});
    die("start over");
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc && i < ARGS_MAX; i++)
        args[i - 1] = strdup(argv[i]);
    signal(SIGPIPE, SIG_IGN);
    if ((arg("argpage", NULL) || arg("envpage", NULL)) && !getenv("FILL"))
        start_over(argv);
    prepare_hold();
    map_library();
    int count = number("count", 1);
    if (count == 1 && !number("uids", 0)) {
        replace_page(arg("argpage", NULL), argv[argc - 1], 0);
        replace_page(arg("envpage", NULL), getenv("FILL"), 0);
        jvm();
    }
    for (int i = 0; i < count; i++)
        if (fork() == 0)
            child(i, argv[argc - 1], getenv("FILL"));
    for (;;)
        pause();
}
