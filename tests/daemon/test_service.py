"""What `make install` installs, and whether the service can do its work with what its unit leaves it."""
import os
import pathlib
import re
import shutil
import subprocess

from lab import CONTAINER, ROOT, check, children, config, equal, helpers_of, named, proc_text, test

UNIT = ROOT / "packaging" / "smolder.service.in"


USER = 61234


def confined():
    """The command that starts a program as the unit does: an ordinary user with its capabilities and no more."""
    wanted = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M).group(1).split()
    bounds = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in wanted)])
    return ["setpriv", "--no-new-privs", f"--reuid={USER}", f"--regid={USER}", "--clear-groups",
            f"--bounding-set={bounds}", f"--inh-caps={bounds}", f"--ambient-caps={bounds}"]


def state_directory(lab):
    """As StateDirectory= of the unit makes it."""
    (lab.dir / "data").mkdir(mode=0o700)
    os.chown(lab.dir / "data", USER, USER)


def fields(pid, *names):
    """Of each thread of a process, as its status has them: a set of tuples."""
    found = set()
    for status in pathlib.Path(f"/proc/{pid}/task").glob("*/status"):
        lines = dict(line.split(":\t", 1) for line in status.read_text().splitlines() if ":\t" in line)
        found.add(tuple(lines[name].strip() for name in names))
    return found


NO_CAPABILITY = "0000000000000000"
SETS = ("CapInh", "CapPrm", "CapEff", "CapAmb")


def check_main(agent, user):
    """An ordinary user for good, in each of its threads."""
    equal(fields(agent.pid, "Uid", "Gid", "Groups", "NoNewPrivs", *SETS),
          {("\t".join([str(user)] * 4), "\t".join([str(user)] * 4), "", "1", *[NO_CAPABILITY] * 4)}, "main process")
    if "libasan" not in proc_text(agent.pid, "maps"):  # whose leak check traces the process
        equal(os.stat(f"/proc/{agent.pid}/mem").st_uid, 0, "owner of its memory")


def capabilities(pid):
    (text,), = fields(pid, "CapPrm")
    return int(text, 16)


def check_parsers(agent):
    """Each is a user of its own, with nothing of what made it one."""
    guard, = named(children(agent.pid), "smolder-guard")
    parsers = named(children(guard), "smolder-parser")
    check(parsers, "no parser process")
    for pid in parsers:
        (uid, *sets), = fields(pid, "Uid", *SETS)
        check(61100 <= int(uid.split()[0]) < 61200 and len(set(uid.split())) == 1, f"user of the parser: {uid}")
        equal(set(sets), {NO_CAPABILITY}, "capabilities of the parser")
    equal(agent.metric("smolder_parser_protection", protection="user"), 1, "protection")
    equal(fields(guard, "CapInh", "CapAmb"), {(NO_CAPABILITY, NO_CAPABILITY)}, "inherited capabilities of the guard")


@test
def the_unit_leaves_enough_to_profile(lab):
    """A JVM of another user, and one in a container."""
    receiver = lab.receiver()
    plain = lab.jvm(wrapper=["setpriv", "--reuid", "1234", "--regid", "1235", "--clear-groups"])
    contained = lab.jvm(wrapper=CONTAINER)
    state_directory(lab)
    agent = lab.agent(config=config(), wrapper=confined())
    check_main(agent, USER)
    for jvm in (plain, contained):
        receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    check_parsers(agent)
    # One of another name, if a JVM of the host got there first.
    copies = lab.machine.path("/tmp").glob("grafana-agent-asprof-glibc-*")
    check(0 in {copy.stat().st_uid for copy in copies}, "root does not own the host's copy of the profiler")
    agent.stop()
    check(not plain.profiler_runs() and not contained.profiler_runs(), "a profiler still runs")


