/* The flame graph with its search box. */
import { ComponentChildren } from "preact";
import { MutableRef, useLayoutEffect, useMemo, useRef } from "preact/hooks";
import { FlameGraph } from "../flame/graph";
import { FlameAnswer, modelOf } from "../flame/model";
import { SearchBox, searchBox } from "../flame/search_box";
import { $ } from "../shared/dom";
import { amount, plural } from "../shared/format";
import { typeTitle } from "../shared/profile_types";
import { onTheme } from "../shared/theme";

interface Props {
  data: FlameAnswer | null;
  type: string;
  zoom: string[];
  search: string;
  onZoom(path: string[], graph: FlameGraph): void;
  onSearch(text: string): void;
  matchedOf(path: string[], search: string): Promise<number | null>;
  /* Gets the search box, for others that look for a function. */
  box: MutableRef<SearchBox | null>;
  /* What is shown where there is no graph. */
  children: ComponentChildren;
}

function Sum({ data }: { data: FlameAnswer }) {
  return (
    <span class="sum" id="sum">
      <b>{amount(data.total, data.unit)}</b>
      {` in ${plural(data.profiles, "profile", "profiles")}`}
      {data.truncated ? " · cut: too many different stacks" : ""}
    </span>
  );
}

/* The graph itself, whose elements are there as long as the panel is. */
function useGraph(props: Props): MutableRef<FlameGraph | null> {
  const graph = useRef<FlameGraph | null>(null),
    latest = useRef(props);
  latest.current = props;
  useLayoutEffect(() => {
    const made: FlameGraph = new FlameGraph(
        { scroller: $("graph"), tip: $("tip"), crumbs: $("crumbs"), hits: $("hits"), speak: $("speak") },
        {
          onZoom: path => latest.current.onZoom(path, made),
          matchedOf: (path, search) => latest.current.matchedOf(path, search),
        },
      ),
      input = searchBox($("search"), made, text => latest.current.onSearch(text)),
      off = onTheme(() => made.theme());
    graph.current = made;
    props.box.current = input;
    return () => {
      off();
      input.close();
      made.close();
    };
  }, []);
  return graph;
}

export function FlamePanel(props: Props) {
  const { data, zoom, search } = props,
    some = !!data && data.total > 0,
    graph = useGraph(props),
    model = useMemo(() => (data && some ? modelOf(data) : null), [data]);
  useLayoutEffect(() => {
    const input = $<HTMLInputElement>("search");
    if (document.activeElement !== input) input.value = search;
    graph.current!.search(search);
  }, [search]);
  useLayoutEffect(() => {
    graph.current!.show(model, zoom);
    graph.current!.redraw();
  }, [model, zoom.join("\n")]);
  return (
    <section class="panel flame" aria-label="Flame graph">
      <div class="bar">
        <h2 id="title">{some ? typeTitle(props.type) : "Flame graph"}</h2>
        {data && some && <Sum data={data} />}
        <span class="grow" />
        <span id="hits" role="status" />
        <input
          type="search"
          id="search"
          placeholder="Search functions  ( / )"
          aria-label="Search functions"
          autocomplete="off"
          spellcheck={false}
          disabled={!some}
        />
      </div>
      <nav id="crumbs" aria-label="Zoom" hidden />
      <p class="hint" id="hint" hidden={!some}>
        Click a frame to zoom; Escape shows all. Arrow keys and Enter do the same.
      </p>
      <div id="graph" hidden={!some}>
        <div class="tall" />
        <canvas
          tabIndex={0}
          role="application"
          aria-roledescription="flame graph"
          aria-label="Flame graph. Arrow keys move between frames, Enter zooms, Escape resets."
        />
      </div>
      {!some && (
        <div id="empty" role="status">
          {props.children}
        </div>
      )}
    </section>
  );
}
