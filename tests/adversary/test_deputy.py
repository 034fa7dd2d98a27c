"""Confused deputy: a target that has mounts, links or races of its own and wants the agent to use root's rights for
it."""
import os
import re
import time

from attack import (DOCKER, MALLORY, NO_VAR_TMP, PRIVATE_TMP, Victim, check_live, container_root, fake, flames,
                    innocent, library_place, need_fuse, need_user_namespaces, own_namespaces, owned_by_root, settled,
                    settled_twice, snapshot, staged, user)
from lab import Skip, check, config, equal, test, wait_for


def bound(lab, script, wrapper=own_namespaces, victim=None, **options):
    """Root's folder lies where `script` has put it ({victim}, {folder} and {library} are filled in); afterwards it is
    as before."""
    need_user_namespaces(lab)
    victim = victim or Victim(lab)
    folder, library = library_place(lab)
    script = script.format(victim=victim.inner, folder=folder, library=library)
    if wrapper is own_namespaces:
        wrapped = own_namespaces(MALLORY, PRIVATE_TMP + script)
    else:
        wrapped = wrapper(script)
    agent = lab.agent(config=config())
    target = fake(lab, wrapped, **options)
    settled_twice(agent, target)
    victim.check_untouched()
    check(target.alive(), "the target ended")
    return agent, target


@test
def a_folder_of_roots_as_the_librarys_folder_stays_as_it_is(lab):
    """A local user binds root's folder where the library goes: no mode, owner or content of it changes."""
    bound(lab, "mkdir -p {folder}; mount --bind {victim} {folder}")


@test
def a_folder_of_roots_as_the_librarys_lib_stays_as_it_is(lab):
    """A local user binds root's folder one level deeper, where the file itself goes."""
    bound(lab, "mkdir -p {folder}/lib; chmod 700 {folder}; mount --bind {victim} {folder}/lib")


@test
def a_file_of_roots_as_the_library_stays_as_it_is(lab):
    """A local user binds root's file over the library's."""
    bound(lab, "mkdir -p {folder}/lib; chmod 700 {folder}; touch {library}; mount --bind {victim}/file {library}",
          victim=Victim(lab, mode=0o711))


@test
def a_folder_of_roots_as_tmp_gets_nothing(lab):
    """A local user has root's folder as his /tmp: no .attach_pid, no recording and no library appears in it."""
    bound(lab, "mount --bind {victim} /tmp", mode="nosocket")


@test
def a_folder_of_roots_that_all_may_write_as_tmp_gets_no_file_of_roots(lab):
    """As before with a folder that others may write: what appears in it belongs to the target, not to root."""
    need_user_namespaces(lab)
    victim = Victim(lab, mode=0o777)
    known = [str(p) for p in victim.path.rglob("*")]
    agent = lab.agent(config=config())
    target = fake(lab, own_namespaces(MALLORY, f"mount --bind {victim.inner} /tmp"), early=0)
    settled_twice(agent, target)
    equal(owned_by_root(victim.path, known), [], "files of root's in the folder")
    equal({k: v for k, v in snapshot(victim.path).items() if k != "." and k in victim.before},
          {k: v for k, v in victim.before.items() if k != "."}, "what was there before")


@test
def folders_of_roots_as_every_place_for_a_recording_get_nothing(lab):
    """/tmp is full; /dev/shm and /run are root's folder: none of them is used."""
    bound(lab, "mount -t tmpfs -o size=64k,mode=1777 small /tmp; for d in /dev/shm /run; do mount --bind {victim} $d; "
               "done\n" + NO_VAR_TMP,
          early=0)


@test
def old_recordings_of_an_agent_are_not_cleared_out_of_roots_folder(lab):
    """Root's folder is bound over what looks like folders that an agent left: log, out and session.jfr in it
    survive."""
    victim = Victim(lab)
    old = time.time() - 86400
    os.utime(victim.path, (old, old))
    victim.before = snapshot(victim.path)
    bound(lab, "for d in /tmp /dev/shm; do mkdir $d/.smolder-0123456789abcdef0123456789abcdef; "
          "mount --bind {victim} $d/.smolder-0123456789abcdef0123456789abcdef; done", victim=victim)


