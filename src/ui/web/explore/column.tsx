/* One profile type: its amount over time, and a panel. */
import type { ComponentChildren } from "preact";
import { amount, percent } from "../shared/format";
import { typeTitle } from "../shared/profile_types";
import { Chart, groupName, lineColor } from "./chart";
import { SeriesList, useTimes } from "./questions";
import { State, addFilter, chooseRange } from "./state";

/* The values of the label, each with its share; they can be filtered for. */
function Groups({ groups, state }: { groups: SeriesList; state: State }) {
  return (
    <ul class="groups" aria-label={"Values of " + state.by}>
      {groups.series.map((s, i) => {
        const value = s.labels[state.by] || "",
          filter = (operator: "=" | "!=") => addFilter(state, { name: state.by, operator, value });
        return (
          <li key={groupName(s.labels)}>
            <i style={{ background: lineColor(i) }} />
            <span>{groupName(s.labels)}</span>
            <small>{amount(s.total, groups.unit) + " · " + percent(s.total, groups.total)}</small>
            <button type="button" title="Only this" aria-label={"Only " + value} onClick={() => filter("=")}>
              only
            </button>
            <button type="button" title="Without this" aria-label={"Without " + value} onClick={() => filter("!=")}>
              not
            </button>
          </li>
        );
      })}
      {groups.count > groups.series.length && <li class="meta">{groups.count - groups.series.length} smaller ones</li>}
    </ul>
  );
}

/* `state`: with the type of this column. */
export function Column({ state, children }: { state: State; children: ComponentChildren }) {
  const times = useTimes(state),
    { type } = state;
  return (
    <div class="column">
      <section class="panel timebox" aria-label="Amount over time">
        <div class="scale">
          {times.data
            ? typeTitle(type) + " over time · drag to choose a range"
            : times.error || (times.loading && type ? "Loading…" : "")}
        </div>
        <Chart times={times.data} onRange={r => chooseRange(state, "custom", r)} />
        {times.data && times.data.groups && <Groups groups={times.data.groups} state={state} />}
      </section>
      {children}
    </div>
  );
}
