/* All functions: what each has by itself and with what it calls, of the whole graph. */
import { useState } from "preact/hooks";
import { Answer, get, useAnswer } from "../../shared/api";
import { amount, percent, plural } from "../../shared/format";
import { useIds } from "../../shared/part";
import { typeTitle } from "../../shared/profile_types";
import { asked, stacksKey } from "../questions";
import { State, go } from "../state";
import { FunctionSearch } from "./function_search";
import { Column, Count, FunctionTable } from "./function_table";
import { Status, shownOf } from "./status";

type Row = [name: string, self: number, total: number];

export interface FunctionsAnswer {
  unit: string;
  total: number;
  profiles: number;
  /* What one sample has; 0: that differs. */
  period: number;
  truncated: boolean;
  nodes_max: number;
  count: number;
  found: number;
  matched?: number;
  functions: Row[];
}

const ROWS = 100,
  ROWS_MAX = 12800,
  SORTS = ["self", "total", "name"];

/* Says of a graph that it is not whole, and what makes it so. */
export function cutText(data: { truncated: boolean; nodes_max: number }): string {
  return data.truncated
    ? ` · cut at ${data.nodes_max.toLocaleString("en-US")} nodes: choose a shorter time, or raise --store.query-nodes`
    : "";
}

function columnsOf(data: FunctionsAnswer): Column<Row>[] {
  const value = (k: 1 | 2) => ({
      cell: (row: Row) => amount(row[k], data.unit),
      bar: (row: Row) => (data.total ? row[k] / data.total : 0),
    }),
    share = (k: 1 | 2) => ({ sort: "", cell: (row: Row) => percent(row[k], data.total) }),
    columns: Column<Row>[] = [
      { sort: "self", title: "Self", ...value(1) },
      { title: "Self %", ...share(1) },
      { sort: "total", title: "Total", ...value(2) },
      { title: "Total %", ...share(2) },
    ];
  if (data.period > 0)
    columns.push({
      sort: "",
      title: "Samples",
      cell: row => Math.round(row[2] / data.period).toLocaleString("en-US"),
    });
  return columns;
}

export function useFunctions(state: State, limit: number): Answer<FunctionsAnswer> & { sort: string } {
  const wanted = state.more.get("sort") || "",
    sort = SORTS.includes(wanted) ? wanted : "self",
    answer = useAnswer(
      stacksKey("functions", state),
      signal =>
        get<FunctionsAnswer>(
          "functions",
          { ...asked(state).query, sort, limit, search: state.search, at: state.zoom },
          signal,
        ),
      [sort, limit, state.search, ...state.zoom].join("\n"),
    );
  return { ...answer, sort };
}

export function FunctionsPanel({ state, hint = "" }: { state: State; hint?: string }) {
  const [limit, setLimit] = useState(ROWS),
    answer = useFunctions(state, limit),
    id = useIds(),
    data = shownOf(answer);
  return (
    <section class="panel flame" aria-label="Functions">
      <div class="bar">
        <h2>{typeTitle(state.type)}</h2>
        {data && (
          <span class="sum">
            <b>{amount(data.total, data.unit)}</b>
            {` in ${plural(data.profiles, "profile", "profiles")}`}
            {cutText(data)}
          </span>
        )}
        <span class="grow" />
        {data && !answer.pending && data.matched !== undefined && (
          <span class="hits" id={id("function-hits")} role="status">
            {percent(data.matched, data.total) + " matched"}
          </span>
        )}
        <FunctionSearch search={state.search} />
      </div>
      {hint && <p class="hint">{hint}</p>}
      <Status answer={answer} what="functions" empty={!!data && !data.count} />
      {data && data.count > 0 && (
        <>
          <FunctionTable
            columns={columnsOf(data)}
            rows={data.functions}
            sort={answer.sort}
            onChoose={name => go({ panel: "sandwich", function: name })}
          />
          <Count
            shown={data.functions.length}
            found={data.found}
            count={data.count}
            onMore={() => setLimit(Math.min(ROWS_MAX, limit * 4))}
          />
        </>
      )}
    </section>
  );
}