@test
def folders_of_roots_as_counters_stay_as_they_are(lab):
    """hsperfdata_* is root's folder."""
    bound(lab, "for u in root x; do mkdir /tmp/hsperfdata_$u; mount --bind {victim} /tmp/hsperfdata_$u; done")


@test
def a_file_of_roots_as_the_trigger_stays_as_it_is(lab):
    """.attach_pidN is root's file: it is neither given away nor removed."""
    bound(lab, "touch /tmp/.attach_pid$$; mount --bind {victim}/file /tmp/.attach_pid$$", early=0, mode="refuse",
          victim=Victim(lab, mode=0o711))


@test
def links_in_the_librarys_place_lead_nowhere(lab):
    """Symbolic links to root's folder and file instead of the library's folder, lib and file, of ordinary users."""
    need_user_namespaces(lab)
    victim = Victim(lab, mode=0o755)
    folder, library = library_place(lab)
    agent = lab.agent(config=config())
    scripts = [f"ln -s {victim.inner} {folder}", f"mkdir -m 700 {folder}; ln -s {victim.inner}/lib {folder}/lib",
               f"mkdir -m 700 -p {folder} {folder}/lib; ln -s {victim.inner}/file {library}",
               f"mkdir -m 700 -p {folder} {folder}/lib; ln -s /proc/1/root/{victim.inner}/file {library}"]
    targets = [fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + s)) for s in scripts]
    for target in targets:
        settled_twice(agent, target)
    victim.check_untouched()


@test
def a_hard_link_in_the_librarys_place_is_not_written_through(lab):
    """The library's file is another name of the attacker's other file, which must keep its bytes and mode."""
    need_user_namespaces(lab)
    folder, library = library_place(lab)
    agent = lab.agent(config=config())
    script = (f"mkdir -m 700 -p {folder} {folder}/lib; echo mine > /tmp/mine; chmod 600 /tmp/mine; "
              f"ln /tmp/mine {library}")
    target = fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + script))
    settled_twice(agent, target)
    mine = target.root("/tmp/mine")
    equal((mine.read_text(), mine.stat().st_mode & 0o7777), ("mine\n", 0o600), "the other file")


@test
def an_overlay_of_roots_folder_does_not_pass_writes_down(lab):
    """/tmp is an overlay over root's folder, made in the attacker's own namespace."""
    victim = Victim(lab, mode=0o755)
    bound(lab, "mkdir /tmp/u /tmp/w; mkdir -m 1777 /tmp/u/t; "
          "mount -t overlay -o userxattr,lowerdir={victim},upperdir=/tmp/u,workdir=/tmp/w none /tmp || "
          "mount -t overlay -o lowerdir={victim},upperdir=/tmp/u,workdir=/tmp/w none /tmp", victim=victim, early=0,
          mode="refuse")


def raced(lab, how, folders="/tmp /dev/shm", seconds=6, **options):
    """Something of root's takes the place of whatever the agent makes, again and again; no file of the attacker's or of
    the agent's may be found in it."""
    need_user_namespaces(lab)
    victim = Victim(lab, mode=0o711)
    mover = staged(lab, "mover")
    said = lab.dir / "mover.txt"
    said.touch(0o666)
    said.chmod(0o666)
    script = (PRIVATE_TMP + "mount -t tmpfs -o mode=1777 attacker /dev/shm\n"
              f"{mover} {how} {victim.inner} {folders} >{said} &\n")
    agent = lab.agent(config=config('interval = "1s"', java="", rules=""))
    target = fake(lab, own_namespaces(MALLORY, script), count=16, **options)
    end, tries = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        victim.check_untouched()
        tries = len(target.connections()) + target.quits()
        time.sleep(0.02)
    victim.check_untouched()
    seen = [int(n) for n in re.findall(r"seen (\d+)", said.read_text())]
    check(tries > 0 or seen and seen[-1] > 0, f"the agent has made nothing: {said.read_text()}; {agent.jvms()}")
    check_live(agent, 0.5)


@test
def a_mount_moved_onto_what_is_being_made_wins_nothing(lab):
    """Races a clone of root's folder onto each new folder (recording, log, library) of an agent that tries again and
    again."""
    raced(lab, "mount", mode="refuse")


@test
def a_mount_moved_onto_the_trigger_wins_nothing(lab):
    """The same with targets that wait for the trigger file."""
    raced(lab, "mount", mode="nosocket")


