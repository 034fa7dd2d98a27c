/* What Explore shows, as its part of the address says. */
import { Change, writeAddress } from "../shared/address";

export interface TimeRange {
  from: number;
  until: number;
}

export interface State {
  service: string;
  type: string;
  /* Of RANGES. */
  range: string;
  /* With the range "custom". */
  from: number;
  until: number;
  /* The path that is zoomed at. */
  zoom: string[];
  search: string;
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
  ["custom", "Custom", 0],
];
const DEFAULT_RANGE = "1h",
  /* of Date */
  TIME_MAX = 8.64e15;

function readTime(text: string | null): number {
  return text && /^\d+$/.test(text) && +text <= TIME_MAX ? +text : NaN;
}

export function stateOf(p: URLSearchParams): State {
  const state: State = {
    service: p.get("service") || "",
    type: p.get("type") || "",
    range: RANGES.some(r => r[0] === p.get("range")) ? p.get("range")! : DEFAULT_RANGE,
    from: readTime(p.get("from")),
    until: readTime(p.get("until")),
    zoom: p.getAll("at"),
    search: p.get("search") || "",
    notice: "",
    more: p,
  };
  if (state.range === "custom" && !(state.from < state.until)) {
    state.notice =
      "The time range in the address is not valid: from and until are milliseconds since 1970, and from is the " +
      "earlier one. The last hour is shown.";
    state.range = DEFAULT_RANGE;
  }
  return state;
}

/* A step that the back button undoes. */
export function go(change: Change): void {
  writeAddress(change, true);
}

/* Leaves the zoom: for another service or type. */
export function choose(change: Change): void {
  go({ ...change, at: null });
}

export function rangeOf(state: State): TimeRange {
  if (state.range === "custom") return { from: state.from, until: state.until };
  const now = Date.now();
  return { from: now - RANGES.find(r => r[0] === state.range)![2] * 1000, until: now };
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
