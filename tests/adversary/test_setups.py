"""Ordinary set-ups that strictness must not refuse."""
import os
import re

from attack import (ALICE, DOCKER, MALLORY, PRIVATE_TMP, check_rights, connected, container_root, fake, flames,
                    innocent, library_place, machine_status, mapped, need_user_namespaces, own_namespaces,
                    owned_by_root, pod, rights, settled, user)
from lab import ROOT, Skip, check, config, equal, proc_text, test, wait_for


def works(lab, wrapper, **kw):
    receiver = lab.receiver()
    jvm = innocent(lab, wrapper=wrapper, **kw)
    agent = lab.agent(config=config())
    flames(receiver, jvm, 20)
    wait_for("state", lambda: agent.jvms().get(jvm.inner, {}).get("state") == "profiling", 10)
    agent.stop()
    check(jvm.alive(), "the JVM ended")
    check(not jvm.profiler_runs(), "the profiler still runs")
    receiver.check_valid()
    return jvm


@test
def a_volume_open_to_all_at_tmp_works(lab):
    """An emptyDir at /tmp: mode 0777, root's."""
    jvm = works(lab, pod("0777"))
    equal(owned_by_root(jvm.root("/tmp")), [], "files of root's")


@test
def a_setgid_volume_at_tmp_works(lab):
    """The same with fsGroup: mode 2777 and a group that is not the JVM's."""
    jvm = works(lab, pod("2777", "0:2000"))
    equal(owned_by_root(jvm.root("/tmp")), [], "files of root's")


@test
def a_volume_of_the_jvms_group_at_tmp_works(lab):
    """Mode 2775, writable by way of the JVM's group only."""
    wrapper = pod("2775", f"0:{ALICE}")
    works(lab, wrapper)


@test
def a_volume_by_a_supplementary_group_at_tmp_works(lab):
    """Mode 2770, writable by way of a supplementary group only, as fsGroup gives it."""
    wrapper = pod("2770", "0:2000")
    wrapper[wrapper.index("--clear-groups")] = "--groups=2000"
    works(lab, wrapper)


@test
def a_read_only_root_with_a_volume_works(lab):
    """readOnlyRootFilesystem, with the emptyDir that it needs."""
    works(lab, pod("0777", script="mount -o remount,bind,ro /\n"))


@test
def root_of_a_container_with_usual_capabilities_works(lab):
    """uid 0 with a runtime's default capabilities, emptyDir of mode 0777."""
    works(lab, pod("0777", uid=0, capabilities=DOCKER))


@test
def root_of_a_container_without_capabilities_works(lab):
    """drop: ALL, so that even DAC_OVERRIDE is gone; /tmp as the image has it."""
    works(lab, pod("1777", uid=0, capabilities=""))


@test
def root_of_a_container_with_a_tmp_of_another_works(lab):
    """Without DAC_OVERRIDE /tmp belongs to another user and is open to all."""
    works(lab, pod("0777", "1000:1000", uid=0, capabilities=""))


@test
def a_private_tmp_of_the_jvms_user_works(lab):
    """PrivateTmp-like: /tmp belongs to the JVM's user, mode 0700."""
    works(lab, pod("0700", f"{ALICE}:{ALICE}"))


RANGE = "0 100000 65536\\n"


@test
def root_of_a_mapped_user_namespace_works(lab):
    """hostUsers: false: ids from 100000 on; the JVM is root inside."""
    need_user_namespaces(lab)
    works(lab, mapped(RANGE, PRIVATE_TMP))


@test
def a_user_of_a_mapped_user_namespace_works(lab):
    """The same, and the JVM is user 1000 inside."""
    need_user_namespaces(lab)
    jvm = works(lab, [*mapped(RANGE, PRIVATE_TMP), "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--"])
    equal(owned_by_root(jvm.root("/tmp")), [], "files of root's")


@test
def a_mapped_user_namespace_with_a_volume_works(lab):
    """The same with an emptyDir of mode 0777 whose file system is the host's."""
    need_user_namespaces(lab)
    works(lab, ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount -t tmpfs -o mode=0777 volume /tmp; exec "$@"', "kubelet",
                *mapped(RANGE), "setpriv", "--reuid=1000", "--regid=1000", "--clear-groups", "--"])


@test
def a_user_without_a_name_on_the_host_works(lab):
    """An ordinary process of the host whose user is in no passwd."""
    works(lab, user(59876))


@test
def a_jvm_that_may_gain_no_privilege_works(lab):
    """no_new_privs, a seccomp-like environment's usual companion."""
    works(lab, ["setpriv", f"--reuid={ALICE}", f"--regid={ALICE}", "--clear-groups", "--no-new-privs",
                "--bounding-set=-all", "--"])


