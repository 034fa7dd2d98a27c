"""JVMs in containers of a real Docker daemon."""
from docker_lab import SOCKET, Docker
from lab import ROOT, Failure, Skip, check, equal, need_java, test, wait_for

EXAMPLE = (ROOT / "examples" / "docker-host.alloy").read_text()


def config(text=EXAMPLE):
    return text.replace("/var/run/docker.sock", SOCKET).replace(
        '[pyroscope.write.server.receiver]\n', '[pyroscope.write.server.receiver]\n  profiling_config {\n'
        '    interval = "1s"\n  }\n')


def services(receiver):
    return {p["labels"]["service_name"]: p["labels"] for p in receiver.profiles(type="process_cpu")}


@test(weight=2)
def docker_containers_name_their_jvms(lab):
    receiver, docker = lab.receiver(), Docker(lab)
    docker.run("shop")
    docker.run("left-out", "--label", "profiling=off")
    lab.jvm()
    agent = lab.agent(config=config())
    wait_for("the container and the host's JVM", lambda: {"shop", "Shop"} <= set(services(receiver)), 60)
    equal(services(receiver)["shop"]["container"], "shop", "label container")
    # Docker knows it before the next refresh, a minute later.
    docker.run("cart", "--label", "com.docker.compose.service=basket")
    wait_for("the new container", lambda: "basket" in services(receiver), 40)
    equal(services(receiver)["basket"]["container"], "cart", "label container")
    equal(sorted(services(receiver)), ["Shop", "basket", "shop"], "services")
    status, text = lab.call([lab.smolder, "discover", lab.dir / "config.alloy"])
    equal(status, 0, f"discover: {text}")
    check("dropped by rule 2 of discovery.relabel.jvms: drop, source_labels = "
          '[__meta_docker_container_label_profiling], regex = "off|false|no", value "off"' in text, text)
    check('profiled by pyroscope.java.jvms as "basket"' in text, text)
    agent.stop()
    receiver.check_valid()


@test
def a_docker_socket_that_may_not_be_opened_is_told(lab):
    Docker(lab, mode=0o600)
    agent = lab.agent(config=config())
    wait_for("health", lambda: "--user=UID:GID" in str(agent.component("discovery.docker.containers")["health"]), 30)
    agent.stop()


def swarm(docker):
    try:
        docker.call("swarm", "init", "--listen-addr=127.0.0.1:2377", "--advertise-addr=127.0.0.1")
    except Failure as e:
        raise Skip(f"no swarm here: {e}") from None


@test(weight=2)
def tasks_of_a_swarm_name_their_jvms(lab):
    receiver, docker = lab.receiver(), Docker(lab)
    swarm(docker)
    mounts = [("/usr", "/usr"), ("/etc", "/etc"), (lab.stage.classes, "/classes")]
    docker.call("service", "create", "--detach", "--name=shop", "--network=host", "--no-resolve-image",
                "--container-label=team=jvm",
                *(f"--mount=type=bind,src={a},dst={b},readonly" for a, b in mounts), "jvm",
                f"{need_java(17)}/bin/java", "-Xmx64m", "-XX:+UseSerialGC", "-cp", "/classes", "Shop")
    agent = lab.agent(config=f"""
pyroscope.write "test" {{
  endpoint {{
    url = "http://127.0.0.1:4040"
  }}
}}
discovery.dockerswarm "tasks" {{
  host             = "unix://{SOCKET}"
  role             = "tasks"
  refresh_interval = "1s"
}}
discovery.process "all" {{
  join = discovery.dockerswarm.tasks.targets
}}
discovery.relabel "jvms" {{
  targets = discovery.process.all.targets
  rule {{
    action        = "keep"
    source_labels = ["__meta_process_exe"]
    regex         = ".*/java"
  }}
  rule {{
    source_labels = ["__meta_dockerswarm_container_label_team"]
    target_label  = "team"
  }}
  rule {{
    source_labels = ["__meta_dockerswarm_node_role"]
    target_label  = "role"
  }}
}}
pyroscope.java "test" {{
  targets    = discovery.relabel.jvms.output
  forward_to = [pyroscope.write.test.receiver]
}}
""")
    wait_for("the task's JVM", lambda: "shop" in services(receiver), 60)
    labels = services(receiver)["shop"]
    equal((labels["team"], labels["role"]), ("jvm", "manager"), "labels")
    agent.stop()
