/* Which service, which profile types, which series, which time, compared with what. */
import { useRef, useState } from "preact/hooks";
import { setNotice } from "../shared/notice";
import { Popover } from "../shared/popover";
import { typeTitle } from "../shared/profile_types";
import { Filters } from "./filters";
import type { Service } from "./questions";
import { ServicePicker } from "./service_picker";
import { COMPARISONS, RANGES, State, TYPES_MAX, TimeRange, baseOf, choose, chooseRange, go, rangeOf } from "./state";

function TypePicker({ state, types }: { state: State; types: string[] }) {
  const [main, ...others] = state.types;
  const toggle = (id: string, on: boolean) =>
    choose({ type: [main, ...others.filter(o => o !== id), ...(on ? [id] : [])] });
  return (
    <span class="pick">
      <label>
        Profile{" "}
        <select
          id="type"
          value={main}
          disabled={!types.length}
          onChange={e => choose({ type: [e.currentTarget.value, ...others.filter(o => o !== e.currentTarget.value)] })}
        >
          {types.length ? types.map(id => <option value={id}>{typeTitle(id)}</option>) : <option>none yet</option>}
        </select>
      </label>
      {types.length > 1 && (
        <Popover name="beside" label="+" title="Other profile types beside it">
          {types
            .filter(id => id !== main)
            .map(id => (
              <label class="choice" key={id}>
                <input
                  type="checkbox"
                  value={id}
                  checked={others.includes(id)}
                  disabled={!others.includes(id) && others.length >= TYPES_MAX - 1}
                  onChange={e => toggle(id, e.currentTarget.checked)}
                />
                {typeTitle(id)}
              </label>
            ))}
        </Popover>
      )}
    </span>
  );
}

/* A time as the browser's own field has it. */
function local(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return d.toISOString().slice(0, 19);
}

/* Two fields for times; `ids` are theirs. */
function Times({ id, ids, times, onTimes }: {
  id: string;
  ids: [from: string, until: string];
  times: TimeRange;
  onTimes: (times: TimeRange) => void;
}) {
  const [typed, setTyped] = useState<{ from: string; until: string } | null>(null),
    shown = typed || { from: local(times.from), until: local(times.until) },
    form = useRef<HTMLFormElement>(null);
  const change = () => {
    const [f, u] = [...form.current!.querySelectorAll("input")],
      from = new Date(f.value).getTime(),
      until = new Date(u.value).getTime();
    setTyped(from < until ? null : { from: f.value, until: u.value });
    setNotice(from < until ? "" : "From must be earlier than Until.");
    if (from < until) onTimes({ from, until });
  };
  const field = { type: "datetime-local", step: "1", onChange: change };
  return (
    <form class="custom" id={id} ref={form} onSubmit={e => e.preventDefault()}>
      <input {...field} id={ids[0]} aria-label="From" value={shown.from} /> to{" "}
      <input {...field} id={ids[1]} aria-label="Until" value={shown.until} />
    </form>
  );
}

function RangePicker({ state }: { state: State }) {
  const move = (parts: number, grow: number) => {
    const { from, until } = rangeOf(state),
      span = until - from,
      later = span * parts,
      more = span * grow;
    chooseRange(state, "custom", { from: from + later - more, until: Math.min(Date.now(), until + later + more) });
  };
  return (
    <>
      <div class="ranges" role="group" aria-label="Time range" id="ranges">
        {RANGES.map(([name, text]) => (
          <button
            type="button"
            data-range={name}
            aria-pressed={state.range === name}
            onClick={() => chooseRange(state, name)}
          >
            {text}
          </button>
        ))}
      </div>
      <div class="ranges" role="group" aria-label="Move the time range">
        <button type="button" title="Earlier" aria-label="Earlier" onClick={() => move(-0.5, 0)}>
          ‹
        </button>
        <button type="button" title="Twice as long" aria-label="Twice as long" onClick={() => move(0, 0.5)}>
          −
        </button>
        <button type="button" title="Later" aria-label="Later" onClick={() => move(0.5, 0)}>
          ›
        </button>
      </div>
      {state.range === "custom" && (
        <Times id="custom" ids={["from", "until"]} times={rangeOf(state)} onTimes={r => go({ ...r })} />
      )}
    </>
  );
}

function Compare({ state }: { state: State }) {
  const base = baseOf(state, rangeOf(state));
  const choice = (compare: string) => {
    const from = baseOf({ ...state, compare: state.compare || "before" }, rangeOf(state))!;
    go(
      compare === "custom"
        ? { compare, base_from: Math.round(from.from), base_until: Math.round(from.until) }
        : { compare, base_from: null, base_until: null },
    );
  };
  return (
    <>
      <label class="pick">
        Compared with{" "}
        <select id="compare" value={state.compare} onChange={e => choice(e.currentTarget.value)}>
          {COMPARISONS.map(([name, text]) => (
            <option value={name}>{text}</option>
          ))}
        </select>
      </label>
      {base && state.compare === "custom" && (
        <Times
          id="base"
          ids={["base-from", "base-until"]}
          times={base}
          onTimes={r => go({ base_from: r.from, base_until: r.until })}
        />
      )}
    </>
  );
}

export function Toolbar({ state, services, types }: { state: State; services: Service[]; types: string[] }) {
  return (
    <div class="toolbar">
      <ServicePicker state={state} services={services} />
      <TypePicker state={state} types={types} />
      <Filters state={state} />
      <RangePicker state={state} />
      <Compare state={state} />
    </div>
  );
}
