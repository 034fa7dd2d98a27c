/* One profile type: its amount over time, and a panel. */
import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { ago, amount, percent } from "../shared/format";
import { InPart } from "../shared/part";
import { typeTitle } from "../shared/profile_types";
import { Chart, groupName, lineColor, mostOf } from "./chart";
import { SeriesList, useTimes } from "./questions";
import { State, addFilter, chooseRange } from "./state";

/* The values of the label, each with its share; they can be shown alone, and filtered for. */
function Groups({ groups, state, alone, onAlone }: {
  groups: SeriesList;
  state: State;
  alone: number;
  onAlone(name: string): void;
}) {
  return (
    <ul class="groups" aria-label={"Values of " + state.by}>
      {groups.series.map((s, i) => {
        const value = s.labels[state.by] || "",
          filter = (operator: "=" | "!=") => addFilter(state, { name: state.by, operator, value });
        return (
          <li key={groupName(s.labels)}>
            <button
              type="button"
              class="group"
              title="Only this line"
              aria-pressed={i === alone}
              onClick={() => onAlone(i === alone ? "" : groupName(s.labels))}
            >
              <i style={{ background: lineColor(i) }} />
              <span>{groupName(s.labels)}</span>
              <small>{amount(s.total, groups.unit) + " · " + percent(s.total, groups.total)}</small>
            </button>
            <button
              type="button"
              title="Only profiles of this"
              aria-label={"Only " + value}
              onClick={() => filter("=")}
            >
              only
            </button>
            <button
              type="button"
              title="Without profiles of this"
              aria-label={"Without " + value}
              onClick={() => filter("!=")}
            >
              not
            </button>
          </li>
        );
      })}
      {groups.count > groups.series.length && <li class="meta">{groups.count - groups.series.length} smaller ones</li>}
    </ul>
  );
}

/* `state`: with the type of this column, which is that many columns to the right. */
export function Column({ state, index, children }: { state: State; index: number; children: ComponentChildren }) {
  const times = useTimes(state),
    { type } = state,
    { data } = times,
    [line, setLine] = useState(""),
    alone = data && data.groups ? data.groups.series.findIndex(s => groupName(s.labels) === line) : -1;
  return (
    <div class="column">
      <section class="panel timebox" aria-label="Amount over time">
        <div class="scale">
          <span>
            {data
              ? typeTitle(type) + " over time · drag to choose a range"
              : times.error || (times.loading && type ? "Loading…" : "")}
          </span>
          {data && <span>{`at most ${amount(mostOf(data), data.line.unit)} in ${ago(data.line.step_ms)}`}</span>}
        </div>
        <Chart times={data} alone={alone} onRange={r => chooseRange(state, "custom", r)} />
        {data && data.groups && <Groups groups={data.groups} state={state} alone={alone} onAlone={setLine} />}
      </section>
      <InPart part={index}>{children}</InPart>
    </div>
  );
}
