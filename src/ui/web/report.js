"use strict";
const graph = flameGraph(path => {
  zoomed = path;
});
const look = searchBox($("search"), graph),
  TOP_ROWS = 250;
let views = [],
  view = null,
  callers = false,
  flipped = false,
  sortBy = 1,
  zoomed = [],
  compare = false,
  timeRange = null;
const heat = heatMap($("heat-panel"), setRange);

/* The data: gzip-compressed JSON in base64; see report.h. */
async function load() {
  if (!window.DecompressionStream)
    throw new Error(
      "This browser cannot decompress the data of the page. Required: Chrome 80, Firefox 113 or Safari 16.4.",
    );
  const text = atob($("data").textContent),
    bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}
function unpack(data) {
  compare = data.compare;
  $("file").textContent = data.title;
  $("file").title = data.title;
  document.title = (data.title || "Flame graph") + " · smolder";
  for (const p of data.profiles) {
    const parent = p.up.map((up, i) => i - up),
      count = compare ? p.types.length / 2 : p.types.length;
    p.types.slice(0, count).forEach(([type, unit], i) => {
      const self = p.self[i],
        before = compare ? p.self[i + count] : null;
      const some = self.some(v => v) || (before && before.some(v => v));
      if (some)
        views.push({
          id: p.name + ":" + type + ":" + unit,
          unit,
          names: p.names,
          parent,
          name: p.node,
          self,
          before,
          profile: p,
          whole: self,
          times: p.heat ? heatTimes(p.heat, i) : null,
          models: {},
        });
    });
  }
  views.sort((a, b) => typeRank(a.id) - typeRank(b.id) || (a.id < b.id ? -1 : a.id > b.id));
}
/* The samples of a part of the time, or with null of all. */
function setRange(range) {
  timeRange = range;
  for (const v of views) {
    v.self = range && v.times ? heatSelf(v.times, v.whole.length, range) : v.whole;
    v.models = {};
    v.functions = null;
  }
  show();
}
function model() {
  const which = callers ? "callers" : "callees";
  if (!view.models[which]) {
    const v = callers ? callersOf(view.names, view.parent, view.name, view.self, view.before) : view;
    view.models[which] = modelOfTable(view.names, view.unit, v.parent, v.name, v.self, v.before);
  }
  return view.models[which];
}
function when(ns, duration) {
  const from = new Date(ns / 1e6),
    words = ns > 0 ? from.toLocaleString() : "";
  return [words, duration > 0 ? amount(duration, "nanoseconds") : ""].filter(w => w).join(" · ");
}
function show() {
  const m = model();
  $("title").textContent = typeTitle(view.id);
  const parts = [element("b", "", amount(m.total[0], view.unit))];
  if (m.before) parts.push(` instead of ${amount(m.before.total[0], view.unit)} before`);
  const time = timeRange ? "" : when(view.profile.time_ns, view.profile.duration_ns);
  if (time) parts.push(" · " + time);
  if (view.profile.truncated) parts.push(" · cut: too many different stacks");
  $("sum").replaceChildren(...parts);
  $("callees").setAttribute("aria-pressed", !callers);
  $("callers").setAttribute("aria-pressed", callers);
  graph.show(m, zoomed);
  graph.redraw();
  showTop();
  showLegend();
}
/* Shares are compared, not sums: one side may be longer than the other. */
function change(r, m, by) {
  return r[by] / (m.total[0] || 1) - r[by + 2] / (m.before.total[0] || 1);
}
function showTop() {
  view.models.callees ||
    (view.models.callees = modelOfTable(view.names, view.unit, view.parent, view.name, view.self, view.before));
  const m = view.models.callees,
    rows = view.functions || (view.functions = functionsOf(m));
  const key = m.before ? r => Math.abs(change(r, m, sortBy)) : r => r[sortBy];
  const items = rows
    .filter(r => key(r) > 0)
    .sort((a, b) => key(b) - key(a) || a[0] - b[0])
    .slice(0, TOP_ROWS)
    .map(r => {
      const name = m.names[r[0]],
        li = element("li"),
        b = element("button"),
        mark = element("i");
      mark.style.background = m.colors[r[0]];
      b.append(mark, element("span", "", shortName(name)));
      if (m.before) {
        const c = change(r, m, sortBy);
        b.append(element("small", c > 0 ? "grew" : "shrank", (c > 0 ? "+" : "−") + percent(Math.abs(c), 1)));
      } else {
        b.append(
          element("small", "", amount(r[sortBy], view.unit)),
          element("small", "", percent(r[sortBy], m.total[0])),
        );
      }
      b.title =
        dotted(name) +
        " — self " +
        amount(r[1], view.unit) +
        ", total " +
        amount(r[2], view.unit) +
        " — show where it is";
      b.onclick = () => look(dotted(name));
      li.append(b);
      return li;
    });
  $("top-panel").hidden = !items.length;
  $("top").replaceChildren(...items);
  for (const b of $("sort").children) b.setAttribute("aria-pressed", +b.dataset.by === sortBy);
}
function showLegend() {
  const samples = compare
    ? [
        ["larger share than before", changeColor(1, 0.4)],
        ["as before", changeColor(1, 1)],
        ["smaller share", changeColor(0.4, 1)],
      ]
    : view.names.some(n => FRAME_HUES[n.slice(-4)])
      ? [
          ["compiled", colorOf("a.b_[j]")],
          ["inlined", colorOf("a.b_[i]")],
          ["interpreted", colorOf("a.b_[0]")],
          ["C1", colorOf("a.b_[1]")],
          ["native", colorOf("libc.so.6.read")],
          ["JVM", colorOf("libjvm.so.JavaThread::run")],
          ["kernel", colorOf("a.b_[k]")],
        ]
      : [
          ["application", colorOf("org/example/App.run")],
          ["JDK", colorOf("java/lang/Thread.run")],
          ["native", colorOf("libc.so.6.read")],
          ["JVM", colorOf("libjvm.so.JavaThread::run")],
          ["kernel", colorOf("kernel.do_syscall_64")],
        ];
  $("legend").replaceChildren(
    ...samples.map(([text, colour]) => {
      const s = element("span"),
        i = element("i");
      i.style.background = colour;
      s.append(i, text);
      return s;
    }),
  );
  const keys = element("span", "grow");
  $("legend").append(keys);
  const help = element("span");
  for (const [key, what] of [
    ["↑↓←→", "move"],
    ["Enter", "zoom"],
    ["/", "search"],
    ["Esc", "back"],
    ["i", "invert"],
    ["c", "callers"],
    ["t", "theme"],
    ...(view.times ? [["a", "whole time"]] : []),
  ])
    help.append(element("kbd", "", key), " " + what + "  ");
  $("legend").append(help);
}
function setCallers(on) {
  if (on === callers) return;
  callers = on;
  zoomed = [];
  show();
}
function setFlip(on) {
  flipped = on;
  $("flip").setAttribute("aria-pressed", on);
  graph.flip(on);
}
$("callees").onclick = () => setCallers(false);
$("callers").onclick = () => setCallers(true);
$("flip").onclick = () => setFlip(!flipped);
$("theme").onclick = toggleTheme;
onTheme(() => {
  graph.theme();
  heat.draw();
});
$("type").onchange = e => {
  view = views[+e.target.value];
  zoomed = [];
  show();
  heat.show(view);
};
$("sort").onclick = e => {
  if (e.target.dataset.by) {
    sortBy = +e.target.dataset.by;
    showTop();
  }
};
document.addEventListener("keydown", e => {
  if (!view || e.ctrlKey || e.metaKey || e.altKey || /INPUT|SELECT/.test(document.activeElement.tagName)) return;
  if (e.key === "i") setFlip(!flipped);
  else if (e.key === "c") setCallers(!callers);
  else if (e.key === "a") heat.select(null);
  else if (e.key === "t") toggleTheme();
});
load()
  .then(data => {
    unpack(data);
    if (!views.length) {
      $("message").textContent = "There are no samples in " + (data.title || "this recording") + ".";
      return;
    }
    $("type").replaceChildren(...views.map((v, i) => new Option(typeTitle(v.id), i)));
    $("message").hidden = true;
    $("graph").hidden = false;
    view = views[0];
    graph.theme();
    callers = data.callers;
    if (data.inverted) setFlip(true);
    show();
    heat.show(view);
    if (data.search) look(data.search);
    document.documentElement.dataset.ready = "yes";
  })
  .catch(e => {
    $("message").textContent = "Cannot show the data of this page: " + e.message;
    document.documentElement.dataset.ready = "failed";
  });
