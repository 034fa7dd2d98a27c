/* What Explore shows, as its part of the address says. */
import { Change, writeAddress } from "../shared/address";

export interface TimeRange {
  from: number;
  until: number;
}

export const OPERATORS = ["=", "!=", "=~", "!~"] as const;
export type Operator = typeof OPERATORS[number];
export interface Filter {
  name: string;
  operator: Operator;
  value: string;
}

export interface State {
  service: string;
  /* Profile types, side by side; the first is the main one. */
  types: string[];
  /* That of a column, and the path that is zoomed at there. */
  type: string;
  zoom: string[];
  /* Of RANGES. */
  range: string;
  /* With the range "custom". */
  from: number;
  until: number;
  filters: Filter[];
  /* A label: the amount over time by its values; "" = none. */
  by: string;
  /* Of COMPARISONS: what is compared with; "" = nothing. */
  compare: string;
  /* With the comparison "custom". */
  baseFrom: number;
  baseUntil: number;
  /* The path that is zoomed at, by type. */
  zooms: string[][];
  search: string;
  /* The root is at the bottom. */
  flipped: boolean;
  /* Frames at most. */
  nodes: number;
  /* What is wrong with the address, or "". */
  notice: string;
  /* The address, for what panels keep there. */
  more: URLSearchParams;
}

export const RANGES: [name: string, text: string, seconds: number][] = [
  ["5m", "5 min", 300],
  ["15m", "15 min", 900],
  ["1h", "1 h", 3600],
  ["6h", "6 h", 21600],
  ["24h", "24 h", 86400],
  ["7d", "7 days", 604800],
  ["custom", "Custom", 0],
];
/* How long before; 0 = as long as the range is. */
export const COMPARISONS: [name: string, text: string, seconds: number][] = [
  ["", "nothing", 0],
  ["before", "period before", 0],
  ["1h", "1 hour earlier", 3600],
  ["1d", "1 day earlier", 86400],
  ["7d", "7 days earlier", 604800],
  ["custom", "custom time", 0],
];
export const NODES = [8192, 32768, 131072];
export const TYPES_MAX = 3;
const DEFAULT_RANGE = "1h",
  /* of Date */
  TIME_MAX = 8.64e15;

function readTime(text: string | null): number {
  return text && /^\d+$/.test(text) && +text <= TIME_MAX ? +text : NaN;
}

function oneOf<T extends unknown[]>(table: T[], name: string | null, otherwise: string): string {
  return table.some(row => row[0] === name) ? name! : otherwise;
}

/* name="value", as in a selector. */
export function filterText(f: Filter): string {
  return f.name + f.operator + JSON.stringify(f.value);
}

function readFilters(texts: string[]): Filter[] {
  return texts.flatMap(text => {
    const found = /^([^=!~]+)(=~|!~|!=|=)(".*")$/s.exec(text);
    if (!found) return [];
    try {
      return [{ name: found[1], operator: found[2] as Operator, value: String(JSON.parse(found[3])) }];
    } catch (e) {
      return [];
    }
  });
}

/* The parameter of the zoom of one of the types. */
export function zoomName(index: number): string {
  return index ? "at." + index : "at";
}

export function stateOf(p: URLSearchParams): State {
  const types = p.getAll("type").slice(0, TYPES_MAX),
    state: State = {
      service: p.get("service") || "",
      types,
      type: types[0] || "",
      zoom: p.getAll("at"),
      range: oneOf(RANGES, p.get("range"), DEFAULT_RANGE),
      from: readTime(p.get("from")),
      until: readTime(p.get("until")),
      filters: readFilters(p.getAll("where")),
      by: p.get("by") || "",
      compare: oneOf(COMPARISONS, p.get("compare"), ""),
      baseFrom: readTime(p.get("base_from")),
      baseUntil: readTime(p.get("base_until")),
      zooms: [0, 1, 2].map(i => p.getAll(zoomName(i))),
      search: p.get("search") || "",
      flipped: p.get("flipped") === "1",
      nodes: NODES.find(n => String(n) === p.get("nodes")) || NODES[0],
      notice: "",
      more: p,
    };
  if (state.range === "custom" && !(state.from < state.until)) {
    state.notice =
      "The time range in the address is not valid: from and until are milliseconds since 1970, and from is the " +
      "earlier one. The last hour is shown.";
    state.range = DEFAULT_RANGE;
  }
  if (state.baseFrom < state.baseUntil) state.compare = "custom";
  else if (state.compare === "custom") state.compare = "before";
  return state;
}

/* A step that the back button undoes. */
export function go(change: Change): void {
  writeAddress(change, true);
}

/* Leaves the zooms: for other stacks. */
export function choose(change: Change): void {
  go({ ...change, at: null, "at.1": null, "at.2": null });
}

export function setFilters(filters: Filter[]): void {
  choose({ where: filters.map(filterText) });
}

/* One more; instead of one that is its opposite. */
export function addFilter(state: State, filter: Filter): void {
  const others = state.filters.filter(f => f.name !== filter.name || f.value !== filter.value);
  setFilters([...others, filter]);
}

export function rangeOf(state: State): TimeRange {
  if (state.range === "custom") return { from: state.from, until: state.until };
  const now = Date.now();
  return { from: now - RANGES.find(r => r[0] === state.range)![2] * 1000, until: now };
}

/* What `range` is compared with; null = nothing. */
export function baseOf(state: State, range: TimeRange): TimeRange | null {
  if (!state.compare) return null;
  if (state.compare === "custom") return { from: state.baseFrom, until: state.baseUntil };
  const earlier = COMPARISONS.find(c => c[0] === state.compare)![2] * 1000 || range.until - range.from;
  return { from: range.from - earlier, until: range.until - earlier };
}

/* `part`: of the time, for "custom"; else what is shown now becomes it. */
export function chooseRange(state: State, name: string, part?: TimeRange): void {
  const r = part || rangeOf(state);
  go(
    name === "custom"
      ? { range: name, from: Math.round(r.from), until: Math.round(r.until) }
      : { range: name, from: null, until: null },
  );
}

/* Names the range: times of a relative one pass. */
export function rangeKey(state: State): string {
  return state.range === "custom" ? `${state.from}-${state.until}` : state.range;
}

export function baseKey(state: State): string {
  return state.compare === "custom" ? `${state.baseFrom}-${state.baseUntil}` : state.compare;
}
