"""smolder convert: which stacks, which frames of them, and how they are called."""
import base64
import gzip
import json
import re

from browser import Browser
from lab import Skip, check, equal, test
from test_convert import collapsed, convert, made_profile, opened, plain, recording

SHOP = {("shop/Main.main", "shop/Cart.add", "java/util/HashMap.get"): [10],
        ("shop/Main.main", "java/io/Reader.read", "libc.so.6.read"): [5],
        ("shop/Pool.run", "java/lang/Thread.sleep"): [1]}


def shop(lab):
    """A profile of three stacks."""
    path = lab.dir / "shop.pb"
    path.write_bytes(made_profile(SHOP))
    return path


def page_data(path):
    """What a page is made of."""
    text = re.search(r'<script id="data"[^>]*>([^<]*)<', path.read_text()).group(1)
    return json.loads(gzip.decompress(base64.b64decode(text)))


@test
def convert_takes_the_stacks_with_a_frame(lab):
    file = shop(lab)
    equal(collapsed(lab, file, "--include=shop.Main.main", "--exclude=libc*"),
          {"shop/Main.main;shop/Cart.add;java/util/HashMap.get": 10}, "included, and excluded")
    equal(sum(collapsed(lab, file, "--include=/Pool/", "--include=/Reader/").values()), 6, "either of two")
    for path, frame in ((recording("wall"), "java"), (recording("cortex-dev-01__kafka-0__cpu__0"), "kafka")):
        everything = collapsed(lab, path)
        wanted = {s: v for s, v in everything.items() if any(frame in f for f in s.split(";"))}
        equal(collapsed(lab, path, f"--include=*{frame}*"), wanted, f"stacks of {path.name} with {frame}")
        equal(collapsed(lab, path, f"--exclude=/{frame}/"),
              {s: v for s, v in everything.items() if s not in wanted}, f"stacks of {path.name} without {frame}")
    _, err = convert(lab, file, "--include=nothing", "--output=-", "--format=text", status=1)
    check("no stack matches --include and --exclude" in err, err)
    _, err = convert(lab, file, "--include=/(/", "--output=-", "--format=text", status=2)
    check('--include: "/(/" is not a regular expression' in err, err)


@test
def convert_names_frames_as_asked(lab):
    file = shop(lab)
    equal(collapsed(lab, file, "--dot", "--skip=1", "--exclude=*sleep"),
          {"shop.Cart.add;java.util.HashMap.get": 10, "java.io.Reader.read;libc.so.6.read": 5}, "dotted, skipped")
    equal(collapsed(lab, file, "--simple", "--reverse"),
          {"HashMap.get;Cart.add;Main.main": 10, "libc.so.6.read;Reader.read;Main.main": 5,
           "Thread.sleep;Pool.run": 1},
          "simple names, reversed")
    equal(collapsed(lab, file, "--minwidth=40"),
          {"[small]": 1, "shop/Main.main": 5, "shop/Main.main;shop/Cart.add;java/util/HashMap.get": 10}, "large ones")
    for flags, why in ((["--skip=x"], "--skip=x: expected a number"),
                       (["--minwidth=200%"], "--minwidth=200%: expected"),
                       (["--no-lines", "--lines"], "--no-lines cannot"),
                       (["--compat=jfr-parser", "--dot"], "--compat cannot"),
                       (["--minwidth=1", f"--diff-base={file}"], "--minwidth cannot be combined with --diff-base")):
        _, err = convert(lab, file, "--output=-", "--format=text", *flags, status=2)
        check(why in err, f"{flags}: {err}")


@test
def convert_puts_lines_into_names(lab):
    """The sums per stack without lines are those of the stacks with lines."""
    path = recording("cortex-dev-01__kafka-0__cpu__0")
    with_lines = collapsed(lab, path, "--lines")
    check(any(re.search(r"[A-Za-z]:[0-9]+(;|$)", s) for s in with_lines), "no line in any name")
    sums = {}
    for stack, value in with_lines.items():
        stack = ";".join(re.sub(r":[0-9]+$", "", f) for f in stack.split(";"))
        sums[stack] = sums.get(stack, 0) + value
    equal(sums, collapsed(lab, path), "sums of the lines of a stack")
    document = json.loads(convert(lab, path, "--lines", "--format=json", "--output=-")[0])
    names = document["profiles"][0]["flamebearer"]["names"]
    check(any(re.search(r":[0-9]+$", n) for n in names), "no line in the names of JSON")


