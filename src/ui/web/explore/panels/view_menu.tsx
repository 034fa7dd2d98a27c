/* How stacks are shown: which of their frames, from which end, broken down by what. */
import { useState } from "preact/hooks";
import { NODES, State, go } from "../state";
import { LIBRARIES, viewQuery } from "../view_query";
import type { PanelId } from "./ids";
import { Menu } from "./menu";

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
          onChange={e => {
            const others = folded.filter(f => f !== LIBRARIES);
            go({ fold: e.currentTarget.checked ? [...others, LIBRARIES] : others, at: null });
          }}
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

/* How the graph is drawn, of the same stacks. */
function Drawing({ state }: { state: State }) {
  return (
    <>
      <label class="check">
        <input
          type="checkbox"
          data-flag="flipped"
          checked={state.flipped}
          onChange={e => go({ flipped: e.currentTarget.checked ? "1" : null })}
        />{" "}
        Root at the bottom
      </label>
      <label class="pick">
        Frames at most{" "}
        <select data-flag="nodes" value={state.nodes} onChange={e => go({ nodes: e.currentTarget.value })}>
          {NODES.map(n => (
            <option key={n} value={n}>
              {n.toLocaleString("en-US")}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

export function ViewMenu({ state, panel }: { state: State; panel: PanelId }) {
  const [open, setOpen] = useState(false),
    changes = Object.values(viewQuery(state.more)).flat().length;
  return (
    <Menu id="view-menu" title={"Frames" + (changes ? ` (${changes} changed)` : "")} onToggle={setOpen}>
      {open && (
        <div class="menu-body">
          <Flags state={state} />
          <Patterns state={state} />
          {panel === "graph" && <Drawing state={state} />}
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
    </Menu>
  );
}