@test
def a_link_in_the_place_of_what_is_being_made_wins_nothing(lab):
    """Each new name is replaced by a symbolic link to root's folder at once."""
    raced(lab, "link", mode="refuse")


@test
def a_volume_over_the_librarys_folder_of_a_container_stays_as_it_is(lab):
    """Root of a container without user namespace has a folder of the host's root mounted where the library goes."""
    bound(lab, "mkdir -p {folder}; mount --bind {victim} {folder}", container_root)


@test
def a_volume_over_lib_of_a_container_stays_as_it_is(lab):
    """The same one level deeper."""
    bound(lab, "mkdir -p {folder}/lib; chmod 700 {folder}; mount --bind {victim} {folder}/lib", container_root)


@test
def volumes_over_old_recordings_of_a_container_stay_as_they_are(lab):
    """The same over what looks like an old recording's folder and the trigger."""
    victim = Victim(lab)
    old = time.time() - 86400
    os.utime(victim.path, (old, old))
    victim.before = snapshot(victim.path)
    bound(lab, "mkdir /tmp/.smolder-0123456789abcdef0123456789abcdef; "
          "mount --bind {victim} /tmp/.smolder-0123456789abcdef0123456789abcdef; "
          "touch /tmp/.attach_pid1; mount --bind {victim}/file /tmp/.attach_pid1", container_root, victim, early=0,
          mode="refuse")


@test
def a_target_that_becomes_another_program_at_the_signal_lives(lab):
    """SIGQUIT made it execute something that does not handle it: no second one is sent."""
    agent = lab.agent(config=config())
    target = fake(lab, mode="exec")
    wait_for("SIGQUIT", target.quits, 20)
    time.sleep(4)  # the tries of the next seconds
    check(target.alive(), "it was killed")
    check_live(agent, 0.5)


@test
def files_named_by_arguments_are_not_read_with_roots_rights_into_view(lab):
    """-XX:Flags and @files name root's file: nothing of it is in what the agent shows or logs."""
    victim = Victim(lab)
    agent = lab.agent(config=config())
    (victim.path / "file").write_text("-XX:+SECRETOption -Dx=SECRETvalue\n")
    for name in ("flags", "vm"):
        option = {"flags": f"-XX:Flags={victim.inner}/file", "vm": f"-XX:VMOptionsFile={victim.inner}/file"}[name]
        target = fake(lab, env={"JDK_JAVA_OPTIONS": f"@{victim.inner}/file", "JAVA_TOOL_OPTIONS": option},
                      mode="nosocket")
        settled(agent, target)
    shown = agent.http("GET", "/api/v0/web/components/pyroscope.java.test")[1] + agent.text()
    check("SECRET" not in shown, f"shown: {shown[shown.find('SECRET') - 200:][:300]}")


@test
def a_silent_file_system_in_the_target_delays_nobody_else(lab):
    """FUSE without answers over /tmp, the library's folder and hsperfdata: the agent answers and an innocent JVM is
    profiled."""
    need_user_namespaces(lab)
    folder, _ = library_place(lab)
    need_fuse(lab)
    silent = staged(lab, "silentfs")
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    for place in ("/tmp", folder, "/tmp/hsperfdata_x", "/dev/shm"):
        fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + f"mkdir -p {place}; {silent} none {place}"), ready=False,
             early=0,
             mode="nosocket")
    jvm = innocent(lab)
    flames(receiver, jvm, 12)
    check_live(agent, 1)


@test
def a_setgid_folder_passes_on_no_group_of_roots(lab):
    """The library's folder is there already, setgid and open to all: nothing of root's appears in it, nor does the
    agent use it."""
    need_user_namespaces(lab)
    folder, library = library_place(lab)
    agent = lab.agent(config=config())
    target = fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + f"mkdir {folder}; chmod 2777 {folder}"))
    settled_twice(agent, target)
    equal(owned_by_root(target.root("/tmp")), [], "files of root's")


@test
def groups_of_the_docker_kind_are_no_way_out(lab):
    """Root of a container with every capability of its runtime's default: nothing outside of its own /tmp changes."""
    victim = Victim(lab)
    agent = lab.agent(config=config())
    target = fake(lab, container_root(capabilities=DOCKER), early=0)
    settled_twice(agent, target)
    victim.check_untouched()
    equal([str(p) for p in lab.machine.path("/tmp").glob(".attach_pid*")], [], "triggers on the host")