@test
def two_users_of_one_tmp_work(lab):
    """JVMs of two users and of root that share /tmp are all profiled."""
    receiver = lab.receiver()
    jvms = [innocent(lab, uid) for uid in (ALICE, ALICE + 1, 0)]
    lab.agent(config=config())
    for jvm in jvms:
        flames(receiver, jvm, 20)
    receiver.check_valid()


def image(uid, script="", capabilities=""):
    """A container as runtimes make it: its root is an overlay, /tmp and all, and its user is whoever the image says."""
    drop = ["--bounding-set=-all" + "".join(",+" + c for c in capabilities.split(",") if c), "--inh-caps=-all"]
    # A whiteout hides the host's /tmp, in which others may be writing.
    layers = ("mount -t tmpfs layers /mnt; mkdir /mnt/u /mnt/w /mnt/r; mknod /mnt/u/tmp c 0 0\n"
              "mount -t overlay -o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w none /mnt/r || exit 77\n"
              "r=/mnt/r; mkdir -m 1777 $r/tmp; mount -t proc proc $r/proc; mount --rbind /dev $r/dev\n")
    return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
            "sh", "-c", "set -e\n" + layers + script + '\nexec chroot $r "$@"', "image",
            "setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", *drop, "--"]


def layered(lab, uid, script="", own=True, capabilities=""):
    args = uid, script, capabilities
    status, text = lab.call([*image(*args), "true"])
    if status == 77:
        raise Skip(f"no overlay here: {text.strip()}")
    jvm = works(lab, image(*args))
    if uid and own:
        equal(owned_by_root(jvm.root("/tmp")), [], "files of root's")


@test
def a_user_of_a_layered_image_works(lab):
    """/tmp lies in the overlay that is the container's root."""
    layered(lab, ALICE)


@test
def root_of_a_layered_image_works(lab):
    """The same as root with a runtime's capabilities."""
    layered(lab, 0, capabilities=DOCKER)


@test
def an_image_of_a_container_that_was_profiled_works(lab):
    """Its layers have the library's folder already, of root's and with another file in it."""
    folder, library = library_place(lab)
    layered(lab, ALICE, f"mkdir -p $r{os.path.dirname(library)}; echo old >$r{library}\n", False)


@test
def a_read_only_layered_image_works(lab):
    """The overlay is read-only, but for a volume at /tmp."""
    layered(lab, ALICE, "mount -o remount,ro,bind $r; mount -t tmpfs -o mode=0777 volume $r/tmp\n")


def unit_capabilities():
    """Those that the packaged unit leaves the agent."""
    unit = next((ROOT / "packaging").glob("*.service*")).read_text()
    names = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.M)[1].lower().replace("cap_", "").split()
    return ["setpriv", "--bounding-set=-all" + "".join(",+" + n for n in names), "--inh-caps=-all", "--no-new-privs"]


@test(weight=2)
def all_of_it_works_with_the_units_capabilities(lab):
    """The agent has what its systemd unit leaves it: JVMs of a user, of a pod, of a layered image's root and of user
    namespaces."""
    need_user_namespaces(lab)
    receiver = lab.receiver()
    jvms = [innocent(lab), innocent(lab, wrapper=pod("0777")),
            innocent(lab, wrapper=pod("1777", uid=0, capabilities=DOCKER)),
            innocent(lab, wrapper=mapped(RANGE, PRIVATE_TMP)),
            innocent(lab, wrapper=own_namespaces(ALICE, PRIVATE_TMP))]
    agent = lab.agent(config=config(), wrapper=unit_capabilities())
    for jvm in jvms:
        flames(receiver, jvm, 20)
    agent.stop()
    check(not any(jvm.profiler_runs() for jvm in jvms), "a profiler still runs")


@test
def rights_are_taken_on_with_the_units_capabilities(lab):
    """The same agent attaches with the target's rights only, which takes some of its capabilities to do."""
    need_user_namespaces(lab)
    # Each target is killed right after its attach, which would be held against the next.
    agent = lab.agent(config=config(java="retry_crashed = true"), wrapper=unit_capabilities())
    for wrapper, uid in ((user(), MALLORY), (own_namespaces(MALLORY, PRIVATE_TMP), MALLORY), (container_root(), 0)):
        target = fake(lab, wrapper, delay=800, early=0)
        wait_for("connection", target.connections, 20)
        status = wait_for("process that waits for the answer",
                          lambda: next((s for p in connected(lab, target) if (s := machine_status(lab, p))), None), 20)
        check_rights(rights(status), uid, uid, rights(proc_text(target.pid, "status"))["Groups"])
        settled(agent, target)
        target.kill()