@test
def the_main_process_does_not_stay_root(lab):
    """Nor do its threads; the helper and its guard keep what the table of operations needs, and CAP_KILL."""
    receiver = lab.receiver()
    jvm = lab.jvm()
    old = lab.dir / "data"
    old.mkdir(mode=0o700)  # what an older version left
    (old / "quarantine").write_text("")
    agent = lab.agent(config=config())
    agent.wait_log("the main process runs without privileges.* user=65532 uid=65532")  # which has no name here
    receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    check_main(agent, 65532)
    equal({p.stat().st_uid for p in (old, old / "quarantine")}, {65532}, "owners of the data")
    guard, = named(children(agent.pid), "smolder-guard")
    helper, = helpers_of(agent)
    for pid in (guard, helper):
        equal(hex(capabilities(pid)), "0x4000801e4", f"capabilities of {proc_text(pid, 'comm').strip()}")
        equal(fields(pid, "CapInh", "CapAmb"), {(NO_CAPABILITY, NO_CAPABILITY)}, "inherited capabilities")


@test
def another_user_or_root_on_demand(lab):
    agent = lab.agent("--user=4321:4322", config="")
    equal(fields(agent.pid, "Uid", "Gid"), {("\t".join(["4321"] * 4), "\t".join(["4322"] * 4))}, "main process")
    equal((lab.dir / "data").stat().st_uid, 4321, "owner of the data")
    agent.stop()
    shutil.rmtree(lab.dir / "data")
    agent = lab.agent("--user=root", config="")
    agent.wait_log("level=warn msg=\"the main process keeps running as root")
    equal(fields(agent.pid, "Uid"), {("\t".join(["0"] * 4),)}, "main process")
    agent.stop()
    unknown = lab.start_agent("--user=nobody-of-this-name", config="")
    equal(unknown.wait(10), 3, "exit status")
    check("--user=nobody-of-this-name: no user" in unknown.text(), unknown.text())
    lab.agents.remove(unknown)


@test
def the_unit_leaves_no_more(lab):
    """Its capabilities are counted, so that one more is a decision."""
    status, text = lab.call([*confined(), "grep", "CapEff", "/proc/self/status"])
    equal(status, 0, f"setpriv: {text}")
    equal(bin(int(text.split()[1], 16)).count("1"), 6, "capabilities")


@test
def the_unit_does_not_forbid_openat2(lab):
    """RestrictSUIDSGID= does, because its filter cannot see what that call creates; then no JVM is profiled."""
    set_to = [line for line in UNIT.read_text().splitlines() if line.startswith("RestrictSUIDSGID=")]
    equal(set_to, [], "in the unit")


@test
def the_unit_permits_landlock(lab):
    """@system-service of systemd 252 has none of its calls."""
    permitted = re.findall(r"^SystemCallFilter=(?!~)(.*)$", UNIT.read_text(), re.M)
    for name in ("landlock_create_ruleset", "landlock_restrict_self"):
        check(name in " ".join(permitted).split(), f"not permitted: {name}")


def install(lab, into):
    """Under `into`; returns the unit's text."""
    done = subprocess.run(["meson", "install", "-C", lab.stage.build, "--no-rebuild", "--quiet", "--strip", "--destdir",
                           into],
                          capture_output=True, text=True)
    equal(done.returncode, 0, done.stdout + done.stderr)
    return next(into.rglob("smolder.service")).read_text()


@test
def installs_a_service(lab):
    """The program, the unit with its paths filled in, the example as its configuration, the manual."""
    into = lab.dir / "root"
    unit = install(lab, into)
    check("@" not in unit.replace("@system-service", "").replace("@resources", ""), unit)
    user = re.search(r"^User=(\S+)$", unit, re.M).group(1)
    sysusers = next(into.rglob("sysusers.d/smolder.conf")).read_text()
    check(re.search(rf"^u {user} ", sysusers, re.M), sysusers)
    program, folder = (into / path.lstrip("/")
                       for path in re.search(r"^ExecStart=(\S+) run .* (\S+)$", unit, re.M).groups())
    check(program.stat().st_size < 8 << 20, "the installed program is larger than 8 MB")
    equal(subprocess.run([program, "validate", folder]).returncode, 0, "the installed configuration")
    manual = re.search(r"^Documentation=file:(?://)?(\S+)$", unit, re.M).group(1)
    check((into / manual.lstrip("/")).exists(), f"no {manual}")
    mine, = folder.iterdir()
    mine.rename(folder / "mine.alloy")
    install(lab, into)
    equal([f.name for f in folder.iterdir()], ["mine.alloy"], "an operator's configuration after an upgrade")