@test
def page_opens_as_asked(lab):
    out = lab.dir / "page.html"
    convert(lab, shop(lab), f"--output={out}", "--title=Shop <b>", "--reverse", "--inverted", "--highlight=/Map/")
    data = page_data(out)
    equal((data["title"], data["callers"], data["inverted"], data["search"]), ("Shop <b>", True, True, "/Map/"),
          "how the page opens")
    check("shop/Main.main" in data["profiles"][0]["names"], "the page turns stacks itself")
    with Browser() as browser:
        opened(browser, out)
        equal(browser.run("document.getElementById('callers').getAttribute('aria-pressed')"), "true", "callers")
        equal(browser.run("document.getElementById('flip').getAttribute('aria-pressed')"), "true", "inverted")
        equal(browser.run("document.getElementById('search').value"), "/Map/", "what is searched")


@test
def convert_adds_the_class_and_the_category(lab):
    """The sums by class frame are those by label."""
    path = recording("async-profiler")
    kind = "--type=alloc_in_new_tlab_bytes"

    def sums(stacks, frame):
        found = {}
        for stack, value in stacks.items():
            found[stack.split(";")[frame].strip("[]")] = found.get(stack.split(";")[frame].strip("[]"), 0) + value
        return found

    by_frame = sums(collapsed(lab, path, kind, "--class-frames"), -1)
    equal(by_frame, sums(collapsed(lab, path, kind, "--group-by=allocated_class"), 0), "bytes by class")
    check(len(by_frame) > 2, f"classes: {by_frame}")
    unclassified, classified = collapsed(lab, path), collapsed(lab, path, "--classify")
    equal(sum(classified.values()), sum(unclassified.values()), "total with categories")
    equal({s.split(";", 1)[1] for s in classified}, set(unclassified), "stacks below their category")
    check({s.split(";")[0] for s in classified} <= {f"[{c}]" for c in (
        "gc", "jit compiler", "class loading", "lambda linkage", "kernel", "jvm", "native", "java", "compiled",
        "interpreted", "compiled by C1")}, "categories")


@test
def convert_selects_threads_and_states(lab):
    """What is selected by a thread's name is what the label of that thread has."""
    path = recording("wall")
    by_thread = collapsed(lab, path, "--type=wall", "--raw-threads", "--max-threads=100000", "--group-by=thread")
    everything = collapsed(lab, path, "--type=wall")
    check(sum(by_thread.values()) == sum(everything.values()), "samples with a thread")
    names = sorted({s.split(";")[0][1:-1] for s in by_thread})
    check(len(names) > 3, f"threads: {names}")
    for name in names[:3]:
        equal(collapsed(lab, path, "--type=wall", f"--thread={name}"),
              {s.split(";", 1)[1]: v for s, v in by_thread.items() if s.startswith(f"[{name}];")}, f"stacks of {name}")
    with_ids = collapsed(lab, path, "--type=wall", "--thread-ids", "--group-by=thread")
    check(all(re.match(r"\[.* tid=[0-9]+\];", s) for s in with_ids), "IDs of threads")
    equal(sum(with_ids.values()), sum(everything.values()), "samples of threads with IDs")
    by_state = collapsed(lab, path, "--type=wall", "--group-by=state")
    states = {s.split(";")[0][1:-1] for s in by_state}
    check(states <= {"runnable", "sleeping", "default"} and len(states) > 1, f"states: {states}")
    equal(sum(by_state.values()), sum(everything.values()), "samples with a state")
    for state in states:
        equal(collapsed(lab, path, "--type=wall", f"--state={state[:3].upper()}"),
              {s.split(";", 1)[1]: v for s, v in by_state.items() if s.startswith(f"[{state}];")}, f"stacks {state}")
    _, err = convert(lab, path, "--latency=x", "--format=text", "--output=-", status=2)
    check("--latency=x: expected a duration" in err, err)
    _, err = convert(lab, path, "--thread=a", "--compat=jfr-parser", "--format=text", "--output=-", status=2)
    check("--compat cannot be combined with flags that select samples" in err, err)


