/* Two times or two selections: a graph of both, and the functions whose share changed most. */
import { useMemo, useRef, useState } from "preact/hooks";
import { modelOfPair } from "../../flame/model";
import { get, useAnswer } from "../../shared/api";
import { amount, clock, percent } from "../../shared/format";
import { useIds } from "../../shared/part";
import { typeTitle } from "../../shared/profile_types";
import { asked, askedBase, stacksKey } from "../questions";
import { COMPARISONS, State, baseKey, go, rangeOf } from "../state";
import { FunctionSearch } from "./function_search";
import { Column, Count, FunctionTable } from "./function_table";
import { cutText } from "./functions";
import { GraphBox } from "./graph_box";
import { Status, shownOf } from "./status";

type Row = [name: string, selfBefore: number, totalBefore: number, self: number, total: number];

interface Side {
  profiles: number;
  first_ms: number;
  last_ms: number;
  total: number;
}
interface DiffAnswer {
  unit: string;
  before: Side;
  after: Side;
  truncated: boolean;
  nodes_max: number;
  nodes: number[];
  names: string[];
  count: number;
  found: number;
  functions: Row[];
}

const ROWS = 100,
  SORTS = ["change", "change_total", "self", "total", "name"];

function share(row: Row, k: number, data: DiffAnswer): number {
  const whole = k < 3 ? data.before.total : data.after.total;
  return whole ? (row[k] as number) / whole : 0;
}

function changeText(row: Row, before: number, after: number, data: DiffAnswer): string {
  const by = share(row, after, data) - share(row, before, data);
  if (!row[2] && row[4]) return "new, +" + percent(by, 1);
  if (row[2] && !row[4]) return "gone, −" + percent(-by, 1);
  return (by > 0 ? "+" : by < 0 ? "−" : "±") + percent(Math.abs(by), 1);
}

function columnsOf(data: DiffAnswer): Column<Row>[] {
  const changed = (sort: string, title: string, before: number, after: number): Column<Row> => ({
    sort,
    title,
    cell: row => {
      const by = share(row, after, data) - share(row, before, data);
      return <span class={by > 0 ? "grew" : by < 0 ? "shrank" : ""}>{changeText(row, before, after, data)}</span>;
    },
  });
  return [
    { sort: "", title: "Self before", cell: row => percent(share(row, 1, data), 1) },
    { sort: "self", title: "Self after", cell: row => percent(share(row, 3, data), 1) },
    changed("change", "Change of self", 1, 3),
    { sort: "", title: "Total before", cell: row => percent(share(row, 2, data), 1) },
    { sort: "total", title: "Total after", cell: row => percent(share(row, 4, data), 1) },
    changed("change_total", "Change of total", 2, 4),
  ];
}

function BaseForm({ state }: { state: State }) {
  const form = useRef<HTMLFormElement>(null),
    id = useIds(),
    query = state.more.get("base_query") || "",
    { baseFrom, baseUntil, compare } = state,
    earlier = COMPARISONS.find(c => c[0] === compare)![1],
    kept = compare === "custom" ? `${clock(baseFrom, true)} to ${clock(baseUntil, true)}` : compare && earlier;
  return (
    <form
      class="base"
      ref={form}
      onSubmit={e => {
        e.preventDefault();
        go({ base_query: form.current!.querySelector("input")!.value.trim() || null });
      }}
    >
      <span id={id("base-time")}>
        Compared with{" "}
        {kept || (query ? "the same time" : "the time before, as long as this")}
      </span>
      <button
        type="button"
        class="quiet"
        id={id("base-keep")}
        title="Then choose another time, which is compared with this one"
        onClick={() => {
          const r = rangeOf(state);
          go({ base_from: Math.round(r.from), base_until: Math.round(r.until) });
        }}
      >
        Keep this time as the base
      </button>
      {(kept || query) && (
        <button
          type="button"
          class="quiet"
          id={id("base-clear")}
          onClick={() => go({ base_from: null, base_until: null, base_query: null, compare: null })}
        >
          Clear
        </button>
      )}
      <label class="pick">
        of{" "}
        <input
          type="text"
          id={id("base-query")}
          placeholder={'the same series, or {service_name="…", version!~"2.*"}'}
          autocomplete="off"
          spellcheck={false}
          value={query}
        />
      </label>
      <button type="submit" class="quiet">
        Compare
      </button>
    </form>
  );
}

function useDiff(state: State, limit: number) {
  const wanted = state.more.get("sort") || "",
    sort = SORTS.includes(wanted) ? wanted : "change",
    query = state.more.get("base_query"),
    named = stacksKey("diff", state),
    answer = useAnswer(
      named && named + JSON.stringify([query, baseKey(state)]),
      signal => {
        const sides = { ...asked(state).query, ...askedBase(state) };
        return get<DiffAnswer>("diff", { ...sides, sort, limit, search: state.search }, signal);
      },
      [sort, limit, state.search].join("\n"),
    );
  return { ...answer, sort };
}

function Sums({ data }: { data: DiffAnswer }) {
  const id = useIds();
  return (
    <span class="sum" id={id("diff-sum")}>
      <b>{amount(data.after.total, data.unit)}</b>
      {` instead of ${amount(data.before.total, data.unit)} before`}
      {cutText(data)}
    </span>
  );
}

export function ComparePanel({ state }: { state: State }) {
  const [limit, setLimit] = useState(ROWS),
    id = useIds(),
    answer = useDiff(state, limit),
    data = shownOf(answer),
    some = !!data && data.count > 0,
    model = useMemo(() => (data && some ? modelOfPair(data) : null), [data]);
  return (
    <section class="panel flame" aria-label="Comparison">
      <div class="bar">
        <h2>{typeTitle(state.type)}</h2>
        {data && some && <Sums data={data} />}
        <span class="grow" />
        <FunctionSearch search={state.search} />
      </div>
      <BaseForm state={state} />
      <Status answer={answer} what="the comparison" empty={!some} />
      {data && some && !data.before.total && (
        <p class="hint">The base has no profiles: everything is new. Choose another time or other series for it.</p>
      )}
      {data && some && (
        <div class="compared">
          <p class="key">
            <i class="less" /> smaller share than before <i class="same" /> as before <i class="more" /> larger share;
            frames are as wide as both shares together
          </p>
          <GraphBox id={id("diff-graph")} label="Both" model={model!} search={state.search} />
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
            onMore={() => setLimit(limit * 4)}
          />
        </div>
      )}
    </section>
  );
}
