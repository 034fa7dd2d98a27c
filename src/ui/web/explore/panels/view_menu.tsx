/* How stacks are shown: which of their frames, from which end, broken down by what. */
import { useState } from "preact/hooks";
import { get, useAnswer } from "../../shared/api";
import { key } from "../questions";
import { State, go, rangeOf } from "../state";
import { LIBRARIES, viewQuery } from "../view_query";
import type { PanelId } from "./index";
import { closeOnEscape } from "./menu";

const FLAG_WORDS: [name: string, title: string][] = [
  ["callers", "Begin at the function that has the cost"],
  ["recursion", "Collapse recursion"],
  ["lines", "Line numbers"],
];
const PATTERN_WORDS: [name: string, title: string][] = [
  ["fold", "Collapse frames of"],
  ["hide", "Hide frames of"],
  ["only", "Only stacks with"],
  ["without", "No stacks with"],
];

function Flags({ state }: { state: State }) {
  const folded = state.more.getAll("fold");
  return (
    <>
      {FLAG_WORDS.map(([name, title]) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            data-flag={name}
            checked={state.more.get(name) === "1"}
            onChange={e => go({ [name]: e.currentTarget.checked ? "1" : null, at: null })}
          />{" "}
          {title}
        </label>
      ))}
      <label class="check">
        <input
          type="checkbox"
          data-flag="library"
          checked={folded.includes(LIBRARIES)}
          onChange={e =>
            go({ fold: [...folded.filter(f => f !== LIBRARIES), ...(e.currentTarget.checked ? [LIBRARIES] : [])], at: null })
          }
        />{" "}
        Collapse library frames
      </label>
    </>
  );
}

function Patterns({ state }: { state: State }) {
  return (
    <>
      {PATTERN_WORDS.map(([name, title]) => {
        const all = state.more.getAll(name),
          others = all.filter(text => text === LIBRARIES),
          mine = all.filter(text => text !== LIBRARIES);
        return (
          <label key={name} class="pick">
            {title}{" "}
            <input
              type="text"
              data-pattern={name}
              value={mine.join(", ")}
              placeholder={'part of a name, "java.util.*" or /expression/'}
              autocomplete="off"
              spellcheck={false}
              onChange={e => {
                const text = e.currentTarget.value,
                  parts = text.trim().startsWith("/") ? [text.trim()] : text.split(",").map(t => t.trim());
                go({ [name]: [...others, ...parts.filter(t => t)], at: null });
              }}
            />
          </label>
        );
      })}
    </>
  );
}

function Breakdown({ state }: { state: State }) {
  const labels = useAnswer(key("labels", state), async signal => {
      const query = { service: state.service, type: state.type, ...rangeOf(state) };
      return (await get<{ labels: { name: string; values: number }[] }>("labels", query, signal)).labels;
    }),
    by = state.more.get("by") || "",
    names = (labels.data || []).filter(l => l.values > 1 || l.name === by);
  return (
    <label class="pick">
      Break down by{" "}
      <select id="by" value={by} onChange={e => go({ by: e.currentTarget.value || null, at: null })}>
        <option value="">nothing</option>
        {by && !names.some(l => l.name === by) && <option value={by}>{by}</option>}
        {names.map(l => (
          <option key={l.name} value={l.name}>{`${l.name} (${l.values})`}</option>
        ))}
      </select>
      {labels.loading ? " asking for labels…" : ""}
    </label>
  );
}

export function ViewMenu({ state, panel }: { state: State; panel: PanelId }) {
  const [open, setOpen] = useState(false),
    changes = Object.values(viewQuery(state.more)).flat().length;
  return (
    <details class="menu" id="view-menu" onKeyDown={closeOnEscape} onToggle={e => setOpen(e.currentTarget.open)}>
      <summary>{"Frames" + (changes ? ` (${changes} changed)` : "")}</summary>
      {open && (
        <div class="menu-body">
          <Flags state={state} />
          <Patterns state={state} />
          {panel === "graph" && <Breakdown state={state} />}
          {changes > 0 && (
            <button
              class="quiet"
              id="view-clear"
              onClick={() =>
                go(Object.fromEntries([...Object.keys(viewQuery(state.more)), "at"].map(name => [name, null])))
              }
            >
              As they are
            </button>
          )}
        </div>
      )}
    </details>
  );
}
