/* The page of `smolder convert`: one file with its data. */
import "../shared/common.css";
import "./report.css";
import { FlameGraph } from "../flame/graph";
import { FunctionRow, Model, callersOf, functionsOf, modelOfTable } from "../flame/model";
import { CHANGES, kindsOf } from "../flame/legend";
import { dotted, shortName } from "../flame/names";
import { searchBox } from "../flame/search_box";
import { $, element, isTyping } from "../shared/dom";
import { amount, percent } from "../shared/format";
import { typeRank, typeTitle } from "../shared/profile_types";
import { onTheme, toggleTheme } from "../shared/theme";
import { CellRange, HeatData, HeatMap, HeatTimes, heatSelf, heatTimes, heatWithin } from "./heat";
import { ThreadData, ThreadList, ThreadRow, threadRows, threadSelf, wantedOf } from "./threads";

const TOP_ROWS = 250;

/* ui/report.h */
interface Profile {
  name: string;
  types: [type: string, unit: string][];
  time_ns: number;
  duration_ns: number;
  truncated: boolean;
  names: string[];
  up: number[];
  node: number[];
  self: number[][];
  heat?: HeatData;
  threads?: ThreadData;
}
interface Data {
  title: string;
  compare: boolean;
  search: string;
  callers: boolean;
  inverted: boolean;
  profiles: Profile[];
}

/* One sample type of a profile, with its models as they are asked for. */
interface View {
  id: string;
  unit: string;
  names: string[];
  parent: number[];
  name: number[];
  self: number[];
  before: number[] | null;
  profile: Profile;
  column: number;
  whole: number[];
  wholeBefore: number[] | null;
  times: HeatTimes | null;
  callees: Model | null;
  callers: Model | null;
  functions: FunctionRow[] | null;
}

let views: View[] = [],
  view: View,
  callers = false,
  flipped = false,
  sortBy: 1 | 2 = 1,
  zoomed: string[] = [],
  compare = false,
  timeRange: CellRange | null = null;
const graph = new FlameGraph(
  { scroller: $("graph"), tip: $("tip"), crumbs: $("crumbs"), hits: $("hits"), speak: $("speak") },
  {
    onZoom: path => {
      zoomed = path;
    },
  },
);
const box = searchBox($("search"), graph);
const heat = new HeatMap($("heat-panel"), $("tip"), setRange);
const threads = new ThreadList($("threads-panel"), setThreads);

/* The data: gzip-compressed JSON in base64; see report.h. */
async function load(): Promise<Data> {
  if (!window.DecompressionStream)
    throw new Error(
      "This browser cannot decompress the data of the page. Required: Chrome 80, Firefox 113 or Safari 16.4.",
    );
  const text = atob($("data").textContent || ""),
    bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).json();
}

function unpackProfile(p: Profile): void {
  const parent = p.up.map((up, i) => i - up),
    count = compare ? p.types.length / 2 : p.types.length;
  p.types.slice(0, count).forEach(([type, unit], i) => {
    const self = p.self[i],
      before = compare ? p.self[i + count] : null;
    if (!self.some(v => v) && !(before && before.some(v => v))) return;
    views.push({
      id: p.name + ":" + type + ":" + unit,
      unit,
      names: p.names,
      parent,
      name: p.node,
      self,
      before,
      profile: p,
      column: i,
      whole: self,
      wholeBefore: before,
      times: p.heat ? heatTimes(p.heat, i, null) : null,
      callees: null,
      callers: null,
      functions: null,
    });
  });
}

function unpack(data: Data): void {
  compare = data.compare;
  $("file").textContent = data.title;
  $("file").title = data.title;
  document.title = (data.title || "Flame graph") + " · smolder";
  data.profiles.forEach(unpackProfile);
  views.sort((a, b) => typeRank(a.id) - typeRank(b.id) || (a.id < b.id ? -1 : Number(a.id > b.id)));
}

/* The samples of the time and the threads that are chosen. */
function take(v: View): void {
  const { profile: p, column, times } = v,
    wanted = wantedOf(p.threads, threads.chosen);
  v.self =
    timeRange && times
      ? heatSelf(times, v.whole.length, timeRange, wanted)
      : threadSelf(p.threads, column, v.whole, wanted);
  if (v.wholeBefore) v.before = threadSelf(p.threads, column + p.types.length / 2, v.wholeBefore, wanted);
  v.callees = v.callers = v.functions = null;
}

/* A part of the time, or with null all. */
function setRange(range: CellRange | null): void {
  timeRange = range;
  views.forEach(take);
  show();
}

function setThreads(): void {
  for (const v of views) {
    const { heat: data, threads: names } = v.profile;
    if (data) v.times = heatTimes(data, v.column, wantedOf(names, threads.chosen));
    take(v);
  }
  show();
  heat.change(view.times);
}

/* What each thread has in the time that is chosen. */
function rowsOfThreads(): ThreadRow[] {
  const { profile: p, times, column } = view;
  if (!p.threads) return [];
  if (!timeRange || !times) return threadRows(p.threads.names, p.threads.thread, p.threads.self[column]);
  const within = heatWithin(times, timeRange);
  return threadRows(
    p.threads.names,
    within.map(i => times.thread[i]),
    within.map(i => times.value[i]),
  );
}

function calleesOfView(): Model {
  return view.callees || (view.callees = modelOfTable(view.names, view.unit, view));
}

