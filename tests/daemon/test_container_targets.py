"""Targets that name a container but no process, as Kubernetes and Docker have them, straight to pyroscope.java."""
import signal

from cgroups import cgroups
from lab import config, equal, test, wait_for

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
