"""The commands for people: jvms, doctor and record, beside a running agent and without one."""
import json
import re
import signal
import time

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
             ([], {"wrapper": ["prlimit", "--fsize=1048576"]}, "limits", "limited to files of 1024 KiB")]
    for options, more, name, text in cases:
        jvm = lab.jvm(options=options, **more)
        status, found, _ = doctor(lab, jvm.inner)
        equal(status, 1, f"exit status for {text}")
        equal(found[name]["result"], "problem", f"{name}: {found[name]}")
        check(text in found[name]["text"] and found[name]["remedy"], f"{name}: {found[name]}")
        jvm.kill()


@test
def doctor_finds_the_place_that_an_attach_takes(lab):
    """Where /tmp will not do for the library, the same others are looked at."""
    jvm = lab.jvm(wrapper=["sh", "-c", 'mount -o remount,noexec /tmp && exec "$@"', "noexec"])
    status, found, _ = doctor(lab, jvm.inner)
    equal((status, found["library"]["result"]), (0, "ok"), f"{found['library']}")
    place = found["library"]["text"].partition(" ")[0]
    check(place != "/tmp", f"{found['library']}")
    record(lab, "-d", "1s", "-q", "-o", lab.dir / "out.jfr", jvm.inner)
    check(list(jvm.root(place).glob("grafana-agent-asprof-*")), f"the library is not in {place}")


@test
def commands_know_what_an_agent_of_root_condemned(lab):
    """Its data are where root's are by default, and stay those of the user it runs as."""
    lab.receiver()
    agent = lab.agent(config=config())
    crashed = lab.jvm()
    crashed.quiet = None
    wait_for("profiler", crashed.profiler_runs)
    crashed.signal(signal.SIGABRT)
    agent.wait_log("level=error.*killed by SIGABRT")
    wait_for("the list", (lab.dir / "data" / "quarantine").exists)
    agent.stop()
    jvm = lab.jvm()
    # Seen by the commands alone.
    with_data = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "mount -t tmpfs none /var/lib && "
                 f'mkdir /var/lib/smolder && mount --bind {lab.dir}/data /var/lib/smolder && cd / && exec "$@"', "data",
                 lab.smolder]
    status, text = lab.call([*with_data, "doctor", jvm.inner])
    check(status == 1 and "smolder forgive" in text, f"doctor: {status} {text}")
    status, text = lab.call([*with_data, "record", "-d", "1s", "-q", "-o", lab.dir / "out.jfr", jvm.inner])
    check(status != 0 and not jvm.profiler_runs(), f"record: {status} {text}")
    status, text = lab.call([*with_data, "jvms", "--from="])
    check("refused" in text, f"jvms: {status} {text}")


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


def record(lab, *args, status=0, wrapper=(), seconds=60):
    got, text = lab.call([*wrapper, lab.smolder, "record", *map(str, args)], seconds)
    equal(got, status, f"exit status of record: {text}")
    return text


def left_alone(jvm):
    """Nothing runs in the JVM any more, and only the library is left of what was made."""
    wait_for("the profiler's end", lambda: not jvm.profiler_runs(), 5)
    equal(jvm.recordings(), [], "open recordings")
    equal([n for n in jvm.temporaries() if not n.startswith("grafana-agent-asprof-")], [], "files in /tmp")


def collapsed(path):
    return {line.rpartition(" ")[0]: int(line.rpartition(" ")[2]) for line in path.read_text().splitlines()}


@test
def record_in_every_format(lab):
    jvm = lab.jvm(version=25)
    out = lab.dir / "out"
    out.mkdir()
    begins = {"html": b"<!doctype html>", "pb.gz": b"\x1f\x8b", "jfr": b"FLR\0", "json": b"{", "txt": b"",
              "collapsed": b""}
    for suffix, begin in begins.items():
        text = record(lab, "-d", "1s", "-o", out / f"shop.{suffix}", jvm.inner)
        check(f"recording Shop ({jvm.inner}) for 1 s" in text and "done after" in text, text)
        got = (out / f"shop.{suffix}").read_bytes()
        check(got.lower().startswith(begin.lower()) and got, f"{suffix}: {got[:40]}")
        left_alone(jvm)
    check(any("Shop.bake" in stack for stack in collapsed(out / "shop.collapsed")), "no stack of the application")
    check("writing process_cpu" in record(lab, "-d1", "-q", "-o", out / "shop.pb.gz", "Shop"), "which profile it is")
    equal(sorted(p.name for p in out.iterdir()), sorted(f"shop.{s}" for s in begins), "files")


