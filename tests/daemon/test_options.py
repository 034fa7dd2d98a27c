"""Each option of profiling_config takes effect in the profiles of a real JVM."""
import shutil

from lab import check, config, equal, need_java, test, wait_for
from test_recognition import any_jvm, embedded


def profiled(lab, options, type="process_cpu", frame="Shop.bake", count=2):
    """The stacks that arrive with these options, each a list of frames, root first."""
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config('interval = "1s"\n' + options))
    if frame:
        receiver.wait_stack(frame, type=type)
    receiver.wait(count, type=type)
    receiver.check_valid()
    return [stack.split(";") for stack in receiver.stacks(type=type)], receiver


@test
def wall_beside_cpu(lab):
    _, receiver = profiled(lab, 'wall = "20ms"', "wall", "Shop.guard")
    equal(receiver.profiles(type="wall")[0]["sample_types"], ["wall/nanoseconds"], "sample types")
    receiver.wait_stack("Shop.bake", type="process_cpu")


@test
def wall_alone(lab):
    _, receiver = profiled(lab, 'cpu = false\nalloc = ""\nlock = ""\nwall = "20ms"', "wall", "Shop.guard")
    equal({p["labels"]["__name__"] for p in receiver.profiles()}, {"wall"}, "profiles")


@test
def jstackdepth_bounds_stacks(lab):
    stacks, _ = profiled(lab, 'jstackdepth = 2\nalloc = "64k"')
    equal(max(map(len, stacks)), 2, "frames of the deepest stack")


@test
def cstack_without_native_frames(lab):
    stacks, _ = profiled(lab, 'cstack = "no"\nwall = "20ms"', "wall", "Shop.sleep")
    native = [s for s in stacks if "Shop.sleep" in s and any(".so." in frame for frame in s)]
    equal(native, [], "Java stacks with native frames")


@test
def features_add_frames(lab):
    stacks, _ = profiled(lab, 'features = ["pcaddr"]')
    check(any(f.lstrip(".").startswith("0x") for s in stacks for f in s), f"no addresses: {stacks[:3]}")


@test
def include_and_exclude(lab):
    stacks, receiver = profiled(lab, 'include = ["Shop.*"]\nexclude = ["*Parcel*", "Shop.openVault"]\nalloc = "64k"')
    check(all(any(f.startswith("Shop.") for f in s) for s in stacks), f"stacks without Shop: {stacks}")
    receiver.wait_stack("Shop.passTurnstile", type="block")
    for type in ("memory", "mutex"):
        found = [s for s in receiver.stacks(type=type) if "wrapParcel" in s or "openVault" in s]
        equal(found, [], f"excluded stacks of {type}")


@test
def live_heap(lab):
    """The objects that were not collected, once per roll-over."""
    receiver = lab.receiver()
    lab.jvm()
    lab.agent(config=config('interval = "1s"\nroll_over = "10s"\nalloc = "16k"\nlive = true'))

    def arrived():
        return [p for p in receiver.profiles(type="memory") if "live/count" in p["sample_types"]]
    wait_for("live objects", arrived, 40, 0.2)
    receiver.check_valid()


def embedded_shop(lab, options):
    """The program with a JVM inside whose own threads allocate and wait for each other."""
    receiver = lab.receiver()
    program = lab.dir / "shopd"
    shutil.copy(embedded(), program)
    command = [program, f"{need_java(17)}/lib/server/libjvm.so", "Shop", f"-Djava.class.path={lab.stage.classes}",
               "-XX:+UseSerialGC", "-Xmx64m"]
    lab.jvm(command=command, java=program)
    lab.agent(config=any_jvm('interval = "1s"\n' + options))
    return receiver


def of_native(receiver, type):
    return wait_for(f"{type} of native code", lambda: [s for s in receiver.stacks(type=type) if "clerk" in s], 30, 0.2)


@test
def native_memory(lab):
    receiver = embedded_shop(lab, 'native_mem = "10k"')
    of_native(receiver, "memory")
    check(any("malloc_bytes/bytes" in p["sample_types"] for p in receiver.profiles(type="memory")), "no malloc_bytes")
    receiver.check_valid()


@test
def native_locks(lab):
    receiver = embedded_shop(lab, 'lock = ""\nnative_lock = "1ms"')
    of_native(receiver, "mutex")
    receiver.check_valid()
