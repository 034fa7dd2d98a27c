"use strict";
const REFRESH_MS = 10000,
  WAIT_MS = 2000;
const RANGES = [
  ["5m", "5 min", 300],
  ["15m", "15 min", 900],
  ["1h", "1 h", 3600],
  ["6h", "6 h", 21600],
  ["24h", "24 h", 86400],
  ["custom", "Custom", 0],
];
const state = { service: "", type: "", range: "1h", from: 0, until: 0, zoom: [], live: true };
const graph = flameGraph(path => {
  state.zoom = path;
});
const look = searchBox($("search"), graph);
let services = [],
  types = [],
  jvms = null,
  lastError = "";

/* ---- words and numbers ---- */
function ago(ms) {
  const s = Math.max(0, Math.round(ms / 1000));
  return s < 90
    ? s + " s"
    : s < 5400
      ? Math.round(s / 60) + " min"
      : s < 172800
        ? Math.round(s / 3600) + " h"
        : Math.round(s / 86400) + " days";
}
function clock(ms, dated) {
  const d = new Date(ms);
  return (
    (dated ? d.toLocaleDateString(undefined, { month: "short", day: "numeric" }) + " " : "") +
    d.toLocaleTimeString(undefined, { hour12: false })
  );
}
function solid(text) {
  return text.replace(/(\d) (?=[a-zµ%])/g, "$1\u00a0");
}

/* ---- state in the address ---- */
function readAddress() {
  const p = new URLSearchParams(location.hash.slice(1));
  state.service = p.get("service") || "";
  state.type = p.get("type") || "";
  state.range = RANGES.some(r => r[0] === p.get("range")) ? p.get("range") : "1h";
  state.from = +p.get("from") || 0;
  state.until = +p.get("until") || 0;
  if (state.range === "custom" && !(state.from < state.until)) state.range = "1h";
}
function writeAddress() {
  const p = new URLSearchParams();
  if (state.service) p.set("service", state.service);
  if (state.type) p.set("type", state.type);
  p.set("range", state.range);
  if (state.range === "custom") {
    p.set("from", state.from);
    p.set("until", state.until);
  }
  const hash = "#" + p;
  if (hash !== location.hash) history.replaceState(null, "", hash);
}
function range() {
  if (state.range === "custom") return { from: state.from, until: state.until };
  const now = Date.now();
  return { from: now - RANGES.find(r => r[0] === state.range)[2] * 1000, until: now };
}

/* ---- asking the server ---- */
async function get(path, params) {
  let answer;
  try {
    answer = await fetch("/api/" + path + "?" + new URLSearchParams(params || {}), { cache: "no-store" });
  } catch (e) {
    throw new Error("smolder does not answer; retrying every few seconds.");
  }
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.error || "smolder answered " + answer.status);
  return body;
}
/* Bars of a round length, long enough to hold whole profiles: else the pattern of the intervals shows instead of the
 * load. */
function buckets(r) {
  const span = r.until - r.from,
    steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400];
  const step = steps.find(s => span / (s * 1000) <= 125) || 86400;
  return Math.max(1, Math.min(1000, Math.ceil(span / (step * 1000))));
}
let generation = 0,
  timer = 0;
async function refresh() {
  clearTimeout(timer);
  const mine = ++generation,
    r = range();
  try {
    const [j, s] = await Promise.all([get("jvms"), get("services", r)]);
    if (mine !== generation) return;
    jvms = j;
    jvms.at = Date.now();
    services = s.services;
    if (!wanted && services.length && !services.some(x => x.name === state.service))
      state.service = services.reduce((a, b) => (b.last_ms > a.last_ms ? b : a)).name;
    const known = services.some(x => x.name === state.service);
    types = known
      ? (await get("types", { service: state.service, ...r })).types.sort(
          (a, b) => typeRank(a.id) - typeRank(b.id) || a.id.localeCompare(b.id),
        )
      : [];
    if (mine !== generation) return;
    if (types.length && !types.some(t => t.id === state.type)) {
      state.type = types[0].id;
      state.zoom = [];
    }
    let line = null,
      data = null;
    if (types.length) {
      const q = { service: state.service, type: state.type, ...r };
      [data, line] = await Promise.all([get("flamegraph", q), get("timeline", { ...q, buckets: buckets(r) })]);
    }
    if (mine !== generation) return;
    lastError = "";
    show(data, line, r);
  } catch (e) {
    if (mine !== generation) return;
    lastError = e.message;
  }
  $("trouble").hidden = !lastError;
  $("trouble").textContent = lastError;
  writeAddress();
  const waiting = !services.length || lastError;
  if (state.live && !document.hidden) timer = setTimeout(refresh, waiting ? WAIT_MS : REFRESH_MS);
}
let wanted = false; /* the service was chosen by hand: keep it though it has no data here */

