"""JVMs in containers: namespaces, users and file systems of their own."""
from cgroups import cgroups
from lab import CONTAINER, Skip, check, config, debug_value, equal, test, wait_for

METHODS = {
    "process_cpu": "Shop.bake",
    "memory": "Shop.wrapParcel",
    "mutex": "Shop.openVault",
    "block": "Shop.passTurnstile",
}


@test
def container(lab):
    receiver = lab.receiver()
    jvm = lab.jvm(wrapper=CONTAINER)
    agent = lab.agent(config=config('interval = "2s"'))
    for name, method in METHODS.items():
        receiver.wait_stack(method, type=name, service="unspecified")
    receiver.check_valid()
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")
    left = jvm.temporaries()
    equal([name.rpartition("-")[0] for name in left], ["grafana-agent-asprof-glibc"], "left in the target's /tmp")
    library = jvm.root(f"/tmp/{left[0]}/lib/libasyncProfiler.so").stat()
    equal((library.st_uid, library.st_mode & 0o777), (1234, 0o755), "owner and mode of the library")
    folder = jvm.root(f"/tmp/{left[0]}").stat()
    equal((folder.st_uid, folder.st_mode & 0o7777), (1234, 0o700), "owner and mode of its folder")
    equal(list(lab.dir.glob(".attach_pid*")), [], "attach triggers")


def rootless(lab, mount="", *users):
    """A user namespace: its root is nobody outside, and what root outside makes looks like nobody's inside."""
    command = ["setpriv", "--reuid", "1234", "--regid", "1235", "--clear-groups",
               "unshare", "--user", *(users or ["--map-root-user"]), "--mount", "--pid", "--fork", "--kill-child",
               "--mount-proc",
               "sh", "-c", mount + 'exec "$@"', "container"]
    status, text = lab.call([*command, "true"])
    if status:
        raise Skip(f"no user namespaces here: {text.strip()}")
    return lab.jvm(wrapper=command)


@test
def rootless_container(lab):
    receiver = lab.receiver()
    jvm = rootless(lab)
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    check(jvm.alive(), "the JVM ended")


OWN_TMP = "mount -t tmpfs -o mode=1777 container /tmp && "


@test
def rootless_container_with_its_own_file_system(lab):
    """Root outside has no number in a file system that belongs to the user namespace: what is made there is its
    root's."""
    receiver = lab.receiver()
    jvm = rootless(lab, OWN_TMP)
    agent = lab.agent(config=config('interval = "1s"\nroll_over = "10s"'))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    wait_for("roll-over", lambda: agent.metric("smolder_gap_seconds_count") >= 1, 20, 0.2)
    agent.stop()
    check(not jvm.profiler_runs(), "the profiler still runs")
    left = jvm.temporaries()
    equal([name.rpartition("-")[0] for name in left], ["grafana-agent-asprof-glibc"], "left in the target's /tmp")
    library = jvm.root(f"/tmp/{left[0]}/lib/libasyncProfiler.so").stat()
    equal((library.st_uid, library.st_gid, library.st_mode & 0o777), (1234, 1235, 0o755),
          "owner and mode of the library")
    # The next agent finds it there.
    receiver.forget()
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    receiver.check_valid()


@test
def container_whose_namespace_has_no_root(lab):
    """Only the JVM's own user has a number there."""
    receiver = lab.receiver()
    jvm = rootless(lab, OWN_TMP, "--map-user=77", "--map-group=78", "--keep-caps")
    lab.agent(config=config())
    receiver.wait_stack("Shop.bake", type="process_cpu")
    check(jvm.alive(), "the JVM ended")


@test
def container_of_a_read_only_image(lab):
    """A root file system that cannot be written, but for /tmp."""
    receiver = lab.receiver()
    read_only = list(CONTAINER)
    read_only[read_only.index("-c") + 1] = "mount -o remount,bind,ro / && " + CONTAINER[CONTAINER.index("-c") + 1]
    jvm = lab.jvm(wrapper=read_only)
    lab.agent(config=config('interval = "1s"'))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    receiver.check_valid()
    check(jvm.alive(), "the JVM ended")


