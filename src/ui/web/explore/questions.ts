/* What Explore asks the server (page/page_query.h). */
import type { FlameAnswer } from "../flame/model";
import { Answer, Query, get, useAnswer } from "../shared/api";
import { typeRank } from "../shared/profile_types";
import { State, TimeRange, baseKey, baseOf, filterText, rangeKey, rangeOf } from "./state";

export interface ServiceType {
  id: string;
  profiles: number;
  total: number;
  values: number[];
}

export interface Service {
  name: string;
  profiles: number;
  last_ms: number;
  types?: ServiceType[];
}

export interface Timeline {
  unit: string;
  from_ms: number;
  step_ms: number;
  values: number[];
}

export interface SeriesList {
  unit: string;
  from_ms: number;
  step_ms: number;
  total: number;
  /* Of all, also those that are too small to be listed. */
  count: number;
  series: { labels: Record<string, string>; profiles: number; total: number; values: number[] }[];
}

/* With what was asked, for the questions that go on from there. */
export type Asked<T> = T & { query: Query; range: TimeRange };

const SPARK_BUCKETS = 40,
  SERIES_MAX = 8,
  VALUES_MAX = 50,
  /* Frames of libraries: the JDK, frameworks in it aside, native code and the kernel. Of those above one another only
   * the outermost is shown. */
  LIBRARY = "/^(java|javax|jdk|sun|com[.]sun|kernel)[.]|[.]so([.][0-9]+)*[.]|::/";

/* The series of a state, in every question. */
export function selectionOf(state: State): Query {
  return {
    service: state.service,
    query: state.filters.length ? `{${state.filters.map(filterText).join(",")}}` : undefined,
  };
}

/* How stacks are shown, in questions about stacks. */
export function viewOf(state: State): Query {
  return {
    recursion: state.recursion ? 1 : undefined,
    fold: state.library ? LIBRARY : undefined,
    callers: state.callers ? 1 : undefined,
  };
}

/* Names a question about stacks or totals: what another one was answered does not stay. */
export function keyOf(what: string, state: State, type: string, view: boolean): string | null {
  if (!type) return null;
  const stacks = view ? viewOf(state) : {};
  return JSON.stringify([what, selectionOf(state), type, rangeKey(state), stacks]);
}

/* All parameters of a question about one type, and its time. */
export function asked(state: State, type: string): { query: Query; range: TimeRange } {
  const range = rangeOf(state);
  return { range, query: { ...selectionOf(state), type, ...range } };
}

/* With the times of what is compared with. */
export function askedCompared(state: State, type: string): { query: Query; range: TimeRange; base: TimeRange } {
  const a = asked(state, type),
    base = baseOf(state, a.range) || baseOf({ ...state, compare: "before" }, a.range)!;
  return { ...a, base, query: { ...a.query, base_from: Math.round(base.from), base_until: Math.round(base.until) } };
}

export function useServices(state: State): Answer<Service[]> {
  return useAnswer(
    "services " + rangeKey(state),
    async signal =>
      (await get<{ services: Service[] }>("services", { ...rangeOf(state), buckets: SPARK_BUCKETS }, signal)).services,
    "",
    services => !services.length,
  );
}

/* IDs of the types that a service has, the most usual first. */
export function useTypes(state: State): Answer<string[]> {
  return useAnswer(
    state.service ? "types " + JSON.stringify([selectionOf(state), rangeKey(state)]) : null,
    async signal => {
      const query = { ...selectionOf(state), ...rangeOf(state) },
        { types } = await get<{ types: { id: string }[] }>("types", query, signal);
      return types.map(t => t.id).sort((a, b) => typeRank(a) - typeRank(b) || a.localeCompare(b));
    },
    "",
    types => !types.length,
  );
}

/* `at`: the path whose subtree is wanted in full. */
export function useFlame(state: State, type: string, at: string[]): Answer<Asked<FlameAnswer>> {
  return useAnswer(
    keyOf("flamegraph", state, type, true),
    async signal => {
      const a = asked(state, type),
        query = { ...a.query, ...viewOf(state) },
        data = await get<FlameAnswer>("flamegraph", { ...query, at, max_nodes: state.nodes }, signal);
      return { ...data, ...a, query };
    },
    JSON.stringify([at, state.nodes]),
  );
}

/* Bars of a round length, long enough to hold whole profiles: else the pattern of the intervals shows instead of the
 * load. */
function buckets(r: TimeRange): number {
  const span = r.until - r.from,
    steps = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 86400],
    step = steps.find(s => span / (s * 1000) <= 125) || 86400;
  return Math.max(1, Math.min(1000, Math.ceil(span / (step * 1000))));
}

export interface Times {
  range: TimeRange;
  line: Timeline;
  /* As many values of what is compared with. */
  base: Timeline | null;
  groups: SeriesList | null;
}

/* The amount over time, beside it that of the comparison, or by a label. */
export function useTimes(state: State, type: string): Answer<Times> {
  const key = keyOf("timeline", state, type, false);
  return useAnswer(key && JSON.stringify([key, state.by, baseKey(state)]), async signal => {
    const { query, range } = asked(state, type),
      count = buckets(range),
      base = baseOf(state, range),
      bars = (times: TimeRange) => get<Timeline>("timeline", { ...query, ...times, buckets: count }, signal),
      [line, before, groups] = await Promise.all([
        bars(range),
        base ? bars({ from: Math.round(base.from), until: Math.round(base.until) }) : null,
        state.by
          ? get<SeriesList>("series", { ...query, by: state.by, buckets: count, limit: SERIES_MAX }, signal)
          : null,
      ]);
    return { range, line, base: before, groups };
  });
}

/* Names of labels with the number of their values; asked when somebody wants to choose. */
export function useLabels(state: State, wanted: boolean): Answer<{ name: string; values: number }[]> {
  return useAnswer(
    wanted && state.service ? "labels " + state.service + rangeKey(state) : null,
    async signal => {
      const query = { service: state.service, ...rangeOf(state) };
      return (await get<{ labels: { name: string; values: number }[] }>("labels", query, signal)).labels;
    },
  );
}

export interface Values {
  count: number;
  values: string[];
}

export function useValues(state: State, name: string, search: string): Answer<Values> {
  return useAnswer(
    name ? JSON.stringify(["values", state.service, rangeKey(state), name]) : null,
    signal => {
      const query = { service: state.service, ...rangeOf(state), name, search: search || undefined };
      return get<Values>("values", { ...query, limit: VALUES_MAX }, signal);
    },
    search,
  );
}

/* What stacks beneath a path have with a function that is searched for, over all frames. */
export async function matchedOf(query: Query, at: string[], search: string): Promise<number | null> {
  try {
    const answer = await get<FlameAnswer>("flamegraph", { ...query, at, search, max_nodes: 1 });
    return answer.matched === undefined ? null : answer.matched;
  } catch (e) {
    return null;
  }
}
