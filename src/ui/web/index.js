"use strict";
const REFRESH_MS = 10000,
  REFRESH_MAX_MS = 300000,
  WAIT_MS = 2000,
  /* A page that is left open asks for at most this share of the time that answers take. */
  REFRESH_SHARE = 20,
  EXITED_MS = 600000,
  FILTER_FROM = 12; /* services: a list that long is filtered */
const RANGES = [
  ["5m", "5 min", 300],
  ["15m", "15 min", 900],
  ["1h", "1 h", 3600],
  ["6h", "6 h", 21600],
  ["24h", "24 h", 86400],
  ["custom", "Custom", 0],
];
const state = { service: "", type: "", range: "1h", from: 0, until: 0, zoom: [], search: "", live: true };
const graph = flameGraph(
  path => {
    state.zoom = path;
    writeAddress(true);
    if (shown && (graph.cut || !startsWith(path, shown.at))) refresh();
  },
  async (path, search) => {
    const q = shown && { ...shown.query, at: path, search, max_nodes: 1 };
    const answer = q && (await get("flamegraph", q).catch(() => null));
    return answer ? answer.matched : null;
  },
);
const look = searchBox($("search"), graph, text => {
  state.search = text;
  writeAddress(false);
});
let services = [],
  types = [],
  jvms = null,
  lastError = "",
  notice = "", /* about what was entered, until something else is */
  loading = true, /* what is asked for is not shown yet, nor is anything else */
  shown = null; /* query: of the graph that is shown; at: the path whose subtree it is; partly: not all frames came */

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

function startsWith(path, start) {
  return start.every((name, i) => path[i] === name);
}

/* ---- state in the address ---- */
const TIME_MAX = 8.64e15; /* of Date */
function readTime(text) {
  return /^\d+$/.test(text || "") && +text <= TIME_MAX ? +text : NaN;
}
function readAddress() {
  const p = new URLSearchParams(location.hash.slice(1));
  state.service = p.get("service") || "";
  state.type = p.get("type") || "";
  state.range = RANGES.some(r => r[0] === p.get("range")) ? p.get("range") : "1h";
  state.from = readTime(p.get("from"));
  state.until = readTime(p.get("until"));
  state.zoom = p.getAll("at");
  state.search = p.get("search") || "";
  notice = "";
  if (state.range === "custom" && !(state.from < state.until)) {
    notice =
      "The time range in the address is not valid: from and until are milliseconds since 1970, and from is the " +
      "earlier one. The last hour is shown.";
    state.range = "1h";
  }
  $("search").value = state.search;
  wanted = !!state.service;
}
/* `step`: the back button returns to what was there before. */
function writeAddress(step) {
  const p = new URLSearchParams();
  if (state.service) p.set("service", state.service);
  if (state.type) p.set("type", state.type);
  p.set("range", state.range);
  if (state.range === "custom") {
    p.set("from", state.from);
    p.set("until", state.until);
  }
  for (const name of state.zoom) p.append("at", name);
  if (state.search) p.set("search", state.search);
  const hash = "#" + p;
  if (hash === location.hash) return;
  if (step) history.pushState(null, "", hash);
  else history.replaceState(null, "", hash);
}
/* Something else is wanted: what is shown goes at once, so that no graph stands under a name that is not its own. */
function go(change) {
  Object.assign(state, change);
  notice = "";
  writeAddress(true);
  reload();
}
function reload() {
  loading = true;
  shown = null;
  show(null, null, range());
  refresh();
}
function range() {
  if (state.range === "custom") return { from: state.from, until: state.until };
  const now = Date.now();
  return { from: now - RANGES.find(r => r[0] === state.range)[2] * 1000, until: now };
}

/* ---- asking the server ---- */
async function get(path, params) {
  const query = Object.entries(params || {}).flatMap(([k, v]) => (Array.isArray(v) ? v : [v]).map(x => [k, x]));
  let answer;
  try {
    answer = await fetch("/api/" + path + "?" + new URLSearchParams(query), { cache: "no-store" });
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
    began = performance.now(),
    r = range();
  try {
    const [j, s] = await Promise.all([get("jvms"), get("services", r)]);
    if (mine !== generation) return;
    jvms = withExited(j);
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
      const q = { service: state.service, type: state.type, ...r },
        at = shown && !shown.partly ? [] : state.zoom;
      [data, line] = await Promise.all([
        get("flamegraph", { ...q, at }),
        get("timeline", { ...q, buckets: buckets(r) }),
      ]);
      shown = { query: q, at, partly: data.node_count > data.nodes.length / 4 };
    }
    if (mine !== generation) return;
    lastError = "";
    loading = false;
    show(data, line, r);
  } catch (e) {
    if (mine !== generation) return;
    lastError = e.message;
    if (loading) show(null, null, r);
  }
  showTrouble();
  writeAddress(false);
  const took = performance.now() - began,
    pace = Math.min(REFRESH_MAX_MS, Math.max(REFRESH_MS, REFRESH_SHARE * took));
  if (state.live && !document.hidden) timer = setTimeout(refresh, !services.length || lastError ? WAIT_MS : pace);
}
function showTrouble() {
  $("trouble").hidden = !lastError && !notice;
  $("trouble").textContent = lastError || notice;
  $("live").classList.toggle("failing", !!lastError);
  $("live").lastElementChild.textContent = lastError ? "No data" : state.live ? "Live" : "Paused";
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
  const filter = $("service-filter"),
    part = filter.value.trim().toLowerCase();
  filter.hidden = services.length < FILTER_FROM;
  const names = services
    .filter(s => s.name === state.service || filter.hidden || s.name.toLowerCase().includes(part))
    .map(s => [s.name, s.name]);
  if (state.service && !services.some(s => s.name === state.service))
    names.push([state.service, state.service + " (no data)"]);
  fill($("service"), names.length ? names : [["", "none yet"]], state.service);
  fill($("type"), types.length ? types.map(t => [t.id, typeTitle(t.id)]) : [["", "none yet"]], state.type);
  for (const b of $("ranges").children) b.setAttribute("aria-pressed", b.dataset.range === state.range);
  $("custom").hidden = state.range !== "custom";
  if (state.range === "custom" && !$("custom").contains(document.activeElement)) {
    $("from").value = local(state.from);
    $("until").value = local(state.until);
  }
  document.title = state.service ? state.service + " · smolder" : "smolder";
}
function local(ms) {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return d.toISOString().slice(0, 19);
}
function chooseRange(name, from, until) {
  const r = from ? { from, until } : range();
  go(name === "custom" ? { range: name, from: Math.round(r.from), until: Math.round(r.until) } : { range: name });
}