@test
def record_is_ended_by_signals(lab):
    """Ctrl-C, SIGTERM and a closed terminal: what is there is kept, and the JVM left alone."""
    jvm = lab.jvm()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        path = lab.dir / f"out-{number}.collapsed"
        process = lab.run([lab.smolder, "record", "-d", "600s", "-o", path, jvm.inner], "record")
        wait_for("a recording", lambda: "recording Shop" in process.text())
        wait_for("samples", jvm.profiler_runs)
        signal_after_a_second(process, number)
        equal(process.wait(20), 0, f"exit status after signal {number}: {process.text()}")
        check("interrupted after" in process.text(), process.text())
        check(sum(collapsed(path).values()) > 0, "no samples")
        left_alone(jvm)


def signal_after_a_second(process, number):
    """So that there are samples."""
    begun = time.monotonic()
    wait_for("a second", lambda: time.monotonic() - begun > 1)
    process.signal(number)


@test
def record_of_a_jvm_that_ends(lab):
    jvm = lab.jvm()
    path = lab.dir / "out.jfr"
    process = lab.run([lab.smolder, "record", "-d", "600s", "-o", path, "Shop"], "record")
    wait_for("a recording", lambda: "recording Shop" in process.text())
    signal_after_a_second(jvm, signal.SIGTERM)
    equal(process.wait(20), 0, f"exit status: {process.text()}")
    check(path.read_bytes().startswith(b"FLR\0"), "no recording")


@test
def record_in_a_container_and_as_its_user(lab):
    inside = lab.jvm(wrapper=CONTAINER)
    record(lab, "-d", "1s", "-e", "wall", "-o", lab.dir / "out.collapsed", inside.inner)
    check(any("Shop" in stack for stack in collapsed(lab.dir / "out.collapsed")), "no stack of the application")
    left_alone(inside)
    user = ["setpriv", "--reuid", "1234", "--regid", "1235", "--clear-groups", "--bounding-set=-all"]
    mine = lab.jvm(wrapper=user)
    text = record(lab, "-d", "1s", "--format=collapsed", "-o", "-", mine.inner, wrapper=user)
    check("Shop.bake" in text, text)


@test
def record_refuses_with_a_remedy(lab):
    jvm = lab.jvm(options=["-XX:+DisableAttachMechanism"])
    text = record(lab, "-d1", "-o", lab.dir / "out.html", jvm.inner, status=1)
    check("DisableAttachMechanism -- restart it without the flag" in text, text)
    check(not (lab.dir / "out.html").exists(), "an output")
    for args, said in ((["-o", "out.xml"], "names no format"), ([], "-o FILE is missing"),
                       (["-o", lab.dir], "is a directory"), (["-d", "0s", "-o", "x.html"], "expected 1s to 24h"),
                       (["-e", "cpu,itimer", "-o", "x.html"], "only one CPU event")):
        text = record(lab, *args, jvm.inner, status=2)
        check(said in text, text)
    check("no JVM matches" in record(lab, "-o", "x.html", "NoSuchMain", status=1), "no JVM")


def undisturbed(jvm, agent, before):
    equal(jvm.recordings(), before, "recordings")
    check(jvm.profiler_runs(), "the agent's profiler was stopped")
    equal(agent.jvms()[jvm.inner]["state"], "profiling", "state")


def profiled(lab, jvm, *args, **kw):
    agent = lab.agent(*args, **kw)
    agent.wait_state(jvm, "profiling")
    return agent, jvm.recordings()


@test
def record_through_the_agent(lab):
    """By chunks that the profiler closes, and by dumps."""
    receiver = lab.receiver()
    for interval, version in (("60s", 17), ("1s", 25)):
        jvm = lab.jvm(version=version)
        agent, before = profiled(lab, jvm, config=config(f'interval = "{interval}"'))
        equal(len(before), 1, "recordings")
        begun = time.monotonic()
        record(lab, "-d", "2s", "-o", lab.dir / "out.jfr", jvm.inner)
        check(1.5 < time.monotonic() - begun < 10, f"it took {time.monotonic() - begun:.1f} s with {interval}")
        undisturbed(jvm, agent, before)
        record(lab, "-d", "1s", "-e", "alloc,itimer", "-o", lab.dir / "out.collapsed", "Shop")
        check(any("Shop.bake" in stack for stack in collapsed(lab.dir / "out.collapsed")), "no stack of the program")
        text = record(lab, "-d", "1s", "-e", "wall", "-o", lab.dir / "out.html", jvm.inner, status=1)
        check(re.search(r"the agent samples event=itimer.*without wall", text), text)
        undisturbed(jvm, agent, before)
        (status, text) = lab.call([lab.smolder, "convert", "--output=-", "--format=collapsed", lab.dir / "out.jfr"])
        check(status == 0 and "Shop.bake" in text, f"convert: {text}")
        agent.stop()
        jvm.kill()
    receiver.check_valid()