function model(): Model {
  if (!callers) return calleesOfView();
  return view.callers || (view.callers = modelOfTable(view.names, view.unit, callersOf(view)));
}

function when(ns: number, duration: number): string {
  const words = ns > 0 ? new Date(ns / 1e6).toLocaleString() : "";
  return [words, duration > 0 ? amount(duration, "nanoseconds") : ""].filter(w => w).join(" · ");
}

function show(): void {
  const m = model(),
    parts: (HTMLElement | string)[] = [element("b", "", amount(m.total[0], view.unit))],
    time = timeRange ? "" : when(view.profile.time_ns, view.profile.duration_ns);
  $("title").textContent = typeTitle(view.id);
  if (m.before) parts.push(` instead of ${amount(m.before.total[0], view.unit)} before`);
  if (threads.said()) parts.push(" " + threads.said());
  if (time) parts.push(" · " + time);
  if (view.profile.truncated) parts.push(" · cut: too many different stacks");
  $("sum").replaceChildren(...parts);
  $("callees").setAttribute("aria-pressed", String(!callers));
  $("callers").setAttribute("aria-pressed", String(callers));
  graph.show(m, zoomed);
  graph.redraw();
  showTop();
  showLegend();
  threads.show(rowsOfThreads(), view.unit);
}

/* Shares are compared, not sums: one side may be longer than the other. */
function change(r: FunctionRow, m: Model, by: 1 | 2): number {
  return r[by] / (m.total[0] || 1) - r[by === 1 ? 3 : 4] / (m.before!.total[0] || 1);
}

function topItem(r: FunctionRow, m: Model): HTMLElement {
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
  b.title = `${dotted(name)} — self ${amount(r[1], view.unit)}, total ${amount(r[2], view.unit)} — show where it is`;
  b.onclick = () => box.look(dotted(name));
  li.append(b);
  return li;
}

function showTop(): void {
  const m = calleesOfView(),
    rows = view.functions || (view.functions = functionsOf(m)),
    key = m.before ? (r: FunctionRow) => Math.abs(change(r, m, sortBy)) : (r: FunctionRow) => r[sortBy],
    items = rows
      .filter(r => key(r) > 0)
      .sort((a, b) => key(b) - key(a) || a[0] - b[0])
      .slice(0, TOP_ROWS)
      .map(r => topItem(r, m));
  $("top-panel").hidden = !items.length;
  $("top").replaceChildren(...items);
  for (const b of $("sort").children)
    b.setAttribute("aria-pressed", String(+(b as HTMLElement).dataset.by! === sortBy));
}

function showLegend(): void {
  const help = element("span"),
    keys = [
      ["↑↓←→", "move"],
      ["Enter", "zoom"],
      ["/", "search"],
      ["Esc", "back"],
      ["i", "invert"],
      ["c", "callers"],
      ["t", "theme"],
      ...(view.times ? [["a", "whole time"]] : []),
    ];
  for (const [key, what] of keys) help.append(element("kbd", "", key), " " + what + "  ");
  $("legend").replaceChildren(
    ...(compare ? CHANGES : kindsOf(view.names)).map(k => {
      const e = k.search ? element("button") : element("span"),
        i = element("i");
      i.style.background = k.color;
      e.append(i, k.text);
      if (k.search) {
        e.title = "Highlight them";
        e.onclick = () => box.look(k.search);
      }
      return e;
    }),
    element("span", "grow"),
    help,
  );
}

function setCallers(on: boolean): void {
  if (on === callers) return;
  callers = on;
  zoomed = [];
  show();
}

function setFlip(on: boolean): void {
  flipped = on;
  $("flip").setAttribute("aria-pressed", String(on));
  graph.flip(on);
}

function listen(): void {
  $("callees").onclick = () => setCallers(false);
  $("callers").onclick = () => setCallers(true);
  $("flip").onclick = () => setFlip(!flipped);
  $("theme").onclick = toggleTheme;
  onTheme(() => {
    graph.theme();
    heat.draw();
  });
  $("type").onchange = () => {
    view = views[+$<HTMLSelectElement>("type").value];
    zoomed = [];
    show();
    heat.show(view.times, view.unit);
  };
  $("sort").onclick = e => {
    const by = (e.target as HTMLElement).dataset.by;
    if (!by) return;
    sortBy = by === "1" ? 1 : 2;
    showTop();
  };
  document.addEventListener("keydown", e => {
    if (!view || e.ctrlKey || e.metaKey || e.altKey || isTyping()) return;
    if (e.key === "i") setFlip(!flipped);
    else if (e.key === "c") setCallers(!callers);
    else if (e.key === "a") heat.select(null);
    else if (e.key === "t") toggleTheme();
  });
}

function open(data: Data): void {
  unpack(data);
  if (!views.length) {
    $("message").textContent = "There are no samples in " + (data.title || "this recording") + ".";
    return;
  }
  $("type").replaceChildren(...views.map((v, i) => new Option(typeTitle(v.id), String(i))));
  $("message").hidden = true;
  $("graph").hidden = false;
  view = views[0];
  callers = data.callers;
  if (data.inverted) setFlip(true);
  show();
  heat.show(view.times, view.unit);
  if (data.search) box.look(data.search);
  document.documentElement.dataset.ready = "yes";
}

listen();
load()
  .then(open)
  .catch(e => {
    $("message").textContent = "Cannot show the data of this page: " + e.message;
    document.documentElement.dataset.ready = "failed";
  });