@test
def convert_puts_bytecode_indices_into_names(lab):
    path = recording("cortex-dev-01__kafka-0__cpu__0")
    with_indices = collapsed(lab, path, "--bci")
    check(any(re.search(r"[A-Za-z]@[0-9]+(;|$)", s) for s in with_indices), "no index in any name")
    sums = {}
    for stack, value in with_indices.items():
        stack = ";".join(re.sub(r"@[0-9]+$", "", f) for f in stack.split(";"))
        sums[stack] = sums.get(stack, 0) + value
    equal(sums, collapsed(lab, path), "sums of the indices of a stack")


@test
def convert_takes_times_relative_to_the_recording(lab):
    """What begins in the middle and what ends there make the whole, seen from either end."""
    path = plain(lab, "wall")
    whole = collapsed(lab, path, "--type=wall")
    meta = json.loads(convert(lab, path, "--type=wall", "--format=json", "--output=-")[0])["profiles"][0]["metadata"]
    half = meta["durationNanos"] // 2
    for middle in (f"{half}ns", f"-{half}ns"):
        first = collapsed(lab, path, "--type=wall", f"--to={middle}")
        second = collapsed(lab, path, "--type=wall", f"--from={middle}")
        check(first and second, "both halves have samples")
        equal({s: first.get(s, 0) + second.get(s, 0) for s in whole}, whole, f"the halves at {middle}")
    equal(collapsed(lab, path, "--type=wall", "--from=0s", "--to=-0s"), whole, "from end to end")
    for flags, why, stdin in ((["--from=-1s", "--to=0s", path], "--to=0s is not after --from=-1s", b""),
                              (["--to=5s", "-"], "--to is relative, and standard input can be read only once", b"x"),
                              (["--from=1s", shop(lab)], "--from is relative, and no input is a recording", b"")):
        _, err = convert(lab, *flags, "--format=text", "--output=-", status=2, stdin=stdin)
        check(why in err, f"{flags}: {err}")


@test
def convert_reads_collapsed_stacks(lab):
    """What was written is read again, from a pipe too, and compared."""
    file = lab.dir / "wall.collapsed"
    wanted = collapsed(lab, recording("wall"), "--type=wall")
    convert(lab, recording("wall"), "--type=wall", f"--output={file}")
    equal(collapsed(lab, file), wanted, "stacks read again")
    equal(collapsed(lab, "-", stdin=gzip.compress(file.read_bytes())), wanted, "stacks from a pipe")
    equal(collapsed(lab, file, file), {s: 2 * v for s, v in wanted.items()}, "two inputs")
    _, err = convert(lab, "-", "--output=-", "--format=text", stdin=b"a line of prose", status=1)
    check("neither a JFR recording nor a pprof profile nor collapsed stacks" in err, err)


# Where labels of time are and what they say; the width of a column, of which there are as many as seconds.
AXIS = """(() => {
  const box = document.querySelector('#heat'), canvas = box.querySelector('canvas'), map = box.heat;
  return {
    labels: [...document.querySelectorAll('.heat-axis span')].map(s => [parseFloat(s.style.left), s.textContent]),
    column: canvas.clientWidth / Math.ceil((map.times.total.length + map.lead) / map.perColumn),
    scale: [...document.querySelectorAll('.heat-scale span')].map(s => s.textContent),
    scrolls: box.scrollHeight > box.clientHeight || box.scrollWidth > box.clientWidth,
  };
})()"""


