"""The commands for people: jvms, doctor and record, beside a running agent and without one."""
import json
import re
import signal

from lab import CONTAINER, check, config, equal, test, wait_for


def jvms(lab, *args, status=0, wrapper=()):
    """What `smolder jvms --json` says: {pid: {...}}, and all of its answer."""
    got, text = lab.call([*wrapper, lab.smolder, "jvms", "--json", *args])
    equal(got, status, f"exit status of jvms: {text}")
    answer = json.loads(text[text.index("{"):])
    return {j["pid"]: j for j in answer["jvms"]}, answer


def doctor(lab, what, *args):
    """(exit status, {name: precondition}, all of the answer)."""
    status, text = lab.call([lab.smolder, "doctor", "--json", *args, str(what)])
    check(status in (0, 1), f"doctor: {status} {text}")
    answer = json.loads(text[text.index("{"):])
    return status, {p["name"]: p for p in answer["preconditions"]}, answer


def untouched(jvm):
    """No attach socket, no file of ours."""
    equal(jvm.temporaries(), [], "files in /tmp")
    check(not (jvm.root(f"/tmp/.java_pid{jvm.inner}")).exists(), "the attach listener was started")


@test
def jvms_without_an_agent(lab):
    plain, forbidden = lab.jvm(), lab.jvm(version=25, options=["-XX:+DisableAttachMechanism"])
    inside = lab.jvm(wrapper=CONTAINER)
    found, answer = jvms(lab)
    equal(answer["agent"], False, "agent")
    equal(sorted(found), sorted(j.inner for j in (plain, forbidden, inside)), "process IDs")
    equal((found[plain.inner]["state"], found[plain.inner]["reason"]), ("waiting", "no agent is running"), "state")
    equal(found[forbidden.inner]["state"], "refused", "state")
    equal(found[forbidden.inner]["reason_code"], "attach_disabled", "code")
    check("DisableAttachMechanism" in found[forbidden.inner]["reason"], found[forbidden.inner])
    for jvm, version in ((plain, "17."), (forbidden, "25"), (inside, "17.")):
        row = found[jvm.inner]
        check(row["version"].startswith(version) and row["vendor"] and row["main"] == "Shop", f"row: {row}")
    equal(found[inside.inner]["uid"], 1234, "uid of the container's")
    status, text = lab.call([lab.smolder, "jvms"])
    equal(status, 0, "exit status")
    lines = text.splitlines()
    check(re.match(r"PID +USER +CONTAINER +VERSION +VENDOR +MAIN +STATE +WHY$", lines[0]), f"head: {lines[0]}")
    equal(len(lines), 4, f"lines of {text}")
    for jvm in (plain, inside):
        untouched(jvm)


@test
def jvms_with_an_agent(lab):
    lab.receiver()
    jvm, forbidden = lab.jvm(), lab.jvm(options=["-XX:+DisableAttachMechanism"])
    agent = lab.agent(config=config())
    agent.wait_state(jvm, "profiling")
    agent.wait_reason(forbidden, "DisableAttachMechanism")
    other = lab.jvm(java=lab.jdk_copy() / "bin" / "java", wrapper=["env", "-"])
    found, answer = jvms(lab)
    equal(answer["agent"], True, "agent")
    equal((found[jvm.inner]["state"], found[jvm.inner]["reason"]), ("profiling", ""), "state")
    equal((found[forbidden.inner]["state"], found[forbidden.inner]["reason_code"]), ("refused", "attach_disabled"),
          "state")
    check("restart it" in found[forbidden.inner]["remedy"], found[forbidden.inner])
    check(other.inner in found, "a JVM that is no target is not listed")
    found, answer = jvms(lab, "--from=")
    equal((answer["agent"], found[jvm.inner]["state"]), (False, "profiling"), "without asking the agent")
    status, text = lab.call([lab.smolder, "jvms", "--from=http://127.0.0.1:9"])
    equal(status, 3, f"exit status of an agent that is not there: {text}")
    agent.stop()


@test
def jvms_of_others_are_counted(lab):
    """Without the rights to see them, it says so."""
    lab.jvm()
    status, text = lab.call(["setpriv", "--reuid", "1234", "--regid", "1234", "--clear-groups",
                             "--bounding-set=-all", lab.smolder, "jvms"])
    equal(status, 0, f"exit status: {text}")
    check(re.search(r"\d+ processes of other users cannot be read, 1 of them called java: run it as root", text), text)


@test
def doctor_of_a_jvm_that_works(lab):
    for version in (17, 25):
        jvm = lab.jvm(version=version)
        status, found, answer = doctor(lab, jvm.inner)
        equal((status, answer["would_work"]), (0, True), f"status: {answer}")
        equal({p["result"] for p in found.values()} - {"ok", "unknown"}, set(), "results")
        for name in ("process", "jvm", "running", "container", "profilers", "memory", "limits", "signals",
                     "confinement", "perf_events", "user", "attach", "library", "version", "quarantine", "recording"):
            check(name in found, f"no line about {name}")
        untouched(jvm)
        jvm.kill()


@test
def doctor_names_what_is_wrong(lab):
    cases = [(["-XX:+DisableAttachMechanism"], {}, "attach", "DisableAttachMechanism"),
             (["-XX:-EnableDynamicAgentLoading"], {}, "attach", "EnableDynamicAgentLoading"),
             ([], {"wrapper": ["prlimit", "--fsize=1048576"]}, "limits", "limited to files of 1024 KiB"),
             ([], {"wrapper": ["sh", "-c", 'mount -o remount,noexec /tmp && exec "$@"', "noexec"]}, "library",
              "mounted noexec")]
    for options, more, name, text in cases:
        jvm = lab.jvm(options=options, **more)
        status, found, _ = doctor(lab, jvm.inner)
        equal(status, 1, f"exit status for {text}")
        equal(found[name]["result"], "problem", f"{name}: {found[name]}")
        check(text in found[name]["text"] and found[name]["remedy"], f"{name}: {found[name]}")
        jvm.kill()
    lab.call(["mount", "-o", "remount,exec", "/tmp"])


@test
def doctor_of_what_is_no_jvm(lab):
    status, found, _ = doctor(lab, 1)
    equal((status, found["jvm"]["code"]), (1, "not_hotspot"), "a process that is no JVM")
    status, found, _ = doctor(lab, 99999)
    equal((status, found["process"]["result"]), (1, "problem"), "no process")
    status, text = lab.call([lab.smolder, "doctor", "NoSuchMain"])
    check(status == 1 and "no JVM matches" in text, f"{status} {text}")
    status, text = lab.call([lab.smolder, "doctor"])
    check(status == 2 and "--help" in text, f"{status} {text}")
    status, text = lab.call([lab.smolder, "doctor", "--events=cpu,itimer", "1"])
    check(status == 2 and "only one CPU event" in text, f"{status} {text}")


@test
def doctor_of_a_stopped_jvm(lab):
    jvm = lab.jvm()
    jvm.signal(signal.SIGSTOP)
    wait_for("a stopped JVM", lambda: doctor(lab, jvm.inner)[1]["process"]["code"] == "stopped")
    jvm.signal(signal.SIGCONT)
    wait_for("a JVM that works", lambda: doctor(lab, "Shop")[0] == 0)


@test
def doctor_and_a_session_that_runs(lab):
    lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent(config=config())
    agent.wait_state(jvm, "profiling")
    status, found, _ = doctor(lab, jvm.inner)
    equal(status, 0, "exit status")
    check("smolder is profiling it" in found["profilers"]["text"], found["profilers"])
    agent.stop()
