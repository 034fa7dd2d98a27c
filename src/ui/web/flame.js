"use strict";
/* What the pages share: words and numbers, and the flame graph itself. Everything foreign is shown by textContent or
 * drawn on a canvas. */
const $ = id => document.getElementById(id);
const ROW = 21,
  MIN_PX = 0.4;
const TITLES = {
  "cpu:nanoseconds": "CPU time",
  "wall:nanoseconds": "Wall-clock time",
  "alloc_in_new_tlab_bytes:bytes": "Allocated memory (bytes)",
  "alloc_in_new_tlab_objects:count": "Allocated memory (objects)",
  "alloc_outside_tlab_bytes:bytes": "Allocated outside TLAB (bytes)",
  "alloc_outside_tlab_objects:count": "Allocated outside TLAB (objects)",
  "alloc_sample_bytes:bytes": "Allocation samples (bytes)",
  "alloc_sample_objects:count": "Allocation samples (objects)",
  "live_bytes:bytes": "Live objects (bytes)",
  "live:count": "Live objects (number)",
  "malloc_bytes:bytes": "Native memory (bytes)",
  "malloc_objects:count": "Native memory (allocations)",
  "malloc_live_bytes:bytes": "Native memory not freed (bytes)",
  "malloc_live_objects:count": "Native memory not freed (allocations)",
  "native_delay:nanoseconds": "Native lock wait time",
  "native_contentions:count": "Native lock contentions",
  "native:nanoseconds": "Native methods",
  "calls:count": "Traced calls",
  "trace:duration:nanoseconds": "Traced call time",
  "spans:count": "Spans",
  "span:duration:nanoseconds": "Span time",
  "user_event:events:count": "User events",
  "event:samples:count": "Counter samples",
  "event:events:count": "Counted events",
};
const TYPE_ORDER = ["CPU time", "Wall-clock time", "Allocated memory (bytes)", "Lock wait time"];

/* ---- light and dark: as the system has it, until somebody chooses ---- */
const darkness = matchMedia("(prefers-color-scheme: dark)"),
  themeWatchers = [];
let chosenTheme = "";
function applyTheme() {
  document.documentElement.dataset.theme = chosenTheme || (darkness.matches ? "dark" : "light");
  for (const told of themeWatchers) told();
}
function onTheme(told) {
  themeWatchers.push(told);
}
function toggleTheme() {
  chosenTheme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  applyTheme();
}
darkness.addEventListener("change", applyTheme);
applyTheme();