@test
def record_through_the_agent_is_ended_by_a_signal(lab):
    lab.receiver()
    jvm = lab.jvm()
    agent, before = profiled(lab, jvm, config=config('interval = "60s"'))
    path = lab.dir / "out.collapsed"
    process = lab.run([lab.smolder, "record", "-d", "600s", "-o", path, jvm.inner], "record")
    signal_after_a_second(process, 0)
    signal_after_a_second(process, signal.SIGINT)
    equal(process.wait(20), 0, f"exit status: {process.text()}")
    check("interrupted after" in process.text(), process.text())
    check(sum(collapsed(path).values()) > 0, "no samples")
    undisturbed(jvm, agent, before)
    jvm.kill()
    agent.stop()


@test
def record_does_not_disturb_an_agent_that_cannot_be_asked(lab):
    lab.receiver()
    jvm = lab.jvm()
    agent = lab.agent("--server.http.listen-addr=", config=config())
    wait_for("a session", lambda: any(name.endswith("(deleted)") for name in jvm.recordings()))
    before = jvm.recordings()
    text = record(lab, "-d", "1s", "-o", lab.dir / "out.html", jvm.inner, status=1)
    check("is profiled by another agent: record through it with --from=URL" in text, text)
    equal(jvm.recordings(), before, "recordings")
    agent.stop()


@test
def record_takes_over_what_a_dead_agent_left(lab):
    lab.receiver()
    jvm = lab.jvm()
    agent, _ = profiled(lab, jvm, config=config())
    agent.kill()
    wait_for("the end of its children", lambda: not agent.alive())
    record(lab, "-d", "1s", "-o", lab.dir / "out.collapsed", jvm.inner)
    check(any("Shop.bake" in stack for stack in collapsed(lab.dir / "out.collapsed")), "no stack of the application")
    left_alone(jvm)


@test
def recordings_over_http_are_guarded(lab):
    """The same rules as for the rest of the API: origin, authentication, limits."""
    lab.receiver()
    jvm = lab.jvm()
    auth = 'http {\n auth {\n basic {\n username = "op"\n password = "pw"\n }\n }\n}\n'
    agent, before = profiled(lab, jvm, config=config('interval = "60s"'))
    start_time = jvms(lab)[0][jvm.inner]["start_time"]
    url = f"http://127.0.0.1:12345/api/v0/record?pid={jvm.inner}&start_time={start_time}&seconds="
    foreign = {"Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    equal(lab.machine.http("GET", url + "1", headers=foreign)[0], 403, "from another origin")
    for rest in ("0", "x", "99999999", ""):
        equal(lab.machine.http("GET", url + rest)[0], 400, f"seconds={rest}")
    equal(lab.machine.http("GET", url.replace(f"pid={jvm.inner}", "pid=1") + "1")[0], 404, "another process")
    equal(lab.machine.http("POST", "http://127.0.0.1:12345/api/v0/record/stop?token=", "")[0], 404, "no token")
    undisturbed(jvm, agent, before)
    agent.stop()
    agent, _ = profiled_with(lab, jvm, auth)
    text = record(lab, "-d", "1s", "-o", lab.dir / "out.jfr", jvm.inner, status=3)
    check("requires authentication; use --from=http://USER:PASSWORD@HOST:PORT" in text, text)
    record(lab, "-d", "1s", "--from=http://op:pw@127.0.0.1:12345", "-o", lab.dir / "out.jfr", jvm.inner)
    check((lab.dir / "out.jfr").read_bytes().startswith(b"FLR\0"), "no recording")
    agent.stop()


def profiled_with(lab, jvm, more):
    agent = lab.agent(config=more + config('interval = "60s"'))
    wait_for("a session", jvm.recordings)
    return agent, jvm.recordings()