/* ---- the list of JVMs ---- */
/* Those that ended stay for a while, as far as this page saw them. */
const seen = new Map();
function withExited(answer) {
  const now = Date.now(),
    running = new Set();
  answer.at = now;
  for (const j of answer.jvms) {
    const key = j.component + " " + j.pid + " " + j.start_time;
    running.add(key);
    seen.set(key, { jvm: j, at: now });
  }
  for (const [key, s] of seen) {
    if (running.has(key)) continue;
    if (now - s.at > EXITED_MS) seen.delete(key);
    else
      answer.jvms.push({ ...s.jvm, state: "gone", reason: "The process ended.", remedy: "", next_profile_seconds: 0 });
  }
  return answer;
}
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
  const running = list.filter(j => j.state !== "gone").length;
  $("jvm-count").textContent = list.length
    ? plural(list.filter(isProfiled).length, "profiled", "profiled") + " of " + running
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
        wanted = true;
        go({ service: j.service_name, zoom: [] });
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
  } else if (!profilesJava()) {
    note.append(element("p", "", "The configuration has no pyroscope.java component: no JVM is looked for."));
  } else {
    note.append(element("p", "", "No JVM is running on this host. New ones are detected within a second."));
    const p = element("p", "", "Start the sample application with ");
    p.append(element("code", "", "make demo-app"), ".");
    note.append(p);
  }
  for (const c of jvms.components.filter(c => c.health === "unhealthy"))
    note.append(element("p", "reason", c.id + ": " + c.message));
}

function profilesJava() {
  return jvms.components.some(c => /(^|\/)pyroscope\.java\./.test(c.id));
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
  const past = state.range === "custom" && r.until < Date.now() - 60000;
  if (lastError) {
    say("h3", "No answer");
    say("p", lastError);
  } else if (loading) {
    say("h3", state.service ? "Loading " + state.service + "…" : "Loading…");
  } else if (past) {
    say("h3", "No profiles" + (state.service ? " of " + state.service : "") + " in this time range");
    say("p", `The store has none between ${clock(r.from, true)} and ${clock(r.until, true)}.`);
    longer();
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
  } else if (jvms.agent && !profilesJava()) {
    say("h3", "No profiles in this time range");
    say("p", "The configuration has no pyroscope.java component; profiles come from other components, or are pushed.");
    if (state.range !== "24h") longer(true);
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
  const items = [],
    focused = $("top").contains(document.activeElement) && document.activeElement.title;
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
    b.onclick = () => look(`"${plain}"`);
    li.append(b);
    items.push(li);
  }
  $("top").replaceChildren(...items);
  const again = focused && [...$("top").querySelectorAll("button")].find(b => b.title === focused);
  if (again) again.focus();
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
  $("hint").hidden = !some;
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
  wanted = true;
  go({ service: e.target.value, zoom: [] });
});
$("service-filter").addEventListener("input", showPickers);
$("type").addEventListener("change", e => go({ type: e.target.value, zoom: [] }));
$("live").addEventListener("click", () => {
  state.live = !state.live;
  $("live").setAttribute("aria-pressed", state.live);
  showTrouble();
  if (state.live) refresh();
  else clearTimeout(timer);
});
for (const id of ["from", "until"])
  $(id).addEventListener("change", () => {
    const from = new Date($("from").value).getTime(),
      until = new Date($("until").value).getTime();
    notice = from < until ? "" : "From must be earlier than Until.";
    showTrouble();
    if (from < until) go({ from, until });
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
addEventListener("popstate", () => {
  const before = { ...state };
  readAddress();
  graph.search(state.search);
  const same = ["service", "type", "range", "from", "until"].every(k => Object.is(before[k], state[k]));
  if (!same) reload();
  else refresh();
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
graph.search(state.search);
readColours();
graph.theme();
showPickers();
emptyState(range());
refresh();