/* ---- pickers ---- */
function fill(select, items, value) {
  const key = JSON.stringify(items) + value;
  if (select.dataset.key === key) return;
  select.dataset.key = key;
  select.replaceChildren(...items.map(([v, text]) => new Option(text, v, false, v === value)));
  select.disabled = !items.length;
}
function showPickers() {
  const names = services.map(s => [s.name, s.name]);
  if (state.service && !services.some(s => s.name === state.service))
    names.push([state.service, state.service + " (no data)"]);
  fill($("service"), names.length ? names : [["", "none yet"]], state.service);
  fill($("type"), types.length ? types.map(t => [t.id, typeTitle(t.id)]) : [["", "none yet"]], state.type);
  for (const b of $("ranges").children) b.setAttribute("aria-pressed", b.dataset.range === state.range);
  $("custom").hidden = state.range !== "custom";
  document.title = state.service ? state.service + " · smolder" : "smolder";
}
function local(ms) {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return d.toISOString().slice(0, 19);
}
function chooseRange(name, from, until) {
  if (name === "custom") {
    const r = from ? { from, until } : range();
    state.from = Math.round(r.from);
    state.until = Math.round(r.until);
    $("from").value = local(state.from);
    $("until").value = local(state.until);
  }
  state.range = name;
  showPickers();
  refresh();
}

