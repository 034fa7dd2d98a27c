"""Receivers of profiles other than pyroscope.write, with real JVMs."""
import gzip
import re
import signal

from lab import check, config, equal, need_java, test, wait_for


def files(folder, pattern):
    return sorted(p for p in folder.glob("*") if re.fullmatch(pattern, p.name)) if folder.exists() else []


def keep(lab, more=""):
    """A configuration that keeps what JVMs are profiled with in a folder of the test's own."""
    folder = lab.dir / "kept"
    text = config('interval = "1s"').replace("[pyroscope.write.test.receiver]", "[pyroscope.file.kept.receiver]")
    return folder, f'{text}\npyroscope.file "kept" {{\n  directory = "{folder}"\n{more}\n}}\n'


def chunks(data):
    """Sizes of the chunks of a recording, as its headers have them."""
    found = []
    while data:
        check(data[:4] == b"FLR\0", f"no chunk at the {len(found)}th")
        size = int.from_bytes(data[8:16], "big")
        check(68 < size <= len(data), f"chunk of {size} bytes, {len(data)} are left")
        found.append(size)
        data = data[size:]
    return found


@test
def recordings_and_profiles_are_kept(lab):
    """The recording of a JVM in a file that the JDK reads, and its profiles beside it."""
    jvm = lab.jvm()
    folder, text = keep(lab, '  rotate_interval = "4s"')
    agent = lab.agent(config=text)
    recording = f"unspecified-{jvm.inner}-[0-9a-f]{{8}}-\\d{{8}}T\\d{{6}}Z\\.jfr"
    first = wait_for("recording", lambda: files(folder, recording), 60)[0]
    wait_for("profile", lambda: files(folder, r"unspecified-.*\.process_cpu\.pb\.gz"), 30)
    status, said = lab.call([f"{need_java(17)}/bin/jfr", "summary", first], seconds=60)
    equal(status, 0, f"status of jfr: {said}")
    check(re.search(r"jdk\.ExecutionSample\s+[1-9]", said), f"no samples in {first}: {said}")
    check(len(chunks(first.read_bytes())) >= 2, "the recording has but one chunk")
    with gzip.open(files(folder, r".*\.process_cpu\.pb\.gz")[0]) as profile:
        check(b"Shop.bake" in profile.read(), "no method of the program in the profile")
    check(agent.metric("smolder_file_written_bytes_total", format="jfr") > 0, "no bytes of JFR are counted")
    equal(agent.metric("smolder_file_dropped_total"), 0, "dropped")
    agent.stop()
    equal(files(folder, r".*\.part"), [], "incomplete files after the agent's end")
    for path in files(folder, recording):
        chunks(path.read_bytes())


@test
def a_killed_agent_leaves_recordings_that_are_repaired(lab):
    jvm = lab.jvm()
    folder, text = keep(lab, '  formats = ["jfr"]')
    agent = lab.agent(config=text)
    part = wait_for("recording", lambda: files(folder, r".*\.jfr\.part"), 60)[0]
    wait_for("bytes", lambda: part.stat().st_size > 0)
    agent.kill()
    with open(part, "ab") as f:
        f.write(b"FLR\0half a chunk")
    jvm.kill()
    lab.jvms.remove(jvm)
    agent = lab.agent(config=text)
    whole = part.with_name(part.name.removesuffix(".part"))
    wait_for("repaired recording", whole.exists)
    check(chunks(whole.read_bytes()), "no chunk is left")
    equal(files(folder, r".*\.pb\.gz"), [], "profiles, which were not asked for")


@test
def a_full_directory_keeps_the_newest(lab):
    lab.jvm()
    folder, text = keep(lab, '  rotate_size = "64k"\n  max_size = "128k"\n  rotate_interval = "1s"')
    agent = lab.agent(config=text)

    def removed():
        status, body = agent.http("GET", "/api/v0/web/components/pyroscope.file.kept")
        return status == 200 and re.search(r'"removed_files".{0,80}?"value":"?[1-9]', body)

    wait_for("removed files", removed, 90)
    size = sum(-(-p.stat().st_size // 4096) * 4096 for p in files(folder, ".*"))
    check(size <= 128 << 10, f"{size} bytes in the directory")
    agent.signal(signal.SIGTERM)
    equal(agent.wait(20), 0, "exit status")
