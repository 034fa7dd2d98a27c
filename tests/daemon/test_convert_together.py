"""smolder convert where recordings, profiles and names meet that were not made for each other."""
from forged import EMPTY_STACK, NO_STACK, Recording, profiler
from lab import check, equal, test
from test_convert import collapsed, convert


@test
def convert_shows_stacks_without_frames_as_unknown(lab):
    r = profiler("cpu", 5, 10**7).execution(2, stack=NO_STACK).execution(3, stack=EMPTY_STACK)
    path = r.write(lab.dir / "a.jfr")
    equal(collapsed(lab, path), {"app/A.main;app/A.leaf": 50000000, "[unknown]": 50000000}, "stacks")
    path = Recording(jdk=True).tlab(1000, stack=EMPTY_STACK).write(lab.dir / "jdk.jfr")
    equal(collapsed(lab, path), {"[unknown]": 1}, "allocations")


@test
def convert_keeps_a_name_in_one_frame(lab):
    path = profiler("cpu", 2, 10**7, thread="worker;q=1\nx").write(lab.dir / "a.jfr")
    out, _ = convert(lab, path, "--group-by=thread", "--raw-threads", "--format=collapsed", "--output=-")
    equal(out.decode(), "[worker\\x3bq=1\\x0ax];app/A.main;app/A.leaf 20000000\n", "one line, three frames")
    check(b"\\x" not in convert(lab, path, "--format=collapsed", "--output=-")[0], "plain names are as they are")
