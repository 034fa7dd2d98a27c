#!/usr/bin/env python3
"""The web page: how large it is, and how smoothly a flame graph of 100,000 frames moves in a headless Chromium.

The graph has 2,000 stacks of 52 frames, so that all rows of the window are full. For some seconds its view glides from
the whole to a 200th and back, and every frame of the display that the browser shows is counted. Chromium draws without
a graphics card here. The longest of the script's own times to draw one, at each of six scales the shortest of 25, is
what the page itself takes.
"""
import gzip
import importlib.util
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
spec = importlib.util.spec_from_file_location("bench_lab", os.path.join(HERE, "lab.py"))
lab = importlib.util.module_from_spec(spec)  # the tests have a module of that name, too
spec.loader.exec_module(lab)
sys.path.insert(0, os.path.join(lab.ROOT, "tests", "daemon"))
sys.dont_write_bytecode = True
import browser  # noqa: E402
from lab import Failure, Skip  # noqa: E402

WEIGHT_MAX = 150_000
FRAME_MS = 1000 / 60

GLIDE = """new Promise(done => {
  const flame = graph.flame, whole = flame.model.size[0], times = [], begin = performance.now();
  const step = now => {
    times.push(now);
    const part = (now - begin) / SECONDS / 1000;
    if (part >= 1) return done((times.length - 1) / (times[times.length - 1] - times[0]) * 1000);
    const scale = 200 ** (Math.sin(Math.PI * part) ** 2);
    flame.look(whole * .4 * (1 - 1 / scale), whole / scale);
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""
SCRIPT = """(() => {
  const flame = graph.flame, whole = flame.model.size[0], took = [];
  for (const scale of [1, 3, 10, 30, 60, 200]) {
    flame.look(whole * .3, whole / scale);
    let best = Infinity;
    for (let i = 0; i < 25; i++) {
      const begin = performance.now();
      flame.draw();
      best = Math.min(best, performance.now() - begin);
    }
    took.push(best);
  }
  return Math.max(...took);
})()"""


def stacks():
    """Collapsed stacks: 2,000 of 52 frames with the root, which share the first four."""
    values = random.Random(1)
    for i in range(2000):
        frames = [f"com/shop/m{i % 20}/A.f{i % 20}", f"com/shop/B.g{i // 20 % 10}", f"com/shop/C.h{i // 200}"]
        frames += [f"org/lib{(i + k) % 50}/Pack{k}.call{i * k % 97}" for k in range(48)]
        yield ";".join(frames) + f" {values.randint(1, 100)}\n"


def measure(args):
    with open(os.path.join(os.path.dirname(args.smolder), "src", "ui", "index.html"), "rb") as file:
        weight = len(gzip.compress(file.read()))
    lab.figure("page, compressed", f"{weight / 1000:.1f} kB", "< 150 kB", weight < WEIGHT_MAX)
    with tempfile.TemporaryDirectory() as place:
        source, page = os.path.join(place, "stacks.collapsed"), os.path.join(place, "page.html")
        with open(source, "w", encoding="utf-8") as file:
            file.writelines(stacks())
        subprocess.run([args.smolder, "convert", source, f"--output={page}"], check=True)
        try:
            with browser.Browser(width=1400, height=1000) as chromium:
                chromium.open(f"file://{page}")
                chromium.wait("document.documentElement && document.documentElement.dataset.ready")
                nodes = chromium.run("graph.flame.model.n")
                rates = [chromium.run(GLIDE.replace("SECONDS", str(args.seconds))) for _ in range(args.rounds)]
                script = chromium.run(SCRIPT)
        except Skip as e:
            lab.figure("flame graph", "-", "", None, str(e))
            return
        except Failure as e:
            raise lab.Failed(str(e)) from e
    lab.figure("flame graph, frames per second", f"{max(rates):.0f}", ">= 60", max(rates) >= 59.5,
               f"{nodes:,} frames; the best of {args.rounds} times {args.seconds} s")
    lab.figure("flame graph, script per frame", f"{script:.1f} ms", f"< {FRAME_MS:.1f} ms", script < FRAME_MS)


if __name__ == "__main__":
    parser = lab.parser(__doc__)
    parser.add_argument("--seconds", type=int, default=4, help="how long the view moves (%(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="how often (%(default)s)")
    lab.main(measure, parser)
