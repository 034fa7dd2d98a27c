/* What Explore asks the server (page/page_query.h). */
import type { FlameAnswer } from "../flame/model";
import { Answer, Query, get, useAnswer } from "../shared/api";
import { typeRank } from "../shared/profile_types";
import { State, TimeRange, rangeKey, rangeOf } from "./state";
import { viewKey, viewQuery } from "./view_query";

export interface Service {
  name: string;
  profiles: number;
  last_ms: number;
}

export interface Timeline {
  unit: string;
  from_ms: number;
  step_ms: number;
  values: number[];
}

/* With what was asked, for the questions that go on from there. */
export type Asked<T> = T & { query: Query; range: TimeRange };

export function useServices(state: State): Answer<Service[]> {
  return useAnswer(
    "services " + rangeKey(state),
    async signal => (await get<{ services: Service[] }>("services", { ...rangeOf(state) }, signal)).services,
    "",
    services => !services.length,
  );
}

/* IDs of the types that a service has, the most usual first. */
export function useTypes(state: State): Answer<string[]> {
  return useAnswer(
    state.service ? `types ${state.service} ${rangeKey(state)}` : null,
    async signal => {
      const query = { service: state.service, ...rangeOf(state) },
        { types } = await get<{ types: { id: string }[] }>("types", query, signal);
      return types.map(t => t.id).sort((a, b) => typeRank(a) - typeRank(b) || a.localeCompare(b));
    },
    "",
    types => !types.length,
  );
}

/* Names a question about what is selected; null: nothing is. */
export function key(what: string, state: State): string | null {
  return state.type ? [what, state.service, state.type, rangeKey(state)].join("\n") : null;
}

/* The same about stacks, as they are to be shown. */
export function stacksKey(what: string, state: State): string | null {
  const named = key(what, state);
  return named && named + "\n" + viewKey(state.more);
}

export function asked(state: State): { query: Query; range: TimeRange } {
  const range = rangeOf(state);
  return { range, query: { service: state.service, type: state.type, ...viewQuery(state.more), ...range } };
}

/* `at`: the path whose subtree is wanted in full; `on`: whether it is shown. */
export function useFlame(state: State, at: string[], on: boolean): Answer<Asked<FlameAnswer>> {
  return useAnswer(
    on ? stacksKey("flamegraph", state) : null,
    async signal => {
      const a = asked(state);
      return { ...(await get<FlameAnswer>("flamegraph", { ...a.query, at }, signal)), ...a };
    },
    at.join("\n"),
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

export function useTimeline(state: State): Answer<Asked<Timeline>> {
  return useAnswer(key("timeline", state), async signal => {
    const a = asked(state);
    return { ...(await get<Timeline>("timeline", { ...a.query, buckets: buckets(a.range) }, signal)), ...a };
  });
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
