/* The flame graph. */
import type { ComponentChildren } from "preact";
import { MutableRef, useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { FlameGraph } from "../flame/graph";
import { FlameAnswer, modelOf } from "../flame/model";
import type { Answer } from "../shared/api";
import { $ } from "../shared/dom";
import { amount, plural } from "../shared/format";
import { typeTitle } from "../shared/profile_types";
import { onTheme } from "../shared/theme";
import { matchedOf, useFlame } from "./questions";
import { SearchField } from "./search_field";
import { State, go, zoomName } from "./state";

function startsWith(path: string[], start: string[]): boolean {
  return start.every((name, i) => path[i] === name);
}

export function Sum({ data, id }: { data: FlameAnswer; id: string }) {
  return (
    <span class="sum" id={id}>
      <b>{amount(data.total, data.unit)}</b>
      {` in ${plural(data.profiles, "profile", "profiles")}`}
      {data.truncated ? " · cut: too many different stacks" : ""}
    </span>
  );
}

interface Parts {
  panel: HTMLElement;
  onZoom(path: string[]): void;
  matchedOf(path: string[], search: string): Promise<number | null>;
}

/* The graph itself, whose elements are there as long as the panel is. */
function useGraph(parts: Omit<Parts, "panel">, panel: MutableRef<HTMLElement | null>): MutableRef<FlameGraph | null> {
  const graph = useRef<FlameGraph | null>(null),
    latest = useRef(parts);
  latest.current = parts;
  useLayoutEffect(() => {
    const find = (selector: string) => panel.current!.querySelector<HTMLElement>(selector)!,
      made = new FlameGraph(
        {
          scroller: find(".graph"),
          crumbs: find(".crumbs"),
          hits: find(".hits"),
          tip: $("tip"),
          speak: $("speak"),
        },
        {
          onZoom: path => latest.current.onZoom(path),
          matchedOf: (path, search) => latest.current.matchedOf(path, search),
        },
      ),
      off = onTheme(() => made.theme()),
      onKey = (e: KeyboardEvent) => {
        if (e.key === "Escape" && !e.defaultPrevented) made.reset();
      };
    graph.current = made;
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      off();
      made.close();
    };
  }, []);
  return graph;
}

interface Props {
  /* With the type of a column, which is that many columns to the right. */
  state: State;
  index: number;
  /* What is shown in the place of an answer that did not come, or is empty. */
  instead(answer: Answer<unknown>): ComponentChildren;
  /* Told of what is shown. */
  onFlame?(data: FlameAnswer | null): void;
}

export function FlamePanel({ state, index, instead, onFlame }: Props) {
  const { type, zoom } = state,
    [at, setAt] = useState(zoom),
    answer = useFlame(state, at),
    { data } = answer,
    some = !!data && data.total > 0,
    model = useMemo(() => (data && some ? modelOf(data) : null), [data]),
    panel = useRef<HTMLElement>(null),
    id = (name: string) => name + (index ? "-" + index : ""),
    graph = useGraph(
      {
        onZoom: path => {
          go({ [zoomName(index)]: path });
          if (graph.current!.cut || !startsWith(path, at)) setAt(path);
        },
        matchedOf: async (path, search) => (data ? matchedOf(data.query, path, search) : null),
      },
      panel,
    );
  useEffect(() => {
    if (onFlame) onFlame(some ? data : null);
  }, [data]);
  useLayoutEffect(() => graph.current!.search(state.search), [state.search]);
  useLayoutEffect(() => graph.current!.flip(state.flipped), [state.flipped]);
  useLayoutEffect(() => {
    graph.current!.show(model, zoom);
    graph.current!.redraw();
  }, [model, zoom.join("\n")]);
  return (
    <section class="panel flame" aria-label="Flame graph" ref={panel}>
      <div class="bar">
        <h2 id={id("title")}>{some ? typeTitle(type) : "Flame graph"}</h2>
        {data && some && <Sum data={data} id={id("sum")} />}
        <span class="grow" />
        <span id={id("hits")} class="hits" role="status" />
        <SearchField id={id("search")} state={state} first={!index} disabled={!some} />
      </div>
      <nav id={id("crumbs")} class="crumbs" aria-label="Zoom" hidden />
      <p class="hint" hidden={!some}>
        Click a frame to zoom; Escape shows all. Arrow keys and Enter do the same. Drag to move, + and − to scale.
      </p>
      <div id={id("graph")} class="graph" hidden={!some}>
        <div class="tall" />
        <canvas
          tabIndex={0}
          role="application"
          aria-roledescription="flame graph"
          aria-label={
            "Flame graph of " +
            typeTitle(type) +
            ". Arrow keys move between frames, Enter zooms, Escape resets, n goes to the next match."
          }
        />
      </div>
      {!some && (
        <div id={id("empty")} class="empty" role="status">
          {instead(answer)}
        </div>
      )}
    </section>
  );
}
