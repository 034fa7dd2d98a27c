"""What `smolder discover` says before anything is profiled."""
import json

from lab import CONTAINER, check, config, equal, test

PIPELINE = config(rules="""rule {
  action        = "drop"
  source_labels = ["__meta_process_commandline"]
  regex         = ".* -Dprofile=no .*"
}
""")


def discover(lab, text, *args, status=0):
    got, said = lab.call([lab.smolder, "discover", "--json", *args, lab.file("discover.alloy", text)])
    equal(got, status, f"exit status: {said}")
    return json.loads(said[said.index('{"targets"'):].splitlines()[0]), said


@test
def discover_shows_targets_and_the_rule_that_drops_the_rest(lab):
    jvm, inside = lab.jvm(), lab.jvm(wrapper=CONTAINER)
    dropped = lab.jvm(options=["-Dprofile=no"])
    other = lab.jvm(java=lab.jdk_copy() / "bin" / "java")
    answer, _ = discover(lab, PIPELINE)
    targets = {t["pid"]: t for t in answer["targets"]}
    equal(sorted(targets), sorted(j.inner for j in (jvm, inside, other)), "targets")
    equal((targets[jvm.inner]["component"], targets[jvm.inner]["service_name"]),
          ("pyroscope.java.test", "unspecified"), "what profiles it")
    equal(targets[inside.inner]["labels"]["__meta_process_uid"], "1234", "labels")
    equal(targets[jvm.inner]["labels"]["pid"], str(jvm.inner), "labels of rules")
    lost, = answer["dropped"]
    equal((lost["pid"], lost["main"], lost["component"], lost["rule"], lost["action"]),
          (dropped.inner, "Shop", "discovery.relabel.java", 3, "drop"), "dropped")
    check("-Dprofile=no" in lost["value"], f"value: {lost}")
    for process in (jvm, inside, dropped, other):
        equal(process.temporaries(), [], "files in /tmp")
    status, text = lab.call([lab.smolder, "discover", lab.dir / "discover.alloy"])
    equal(status, 0, "exit status")
    check(f'{jvm.inner} Shop: profiled by pyroscope.java.test as "unspecified"\n' in text, text)
    check(f'    pid = "{jvm.inner}"\n' in text, text)
    check(f"{dropped.inner} Shop: not profiled: dropped by rule 3 of discovery.relabel.java: drop, source_labels = "
          '[__meta_process_commandline], regex = ".* -Dprofile=no .*", value "' in text, text)


@test
def discover_finds_jvms_that_nobody_takes(lab):
    jvm = lab.jvm()
    answer, _ = discover(lab, 'discovery.process "all" { }\n')
    equal(answer["targets"], [], "targets")
    equal(answer["dropped"][0]["reason"], "a target of discovery.process.all, but of no pyroscope.java", "reason")
    answer, _ = discover(lab, "")
    equal((answer["dropped"][0]["pid"], answer["dropped"][0]["reason"]),
          (jvm.inner, "no target of any component"), "reason")
    status, text = lab.call([lab.smolder, "discover"])
    equal(status, 0, "exit status")
    check('profiled by pyroscope.java.jvms as "Shop"' in text, f"the built-in configuration: {text}")
    check(jvm.temporaries() == [], "files in /tmp")


@test
def discover_looks_into_modules(lab):
    jvm = lab.jvm()
    text = 'declare "all" {\n' + PIPELINE + '}\nall "x" { }\n'
    answer, _ = discover(lab, text)
    equal([(t["pid"], t["component"]) for t in answer["targets"]], [(jvm.inner, "all.x/pyroscope.java.test")],
          "targets")


@test
def discover_reports_what_it_cannot_run(lab):
    status, text = lab.call([lab.smolder, "discover", lab.file("bad.alloy", 'discovery.process "x" {\n  no = 1\n}\n')])
    equal(status, 1, "exit status")
    check("bad.alloy:2:3" in text, text)
    equal(lab.call([lab.smolder, "discover", lab.dir / "missing.alloy"])[0], 3, "exit status")
    equal(lab.call([lab.smolder, "discover", "--timeout=never"])[0], 2, "exit status")
