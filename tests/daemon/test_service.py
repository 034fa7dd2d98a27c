"""What `make install` installs, and whether the service can do its work with what its unit leaves it."""
import re
import subprocess

from lab import CONTAINER, ROOT, check, config, equal, test

UNIT = ROOT / "packaging" / "smolder.service.in"


def confined():
    """The command that starts a program with the capabilities of the unit and no more."""
    wanted = re.search(r"^CapabilityBoundingSet=(.*)$", UNIT.read_text(), re.M).group(1).split()
    bounds = ",".join(["-all", *(f"+{name.removeprefix('CAP_').lower()}" for name in wanted)])
    return ["setpriv", "--no-new-privs", f"--bounding-set={bounds}", f"--inh-caps={bounds}"]


@test
def the_unit_leaves_enough_to_profile(lab):
    """A JVM of another user, and one in a container."""
    receiver = lab.receiver()
    plain = lab.jvm(wrapper=["setpriv", "--reuid", "1234", "--regid", "1235", "--clear-groups"])
    contained = lab.jvm(wrapper=CONTAINER)
    agent = lab.agent(config=config(), wrapper=confined())
    for jvm in (plain, contained):
        receiver.wait_stack("Shop.bake", type="process_cpu", pid=str(jvm.inner))
    agent.stop()
    check(not plain.profiler_runs() and not contained.profiler_runs(), "a profiler still runs")


@test
def the_unit_leaves_no_more(lab):
    """Its capabilities are counted, so that one more is a decision."""
    status, text = lab.call([*confined(), "grep", "CapEff", "/proc/self/status"])
    equal(status, 0, f"setpriv: {text}")
    equal(bin(int(text.split()[1], 16)).count("1"), 6, "capabilities")


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
    check("@" not in unit.replace("@system-service", ""), unit)
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
