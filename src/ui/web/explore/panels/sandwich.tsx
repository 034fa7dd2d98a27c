/* One function between those that call it and those that it calls, over all stacks. */
import { useMemo, useState } from "preact/hooks";
import { Model, modelOf } from "../../flame/model";
import { dotted, shortName } from "../../flame/names";
import { get, useAnswer } from "../../shared/api";
import { amount, percent } from "../../shared/format";
import { useIds } from "../../shared/part";
import { asked, stacksKey } from "../questions";
import { State, go } from "../state";
import { FunctionsPanel, cutText } from "./functions";
import { GraphBox } from "./graph_box";
import { Status } from "./status";

interface Half {
  nodes: number[];
  names: string[];
}
interface SandwichAnswer {
  unit: string;
  total: number;
  self: number;
  function_total: number;
  truncated: boolean;
  nodes_max: number;
  callers: Half;
  callees: Half;
}

function useModel(data: SandwichAnswer | null, half: "callers" | "callees"): Model | null {
  return useMemo(() => (data ? modelOf({ unit: data.unit, ...data[half] }) : null), [data]);
}

/* Another function out of the graph. */
function Centre({ name }: { name: string }) {
  const id = useIds();
  return (
    <button class="quiet" id={id("centre")} onClick={() => go({ function: name })}>
      {`Callers and callees of ${shortName(name)}`}
    </button>
  );
}

function Sandwich({ state, name }: { state: State; name: string }) {
  const answer = useAnswer(stacksKey("sandwich " + name, state), signal =>
      get<SandwichAnswer>("sandwich", { ...asked(state).query, function: name }, signal),
    ),
    data = answer.data,
    id = useIds(),
    callers = useModel(data, "callers"),
    callees = useModel(data, "callees"),
    [zoomed, setZoomed] = useState<string[]>([]),
    last = zoomed[zoomed.length - 1];
  return (
    <section class="panel flame" aria-label="Callers and callees">
      <div class="bar">
        <h2 id={id("sandwich-title")} title={dotted(name)}>
          {shortName(name)}
        </h2>
        {data && (
          <span class="sum" id={id("sandwich-sum")}>
            <b>{amount(data.function_total, data.unit)}</b>
            {` total (${percent(data.function_total, data.total)}), self ${amount(data.self, data.unit)} ` +
              `(${percent(data.self, data.total)})`}
            {cutText(data)}
          </span>
        )}
        <span class="grow" />
        {last && last !== name && <Centre name={last} />}
        <button class="quiet" onClick={() => go({ function: null })}>
          Other function
        </button>
      </div>
      <Status answer={answer} what={"callers and callees of " + shortName(name)} empty={false} />
      {data && !data.function_total && (
        <div class="status" role="status">
          No stack in this time range has this function.
        </div>
      )}
      {data && data.function_total > 0 && (
        <div class="sandwich">
          <GraphBox id={id("callers-graph")} label="Callers" model={callers!} flipped onZoom={setZoomed} />
          <GraphBox id={id("callees-graph")} label="Callees" model={callees!} onZoom={setZoomed} />
        </div>
      )}
    </section>
  );
}

export function SandwichPanel({ state }: { state: State }) {
  const name = state.more.get("function");
  if (!name) return <FunctionsPanel state={state} hint="Choose the function whose callers and callees are shown." />;
  return <Sandwich key={name} state={state} name={name} />;
}
