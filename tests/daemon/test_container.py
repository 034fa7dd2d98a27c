"""JVMs in containers: namespaces, users and file systems of their own."""
from lab import CONTAINER, check, config, equal, test

METHODS = {"process_cpu": "Shop.bake", "memory": "Shop.wrapParcel", "mutex": "Shop.openVault", "block": "Shop.passTurnstile"}


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
    equal((library.st_uid, library.st_mode & 0o777), (0, 0o755), "owner and mode of the library")
    equal(list(lab.dir.glob(".attach_pid*")), [], "attach triggers")


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
