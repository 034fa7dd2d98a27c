"""What JVMs are called, and where targets come from."""
import re
import shutil
import zipfile

from lab import ROOT, Skip, check, config, debug_value, equal, need_java, proc_text, test, wait_for

EXAMPLE = (ROOT / "examples" / "all-java.alloy").read_text()


def jar(lab, name):
    """Shop of tests/apps as a jar of this name."""
    path = lab.dir / name
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("META-INF/MANIFEST.MF", "Main-Class: Shop\n")
        for file in lab.stage.classes.rglob("*.class"):
            archive.write(file, file.relative_to(lab.stage.classes))
    return path


def java(*arguments):
    return [f"{need_java(17)}/bin/java", "-Xmx64m", "-XX:+UseSerialGC", *map(str, arguments)]


def names(receiver):
    return sorted({p["labels"]["service_name"] for p in receiver.profiles()})


def wait_names(receiver, *wanted):
    wait_for(f"services {wanted}", lambda: names(receiver) == sorted(wanted), 40)


def make_run_flags():
    """What `make run` gives smolder, but for the store: a receiver is there instead."""
    line = re.search(r"^run:.*\n\t.*smolder run (.*)$", (ROOT / "Makefile").read_text(), re.M).group(1)
    return [word for word in line.split() if word.startswith("--") and "store" not in word]


@test
def two_jvms_are_two_services_with_make_run(lab):
    receiver = lab.receiver()
    lab.jvm()
    lab.jvm(command=java("-jar", jar(lab, "checkout.jar")))
    agent = lab.agent(*make_run_flags(), config=EXAMPLE)
    wait_names(receiver, "Shop", "checkout")
    agent.stop()


@test
def what_a_jvm_declares_is_its_service_name(lab):
    receiver = lab.receiver()
    lab.jvm(env={"OTEL_SERVICE_NAME": "cart", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"})
    lab.jvm(env={"OTEL_RESOURCE_ATTRIBUTES": "a=b,service.name=pay%20ment"})
    lab.jvm(options=["-Dotel.service.name=stock"])
    lab.jvm(env={"OTEL_SERVICE_NAME": "unknown_service:java"})
    agent = lab.agent(config=EXAMPLE)
    wait_names(receiver, "cart", "pay ment", "stock", "unspecified")
    agent.stop()
    receiver.check_valid()


@test
def a_rule_comes_before_what_a_jvm_declares(lab):
    receiver = lab.receiver()
    lab.jvm(env={"OTEL_SERVICE_NAME": "cart"})
    agent = lab.agent(config=config(rules='rule {\n target_label = "service_name"\n replacement = "mine"\n }'))
    wait_names(receiver, "mine")
    agent.stop()


@test
def facts_of_a_jvm_are_labels(lab):
    receiver = lab.receiver()
    archive = jar(lab, "stock.jar")
    lab.jvm(command=java("-jar", archive))
    text = config(rules="".join(
        f'rule {{\n source_labels = ["__meta_process_java_{fact}"]\n target_label = "java_{fact}"\n }}\n'
        for fact in ("vm", "main", "jar", "version")))
    text = text.replace('refresh_interval = "60s"', "discover_config {\n java = true\n }")
    agent = lab.agent(config=text)
    labels = receiver.wait(1)[0]["labels"]
    equal(labels["service_name"], "stock", "service name")
    equal((labels["java_vm"], labels["java_main"], labels["java_jar"]), ("hotspot", "stock", str(archive)), "facts")
    check(labels["java_version"].startswith("17."), f"version {labels['java_version']}")
    agent.stop()


def dnsmasq(lab, *records):
    """A DNS server of the machine's own, which its resolv.conf names."""
    program = shutil.which("dnsmasq", path="/usr/sbin:/usr/bin")
    if not program:
        raise Skip("no dnsmasq: apt-get install dnsmasq-base")
    resolv = lab.file("resolv.conf", "nameserver 127.0.0.1\nsearch test\n")
    equal(lab.call(["mount", "--bind", resolv, "/etc/resolv.conf"])[0], 0, "resolv.conf")
    server = lab.run([program, "--no-daemon", "--user=root", "--no-resolv", "--no-hosts", "--local=/test/",
                      "--listen-address=127.0.0.1", "--bind-interfaces", "--pid-file=", "--conf-file=/dev/null",
                      *records], name="dnsmasq", find=lambda pid: "dnsmasq" in proc_text(pid, "comm"))
    wait_for("DNS", lambda: "started, version" in server.text())
    return server


def targets_of(agent, name):
    exports = debug_value(agent.component(name)["exports"])
    return exports.get("targets")


def looked_up(label, names, kind, port="\n  port = 80"):
    return f"""discovery.dns "{label}" {{
  names = {names}
  type = "{kind}"{port}
  refresh_interval = "1s"
}}
"""


@test
def dns_records_are_targets(lab):
    server = dnsmasq(lab, "--srv-host=_jmx._tcp.test,shop2.test,9011", "--srv-host=_jmx._tcp.test,shop1.test,9010",
                     "--host-record=shop.test,10.1.0.1,fd00::1", "--address=/many.test/10.2.0.1",
                     "--mx-host=test,mail.test,10", "--dns-rr=zone.test,2,036e7331047465737400")
    text = (looked_up("srv", '["_jmx._tcp.test", "missing.test"]', "SRV", "") +
            looked_up("a", '["shop"]', "A") + looked_up("aaaa", '["shop.test."]', "AAAA") +
            looked_up("mx", '["test."]', "MX") + looked_up("ns", '["zone.test."]', "NS"))
    agent = lab.agent(config=text)
    wanted = {
        "srv": [{"__address__": f"shop{i}.test:901{i - 1}", "__meta_dns_name": "_jmx._tcp.test",
                 "__meta_dns_srv_record_target": f"shop{i}.test.", "__meta_dns_srv_record_port": f"901{i - 1}"}
                for i in (1, 2)],
        "a": [{"__address__": "10.1.0.1:80", "__meta_dns_name": "shop"}],
        "aaaa": [{"__address__": "[fd00::1]:80", "__meta_dns_name": "shop.test."}],
        "mx": [{"__address__": "mail.test:80", "__meta_dns_name": "test.",
                "__meta_dns_mx_record_target": "mail.test."}],
        "ns": [{"__address__": "ns1.test:80", "__meta_dns_name": "zone.test.",
                "__meta_dns_ns_record_target": "ns1.test."}],
    }
    for name, targets in wanted.items():
        wait_for(f"targets of {name}", lambda name=name: targets_of(agent, f"discovery.dns.{name}"))
        equal(targets_of(agent, f"discovery.dns.{name}"), targets, f"targets of {name}")
    # Without a server the targets stay.
    server.kill()
    wait_for("health", lambda: "could not resolve" in str(agent.component("discovery.dns.a")["health"]), 60)
    equal(targets_of(agent, "discovery.dns.a"), wanted["a"], "targets without a server")
    check(agent.metric("prometheus_sd_dns_lookup_failures_total", component_id="discovery.dns.a") >= 1, "failures")
    agent.stop()
