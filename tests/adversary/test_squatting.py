"""Squatting: who makes a name first stops nobody from being profiled."""
import os

from attack import ALICE, EVE, FOLDER, MALLORY, check_live, fake, flames, innocent, listener, settled, user
from lab import check, config, equal, test, wait_for


def place_on_host(lab, uid=ALICE):
    """Where the library goes in the machine's own /tmp for a target of this user."""
    agent = lab.agent(config=config())
    target = fake(lab, user(uid))
    path = wait_for("library", lambda: target.said("load"), 20)[0][4]
    agent.stop()
    target.kill()
    folder = os.path.dirname(os.path.dirname(path))
    for made in lab.machine.path("/tmp").glob(FOLDER.replace("glibc-", "") + "*"):
        lab.call(["rm", "-rf", f"/tmp/{made.name}"])
    lab.call(["rm", "-rf", folder, path])
    return folder


def squatted(lab, make, uid=ALICE, by=EVE):
    """Another user has taken the name that was seen before, and the usual one: the JVM is profiled all the same."""
    folder = place_on_host(lab, uid)
    usual = "/tmp/" + os.path.basename(lab.layout().name)
    lab.call(["sh", "-c", f"rm -rf /tmp/{FOLDER.replace('glibc-', '')}*"])
    for name in {folder, usual}:
        status, text = lab.call([*user(by), "sh", "-c", make.format(folder=name)])
        equal(status, 0, f"squatting {name}: {text}")
    receiver = lab.receiver()
    jvm = innocent(lab, uid)
    agent = lab.agent(config=config())
    flames(receiver, jvm, 15)
    check(jvm.alive(), "the JVM ended")
    return agent, jvm


@test
def a_folder_of_another_user_is_no_obstacle(lab):
    """The library's folder belongs to another user."""
    squatted(lab, "mkdir -m 755 {folder}")


@test
def a_closed_folder_of_another_user_is_no_obstacle(lab):
    """The same with mode 0700 and something in it."""
    squatted(lab, "mkdir -p {folder}/lib; touch {folder}/lib/libasyncProfiler.so; chmod 700 {folder}")


@test
def a_file_of_another_user_is_no_obstacle(lab):
    """The library's folder is a file."""
    squatted(lab, "touch {folder}")


@test
def a_link_of_another_user_is_no_obstacle(lab):
    """The library's folder is a symbolic link to a folder of root's, in which nothing appears."""
    before = sorted(p.name for p in lab.machine.path("/srv").iterdir())
    squatted(lab, "ln -s /srv {folder}")
    equal(sorted(p.name for p in lab.machine.path("/srv").iterdir()), before, "files in the link's target")


@test
def a_pipe_of_another_user_is_no_obstacle(lab):
    """The library is a named pipe that nobody opens."""
    squatted(lab, "mkdir -p {folder}/lib; mkfifo {folder}/lib/libasyncProfiler.so")


@test
def a_library_of_another_users_is_never_loaded(lab):
    """Another user's file lies where the library goes, world-readable: the JVM maps a library of its own user's or
    root's."""
    agent, jvm = squatted(lab, "mkdir -p {folder}/lib; cp /bin/true {folder}/lib/libasyncProfiler.so; chmod -R 755 "
                               "{folder}")
    maps = (lab.machine.path("/proc") / str(jvm.inner) / "maps").read_text()
    paths = {line.split(None, 5)[5] for line in maps.splitlines() if "libasyncProfiler" in line}
    check(paths, "no library is mapped")
    for path in paths:
        check(jvm.root(path).stat().st_uid in (0, ALICE), f"{path} belongs to user {jvm.root(path).stat().st_uid}")


@test
def roots_own_jvm_is_profiled_beside_a_squatter(lab):
    """The same for a JVM of root on the host."""
    squatted(lab, "mkdir -p {folder}/lib; chmod 755 {folder}", uid=0)


@test
def an_agent_of_an_ordinary_user_leaves_no_trap(lab):
    """Someone runs the agent without rights, and stops it: root's agent profiles everybody's JVMs afterwards."""
    data = lab.dir / "mallory"
    data.mkdir()
    os.chown(data, MALLORY, MALLORY)
    first = lab.agent(f"--storage.path={data}", config=config(), wrapper=user())
    jvm = innocent(lab)
    first.wait_log("not running as root")
    check_live(first, 2)
    first.stop()
    receiver = lab.receiver()
    lab.agent(config=config())
    flames(receiver, jvm, 15)


@test
def a_socket_of_another_users_gets_no_command(lab):
    """Another user listens at the attach socket's name of a JVM: nothing is sent there, and the JVM writes nothing."""
    jvm = innocent(lab)
    trap = listener(lab, f"/tmp/.java_pid{jvm.inner}", user(EVE))
    agent = lab.agent(config=config())
    entry = settled(agent, jvm)
    check(entry.get("reason"), f"no reason: {entry}")
    check("GOT b'1" not in trap.text(), f"the trap got {trap.text()}")
    check(jvm.alive(), "the JVM ended")


@test
def a_trigger_of_another_users_makes_no_thread_dump(lab):
    """Another user has made .attach_pidN: either the JVM is profiled, or there is a reason; it writes nothing to its
    output."""
    jvm = innocent(lab)
    lab.call([*user(EVE), "sh", "-c", f"touch /tmp/.attach_pid{jvm.inner}; chmod 666 /tmp/.attach_pid{jvm.inner}"])
    agent = lab.agent(config=config())
    settled(agent, jvm)
    check_live(agent, 2)
    check(jvm.alive(), "the JVM ended")
    jvm.check_quiet()
