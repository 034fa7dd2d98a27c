#include "base/cleanup.h"
#include "components/process_join.h"
#include "test.h"

/* "a=1,b=2" */
static struct labels *set(const char *text)
{
    cleanup_labels_builder struct labels_builder b = LABELS_BUILDER_INIT;
    struct str rest = str_of(text), pair, name;
    while (str_split(&rest, ',', &pair)) {
        if (str_split(&pair, '=', &name))
            labels_set(&b, name, pair);
    }
    return labels_build(&b, false);
}

static void check_joined(const char *process, bool delegated, const char *const *containers, size_t n, const char *want)
{
    struct labels *items[8], *p = set(process), *w = set(want);
    for (size_t i = 0; i < n; i++)
        items[i] = set(containers[i]);
    struct targets ts = {items, n};
    struct process_join j;
    process_join_init(&j, &ts);
    struct labels *got = process_join_apply(&j, p, delegated);
    if (!labels_equal(got, w)) {
        struct buf text = BUF_INIT(4096);
        labels_print(got, &text);
        FAIL_("%s: %s, want %s", process, buf_cstr(&text), want);
        buf_done(&text);
    }
    labels_unref(got);
    labels_unref(p);
    labels_unref(w);
    process_join_done(&j);
    for (size_t i = 0; i < n; i++)
        labels_unref(items[i]);
}

#define JOINED(process, want, ...)                                                                                     \
    check_joined(process, false, (const char *const[]){__VA_ARGS__},                                                   \
                 sizeof(const char *const[]){__VA_ARGS__} / sizeof(char *), want)

static void a_process_takes_over_its_container_s_labels(void)
{
    JOINED("__process_pid__=7,__container_id__=c1,x=own", "__process_pid__=7,__container_id__=c1,x=theirs,y=2",
           "__container_id__=c1,x=theirs,y=2");
}

static void a_process_in_no_known_container_stays_as_it_is(void)
{
    JOINED("__process_pid__=7,__container_id__=c1", "__process_pid__=7,__container_id__=c1", "__container_id__=c2,y=2");
    JOINED("__process_pid__=7", "__process_pid__=7", "__container_id__=c2,y=2", "z=3");
}

static void what_a_user_says_is_no_pod(void)
{
    static const char *const pod[] = {"__meta_kubernetes_pod_container_id=containerd://c1,x=theirs"},
                             *const docker[] = {"__meta_docker_container_id=c1,x=theirs"};
    check_joined("__container_id__=c1,x=own", true, pod, 1, "__container_id__=c1,x=own");
    check_joined("__container_id__=c1,x=own", false, pod, 1,
                 "__container_id__=c1,x=theirs,__meta_kubernetes_pod_container_id=containerd://c1");
    check_joined("__container_id__=c1,x=own", true, docker, 1,
                 "__container_id__=c1,x=theirs,__meta_docker_container_id=c1");
}

static void an_empty_container_label_deletes(void)
{
    JOINED("__container_id__=c1,x=own", "__container_id__=c1", "__container_id__=c1,x=");
}

static void of_containers_with_one_id_the_last_counts(void)
{
    JOINED("__container_id__=c1", "__container_id__=c1,port=2", "__container_id__=c1,port=1,only_first=1",
           "__container_id__=c1,port=2");
}

static void kubernetes_and_docker_ids_count_too(void)
{
    JOINED("__container_id__=c1", "__container_id__=c1,__meta_kubernetes_pod_container_id=containerd://c1",
           "__meta_kubernetes_pod_container_id=containerd://c1");
    JOINED("__container_id__=c1", "__container_id__=c1,__meta_docker_container_id=c1", "__meta_docker_container_id=c1");
}

static void check_id(const char *container, const char *want)
{
    struct labels *ls = set(container);
    if (!str_is(process_join_id(ls), want))
        FAIL_("%s: %.*s, want %s", container, STR_ARG(process_join_id(ls)), want);
    labels_unref(ls);
}

static void the_id_comes_from_the_first_source_that_has_one(void)
{
    check_id("__container_id__=a,__meta_kubernetes_pod_container_id=docker://b", "a");
    check_id("__container_id__=,__meta_kubernetes_pod_container_id=docker://b", "b");
    check_id("__meta_kubernetes_pod_container_id=cri-o://b,__meta_docker_container_id=c", "b");
    check_id("__meta_kubernetes_pod_container_id=other://b,__meta_docker_container_id=c", "");
    check_id("__meta_kubernetes_pod_container_id=,__meta_docker_container_id=c", "c");
    check_id("x=y", "");
}

int main(void)
{
    RUN(a_process_takes_over_its_container_s_labels);
    RUN(a_process_in_no_known_container_stays_as_it_is);
    RUN(what_a_user_says_is_no_pod);
    RUN(an_empty_container_label_deletes);
    RUN(of_containers_with_one_id_the_last_counts);
    RUN(kubernetes_and_docker_ids_count_too);
    RUN(the_id_comes_from_the_first_source_that_has_one);
    return REPORT();
}
