"""Targets that name a container but no process, as Kubernetes and Docker have them, straight to pyroscope.java."""
import json
import signal

from cgroups import cgroups
from lab import check, config, equal, test, wait_for

A, B, C = "a" * 64, "b" * 64, "c" * 64


def direct(targets):
    """A configuration with these targets of pyroscope.java, and no discovery."""
    text = config()
    start, end = text.index("discovery.process"), text.index("pyroscope.java")
    return (text[:start] + text[end:]).replace("discovery.relabel.java.output", "[" + ", ".join(targets) + "]")


def pod(container, name, more=""):
    return (f'{{"__meta_kubernetes_pod_container_id" = "{container}", "__meta_kubernetes_namespace" = "shop", '
            f'"__meta_kubernetes_pod_container_name" = "{name}"{more}}}')


def entering(folder):
    """Puts a program into a cgroup before it starts."""
    folder.mkdir(parents=True, exist_ok=True)
    return ["sh", "-c", f'echo $$ > {folder}/cgroup.procs && exec "$@"', "in-cgroup"]


@test
def targets_of_containers_are_the_jvms_in_them(lab):
    """Every JVM of the container, whenever it starts; other processes and other containers' JVMs are no targets."""
    receiver = lab.receiver()
    with cgroups() as place:
        first, second, stranger, forged = lab.jvm(), lab.jvm(), lab.jvm(), lab.jvm()
        place(first, f"kubepods/pod1/cri-containerd-{A}.scope")
        place(second, f"kubepods/pod1/cri-containerd-{A}.scope")
        place(stranger, f"kubepods/pod2/cri-containerd-{C}.scope")
        place(forged, f"user.slice/user-1000.slice/user@1000.service/docker-{A}.scope")
        agent = lab.agent(config=direct([
            pod(f"containerd://{A}", "web", ', "__meta_kubernetes_pod_container_port_number" = "1"'),
            pod(f"containerd://{A}", "web", ', "__meta_kubernetes_pod_container_port_number" = "2"'),
            pod(f"cri-o://{B}", "late"), pod("", "starting"), f'{{"__meta_docker_container_id" = "{"d" * 64}"}}']))
        for jvm in (first, second):
            agent.wait_state(jvm, "profiling")
        receiver.wait(type="process_cpu", service_name="java/shop/web")
        late = lab.jvm(wrapper=entering(place.top / f"kubepods/pod3/crio-{B}.scope"))
        place(late, f"kubepods/pod3/crio-{B}.scope")
        agent.wait_state(late, "profiling")
        receiver.wait(type="process_cpu", service_name="java/shop/late")
        equal(set(agent.jvms()), {first.inner, second.inner, late.inner}, "JVMs")
        equal(agent.lines("target skipped"), [], "targets that were skipped")
        equal(agent.lines("level=error"), [], "errors")
        first.signal(signal.SIGTERM)
        wait_for("its end", lambda: first.inner not in agent.jvms())
        # A process that is named comes first; without containers nobody watches.
        lab.file("config.alloy", direct([f'{{"__process_pid__" = "{stranger.inner}"}}']))
        equal(agent.reload()[0], 200, "status of the reload")
        agent.wait_state(stranger, "profiling")
        wait_for("the others' end", lambda: set(agent.jvms()) == {stranger.inner})
        agent.stop()


@test
def discover_shows_the_targets_of_containers(lab):
    """What `smolder discover` prints is what the agent has: also for targets without a process."""
    with cgroups() as place:
        named, plain, forged, other = (lab.jvm(env={"OTEL_SERVICE_NAME": "declared"}), lab.jvm(), lab.jvm(), lab.jvm())
        place(named, f"kubepods/pod1/cri-containerd-{A}.scope")
        place(plain, f"kubepods/pod2/cri-containerd-{B}.scope")
        place(forged, f"user.slice/user-1000.slice/user@1000.service/docker-{C}.scope")
        place(other, f"docker/{'e' * 64}")
        text = direct([pod(f"containerd://{A}", "web"), '{"__meta_dockerswarm_task_container_id" = "' + "e" * 64 + '"}',
                       *(pod(f"containerd://{B}", "shop", f', "port" = "{port}"') for port in (1, 2)),
                       f'{{"__meta_docker_container_id" = "{C}"}}', pod(f"containerd://{'d' * 64}", "elsewhere")])
        status, said = lab.call([lab.smolder, "discover", "--json", lab.file("discover.alloy", text)])
        equal(status, 0, f"exit status: {said}")
        answer = json.loads(said[said.index('{"targets"'):].splitlines()[0])
        shown = {t["pid"]: t for t in answer["targets"]}
        agent = lab.agent(config=text)
        for jvm in (named, plain, other):
            agent.wait_state(jvm, "profiling")
        equal(sorted(shown), sorted(agent.jvms()), "JVMs")
        for pid, jvm in agent.jvms().items():
            equal(shown[pid]["service_name"], jvm["service_name"], "service name")
            public = {k: v for k, v in shown[pid]["labels"].items() if not k.startswith("__")}
            equal(public, jvm["labels"], "labels")
        equal(shown[named.inner]["service_name"], "declared", "service name")
        equal(shown[plain.inner]["labels"]["port"], "2", "the target of several")
        check("2 targets of pyroscope.java are no JVMs of this host" in said, said)
        equal([(d["pid"], d["reason"]) for d in answer["dropped"]],
              [(forged.inner, "no target of any component")], "not profiled")
        agent.stop()


@test
def discover_shows_the_rule_that_drops_a_container(lab):
    with cgroups() as place:
        jvm, dropped = lab.jvm(), lab.jvm()
        place(jvm, f"kubepods/pod1/cri-containerd-{A}.scope")
        place(dropped, f"kubepods/pod2/cri-containerd-{B}.scope")
        pods = f"""discovery.relabel "pods" {{
  targets = [{pod(f"containerd://{A}", "web")}, {pod(f"containerd://{B}", "db")}]
  rule {{
    action        = "drop"
    source_labels = ["__meta_kubernetes_pod_container_name"]
    regex         = "db|cache"
  }}
}}
"""
        text = pods + direct([]).replace("targets    = []", "targets    = discovery.relabel.pods.output")
        status, said = lab.call([lab.smolder, "discover", lab.file("discover.alloy", text)])
        equal(status, 0, f"exit status: {said}")
        check(f'{jvm.inner} Shop: profiled by pyroscope.java.test as "java/shop/web"\n' in said, said)
        check(f"{dropped.inner} Shop: not profiled: dropped by rule 1 of discovery.relabel.pods: drop, source_labels = "
              '[__meta_kubernetes_pod_container_name], regex = "db|cache", value "db"\n' in said, said)