@test
def page_has_a_heat_map(lab):
    """Its cells have all samples; a range has a flame graph of its own, which is that of a conversion of this time."""
    path, out = plain(lab, "wall"), lab.dir / "heat.html"
    convert(lab, path, f"--output={out}", "--heatmap", "--type=wall", "--heatmap-cell=100ms")
    profile = page_data(out)["profiles"][0]
    heat = profile["heat"]
    equal([len(heat["node"]), len(heat["self"][0])], [len(heat["at"])] * 2, "entries")
    by_node = [0] * len(profile["node"])
    for node, value in zip(heat["node"], heat["self"][0]):
        by_node[node] += value
    equal(by_node, profile["self"][0], "the sums of all cells")
    last = heat["start"] + sum(heat["at"])
    middle = (heat["start"] + last) // 2
    first_half = collapsed(lab, path, "--type=wall", f"--to={middle * heat['cell_ns'] / 1e9:.6f}")
    with Browser() as browser:
        opened(browser, out)
        equal(browser.run("document.getElementById('heat-panel').hidden"), False, "the heat map is hidden")
        labels = browser.run(AXIS)
        column, first = labels["column"], heat["start"] * heat["cell_ns"] // 10**9
        check(labels["labels"] and labels["scale"] == ["0", "1 s"] and not labels["scrolls"], f"the axes: {labels}")
        for at, text in labels["labels"]:
            wanted = browser.run(f"new Date({(first + round(at / column)) * 1000})"
                                 ".toLocaleTimeString(undefined, {hour12: false})")
            equal(text, wanted, f"the label {at} pixels from the left")
        whole = browser.run("graph.flame.model.total[0]")
        equal(whole, sum(profile["self"][0]), "the whole")
        browser.run(f"heat.heat.select([{heat['start']}, {middle}])")
        equal(browser.run("graph.flame.model.total[0]"), sum(first_half.values()), "the first half")
        check(" to " in browser.run("document.getElementById('heat-range').textContent"), "the range is said")
        browser.run("document.getElementById('heat-all').click()")
        equal(browser.run("graph.flame.model.total[0]"), whole, "all again")
        box = browser.run("(() => { const b = document.querySelector('#heat canvas').getBoundingClientRect(); "
                          "return [b.left, b.top, b.right, b.bottom]; })()")
        browser.mouse("mousePressed", box[0] + 1, box[1] + 1)
        browser.mouse("mouseMoved", box[2] - 2, box[3] - 2)
        browser.mouse("mouseReleased", box[2] - 2, box[3] - 2)
        browser.wait("heat.heat.range")
        equal(browser.run("graph.flame.model.total[0]"), whole, "what was dragged over")
        browser.run("document.querySelector('#heat canvas').focus()")
        browser.key("ArrowRight")
        check(browser.run("heat.heat.range[1] - heat.heat.range[0]") <= 10, "one cell by key")
        equal(browser.problems(), [], "what the browser complained about")


@test
def heat_map_is_for_pages(lab):
    file, page = recording("wall"), lab.dir / "x.html"
    for flags, why in (([f"--output={page}", "--heatmap", f"--diff-base={file}"], "--heatmap is for"),
                       (["--output=-", "--format=text", "--heatmap"], "--heatmap is for"),
                       ([f"--output={page}", "--heatmap", "--heatmap-cell=30ms"], "--heatmap-cell=30ms: expected")):
        _, err = convert(lab, file, *flags, status=2)
        check(why in err, f"{flags}: {err}")
    convert(lab, shop(lab), f"--output={page}", "--heatmap")
    check("heat" not in page_data(page)["profiles"][0], "a heat map of samples without times")


@test
def convert_writes_profiles_of_opentelemetry(lab):
    """The sums per stack, as read by OpenTelemetry's own classes, are those of collapsed stacks."""
    try:
        from opentelemetry.proto.profiles.v1development import profiles_pb2
    except ImportError as e:
        raise Skip("the Python package opentelemetry-proto is not installed") from e
    path, out = recording("wall"), lab.dir / "wall.otlp"
    convert(lab, path, f"--output={out}")
    data = profiles_pb2.ProfilesData.FromString(out.read_bytes())
    d = data.dictionary
    for profile in data.resource_profiles[0].scope_profiles[0].profiles:
        found = {}
        for sample in profile.samples:
            frames = [d.location_table[i].lines[0].function_index for i in
                      reversed(d.stack_table[sample.stack_index].location_indices)]
            stack = ";".join(d.string_table[d.function_table[f].name_strindex] for f in frames)
            found[stack] = found.get(stack, 0) + sample.values[0]
        kind = d.string_table[profile.sample_type.type_strindex]
        equal(found, collapsed(lab, path, f"--type={kind}"), f"stacks of {kind}")


def thread_sums(path, profile_type):
    """What threads have, by name, as a page's data has it."""
    profile = next(p for p in page_data(path)["profiles"] if p["name"] == profile_type)
    threads, sums = profile["threads"], {}
    for thread, value in zip(threads["thread"], threads["self"][0]):
        sums[threads["names"][thread]] = sums.get(threads["names"][thread], 0) + value
    return profile, sums


