/* A flame graph in a panel: what it is of, its sum, the search box, the path to what is zoomed at. */
import type { ComponentChildren } from "preact";
import { MutableRef, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { $ } from "../shared/dom";
import { amount, plural } from "../shared/format";
import { typeTitle } from "../shared/profile_types";
import { onTheme } from "../shared/theme";
import { FlameGraph } from "./graph";
import { FlameAnswer, modelOf } from "./model";
import { SearchField } from "./search_field";

interface Props {
  data: FlameAnswer | null;
  /* The profile type. */
  type: string;
  /* Of several on a page: which one; ids of the others end with "-" and this. */
  index?: number;
  zoom: string[];
  search: string;
  flipped?: boolean;
  /* More of it is on its way. */
  pending?: boolean;
  onZoom(path: string[], graph: FlameGraph): void;
  onSearch(text: string): void;
  matchedOf(path: string[], search: string): Promise<number | null>;
  /* What is shown where there is no graph. */
  children: ComponentChildren;
}

function Sum({ data, id, pending }: { data: FlameAnswer; id: string; pending: boolean }) {
  return (
    <span class="sum" id={id}>
      <b>{amount(data.total, data.unit)}</b>
      {` in ${plural(data.profiles, "profile", "profiles")}`}
      {data.truncated ? " · cut: too many different stacks" : ""}
      {pending ? " · loading more frames…" : ""}
    </span>
  );
}

/* The graph itself, whose elements are there as long as the panel is. */
function useGraph(props: Props, panel: MutableRef<HTMLElement | null>): MutableRef<FlameGraph | null> {
  const graph = useRef<FlameGraph | null>(null),
    latest = useRef(props);
  latest.current = props;
  useLayoutEffect(() => {
    const find = (selector: string) => panel.current!.querySelector<HTMLElement>(selector)!,
      made: FlameGraph = new FlameGraph(
        {
          scroller: find(".graph"),
          crumbs: find(".crumbs"),
          hits: find(".hits"),
          tip: $("tip"),
          speak: $("speak"),
        },
        {
          onZoom: path => latest.current.onZoom(path, made),
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

export function FlameView(props: Props) {
  const { data, type, index = 0, zoom, search, flipped = false, pending = false } = props,
    some = !!data && data.total > 0,
    model = useMemo(() => (data && some ? modelOf(data) : null), [data]),
    panel = useRef<HTMLElement>(null),
    id = (name: string) => name + (index ? "-" + index : ""),
    graph = useGraph(props, panel);
  useLayoutEffect(() => graph.current!.search(search), [search]);
  useLayoutEffect(() => graph.current!.flip(flipped), [flipped]);
  useLayoutEffect(() => {
    graph.current!.show(model, zoom);
    graph.current!.redraw();
  }, [model, zoom.join("\n")]);
  return (
    <section class="panel flame" aria-label="Flame graph" ref={panel}>
      <div class="bar">
        <h2 id={id("title")}>{some ? typeTitle(type) : "Flame graph"}</h2>
        {data && some && <Sum data={data} id={id("sum")} pending={pending} />}
        <span class="grow" />
        <span id={id("hits")} class="hits" role="status" />
        <SearchField
          id={id("search")}
          search={search}
          onSearch={props.onSearch}
          first={!index}
          disabled={!some}
        />
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
          {props.children}
        </div>
      )}
    </section>
  );
}
