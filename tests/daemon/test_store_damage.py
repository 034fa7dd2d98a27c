"""A database of the embedded store that is damaged: moved aside, and copied from as far as it can be read."""
import os
import random
import shutil
import time

from lab import equal, test, wait_for
from test_store import flame
from test_store_alone import API, CPU, push, store

PAGE = 4096
PROFILES = 60


def database(lab):
    return lab.dir / "profiles/store.db"


def damage(path, page):
    with open(path, "r+b") as f:
        f.seek((page - 1) * PAGE)
        f.write(bytes(PAGE))


def fill(lab):
    """Pushes; their sum, in which no profile can replace another one."""
    values = [1 << 20 | 1 << n % 20 for n in range(PROFILES)]
    for value in values:
        equal(push(lab, "shop", value)[0], 200, "push")
    return sum(values)


def total(lab):
    return flame(lab, "shop", CPU).get("main", 0)


def recovered(running):
    return running.metric("smolder_store_salvaged_total", part="profile", result="recovered")


@test
def store_damaged_before_the_start_is_recovered(lab):
    """The header is gone: all profiles come back, and the file is kept."""
    running = store(lab)
    want = fill(lab)
    running.stop()
    damage(database(lab), 1)
    running = store(lab, API)
    running.wait_log("is damaged .* moved to .*store.db.damaged-")
    running.wait_log(f"recovered {PROFILES} profiles, 1 series and 0 blocks, lost 0 profiles, 0 series and 0 blocks")
    equal(total(lab), want, "sum of the profiles")
    equal(recovered(running), PROFILES, "recovered")
    equal(running.metric("smolder_store_salvaged_total", result="lost"), 0, "lost")
    equal(len([f for f in os.listdir(database(lab).parent) if "damaged-" in f and "-wal" not in f]), 1, "files kept")
    running.stop()
    running = store(lab)
    equal(total(lab), want, "sum after another start")
    equal(running.lines("recovered"), [], "messages of another start")


@test
def store_damaged_while_it_runs_is_recovered(lab):
    """An index is gone: a push meets it and is asked to come again, and is stored then; nothing is lost."""
    running = store(lab)
    want = fill(lab)
    running.stop()
    running = store(lab, API)
    for page in (4, 7):  # the indices by which a push finds its series and its body
        damage(database(lab), page)
    status = push(lab, "shop", 1 << 40)[0]
    equal(status, 503, "status of the push that met the damage")
    wait_for("a push to be stored", lambda: push(lab, "shop", 1 << 41)[0] == 200, 10)
    running.wait_log(f"recovered {PROFILES} profiles")
    equal(total(lab), want + (1 << 41), "sum of the profiles")
    equal(recovered(running), PROFILES, "recovered")


@test
def store_killed_while_it_recovers_goes_on(lab):
    """Kill -9 at any time after the start: nothing is lost, and nothing is there twice."""
    running = store(lab)
    want = fill(lab)
    running.stop()
    seed = random.randrange(1 << 32)
    rng = random.Random(seed)
    keep = lab.dir / "kept.db"
    shutil.copy(database(lab), keep)
    for _ in range(4):
        shutil.rmtree(database(lab).parent)
        database(lab).parent.mkdir(mode=0o777)
        shutil.copy(keep, database(lab))
        database(lab).chmod(0o666)
        damage(database(lab), 1)
        for _ in range(3):
            running = store(lab)
            time.sleep(rng.random() * 0.1)
            running.kill()
        running = store(lab)
        wait_for("the end of it", lambda: not (database(lab).parent / "store.db.salvage").exists(), 20)
        equal(total(lab), want, f"sum of the profiles, seed {seed}")
        running.stop()


@test
def store_recovers_when_there_is_room(lab):
    """A full disk: pushes are stored meanwhile, and the copy goes on once there is room."""
    place = f"{lab.dir}/profiles"
    lab.call(["mkdir", "-p", place])
    lab.call(["mount", "-t", "tmpfs", "-o", "size=40m,mode=777", "none", place])
    running = store(lab)
    want = fill(lab)
    running.stop()
    damage(lab.machine.path(f"{place}/store.db"), 1)
    lab.call(["dd", "if=/dev/zero", f"of={place}/ballast", "bs=1M", "count=24", "status=none"])
    running = store(lab)
    running.wait_log("a damaged database is not copied yet: no space is left")
    equal(push(lab, "shop", 1 << 41)[0], 200, "a push meanwhile")
    equal(total(lab), 1 << 41, "sum without room")
    lab.call(["rm", f"{place}/ballast"])
    running.wait_log(f"recovered {PROFILES} profiles", 30)
    equal(total(lab), want + (1 << 41), "sum of the profiles")
