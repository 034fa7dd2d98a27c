"""Rights: what the agent does in a target is done with the target's rights and no others, and cannot be taken over by
its user."""
import re
import time

from attack import (ALICE, EVE, MALLORY, PRIVATE_TMP, check_live, check_rights, connected, container_root, fake, flames,
                    innocent, machine_status, need_user_namespaces, own_namespaces, owned_by_root, rights, settled,
                    staged, user)
from lab import check, config, equal, proc_text, test, wait_for


def acts_as(lab, wrapper, uid, gid, **options):
    """Whoever connects to the target has the target's rights and no more; nor is anything made with more."""
    agent = lab.agent(config=config())
    target = fake(lab, wrapper, delay=1500, early=0, **options)
    wait_for("connection", target.connections, 20)
    peer = wait_for("process that waits for the answer",
                    lambda: next((s for p in connected(lab, target) if (s := machine_status(lab, p))), None), 20)
    check_rights(rights(peer), uid, gid, rights(proc_text(target.pid, "status"))["Groups"])
    settled(agent, target)
    made = wait_for("recording", lambda: target.said("file"))[0]
    check(made[1] != "?", f"the recording: {made}")
    equal(owned_by_root(target.root("/dev/shm")), [], "files of root's in /dev/shm")
    return agent, target


@test
def what_attaches_to_a_users_jvm_has_that_users_rights(lab):
    """An ordinary user's JVM: user, group, no capability, no_new_privs in the child that talks to it."""
    agent, target = acts_as(lab, user(), MALLORY, MALLORY)
    equal([c[:2] for c in target.connections() if c[0] != MALLORY], [], "other ids on the attach socket")


@test
def what_attaches_to_a_jvm_has_its_supplementary_groups(lab):
    """The groups of the target, too, and none of root's."""
    acts_as(lab, ["setpriv", f"--reuid={MALLORY}", f"--regid={MALLORY}", "--groups=5001,5002", "--"], MALLORY, MALLORY)


@test
def what_attaches_to_a_jvm_takes_its_effective_ids(lab):
    """A JVM whose real and effective ids differ."""
    ids = [f"--ruid={ALICE}", f"--euid={EVE}", f"--rgid={ALICE}", f"--egid={EVE}"]
    acts_as(lab, ["setpriv", *ids, "--clear-groups", "--"], EVE, EVE)


@test
def what_attaches_to_root_of_a_user_namespace_is_the_user_outside(lab):
    """Root of a user namespace is the user that it maps to, without capabilities in that namespace either."""
    need_user_namespaces(lab)
    acts_as(lab, own_namespaces(MALLORY, PRIVATE_TMP), MALLORY, MALLORY)


@test
def what_attaches_to_root_of_a_container_has_no_capability(lab):
    """Root of a container without user namespace: user 0, and nothing else of root."""
    acts_as(lab, container_root(), 0, 0)


@test
def nothing_of_roots_is_made_beneath_a_users_target(lab):
    """After attach, recording and library: every file in the target's /tmp belongs to the target's user."""
    need_user_namespaces(lab)
    agent = lab.agent(config=config())
    for wrapper in (own_namespaces(MALLORY, PRIVATE_TMP),
                    ["unshare", "--mount", "--propagation", "private", "sh", "-c", PRIVATE_TMP + 'exec "$@"', "x",
                     *user(EVE)]):
        target = fake(lab, wrapper, early=0)
        wait_for("recording", lambda: target.said("file"))
        settled(agent, target)
        equal(owned_by_root(target.root("/tmp"), [str(target.root("/tmp"))]), [],
              "files of root's in the target's /tmp")
        for what, uid in [(w[0], w[1]) for word in ("file", "folder", "load") for w in target.said(word)]:
            check(uid == ("0" if "unshare" in wrapper[4:6] else str(EVE)),
                  f"{what} belongs to user {uid} in the target's eyes")


@test
def the_library_of_a_users_jvm_is_the_users_own(lab):
    """A real JVM in a container of an ordinary user: the library lies in a folder that only that user may enter."""
    receiver = lab.receiver()
    jvm = innocent(lab, wrapper=["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc",
                                 "--propagation", "private",
                                 "sh", "-c", PRIVATE_TMP + 'exec "$@"', "x", *user(ALICE)])
    lab.agent(config=config())
    flames(receiver, jvm)
    paths = set(re.findall(r" (/\S*libasyncProfiler\.so)",
                           (lab.machine.path("/proc") / str(jvm.inner) / "maps").read_text()))
    equal(len(paths), 1, f"libraries mapped: {paths}")
    library = jvm.root("/" + paths.pop().lstrip("/"))
    equal(library.stat().st_uid, ALICE, "owner of the library")
    folder = library.parent if library.parent.name != "lib" else library.parent.parent
    equal((folder.stat().st_uid, folder.stat().st_mode & 0o077), (ALICE, 0), "owner and mode of its folder")
    equal(owned_by_root(jvm.root("/tmp")), [], "files of root's in the target's /tmp")


PROWLED = "smolder"


def prowled(lab, *how, **options):
    """The target's user watches the agent's processes that run as him."""
    agent = lab.agent(config=config(), env={"SOME_TOKEN": "PLANTEDtoken"})
    prowler = lab.run([*user(), staged(lab, "prowler"), PROWLED, *how], name="prowler")
    wait_for("prowler", lambda: "up" in prowler.text())
    target = fake(lab, delay=1000, early=0, **options)
    return agent, prowler, target


@test
def what_attaches_is_closed_to_the_user_it_runs_as(lab):
    """The child with the target's ids can neither be traced nor read by that user: it was root's, and still holds what
    root opened."""
    agent, prowler, target = prowled(lab)
    wait_for("recording", lambda: target.said("file"), 20)
    settled(agent, target)
    time.sleep(1)  # the answer is out by then, and more calls follow
    check(re.search("^SEEN", prowler.text(), re.M), f"no process of the agent ran as the user: {prowler.text()}")
    equal(re.findall("^GOT.*", prowler.text(), re.M), [], "what the user got hold of")


@test
def stopping_what_attaches_stops_nobody_else(lab):
    """The user stops each such child as soon as it is there: another user's JVM is profiled, and nothing piles up."""
    receiver = lab.receiver()
    agent, prowler, target = prowled(lab, "stop", count=20)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    check_live(agent, 2)
    count = len([p for p in lab.machine.path("/proc").glob("[0-9]*/comm") if name_in(p).startswith("smolder")])
    check(count < 80, f"{count} processes of the agent")
    equal(re.findall("^GOT.*", prowler.text(), re.M), [], "what the user got hold of")


def name_in(path):
    try:
        return path.read_text()
    except OSError:
        return ""