@test
def page_selects_threads(lab):
    """What threads have is what a conversion of them alone has; with a range of time, with a search, and zoomed."""
    path, out = plain(lab, "wall"), lab.dir / "threads.html"
    convert(lab, path, f"--output={out}", "--threads", "--heatmap", "--type=wall", "--heatmap-cell=100ms")
    profile, sums = thread_sums(out, "wall")
    by_thread = {}
    for stack, value in collapsed(lab, path, "--type=wall", "--threads", "--group-by=thread").items():
        by_thread[stack.split(";")[0][1:-1]] = by_thread.get(stack.split(";")[0][1:-1], 0) + value
    equal(sums, by_thread, "what threads have")
    names = sorted(sums, key=lambda n: (-sums[n], n))
    heat = profile["heat"]
    cells, at = [], heat["start"]
    for later in heat["at"]:
        at += later
        cells.append(at)
    middle = (heat["start"] + cells[-1]) // 2
    first = profile["threads"]["names"].index(names[0])
    half = sum(v for c, t, v in zip(cells, heat["thread"], heat["self"][0]) if t == first and c < middle)
    total = "graph.flame.model.total[0]"
    with Browser() as browser:
        opened(browser, out)
        whole = browser.run(total)
        equal(browser.run("[...document.querySelectorAll('#threads button')].map(b => b.dataset.thread)"), names[:250],
              "threads, the largest first")
        press = "document.querySelectorAll('#threads button')[%d].click()"
        browser.run(press % 0)
        equal(browser.run(total), sums[names[0]], "the first thread")
        check("of " + names[0] in browser.run("document.getElementById('sum').textContent"), "its name is said")
        equal(browser.run("heat.heat.times.total.reduce((a, b) => a + b, 0)"), sums[names[0]], "its heat map")
        browser.run(f"heat.heat.select([{heat['start']}, {middle}])")
        equal(browser.run(total), half, "the first half of it")
        browser.run("document.getElementById('heat-all').click()")
        browser.run("document.getElementById('callers').click()")
        equal(browser.run(total), sums[names[0]], "from the leaves up")
        browser.run("document.getElementById('callees').click()")
        browser.run(press % 1)
        equal(browser.run(total), sums[names[0]] + sums[names[1]], "two threads")
        browser.run("document.getElementById('search').focus()")
        browser.call("Input.insertText", text="a")
        browser.wait("document.getElementById('hits').textContent")
        browser.run("document.getElementById('threads-all').click()")
        equal(browser.run(total), whole, "all again")
        check("matched" in browser.run("document.getElementById('hits').textContent"), "the search stays")
        browser.run("document.getElementById('threads-search').focus()")
        browser.call("Input.insertText", text=f'"{names[1]}"')
        browser.wait("document.querySelectorAll('#threads button').length == 1")
        browser.key("Enter")
        equal(browser.run(total), sums[names[1]], "those that match")
        browser.key("Escape")
        equal(browser.run("document.querySelectorAll('#threads button').length"), min(len(names), 250), "no filter")
        equal(browser.problems(), [], "what the browser complained about")


@test
def page_without_threads_has_no_list_of_them(lab):
    out = lab.dir / "no-threads.html"
    convert(lab, recording("wall"), f"--output={out}")
    check(all("threads" not in p for p in page_data(out)["profiles"]), "threads that were not asked for")
    with Browser() as browser:
        opened(browser, out)
        equal(browser.run("document.getElementById('threads-panel').hidden"), True, "the list is hidden")


@test
def page_compares_threads(lab):
    """Both sides are those of the threads; a profile without the thread is empty and is drawn."""
    path, out = recording("dump2"), lab.dir / "compared.html"
    convert(lab, path, f"--output={out}", "--thread-ids", f"--diff-base={path}")
    _, sums = thread_sums(out, "process_cpu")
    name = max(sums, key=lambda n: (sums[n], n))
    with Browser() as browser:
        opened(browser, out)
        browser.run("[...document.querySelectorAll('#threads button')].find(b => b.dataset.thread === "
                    f"{json.dumps(name)}).click()")
        both = browser.run("[graph.flame.model.total[0], graph.flame.model.before.total[0]]")
        check(both[0] == both[1] and both[0] > 0, f"both sides of {name}: {both}")
        for i in range(browser.run("document.querySelectorAll('#type option').length")):
            browser.run(f"{{ const t = document.getElementById('type'); t.value = {i}; "
                        "t.dispatchEvent(new Event('change')); }")
        equal(browser.problems(), [], "what the browser complained about")