/* ---- words and numbers ---- */
function typeTitle(id) {
  const [name, sample, unit] = id.split(":");
  if (name === "mutex" || name === "block") {
    const what = name === "mutex" ? "Lock" : "Park";
    if (sample === "delay") return what + " wait time";
    if (sample === "contentions") return name === "mutex" ? "Lock contentions" : "Park events";
  }
  return TITLES[id] || TITLES[sample + ":" + unit] || `${name}: ${sample.replace(/_/g, " ")} (${unit})`;
}
function typeRank(id) {
  const i = TYPE_ORDER.indexOf(typeTitle(id));
  return i < 0 ? TYPE_ORDER.length : i;
}
function digits(v) {
  return v >= 100 ? v.toFixed(0) : v >= 10 ? v.toFixed(1) : v.toFixed(2);
}
function amount(v, unit) {
  if (v < 0) return "−" + amount(-v, unit);
  if (unit === "nanoseconds") {
    if (v < 1e3) return v + " ns";
    if (v < 1e6) return digits(v / 1e3) + " µs";
    if (v < 1e9) return digits(v / 1e6) + " ms";
    if (v < 12e10) return digits(v / 1e9) + " s";
    if (v < 72e11) return digits(v / 6e10) + " min";
    return digits(v / 36e11) + " h";
  }
  if (unit === "bytes") {
    const names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
    let i = 0;
    while (v >= 1024 && i < names.length - 1) {
      v /= 1024;
      i++;
    }
    return (i ? digits(v) : v) + " " + names[i];
  }
  const n = v >= 1e9 ? digits(v / 1e9) + " G" : v >= 1e6 ? digits(v / 1e6) + " M" : v.toLocaleString("en-US");
  return unit && unit !== "count" ? n + " " + unit : n;
}
function percent(part, whole) {
  const p = whole ? (part / whole) * 100 : 0;
  return (p >= 99.95 || p === 0 ? p.toFixed(0) : p >= 10 ? p.toFixed(1) : p.toFixed(2)) + " %";
}
function plural(n, one, many) {
  return n.toLocaleString("en-US") + " " + (n === 1 ? one : many);
}
function element(tag, cls, text) {
  const e = document.createElement(tag);
  if (cls) e.className = cls;
  if (text !== undefined) e.textContent = text;
  return e;
}
/* What is of no class begins with a point: stubs of the JVM, and libraries without symbols, which are paths. */
function dotted(name) {
  return name[0] === "." ? name.slice(1) : name.replace(/\//g, ".");
}
/* Class and method of a Java frame, the function of a native one ("libc.so.6.clone3", "kernel.do_idle"): packages and
 * libraries say the
   least and cost the most room. */
function shortName(name) {
  if (name[0] === ".") return name.slice(1 + Math.max(0, name.lastIndexOf("/")));
  if (name.startsWith("kernel.")) return name.slice(7);
  const native = /^[^\/]*?\.so(?:\.\d+)*\.(.+)$/.exec(name);
  if (native) return native[1];
  return /[:\s]/.test(name) ? name : dotted(name).split(".").slice(-2).join(".");
}

/* ---- colours ---- */
function hash(s) {
  let h = 2166136261;
  for (let i = 0; i < s.length; i++) h = Math.imul(h ^ s.charCodeAt(i), 16777619);
  return (h ^ (h >>> 13)) >>> 0;
}
/* Where frames say of what type they are (--frame-types): compiled, inlined, interpreted, C1, kernel. */
const FRAME_HUES = {
  "_[j]": [92, 40, 62],
  "_[i]": [164, 34, 62],
  "_[0]": [40, 62, 66],
  "_[1]": [66, 56, 60],
  "_[k]": [268, 34, 72],
};
/* Warm for Java (one hue per package), olive for the JDK, steel for native code and the VM, violet for the kernel, grey
 * for what is
   no function. */
function colorOf(name) {
  if (name === "total" || name === "(other)" || name[0] === "[") return "hsl(30 12% 74%)";
  const plain = dotted(name);
  const dot = plain.lastIndexOf(".");
  const h = hash(
    dot > 0 ? plain.slice(0, plain.lastIndexOf(".", dot - 1) > 0 ? plain.lastIndexOf(".", dot - 1) : dot) : plain,
  );
  if (FRAME_HUES[plain.slice(-4)]) {
    const [hue, saturation, light] = FRAME_HUES[plain.slice(-4)];
    return `hsl(${hue + (h % 14)} ${saturation}% ${light + (h % 7)}%)`;
  }
  if (/^kernel\./.test(plain)) return `hsl(${268 + (h % 18)} 34% ${72 + (h % 6)}%)`;
  if (plain.includes("::")) return `hsl(${196 + (h % 14)} 34% ${66 + (h % 7)}%)`;
  if (dot <= 0 || name[0] === "." || /\.so\b|\.dylib\b/.test(plain))
    return `hsl(${212 + (h % 16)} 30% ${70 + (h % 6)}%)`;
  if (/^(java|javax|jdk|sun|com\.sun)\./.test(plain)) return `hsl(${62 + (h % 26)} 42% ${62 + (h % 8)}%)`;
  return `hsl(${12 + (h % 36)} ${76 + (h % 14)}% ${60 + ((h >>> 8) % 9)}%)`;
}
/* Red: a larger share than before, blue: a smaller one. */
function changeColor(now, before) {
  const most = Math.max(now, before);
  if (most === 0) return "hsl(30 12% 74%)";
  const c = (now - before) / most,
    strength = Math.round(Math.min(1, Math.abs(c) * 1.4) * 72);
  return Math.abs(c) < 0.02 ? "hsl(40 10% 80%)" : `hsl(${c > 0 ? 8 : 212} ${strength}% ${84 - strength * 0.28}%)`;
}

/* ---- models: arrays by node, in preorder ---- */
/* From the store's answer: rows of depth, name, self, total, largest children first. */
function modelOf(data) {
  const raw = data.nodes,
    n = raw.length / 4;
  const m = emptyModel(n, data.names, data.unit);
  for (let i = 0; i < n; i++) {
    m.depth[i] = raw[4 * i];
    m.name[i] = raw[4 * i + 1];
    m.self[i] = raw[4 * i + 2];
    m.total[i] = raw[4 * i + 3];
  }
  m.size = m.total;
  return placed(m);
}
function emptyModel(n, names, unit) {
  return {
    n,
    unit,
    names,
    depth: new Int32Array(n),
    name: new Int32Array(n),
    parent: new Int32Array(n),
    x: new Float64Array(n),
    self: new Float64Array(n),
    total: new Float64Array(n),
    size: null,
    before: null,
    levels: [],
    colors: null,
  };
}
function placed(m) {
  const stack = [],
    next = [];
  for (let i = 0; i < m.n; i++) {
    const d = m.depth[i];
    m.parent[i] = d ? stack[d - 1] : -1;
    m.x[i] = d ? next[d - 1] : 0;
    if (d) next[d - 1] += m.size[i];
    stack[d] = i;
    next[d] = m.x[i];
    (m.levels[d] || (m.levels[d] = [])).push(i);
  }
  m.colors = m.names.map(colorOf);
  return m;
}
/* From a table of nodes: `parent` and `name` by node, parents first; what each has of its own, now and (or null)
 * before. */
function modelOfTable(names, unit, parent, name, self, before) {
  const n = parent.length,
    total = Float64Array.from(self),
    old = before && Float64Array.from(before),
    size = new Float64Array(n);
  for (let i = n - 1; i > 0; i--) {
    total[parent[i]] += total[i];
    if (old) old[parent[i]] += old[i];
  }
  for (let i = 0; i < n; i++) size[i] = total[i] + (old ? old[i] : 0);
  const first = new Int32Array(n).fill(-1),
    sibling = new Int32Array(n).fill(-1),
    forks = [];
  for (let i = n - 1; i > 0; i--)
    if (size[i] > 0) {
      const p = parent[i];
      sibling[i] = first[p];
      if (first[p] >= 0 && sibling[first[p]] < 0) forks.push(p); /* its second child; most nodes have one only */
      first[p] = i;
    }
  for (const p of forks) {
    const children = [];
    for (let i = first[p]; i >= 0; i = sibling[i]) children.push(i);
    children.sort((a, b) => size[b] - size[a] || a - b);
    children.forEach((i, k) => {
      sibling[i] = k + 1 < children.length ? children[k + 1] : -1;
    });
    first[p] = children[0];
  }
  let count = 0;
  for (let i = 0; i < n; i++) if (i === 0 || size[i] > 0) count++;
  const m = emptyModel(count, names, unit);
  m.size = new Float64Array(count);
  if (old) m.before = { self: new Float64Array(count), total: new Float64Array(count) };
  for (let i = 0, at = 0, d = 0; i >= 0; at++) {
    m.depth[at] = d;
    m.name[at] = name[i];
    m.self[at] = self[i];
    m.total[at] = total[i];
    m.size[at] = size[i];
    if (old) {
      m.before.self[at] = before[i];
      m.before.total[at] = old[i];
    }
    if (first[i] >= 0) {
      i = first[i];
      d++;
      continue;
    }
    while (i > 0 && sibling[i] < 0) {
      i = parent[i];
      d--;
    }
    i = i > 0 ? sibling[i] : -1;
  }
  return placed(m);
}
/* The same stacks from the other end: below the root, the functions that have something of their own, and below each
 * its callers. What is
   too small to be seen is not followed further. */
function callersOf(names, parent, name, self, before) {
  const all = i => self[i] + (before ? before[i] : 0);
  let whole = 0;
  const roots = new Map();
  for (let i = 1; i < parent.length; i++)
    if (all(i) > 0) {
      whole += all(i);
      push(roots, name[i], [i, i]);
    }
  const out = { parent: [0], name: [name[0]], self: [self[0]], before: before ? [before[0]] : null };
  const todo = [...roots].map(([key, list]) => [0, key, list]);
  function push(map, key, item) {
    const l = map.get(key);
    if (l) l.push(item[0], item[1]);
    else map.set(key, item);
  }
  while (todo.length) {
    const [up, key, list] = todo.pop(),
      at = out.parent.length,
      groups = new Map();
    let weight = 0,
      ends = 0,
      endsBefore = 0;
    for (let k = 0; k < list.length; k += 2) weight += all(list[k]);
    for (let k = 0; k < list.length; k += 2) {
      const origin = list[k],
        above = parent[list[k + 1]];
      if (above > 0 && weight * 50000 > whole) push(groups, name[above], [origin, above]);
      else {
        ends += self[origin];
        if (before) endsBefore += before[origin];
      }
    }
    out.parent.push(up);
    out.name.push(key);
    out.self.push(ends);
    if (before) out.before.push(endsBefore);
    for (const [k, l] of groups) todo.push([at, k, l]);
  }
  return out;
}
/* What each function has by itself, and on stacks it is part of: [name, self, total, self before, total before]. */
function functionsOf(m) {
  const rows = m.names.map((_, i) => [i, 0, 0, 0, 0]),
    open = new Int32Array(m.names.length),
    stack = [];
  for (let i = 1; i < m.n; i++) {
    while (stack.length >= m.depth[i]) open[stack.pop()]--;
    const r = rows[m.name[i]];
    r[1] += m.self[i];
    if (m.before) r[3] += m.before.self[i];
    if (!open[m.name[i]]) {
      r[2] += m.total[i];
      if (m.before) r[4] += m.before.total[i];
    }
    open[m.name[i]]++;
    stack.push(m.name[i]);
  }
  return rows.filter(r => r[2] || r[4]);
}

/* ---- the graph ----
   In the elements that both pages have for it. onZoom() is told of a path. Where frames were left out as "(other)",
   matchedOf(path, search) asks for what really matches beneath that path; null = it cannot be told. */
function flameGraph(onZoom, matchedOf) {
  const ui = { tip: $("tip"), crumbs: $("crumbs"), hits: $("hits"), speak: $("speak") },
    scroller = $("graph"),
    canvas = scroller.querySelector("canvas"),
    ctx = canvas.getContext("2d"),
    tall = scroller.querySelector(".tall"),
    vars = {},
    widths = new Map();
  let graph = null,
    focus = 0,
    cursor = -1,
    hover = -1,
    matched = null,
    query = "",
    flipped = false,
    pointer = null,
    asked = 0,
    pending = 0;

  function theme() {
    const s = getComputedStyle(document.documentElement);
    for (const v of ["text", "accent", "bar-dim", "frame-text"]) vars[v] = s.getPropertyValue("--" + v).trim();
    redraw();
  }
  function redraw() {
    if (!pending)
      pending = requestAnimationFrame(() => {
        pending = 0;
        draw();
      });
  }
  function nodeAt(path) {
    let at = 0;
    for (const name of path) {
      let found = -1;
      for (const i of graph.levels[graph.depth[at] + 1] || [])
        if (graph.parent[i] === at && graph.names[graph.name[i]] === name) {
          found = i;
          break;
        }
      if (found < 0) return at;
      at = found;
    }
    return at;
  }
  function pathOf(i) {
    const p = [];
    for (; i > 0; i = graph.parent[i]) p.unshift(graph.names[graph.name[i]]);
    return p;
  }
  function view() {
    return { x0: graph.x[focus], span: graph.size[focus] || 1 };
  }
  function height() {
    return Math.max(graph.levels.length * ROW, flipped ? scroller.clientHeight : 0);
  }
  function yOf(depth) {
    return flipped ? height() - (depth + 1) * ROW : depth * ROW;
  }
  function depthAt(y) {
    return Math.floor((flipped ? height() - 1 - y : y) / ROW);
  }

  /* -- drawing -- */
  function width(text) {
    let w = widths.get(text);
    if (w === undefined) {
      w = ctx.measureText(text).width;
      if (widths.size > 20000) widths.clear();
      widths.set(text, w);
    }
    return w;
  }
  function fit(text, room) {
    if (room < 18) return "";
    const w = width(text);
    if (w <= room) return text;
    let keep = Math.floor((text.length * room) / w);
    while (keep >= 3 && width(text.slice(0, keep) + "…") > room) keep--;
    return keep >= 3 ? text.slice(0, keep) + "…" : "";
  }
  function labelFor(name, room) {
    const whole = fit(name, room);
    return whole === name ? whole : fit(shortName(name), room);
  }
  function firstVisible(level, x0) {
    let lo = 0,
      hi = level.length;
    while (lo < hi) {
      const mid = (lo + hi) >> 1;
      if (graph.x[level[mid]] + graph.size[level[mid]] <= x0) lo = mid + 1;
      else hi = mid;
    }
    return lo;
  }
  function draw() {
    if (!graph || scroller.hidden) return;
    const W = scroller.clientWidth,
      H = scroller.clientHeight,
      dpr = devicePixelRatio || 1;
    if (canvas.width !== Math.round(W * dpr) || canvas.height !== Math.round(H * dpr)) {
      canvas.width = Math.round(W * dpr);
      canvas.height = Math.round(H * dpr);
      canvas.style.height = H + "px";
    }
    tall.style.height = height() + "px";
    ctx.setTransform(dpr, 0, 0, dpr, 0, 0);
    ctx.clearRect(0, 0, W, H);
    ctx.font = "12px system-ui, sans-serif";
    ctx.textBaseline = "middle";
    const top = scroller.scrollTop,
      ends = [depthAt(top), depthAt(top + H)];
    const first = Math.max(0, Math.min(...ends)),
      last = Math.min(graph.levels.length - 1, Math.max(...ends));
    for (let d = first; d <= last; d++) drawLevel(graph.levels[d], yOf(d) - top, W, d < graph.depth[focus]);
  }
  function drawLevel(level, y, W, above) {
    const { x0, span } = view(),
      scale = W / span;
    let dustStart = -1,
      dustEnd = -1;
    for (let k = firstVisible(level, x0); k < level.length; k++) {
      const i = level[k];
      let left = (graph.x[i] - x0) * scale;
      if (left >= W) break;
      const right = Math.min(W, left + graph.size[i] * scale);
      left = Math.max(0, left);
      if (right - left < MIN_PX) {
        if (left - dustEnd > 1) {
          dust(dustStart, dustEnd, y);
          dustStart = left;
        }
        dustEnd = right;
        continue;
      }
      frame(i, left, right - left, y, above);
    }
    dust(dustStart, dustEnd, y);
  }
  function dust(a, b, y) {
    if (a >= 0) {
      ctx.fillStyle = vars["bar-dim"];
      ctx.fillRect(a, y, Math.max(0.5, b - a), ROW - 1);
    }
  }
  function colour(i) {
    if (!graph.before) return graph.colors[graph.name[i]];
    return changeColor(graph.total[i] / (graph.total[0] || 1), graph.before.total[i] / (graph.before.total[0] || 1));
  }
  function frame(i, left, width, y, above) {
    const name = graph.names[graph.name[i]],
      gap = width > 3 ? 1 : 0;
    const hit = matched && matched[graph.name[i]];
    ctx.globalAlpha = above ? 0.5 : matched && !hit ? 0.28 : 1;
    ctx.fillStyle = colour(i);
    ctx.beginPath();
    if (width > 6 && ctx.roundRect) ctx.roundRect(left, y, width - gap, ROW - 1, 2.5);
    else ctx.rect(left, y, width - gap, ROW - 1);
    ctx.fill();
    if (hit && !above) {
      ctx.lineWidth = 1.5;
      ctx.strokeStyle = vars.accent;
      if (width > 4) ctx.stroke();
    }
    if (i === hover) {
      ctx.globalAlpha = 0.18;
      ctx.fillStyle = "#000";
      ctx.fill();
    }
    ctx.globalAlpha = above ? 0.75 : matched && !hit ? 0.55 : 1;
    const room = width - gap - 10;
    if (room > 14) {
      const text = labelFor(i === 0 ? "all" : name, room);
      if (text) {
        ctx.fillStyle = matched && !hit ? vars.text : vars["frame-text"];
        ctx.fillText(text, left + 5, y + ROW / 2);
      }
    }
    ctx.globalAlpha = 1;
    if (i === cursor && document.activeElement === canvas) {
      ctx.lineWidth = 2;
      ctx.strokeStyle = vars.text;
      ctx.strokeRect(left + 1, y + 1, Math.max(1, width - gap - 2), ROW - 3);
    }
  }

  /* -- words about a frame -- */
  function describe(i) {
    const name = graph.names[graph.name[i]],
      all = graph.total[0],
      seen = graph.total[focus],
      b = graph.before,
      lines = [];
    const say = (what, v, whole, more) => `${what} ${amount(v, graph.unit)} (${percent(v, whole)}${more || ""})`;
    lines.push(say("total", graph.total[i], all, focus ? ", " + percent(graph.total[i], seen) + " of view" : ""));
    if (b) lines.push(say("before", b.total[i], b.total[0]));
    lines.push(say("self", graph.self[i], all));
    if (b) lines.push(say("self before", b.self[i], b.total[0]));
    if (name === "(other)") lines.push("many small frames; zoom in at the frame that calls them to see more");
    return { name: i === 0 ? "all stacks" : dotted(name), lines };
  }
  function tip(event, i) {
    const t = ui.tip;
    t.hidden = i < 0;
    if (i < 0) return;
    const d = describe(i);
    t.replaceChildren(element("b", "", d.name), ...d.lines.map(l => element("span", "", l)));
    const w = t.offsetWidth,
      h = t.offsetHeight;
    t.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - w - 8)) + "px";
    t.style.top = (event.clientY + 18 + h > innerHeight ? event.clientY - h - 10 : event.clientY + 18) + "px";
  }
  function scrollTo(i, margin) {
    const y = yOf(graph.depth[i]),
      H = scroller.clientHeight;
    if (y < scroller.scrollTop + margin) scroller.scrollTop = Math.max(0, y - margin);
    else if (y + ROW + margin > scroller.scrollTop + H) scroller.scrollTop = y + ROW + margin - H;
  }
  function zoom(i) {
    focus = i;
    cursor = i;
    scrollTo(i, 2 * ROW);
    if (onZoom) onZoom(pathOf(i));
    showCrumbs();
    showHits();
    redraw();
  }
  function showCrumbs() {
    ui.crumbs.hidden = !focus;
    const chain = [];
    for (let i = focus; i >= 0; i = graph.parent[i]) chain.unshift(i);
    const shown = chain.length > 7 ? [chain[0], -1, ...chain.slice(-5)] : chain;
    ui.crumbs.replaceChildren(
      ...shown.flatMap((i, k) => {
        if (i < 0) return [element("span", "", "› …")];
        const name = graph.names[graph.name[i]],
          b = element("button", "", i ? shortName(name) : "Reset zoom");
        b.title = i ? name : "Show all stacks (Escape)";
        b.onclick = () => zoom(i);
        return k ? [element("span", "", "›"), b] : [b];
      }),
    );
  }
  /* A match inside a match counts once: only outermost ones are summed. */
  function showHits() {
    if (!matched || !graph) {
      ui.hits.textContent = "";
      return;
    }
    let sum = 0,
      skip = -1,
      inside = false;
    const base = graph.depth[focus];
    for (let i = focus; i < graph.n; i++) {
      if (i > focus && graph.depth[i] <= base) break;
      if (skip >= 0 && graph.depth[i] > skip) continue;
      skip = -1;
      if (matched[graph.name[i]]) {
        sum += graph.total[i];
        skip = graph.depth[i];
        inside = true;
      }
    }
    const mine = ++asked;
    if (!matchedOf || !isCut()) {
      sayHits(inside ? sum : 0);
      return;
    }
    ui.hits.textContent = "searching…";
    matchedOf(pathOf(focus), query.trim()).then(all => {
      if (mine === asked && matched && graph) sayHits(all === null ? null : all);
    });
  }
  function sayHits(sum) {
    const where = focus ? " of view" : "";
    ui.hits.textContent =
      sum === null
        ? "matches cannot be counted"
        : sum
          ? percent(sum, graph.total[focus]) + where + " matched · " + amount(sum, graph.unit)
          : "no match" + (focus ? " in view" : "");
  }
  /* Something in view was left out. */
  function isCut() {
    const other = graph.names.indexOf("(other)"),
      base = graph.depth[focus];
    if (other < 0) return false;
    for (let i = focus; i < graph.n && (i === focus || graph.depth[i] > base); i++)
      if (graph.name[i] === other) return true;
    return false;
  }
  /* Part of a name, "a whole name", or /an expression/. */
  function search(text) {
    query = text;
    const q = query.trim();
    matched = null;
    if (q && graph) {
      let test;
      const re = /^\/(.+)\/$/.exec(q),
        whole = /^"(.+)"$/.exec(q);
      try {
        const r = re && new RegExp(re[1], "i");
        test = r ? s => r.test(s) : whole ? s => s === whole[1] : s => s.toLowerCase().includes(q.toLowerCase());
      } catch (e) {
        test = () => false;
      }
      matched = graph.names.map(n => test(n) || test(dotted(n)));
    }
    showHits();
    redraw();
  }
  /* Keeps what was zoomed at, by `path`, and the frame under the keyboard. */
  function show(model, path) {
    const kept = graph && cursor >= 0 ? pathOf(cursor) : null;
    graph = model;
    hover = -1;
    widths.clear();
    if (!graph) {
      ui.tip.hidden = true;
      ui.crumbs.hidden = true;
      ui.hits.textContent = "";
      return;
    }
    focus = nodeAt(path || []);
    cursor = kept ? nodeAt(kept) : -1;
    showCrumbs();
    search(query);
    if (pointer) point(pointer);
  }
  /* The frame under the pointer, and what is said of it. */
  function point(event) {
    const i = hitTest(event);
    if (i !== hover) redraw();
    hover = i;
    tip(event, i);
  }
  function flip(on) {
    flipped = on;
    draw();
    if (graph) scroller.scrollTop = on ? scroller.scrollHeight : 0;
    redraw();
  }

  /* -- input -- */
  function hitTest(event) {
    if (!graph) return -1;
    const box = canvas.getBoundingClientRect(),
      { x0, span } = view();
    const level = graph.levels[depthAt(event.clientY - box.top + scroller.scrollTop)];
    if (!level) return -1;
    const x = x0 + ((event.clientX - box.left) / box.width) * span,
      i = level[firstVisible(level, x)];
    return i !== undefined && graph.x[i] <= x && x < graph.x[i] + graph.size[i] ? i : -1;
  }
  function neighbour(i, key) {
    const level = graph.levels[graph.depth[i]],
      at = level.indexOf(i);
    if (key === (flipped ? "ArrowDown" : "ArrowUp")) return graph.parent[i];
    if (key === (flipped ? "ArrowUp" : "ArrowDown")) return i + 1 < graph.n && graph.parent[i + 1] === i ? i + 1 : -1;
    const j = level[at + (key === "ArrowRight" ? 1 : -1)];
    return j === undefined ? -1 : j;
  }
  canvas.addEventListener("mousemove", e => {
    pointer = e;
    point(e);
  });
  canvas.addEventListener("mouseleave", () => {
    pointer = null;
    hover = -1;
    ui.tip.hidden = true;
    redraw();
  });
  canvas.addEventListener("click", e => {
    const i = hitTest(e);
    if (i < 0) return;
    zoom(i);
    point(e);
  });
  canvas.addEventListener("focus", () => {
    if (cursor < 0) cursor = focus;
    redraw();
  });
  canvas.addEventListener("blur", redraw);
  scroller.addEventListener("scroll", () => {
    ui.tip.hidden = true;
    redraw();
  });
  canvas.addEventListener("keydown", e => {
    if (!graph) return;
    if (e.key === "Enter") {
      if (cursor >= 0) zoom(cursor);
      e.preventDefault();
      return;
    }
    if (!e.key.startsWith("Arrow")) return;
    e.preventDefault();
    const i = neighbour(cursor < 0 ? focus : cursor, e.key);
    if (i < 0) return;
    cursor = i;
    scrollTo(i, 0);
    const d = describe(i);
    ui.speak.textContent = d.name + ", " + d.lines.join(", ");
    redraw();
  });
  addEventListener("resize", redraw);
  return {
    show,
    search,
    theme,
    redraw,
    flip,
    reset() {
      if (graph && focus) zoom(0);
    },
    get model() {
      return graph;
    },
    get cut() {
      return !!graph && isCut();
    },
  };
}
/* The search box and its keys: "/" goes there, Escape empties it, or else zooms out. onSearch(), if given, is told. */
function searchBox(input, graph, onSearch) {
  let later = 0;
  input.addEventListener("input", () => {
    clearTimeout(later);
    later = setTimeout(() => search(input.value), 150);
  });
  function search(text) {
    clearTimeout(later);
    graph.search(text);
    if (onSearch) onSearch(text);
  }
  document.addEventListener("keydown", e => {
    if (e.key === "/" && !/INPUT|SELECT/.test(document.activeElement.tagName)) {
      e.preventDefault();
      input.focus();
      input.select();
    }
    if (e.key !== "Escape") return;
    if (document.activeElement === input && input.value) {
      input.value = "";
      search("");
    } else graph.reset();
  });
  /* Looks for a text, or for nothing when it was that. */
  return text => {
    input.value = input.value === text ? "" : text;
    search(input.value);
  };
}