@test
def a_folder_of_roots_as_tmp_dir_stays_as_it_is(lab):
    """tmp_dir names a folder that the target has bound root's over."""
    need_user_namespaces(lab)
    victim = Victim(lab)
    lab.machine.path("/tmp/sub").mkdir(mode=0o1777)
    agent = lab.agent(config=config(java='tmp_dir = "/tmp/sub"'))
    targets = [fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + script)) for script in (
        f"mkdir /tmp/sub; mount --bind {victim.inner} /tmp/sub", f"ln -s {victim.inner} /tmp/sub")]
    for target in targets:
        settled_twice(agent, target)
    victim.check_untouched()


@test
def a_root_full_of_links_leads_nowhere(lab):
    """The target's root is a file system of its own in which /tmp, /dev/shm and /run are links to root's folder, in
    both forms."""
    need_user_namespaces(lab)
    if not os.path.islink("/lib") or not os.path.islink("/bin"):
        raise Skip("/lib and /bin are no links to /usr here")
    victim = Victim(lab, mode=0o755)
    agent = lab.agent(config=config())
    targets = []
    stage = lab.stage.dir
    for link in (victim.inner, "../../../../../../" + victim.inner.lstrip("/")):
        script = (PRIVATE_TMP + f"r=/tmp/r; mkdir -p $r/usr $r/srv $r{stage} $r/proc $r/dev; cp -d /lib /lib64 /bin "
                                f"$r/\n"
                  f"for d in /usr /srv /proc {stage}; do mount --rbind $d $r$d; done\n"
                  f"for d in tmp run dev/shm; do ln -s {link} $r/$d; done\n"
                  'set -- chroot $r "$@"')
        targets.append(fake(lab, own_namespaces(MALLORY, script), mode="nosocket"))
    for target in targets:
        settled_twice(agent, target)
    victim.check_untouched()


@test
def a_library_that_the_target_exchanges_runs_with_its_own_rights_only(lab):
    """The target replaces the library after it was put in place: nothing of root's is touched, and the agent is not
    misled into serving others with it."""
    need_user_namespaces(lab)
    receiver = lab.receiver()
    victim = Victim(lab)
    folder, library = library_place(lab)
    swap = (f"while :; do [ -e {library} ] && cp /bin/true {library}.x && mv -f {library}.x {library}; sleep 0.002; "
            f"done 2>/dev/null &\n")
    lab.agent(config=config())
    target = fake(lab, own_namespaces(MALLORY, PRIVATE_TMP + swap), early=0, count=8)
    jvm = innocent(lab)
    flames(receiver, jvm, 15)
    maps = (lab.machine.path("/proc") / str(jvm.inner) / "maps").read_text()
    check("libasyncProfiler" in maps, "the innocent JVM has no library")
    victim.check_untouched()
    check(target.alive(), "the target ended")


@test
def a_number_that_two_processes_have_is_no_way_to_the_other(lab):
    """A process in a PID namespace of its own has the number of another user's JVM, with which it shares /tmp: it gets
    none of its commands, and the JVM is profiled."""
    need_user_namespaces(lab)
    receiver = lab.receiver()
    jvm = innocent(lab)
    wrapper = [*user(), "unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child", "sh", "-c",
               f'echo {jvm.inner - 1} >/proc/sys/kernel/ns_last_pid || exit 1; "$@" & wait', "twin"]
    twins = [fake(lab, wrapper, mode=mode, early=0) for mode in ("nosocket", "nosocket")]
    check(all(t.pids == [jvm.inner] for t in twins),
          f"{[t.pids for t in twins]} instead of {jvm.inner}: {twins[0].text()}")
    agent = lab.agent(config=config())
    flames(receiver, jvm, 15)
    for twin in twins:
        settled(agent, twin)
    count = len(receiver.profiles(type="process_cpu", pid=str(jvm.inner)))
    receiver.wait(count + 2, type="process_cpu", pid=str(jvm.inner), seconds=8)
    equal(len(jvm.recordings()), 1, "sessions in the JVM")
    equal(sum((t.connections() for t in twins), []), [], "connections to the twins")
