/* A flame graph in a panel: what it is of, its sum, the search box, the path to what is zoomed at. */
import type { ComponentChildren } from "preact";
import { MutableRef, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { copyText } from "../shared/clipboard";
import { $ } from "../shared/dom";
import { amount, plural } from "../shared/format";
import { useIds, usePart } from "../shared/part";
import { typeTitle } from "../shared/profile_types";
import { onTheme } from "../shared/theme";
import { FrameAction, FrameAt, FrameMenu } from "./frame_menu";
import { FlameGraph } from "./graph";
import { kindsOf } from "./legend";
import { FlameAnswer, Model, modelOf } from "./model";
import { dotted } from "./names";
import { matcher } from "./search";
import { SearchField } from "./search_field";

interface Props {
  data: FlameAnswer | null;
  /* The profile type. */
  type: string;
  zoom: string[];
  search: string;
  flipped?: boolean;
  /* More of it is on its way. */
  pending?: boolean;
  onZoom(path: string[], graph: FlameGraph): void;
  onSearch(text: string): void;
  matchedOf(path: string[], search: string): Promise<number | null>;
  /* What else can be done with a frame of this name. */
  actionsOf?(name: string): FrameAction[];
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

/* The kinds of frames that there are, each a search for them. */
function Legend({ model, search, onSearch }: { model: Model; search: string; onSearch(text: string): void }) {
  const kinds = useMemo(
    () => kindsOf(model.names).filter(k => !k.search || model.names.some(matcher(k.search)!)),
    [model],
  );
  return (
    <ul class="legend" aria-label="Colours">
      {kinds.map(k => {
        const mark = <i style={{ background: k.color }} />;
        return (
          <li key={k.text}>
            {k.search ? (
              <button
                type="button"
                title="Highlight them"
                aria-pressed={search === k.search}
                onClick={() => onSearch(search === k.search ? "" : k.search)}
              >
                {mark} {k.text}
              </button>
            ) : (
              <span>
                {mark} {k.text}
              </span>
            )}
          </li>
        );
      })}
    </ul>
  );
}

/* The graph itself, whose elements are there as long as the panel is. */
function useGraph(
  props: Props,
  panel: MutableRef<HTMLElement | null>,
  onMenu: (at: FrameAt) => void,
): MutableRef<FlameGraph | null> {
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
          onMenu: (name, x, y) => onMenu({ name, x, y }),
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
  const { data, type, zoom, search, flipped = false, pending = false } = props,
    some = !!data && data.total > 0,
    model = useMemo(() => (data && some ? modelOf(data) : null), [data]),
    panel = useRef<HTMLElement>(null),
    first = usePart() === 0,
    id = useIds(),
    [menu, setMenu] = useState<FrameAt | null>(null),
    graph = useGraph(props, panel, setMenu),
    actionsOf = (name: string): FrameAction[] => [
      { text: "Copy name", run: () => void copyText(dotted(name)) },
      { text: "Search for it", run: () => props.onSearch(`"${dotted(name)}"`) },
      ...(props.actionsOf ? props.actionsOf(name) : []),
    ];
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
          onNext={(text, step) => {
            graph.current!.search(text);
            graph.current!.nextMatch(step);
          }}
          first={first}
          disabled={!some}
        />
      </div>
      <nav id={id("crumbs")} class="crumbs" aria-label="Zoom" hidden />
      <p class="hint" hidden={!some}>
        Click a frame to zoom, right-click for more; Escape shows all. Drag to move. ? lists the keys.
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
            ". Arrow keys move between frames, Enter zooms, Escape resets, m opens a menu, n goes to the next match."
          }
        />
      </div>
      {model && <Legend model={model} search={search} onSearch={props.onSearch} />}
      {menu && model && <FrameMenu at={menu} actions={actionsOf(menu.name)} close={() => setMenu(null)} />}
      {!some && (
        <div id={id("empty")} class="empty" role="status">
          {props.children}
        </div>
      )}
    </section>
  );
}
