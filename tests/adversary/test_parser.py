"""The parser: what a recording that has taken over the process which parses it can reach, seen from outside. What code
in it is denied, call by call, is in tests/unit/parser."""
import json
import os
import re
import signal

import push

from attack import check_live, flames, innocent, sanitized
from lab import check, config, descendants, equal, named, proc_text, test, wait_for

PARSER_UIDS = {"61100", "61101"}


def parsers(agent):
    """Children of the guard."""
    return named(descendants(agent.pid), "smolder-parser")


def parser_of(agent):
    return wait_for("a parser process", lambda: parsers(agent), 30)[0]


def status_of(pid):
    return dict(re.findall(r"^(\w+):[ \t]*(.*)$", proc_text(pid, "status"), re.M))


@test
def the_parser_has_no_privileges(lab):
    """Whoever takes over the parser has a UID of its own, no capability, no path, no network and no descriptor."""
    receiver = lab.receiver()
    agent = lab.agent(config=config(), env={"SMOLDER_TEST_TOKEN": "planted"})
    flames(receiver, innocent(lab), 30)
    pid = parser_of(agent)
    status = status_of(pid)
    check(set(status["Uid"].split()) <= PARSER_UIDS, status["Uid"])
    check(set(status["Gid"].split()) <= PARSER_UIDS, status["Gid"])
    equal(status["Groups"].strip(), "", "groups")
    for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
        equal(int(status[name], 16), 0, name)
    equal(status["NoNewPrivs"], "1", "no_new_privs")
    for kind in ("net", "ipc", "uts"):
        check(os.readlink(f"/proc/{pid}/ns/{kind}") != os.readlink(f"/proc/{agent.pid}/ns/{kind}"), f"same {kind}")
    check(os.readlink(f"/proc/{pid}/root") != "/", "the file system is there")
    descriptors = {int(fd): os.readlink(f"/proc/{pid}/fd/{fd}") for fd in os.listdir(f"/proc/{pid}/fd")}
    check(set(descriptors) <= {0, 1, 2, 3} and descriptors[3].startswith("socket:"), descriptors)
    check("planted" not in proc_text(pid, "environ"), "the environment is there")
    limits = dict(re.findall(r"^(Max [a-z ]+?)\s{2,}(\S+)", proc_text(pid, "limits"), re.M))
    equal(limits["Max file size"], "0", "file size")
    equal(limits["Max processes"], "0", "processes")
    equal(agent.metric("smolder_parser_protection", protection="landlock"), 1.0, "landlock")
    if not sanitized(lab.smolder):
        equal(status["Seccomp"], "2", "seccomp")
        equal(agent.metric("smolder_parser_protection", protection="seccomp"), 1.0, "seccomp")


@test
def a_parser_that_crashes_again_and_again_loses_nothing(lab):
    """The parser dies by SIGSEGV, SIGKILL and SIGSTOP at any moment: the agent answers, and profiles go on arriving."""
    receiver = lab.receiver()
    agent = lab.agent(config=config())
    jvm = innocent(lab)
    flames(receiver, jvm, 30)
    for number in (signal.SIGSEGV, signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV):
        pid = parser_of(agent)
        os.kill(pid, number)
        receiver.forget()
        flames(receiver, jvm, 30)
        wait_for("another parser", lambda gone=pid: parsers(agent) and gone not in parsers(agent), 20)
    check_live(agent, 1)
    check(agent.metric("smolder_parser_restarts_total") >= 3, "endings are not counted")
    equal(agent.metric("smolder_chunks_total", result="set_aside"), 0, "chunks set aside")
    left = parsers(agent)
    agent.stop()
    check(not any(os.path.exists(f"/proc/{pid}") for pid in left), "a parser was left behind")


STORE = "http://127.0.0.1:4040"


def stored_total(lab, service):
    """Of the root of the flame graph."""
    kind = "process_cpu:cpu:nanoseconds:cpu:nanoseconds"
    status, text = lab.machine.http("GET", f"{STORE}/api/flamegraph?service={service}&type={kind}", timeout=60)
    equal(status, 200, f"the flame graph ({text[:200]})")
    return json.loads(text)["nodes"][3]


@test
def pushes_survive_a_parser_that_dies(lab):
    """The parser dies by SIGSEGV, SIGKILL and SIGSTOP between pushes: each push is stored, and each query answered."""
    agent = lab.agent("--store.listen=127.0.0.1:4040", config="")
    deaths = (None, signal.SIGSEGV, signal.SIGKILL, signal.SIGSTOP)
    for count, number in enumerate(deaths, 1):
        if number:
            os.kill(parser_of(agent), number)
        status, text = lab.machine.http("POST", STORE + push.PATH, push.request([push.profile()]), push.HEADERS,
                                        timeout=60)
        equal(status, 200, f"the push after {number} ({text[:200]})")
        if number:
            os.kill(parser_of(agent), number)
        equal(stored_total(lab, "flood"), 5 * count, f"the total after {number}")
    check(agent.metric("smolder_parser_restarts_total") >= len(deaths) - 1, "endings are not counted")
    check_live(agent, 1)