/* ---- the list of JVMs ---- */
function isProfiled(j) {
  return j.state === "profiling" || j.state === "degraded";
}
function jvmMeta(j) {
  const bits = [...(j.main && j.main !== j.service_name ? [j.main] : []), "pid " + j.pid],
    since = Date.now() - jvms.at,
    last = Date.parse(j.last_profile);
  const next = Math.round(j.next_profile_seconds - since / 1000);
  if (last) bits.push("last profile " + ago(jvms.now_ms + since - last) + " ago");
  else if (isProfiled(j))
    bits.push(next > 0 ? "first profile in about " + next + " s" : "first profile any moment");
  if (last && next > 0) bits.push("next in " + next + " s");
  return bits.join(" · ");
}
setInterval(() => {
  if (!document.hidden) for (const m of document.querySelectorAll("#jvms .meta")) m.textContent = jvmMeta(m.jvm);
}, 1000);
function showJvms() {
  const list = jvms ? jvms.jvms : [];
  $("jvm-count").textContent = list.length
    ? plural(list.filter(isProfiled).length, "profiled", "profiled") + " of " + list.length
    : "";
  const focused = document.activeElement && document.activeElement.dataset.pid;
  $("jvms").replaceChildren(
    ...list.map(j => {
      const li = element("li"),
        b = element("button"),
        head = element("span", "jvm-head");
      b.dataset.pid = j.pid;
      const badge = element("span", "badge " + j.state, j.state.replace("_", " "));
      head.append(element("b", "", j.service_name || "pid " + j.pid), badge);
      b.append(head);
      const meta = element("span", "meta", jvmMeta(j));
      meta.jvm = j;
      b.append(meta);
      if (j.reason) b.append(element("span", "reason", j.reason));
      /* Markdown: of a link only its text. */
      const remedy = (j.remedy || "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
      if (j.reason && !remedy.startsWith("none")) b.title = remedy;
      b.setAttribute("aria-current", j.service_name === state.service);
      b.onclick = () => {
        state.service = j.service_name;
        wanted = true;
        state.zoom = [];
        refresh();
      };
      li.append(b);
      return li;
    }),
  );
  if (focused) {
    const b = $("jvms").querySelector(`[data-pid="${focused}"]`);
    if (b) b.focus();
  }
  const note = $("jvm-note");
  note.hidden = list.length > 0;
  $("jvms").hidden = !list.length;
  note.replaceChildren();
  if (!jvms || list.length) return;
  if (!jvms.agent) {
    note.append(element("p", "", "This store runs without an agent; profiles are pushed to it."));
  } else {
    note.append(element("p", "", "No JVM is running on this host. New ones are detected within a second."));
    const p = element("p", "", "Start the sample application with ");
    p.append(element("code", "", "make demo-app"), ".");
    note.append(p);
  }
  for (const c of jvms.components.filter(c => c.health === "unhealthy"))
    note.append(element("p", "reason", c.id + ": " + c.message));
}

/* ---- when there is nothing to draw ---- */
function emptyState(r) {
  const box = $("empty");
  const svg =
    '<svg class="ember" viewBox="0 0 24 24" aria-hidden="true">' +
    '<rect x="2" y="16" width="20" height="5" rx="1" fill="#b5371c" opacity=".55"/>' +
    '<rect x="4" y="10" width="13" height="5" rx="1" fill="#e2632b" opacity=".4"/>' +
    '<rect x="6" y="4" width="6" height="5" rx="1" fill="#f5a83d" opacity=".3"/></svg>';
  const parts = [];
  const say = (tag, text) => {
    const e = element(tag, "", tag === "p" ? solid(text) : text);
    parts.push(e);
    return e;
  };
  const list = jvms ? jvms.jvms : [];
  const busy = list.filter(j => isProfiled(j) || j.state === "attaching");
  const longer = quiet => {
    const b = say("button", "Show the last 24 hours");
    b.className = quiet ? "quiet" : "";
    b.onclick = () => chooseRange("24h");
  };
  if (!jvms) {
    say("h3", lastError ? "No connection" : "Loading…");
  } else if (state.service && busy.some(j => j.service_name === state.service && !Date.parse(j.last_profile))) {
    const j = busy.find(x => x.service_name === state.service);
    say("h3", "Waiting for the first profile of " + state.service);
    say(
      "p",
      `JVM ${j.pid} is ` +
        (isProfiled(j)
          ? `being profiled; its first profile is due in about ${j.next_profile_seconds || 1} s`
          : "being attached to") +
        ". This page updates automatically.",
    );
  } else if (services.length || (state.service && wanted)) {
    say("h3", "No profiles of " + (state.service || "this service") + " in this time range");
    say("p", `No profiles were received between ${clock(r.from, true)} and ${clock(r.until, true)}.`);
    if (state.range !== "24h") longer();
  } else if (busy.length) {
    const next = busy.reduce((a, b) => ((b.next_profile_seconds || 99) < (a.next_profile_seconds || 99) ? b : a));
    const since = Math.min(...busy.map(j => Date.parse(j.since) || jvms.now_ms));
    const taken = busy.some(
      j => Date.parse(j.last_profile) > r.from && jvms.now_ms - Date.parse(j.last_profile) > 10000,
    );
    say("h3", taken ? "No profiles received" : "Waiting for the first profile");
    if (taken)
      say(
        "p",
        `${plural(busy.length, "JVM is", "JVMs are")} being profiled, but no profile was pushed to this store. ` +
          `Check that the url in pyroscope.write is ${location.origin}, and the log.`,
      );
    else
      say(
        "p",
        `${plural(busy.length, "JVM is", "JVMs are")} being profiled, for ${ago(jvms.now_ms - since)} so far. ` +
          `The first profile is due in about ${next.next_profile_seconds || 1} s, ` +
          `from ${next.service_name} (PID ${next.pid}). This page updates automatically.`,
      );
    if (state.range !== "24h") longer(true);
  } else if (list.length) {
    say("h3", "No JVM is being profiled yet");
    say("p", "The list of JVMs shows the reasons.");
  } else if (jvms.agent) {
    say("h3", "No JVM runs on this host");
    say(
      "p",
      "New JVMs are detected within a second. A sample application with CPU, allocation and lock load:",
    );
    say("pre", "make demo-app");
    if (state.range !== "24h") longer(true);
  } else {
    say("h3", "No profiles received yet");
    say("p", "Configure an agent to push to this store:");
    say("pre", `pyroscope.write "here" {\n    endpoint {\n        url = "${location.origin}"\n    }\n}`);
  }
  box.innerHTML = svg;
  box.append(...parts);
}

/* ---- the timeline ---- */
let line = null,
  lineRange = null,
  drag = null,
  css = {};
function readColours() {
  const s = getComputedStyle(document.documentElement);
  for (const v of ["accent", "bar", "line"]) css[v] = s.getPropertyValue("--" + v).trim();
}
function drawTimeline() {
  const c = $("timeline"),
    g = c.getContext("2d"),
    W = c.clientWidth,
    H = c.clientHeight,
    dpr = devicePixelRatio || 1;
  c.width = W * dpr;
  c.height = H * dpr;
  g.setTransform(dpr, 0, 0, dpr, 0, 0);
  if (!lineRange) return;
  g.strokeStyle = css.line;
  g.beginPath();
  g.moveTo(0, H - 0.5);
  g.lineTo(W, H - 0.5);
  g.stroke();
  if (line) {
    const max = Math.max(...line.values, 1),
      w = W / line.values.length;
    g.fillStyle = css.bar;
    line.values.forEach((v, i) => {
      if (v > 0) {
        const h = Math.max(1.5, (v / max) * (H - 4));
        g.fillRect(i * w, H - 1 - h, Math.max(1, w - (w > 4 ? 1.5 : 0.4)), h);
      }
    });
  }
  if (drag) {
    g.globalAlpha = 0.22;
    g.fillStyle = css.accent;
    g.fillRect(Math.min(drag.a, drag.b), 0, Math.abs(drag.b - drag.a), H);
    g.globalAlpha = 1;
  }
}
function lineTime(x) {
  return lineRange.from + (x / $("timeline").clientWidth) * (lineRange.until - lineRange.from);
}
$("timeline").addEventListener("pointerdown", e => {
  if (!lineRange) return;
  drag = { a: e.offsetX, b: e.offsetX };
  e.target.setPointerCapture(e.pointerId);
});
$("timeline").addEventListener("pointermove", e => {
  if (drag) {
    drag.b = Math.max(0, Math.min(e.offsetX, e.target.clientWidth));
    drawTimeline();
  }
  if (!line || !lineRange) return;
  const i = Math.floor((lineTime(e.offsetX) - line.from_ms) / line.step_ms),
    t = $("tip");
  if (!(i >= 0 && i < line.values.length)) return;
  t.hidden = false;
  t.replaceChildren(
    element("b", "", clock(line.from_ms + i * line.step_ms)),
    element("span", "", amount(line.values[i], line.unit) + " in " + ago(line.step_ms)),
  );
  t.style.left = Math.min(e.clientX + 14, innerWidth - t.offsetWidth - 8) + "px";
  t.style.top = e.clientY + 18 + "px";
});
$("timeline").addEventListener("pointerleave", () => {
  $("tip").hidden = true;
});
$("timeline").addEventListener("pointerup", () => {
  const d = drag;
  drag = null;
  if (d && Math.abs(d.b - d.a) > 4) chooseRange("custom", lineTime(Math.min(d.a, d.b)), lineTime(Math.max(d.a, d.b)));
  else drawTimeline();
});

/* ---- the functions that cost most by themselves, over all stacks ---- */
function showTop(data) {
  const top = data ? data.top : [];
  $("top-panel").hidden = !top.length;
  const items = [];
  for (let i = 0; i < top.length; i += 2) {
    const name = data.names[top[i]],
      li = element("li"),
      b = element("button"),
      i2 = element("i"),
      plain = dotted(name);
    i2.style.background = graph.model.colors[top[i]];
    b.append(
      i2,
      element("span", "", shortName(name)),
      element("small", "", amount(top[i + 1], data.unit) + " · " + percent(top[i + 1], data.total)),
    );
    b.title = plain + " — show where it is called";
    b.onclick = () => look(plain);
    li.append(b);
    items.push(li);
  }
  $("top").replaceChildren(...items);
}

/* ---- putting it together ---- */
function show(data, newLine, r) {
  readColours();
  showPickers();
  showJvms();
  const some = data && data.total > 0;
  line = newLine;
  lineRange = r;
  $("t0").textContent = clock(r.from, r.until - r.from > 43200000);
  $("tmid").textContent = newLine ? typeTitle(state.type) + " over time" : "";
  $("t1").textContent = state.range === "custom" ? clock(r.until) : "now";
  $("title").textContent = some ? typeTitle(state.type) : "Flame graph";
  $("graph").hidden = !some;
  $("empty").hidden = some;
  $("search").disabled = !some;
  $("sum").replaceChildren();
  if (some)
    $("sum").append(
      element("b", "", amount(data.total, data.unit)),
      ` in ${plural(data.profiles, "profile", "profiles")}` +
        (data.truncated ? " · cut: too many different stacks" : ""),
    );
  else emptyState(r);
  graph.show(some ? modelOf(data) : null, state.zoom);
  showTop(some ? data : null);
  graph.redraw();
  drawTimeline();
}

/* ---- input ---- */
$("service").addEventListener("change", e => {
  state.service = e.target.value;
  wanted = true;
  state.zoom = [];
  refresh();
});
$("type").addEventListener("change", e => {
  state.type = e.target.value;
  state.zoom = [];
  refresh();
});
$("live").addEventListener("click", () => {
  state.live = !state.live;
  $("live").setAttribute("aria-pressed", state.live);
  $("live").lastElementChild.textContent = state.live ? "Live" : "Paused";
  if (state.live) refresh();
  else clearTimeout(timer);
});
for (const id of ["from", "until"])
  $(id).addEventListener("change", () => {
    const from = new Date($("from").value).getTime(),
      until = new Date($("until").value).getTime();
    if (from < until) {
      state.from = from;
      state.until = until;
      refresh();
    }
  });
$("custom").addEventListener("submit", e => e.preventDefault());
for (const [name, text] of RANGES) {
  const b = element("button", "", text);
  b.type = "button";
  b.dataset.range = name;
  b.onclick = () => chooseRange(name);
  $("ranges").append(b);
}
addEventListener("resize", drawTimeline);
addEventListener("hashchange", () => {
  readAddress();
  wanted = !!state.service;
  refresh();
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && state.live) refresh();
});
onTheme(() => {
  readColours();
  graph.theme();
  drawTimeline();
});
readAddress();
wanted = !!state.service;
if (state.range === "custom") {
  $("from").value = local(state.from);
  $("until").value = local(state.until);
}
readColours();
graph.theme();
showPickers();
emptyState(range());
refresh();
