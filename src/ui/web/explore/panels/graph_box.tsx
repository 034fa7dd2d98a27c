/* A flame graph with its path, in a panel that may have several. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { FlameGraph } from "../../flame/graph";
import type { Model } from "../../flame/model";
import { $ } from "../../shared/dom";
import { onTheme } from "../../shared/theme";

interface Props {
  id: string;
  label: string;
  model: Model;
  /* The root is at the bottom. */
  flipped?: boolean;
  search?: string;
  onZoom?(path: string[]): void;
}

export function GraphBox({ id, label, model, flipped = false, search = "", onZoom }: Props) {
  const box = useRef<HTMLDivElement>(null),
    crumbs = useRef<HTMLElement>(null),
    hits = useRef<HTMLSpanElement>(null),
    graph = useRef<FlameGraph | null>(null),
    told = useRef(onZoom),
    [zoom, setZoom] = useState<string[]>([]);
  told.current = onZoom;
  useLayoutEffect(() => {
    const made = new FlameGraph(
        { scroller: box.current!, tip: $("tip"), crumbs: crumbs.current!, hits: hits.current!, speak: $("speak") },
        {
          onZoom: path => {
            setZoom(path);
            if (told.current) told.current(path);
          },
        },
      ),
      off = onTheme(() => made.theme());
    graph.current = made;
    return () => {
      off();
      made.close();
    };
  }, []);
  useLayoutEffect(() => graph.current!.search(search), [search]);
  useLayoutEffect(() => {
    graph.current!.show(model, zoom);
    graph.current!.flip(flipped);
  }, [model, flipped]);
  return (
    <div class="graph-part">
      <div class="graph-head">
        <h3>{label}</h3>
        <span class="hits" ref={hits} role="status" />
        <nav class="crumbs" ref={crumbs} aria-label={"Zoom: " + label} hidden />
      </div>
      <div class="graph" id={id} ref={box}>
        <div class="tall" />
        <canvas
          tabIndex={0}
          role="application"
          aria-roledescription="flame graph"
          aria-label={label + ". Arrow keys move between frames, Enter zooms, Escape resets."}
          onKeyDown={e => {
            if (e.key === "Escape") graph.current!.reset();
          }}
        />
      </div>
    </div>
  );
}
