"""What JVMs are called, and where targets come from."""
import re
import zipfile

from lab import ROOT, check, config, equal, need_java, test, wait_for

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