@test
def other_tmp_dir(lab):
    """tmp_dir holds on the host and in the target, where it may not exist yet."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    folder = lab.machine.path("/tmp/of-smolder")
    folder.mkdir(mode=0o755)
    lab.agent(config=config(java='tmp_dir = "/tmp/of-smolder"'))
    receiver.wait_stack("Shop.bake", type="process_cpu")
    names = sorted(p.name.rpartition("-")[0] for p in folder.iterdir())
    equal(names, ["grafana-agent-asprof-glibc", "grafana-agent-asprof-musl"], "layout on the host")
    for variant in folder.iterdir():
        equal(sorted(str(p.relative_to(variant)) for p in variant.rglob("*") if p.is_file()),
              ["bin/asprof", "lib/libasyncProfiler.so"], f"files of {variant.name}")
    maps = (lab.machine.path("/") / "proc" / str(jvm.inner) / "maps").read_text()
    check("/tmp/of-smolder/grafana-agent-asprof-glibc-" in maps, "the library is mapped from elsewhere")


@test
def forged_cgroup_names_make_no_container(lab):
    """Only the outermost name counts, and a user's word for it is worth less than that of root's runtime."""
    victim, own, users = "a" * 64, "b" * 64, "c" * 64
    names = {"victim": f"kubepods/pod1/cri-containerd-{victim}.scope",
             "in a container": f"docker-{own}.scope/docker-{victim}.scope",
             "in a service": f"tomcat.service/docker-{victim}.scope",
             "of a user": f"user.slice/user-1000.slice/user@1000.service/docker-{victim}.scope",
             "rootless": f"user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{users}.scope/container"}
    wanted = {"victim": (victim, "shop"), "in a container": (own, None), "in a service": (None, None),
              "of a user": (None, None),
              "rootless": (users, None)}
    labels = 'join = [{"__meta_kubernetes_pod_container_id" = "containerd://%s", "pod" = "shop"}]' % victim
    with cgroups() as place:
        jvms = {name: lab.jvm() for name in names}
        for name, path in names.items():
            place(jvms[name], path)
        agent = lab.agent(config=f'discovery.process "all" {{\n  {labels}\n}}\n')

        def seen():
            exports = debug_value(agent.component("discovery.process.all")["exports"])
            targets = {int(t["__process_pid__"]): t for t in exports.get("targets") or []}
            if not all(jvm.inner in targets for jvm in jvms.values()):
                return None
            return {name: (targets[jvm.inner].get("__container_id__"), targets[jvm.inner].get("pod"))
                    for name, jvm in jvms.items()}
        equal(wait_for("targets", seen), wanted, "containers")
        agent.stop()


@test
def a_container_is_known_by_its_mounts(lab):
    """An agent in the container of a JVM, with a cgroup namespace of its own, sees no cgroup that names it."""
    container = "d" * 64
    folder = lab.dir / "containers" / container
    folder.mkdir(parents=True)
    (folder / "hostname").write_text("shop\n")
    mounts = f'mount --bind {folder}/hostname /etc/hostname && exec "$@"'
    jvm = lab.jvm(wrapper=["unshare", "--cgroup", "--mount", "sh", "-c", mounts, "with-mounts"])
    join = '[{"__meta_docker_container_id" = "%s", "container" = "shop"}]' % container
    agent = lab.agent(config=f'discovery.process "all" {{\n  join = {join}\n}}\n', wrapper=["unshare", "--cgroup"])

    def seen():
        exports = debug_value(agent.component("discovery.process.all")["exports"])
        return next((t for t in exports.get("targets") or [] if t["__process_pid__"] == str(jvm.inner)), None)
    target = wait_for("its target", seen)
    equal((target.get("__container_id__"), target.get("container")), (container, "shop"), "container")
    agent.stop()
