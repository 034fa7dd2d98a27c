/* What Explore asks the server (page/page_query.h). */
import type { FlameAnswer } from "../flame/model";
import { Answer, Query, get, useAnswer } from "../shared/api";
import { typeRank } from "../shared/profile_types";
import { viewKey, viewQuery } from "./view_query";
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
  VALUES_MAX = 50;

/* The series of a state, in every question. */
export function selectionOf(state: State): Query {
  return {
    service: state.service,
    query: state.filters.length ? `{${state.filters.map(filterText).join(",")}}` : undefined,
  };
}

/* Names a question about what is selected; null: nothing is. */
export function key(what: string, state: State): string | null {
  return state.type ? JSON.stringify([what, selectionOf(state), state.type, rangeKey(state)]) : null;
}

/* The same about stacks, as they are to be shown. */
export function stacksKey(what: string, state: State): string | null {
  const named = key(what, state);
  return named && named + viewKey(state.more);
}

/* All parameters of a question about one type, and its time. */
export function asked(state: State): { query: Query; range: TimeRange } {
  const range = rangeOf(state);
  return { range, query: { ...selectionOf(state), type: state.type, ...viewQuery(state.more), ...range } };
}

/* What it is compared with: its time and its series; nothing: as long before. */
export function askedBase(state: State): Query {
  const base = baseOf(state, rangeOf(state)),
    times = base ? { base_from: Math.round(base.from), base_until: Math.round(base.until) } : {};
  return { base_query: state.more.get("base_query") || undefined, ...times };
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
export function useFlame(state: State, at: string[]): Answer<Asked<FlameAnswer>> {
  return useAnswer(
    stacksKey("flamegraph", state),
    async signal => {
      const a = asked(state),
        data = await get<FlameAnswer>("flamegraph", { ...a.query, at, max_nodes: state.nodes }, signal);
      return { ...data, ...a };
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
export function useTimes(state: State): Answer<Times> {
  const named = key("timeline", state);
  return useAnswer(named && JSON.stringify([named, state.by, baseKey(state)]), async signal => {
    const range = rangeOf(state),
      query = { ...selectionOf(state), type: state.type, ...range },
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

/* Names of labels with the number of their values. */
export function useLabels(state: State): Answer<{ name: string; values: number }[]> {
  const named = state.type ? JSON.stringify(["labels", state.service, state.type, rangeKey(state)]) : null;
  return useAnswer(named, async signal => {
    const query = { service: state.service, type: state.type, ...rangeOf(state) };
    return (await get<{ labels: { name: string; values: number }[] }>("labels", query, signal)).labels;
  });
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
