/* Which service, which profile type, which time. */
import { useRef, useState } from "preact/hooks";
import { setNotice } from "../shared/notice";
import { typeTitle } from "../shared/profile_types";
import type { Service } from "./questions";
import { RANGES, State, choose, chooseRange, go } from "./state";

/* Services: a list that long can be filtered. */
const FILTER_FROM = 12;

function ServicePicker({ state, services }: { state: State; services: Service[] }) {
  const [part, setPart] = useState(""),
    filtered = services.length >= FILTER_FROM,
    wanted = part.trim().toLowerCase(),
    names = services
      .map(s => s.name)
      .filter(name => name === state.service || !filtered || name.toLowerCase().includes(wanted)),
    missing = state.service && !services.some(s => s.name === state.service);
  return (
    <>
      <label class="pick">
        Service{" "}
        <select
          id="service"
          value={state.service}
          disabled={!names.length && !missing}
          onChange={e => choose({ service: e.currentTarget.value })}
        >
          {names.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
          {missing && <option value={state.service}>{state.service + " (no data)"}</option>}
          {!names.length && !missing && <option value="">none yet</option>}
        </select>
      </label>
      <input
        type="search"
        id="service-filter"
        placeholder="Filter services"
        aria-label="Filter services"
        autocomplete="off"
        spellcheck={false}
        hidden={!filtered}
        onInput={e => setPart(e.currentTarget.value)}
      />
    </>
  );
}

/* A time as the browser's own field has it. */
function local(ms: number): string {
  const d = new Date(ms - new Date(ms).getTimezoneOffset() * 60000);
  return d.toISOString().slice(0, 19);
}

function CustomTimes({ state }: { state: State }) {
  const [typed, setTyped] = useState<{ from: string; until: string } | null>(null),
    shown = typed || { from: local(state.from), until: local(state.until) };
  const form = useRef<HTMLFormElement>(null);
  const change = () => {
    const [f, u] = [...form.current!.querySelectorAll("input")],
      from = new Date(f.value).getTime(),
      until = new Date(u.value).getTime();
    setTyped(from < until ? null : { from: f.value, until: u.value });
    setNotice(from < until ? "" : "From must be earlier than Until.");
    if (from < until) go({ from, until });
  };
  const field = { type: "datetime-local", step: "1", onChange: change };
  return (
    <form class="custom" id="custom" ref={form} onSubmit={e => e.preventDefault()}>
      <input {...field} id="from" aria-label="From" value={shown.from} /> to{" "}
      <input {...field} id="until" aria-label="Until" value={shown.until} />
    </form>
  );
}

export function Toolbar({ state, services, types }: { state: State; services: Service[]; types: string[] }) {
  return (
    <div class="toolbar">
      <ServicePicker state={state} services={services} />
      <label class="pick">
        Profile{" "}
        <select
          id="type"
          value={state.type}
          disabled={!types.length}
          onChange={e => choose({ type: e.currentTarget.value })}
        >
          {types.length ? types.map(id => <option value={id}>{typeTitle(id)}</option>) : <option>none yet</option>}
        </select>
      </label>
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
      {state.range === "custom" && <CustomTimes state={state} />}
    </div>
  );
}
