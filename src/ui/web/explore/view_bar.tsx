/* Which panel is shown, how stacks are shown, and the search box. */
import { useEffect, useRef, useState } from "preact/hooks";
import { isTyping } from "../flame/search_box";
import { writeAddress } from "../shared/address";
import { Popover } from "../shared/popover";
import { PANELS } from "./panels";
import type { Panel } from "./panel";
import { NODES, State, choose, go } from "./state";

const TYPING_MS = 150;

function SearchField({ state }: { state: State }) {
  const [text, setText] = useState(state.search),
    input = useRef<HTMLInputElement>(null),
    later = useRef(0);
  const write = (search: string) => {
    clearTimeout(later.current);
    later.current = 0;
    writeAddress({ search }, false);
  };
  useEffect(() => {
    if (!later.current) setText(state.search);
  }, [state.search]);
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      const box = input.current!;
      if (e.key === "/" && !isTyping()) {
        e.preventDefault();
        box.focus();
        box.select();
      }
      if (e.key !== "Escape" || document.activeElement !== box || !box.value) return;
      e.preventDefault(); /* it means the text, not the zoom */
      setText("");
      write("");
    };
    document.addEventListener("keydown", onKey, true);
    return () => {
      clearTimeout(later.current);
      document.removeEventListener("keydown", onKey, true);
    };
  }, []);
  return (
    <input
      ref={input}
      type="search"
      id="search"
      placeholder="Search functions  ( / )"
      title={'Part of a name, "a whole name" or /an expression/'}
      aria-label="Search functions"
      autocomplete="off"
      spellcheck={false}
      value={text}
      onInput={e => {
        const typed = e.currentTarget.value;
        setText(typed);
        clearTimeout(later.current);
        later.current = window.setTimeout(() => write(typed), TYPING_MS);
      }}
    />
  );
}

function Choice({ text, name, on, title, stacks }: {
  text: string;
  name: string;
  on: boolean;
  title: string;
  /* Other stacks come of it. */
  stacks: boolean;
}) {
  const change = (value: boolean) => (stacks ? choose : go)({ [name]: value ? 1 : null });
  return (
    <label class="choice" title={title}>
      <input type="checkbox" name={name} checked={on} onChange={e => change(e.currentTarget.checked)} />
      {text}
    </label>
  );
}

function Options({ state }: { state: State }) {
  return (
    <Popover name="view-options" label="View">
      <Choice
        stacks
        name="callers"
        on={state.callers}
        text="Callers first"
        title="Stacks begin at the function that has the cost; below it are its callers"
      />
      <Choice stacks={false} name="flipped" on={state.flipped} text="Root at the bottom" title="Flames, not icicles" />
      <Choice
        stacks
        name="recursion"
        on={state.recursion}
        text="Collapse recursion"
        title="A function that calls itself is one frame"
      />
      <Choice
        stacks
        name="library"
        on={state.library}
        text="Collapse library frames"
        title="Of frames of the JDK, of native libraries and of the kernel above one another, the outermost is shown"
      />
      <label class="choice">
        Frames at most{" "}
        <select value={state.nodes} onChange={e => go({ nodes: e.currentTarget.value })}>
          {NODES.map(n => (
            <option value={n}>{n.toLocaleString("en-US")}</option>
          ))}
        </select>
      </label>
    </Popover>
  );
}

export function ViewBar({ state, panel }: { state: State; panel: Panel }) {
  return (
    <div class="view-bar">
      {PANELS.length > 1 && (
        <div class="ranges" role="group" aria-label="Shown as" id="panels">
          {PANELS.map(p => (
            <button
              type="button"
              aria-pressed={p === panel}
              data-panel={p.id}
              onClick={() => go({ show: p === PANELS[0] ? null : p.id })}
            >
              {p.title}
            </button>
          ))}
        </div>
      )}
      <Options state={state} />
      <span class="grow" />
      <SearchField state={state} />
    </div>
  );
}
