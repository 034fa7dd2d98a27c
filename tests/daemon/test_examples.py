"""The configurations and modules below examples/ that need nothing but a host."""
import contextlib
import json
import os
import pathlib

from lab import ROOT, Skip, check, debug_value, equal, test, wait_for

EXAMPLES = ROOT / "examples"
ANNOTATION = "__meta_kubernetes_pod_annotation_profiles_grafana_com_java_enabled"


@contextlib.contextmanager
def unit(name):
    """A cgroup as systemd makes it, in its own hierarchy; the files that take a process."""
    for root in (pathlib.Path("/sys/fs/cgroup/systemd"), pathlib.Path("/sys/fs/cgroup/unified"),
                 pathlib.Path("/sys/fs/cgroup")):
        folder = root / "system.slice" / f"smolder-test-{os.getpid()}.slice" / name
        with contextlib.suppress(OSError):
            folder.mkdir(parents=True)
            break
    else:
        raise Skip("no cgroup of systemd that can be written to")
    if not (folder / "cgroup.procs").exists():
        raise Skip("no cgroup file system of systemd")
    try:
        yield folder / "cgroup.procs"
    finally:
        for path in (folder, folder.parent):
            with contextlib.suppress(OSError):
                path.rmdir()


def move(jvm, procs):
    try:
        procs.write_text(str(jvm.pid))
    except OSError as e:
        raise Skip(f"no process can be moved: {e}") from None


def discover(lab, text):
    status, said = lab.call([lab.smolder, "discover", "--json", lab.file("discover.alloy", text)], 60)
    equal(status, 0, f"exit status: {said}")
    return json.loads(said[said.index('{"targets"'):].splitlines()[0])


@test
def a_systemd_host_names_jvms_after_their_units(lab):
    with unit("tomcat.service") as procs:
        served, plain = lab.jvm(), lab.jvm()
        out = lab.jvm(env={"SMOLDER_PROFILING": "off"})
        move(served, procs)
        answer = discover(lab, (EXAMPLES / "systemd-host.alloy").read_text())
        targets = {t["pid"]: t for t in answer["targets"]}
        equal(sorted(targets), sorted([served.inner, plain.inner]), "targets")
        equal(targets[served.inner]["service_name"], "tomcat", "service name")
        equal(targets[served.inner]["labels"]["unit"], "tomcat.service", "unit")
        equal(targets[plain.inner]["service_name"], "Shop", "service name")
        equal([(d["pid"], d["rule"]) for d in answer["dropped"]], [(out.inner, 2)], "dropped")
        served.kill()


def select(lab, body):
    """What the modules of select.alloy leave: {instance: [targets]}."""
    module = lab.file("select.alloy", (EXAMPLES / "modules" / "select.alloy").read_text())
    agent = lab.agent(config=f'import.file "select" {{\n  filename = "{module}"\n}}\n{body}')
    instances = [c["localID"] for c in agent.components() if c["localID"].startswith("select.")]
    result = {}
    for name in instances:
        exports = debug_value(agent.component(name)["exports"])
        result[name.split(".")[-1]] = [t["n"] for t in exports["targets"]]
    agent.stop()
    return result


def target(number, **labels):
    pairs = "".join(f', "{k}" = "{v}"' for k, v in labels.items())
    return f'{{"n" = "{number}"{pairs}}}'


@test
def jvms_say_whether_they_are_profiled(lab):
    targets = ",\n".join([target(0), target(1, **{ANNOTATION: "false"}), target(2, __meta_process_profiling="off"),
                          target(3, __meta_docker_container_label_profiling="no"), target(4, **{ANNOTATION: "true"}),
                          target(5, __meta_process_profiling="on"),
                          target(6, **{ANNOTATION: "true", "__meta_process_profiling": "off"})])
    got = select(lab, f'select.opt_out "out" {{\n  targets = [{targets}]\n}}\n'
                      f'select.opt_in "in" {{\n  targets = [{targets}]\n}}\n')
    equal(got, {"out": ["0", "4", "5"], "in": ["4", "5", "6"]}, "targets")


@test
def namespaces_select_jvms(lab):
    targets = ",\n".join([target(0), target(1, __meta_kubernetes_namespace="shop"),
                          target(2, __meta_kubernetes_namespace="kube-system"),
                          target(3, __meta_kubernetes_namespace="test")])
    got = select(lab, f'select.namespaces "usual" {{\n  targets = [{targets}]\n}}\n'
                      f'select.namespaces "own" {{\n  targets = [{targets}]\n  keep = "shop|test"\n'
                      '  drop = "t.*"\n}\n')
    equal(got, {"usual": ["0", "1", "3"], "own": ["1"]}, "targets")


@test
def a_share_of_the_fleet_is_stable(lab):
    targets = [target(i, __container_id__=f"{i:064x}", __meta_process_commandline="java Shop") for i in range(400)]
    half = ",\n".join(targets[::2])
    text = (f'select.share "all" {{\n  targets = [{", ".join(targets)}]\n  one_in = 4\n}}\n'
            f'select.share "some" {{\n  targets = [{half}]\n  one_in = 4\n}}\n')
    got = select(lab, text)
    check(60 <= len(got["all"]) <= 140, f"{len(got['all'])} of 400, about 100 expected")
    equal(got["some"], [n for n in got["all"] if int(n) % 2 == 0], "the same ones, whoever else is there")


@test
def a_variable_keeps_a_jvm_out(lab):
    module = lab.file("select.alloy", (EXAMPLES / "modules" / "select.alloy").read_text())
    receiver = lab.receiver()
    jvm, out = lab.jvm(), lab.jvm(env={"SMOLDER_PROFILING": "off"})
    agent = lab.agent(config=f"""
import.file "select" {{
  filename = "{module}"
}}
discovery.process "all" {{
  discover_config {{
    java = true
  }}
}}
discovery.relabel "jvms" {{
  targets = discovery.process.all.targets
  rule {{
    action        = "keep"
    source_labels = ["__meta_process_java_vm"]
    regex         = "hotspot"
  }}
}}
select.opt_out "jvms" {{
  targets = discovery.relabel.jvms.output
}}
pyroscope.write "test" {{
  endpoint {{
    url = "http://127.0.0.1:4040"
  }}
}}
pyroscope.java "test" {{
  targets    = select.opt_out.jvms.targets
  forward_to = [pyroscope.write.test.receiver]
}}
""")
    receiver.wait(1)
    wait_for("one JVM", lambda: sorted(agent.jvms()) == [jvm.inner])
    check(not out.profiler_runs(), "the JVM that said no is profiled")
    agent.stop()
