/* The components of one module, as a graph: data goes to the right, on a narrow page down. */
import { useEffect, useMemo, useState } from "preact/hooks";
import { layout, pathOf } from "./layout";
import { Component, Health, Rates, rateText } from "./questions";

const WIDTH = 216,
  HEIGHT = 62,
  NAME_MAX = 26,
  narrow = matchMedia("(max-width: 760px)");

export const HEALTH_WORDS: Record<Health, string> = {
  healthy: "healthy",
  unhealthy: "unhealthy",
  exited: "exited",
  unknown: "not known yet",
};

/* A shape for each, so that colours are not needed to tell them. */
export function HealthMark({ health }: { health: Health }) {
  const shape =
    health === "healthy" ? (
      <>
        <circle cx="8" cy="8" r="7" />
        <path class="sign" d="M4.5 8.2l2.4 2.4 4.6-5" />
      </>
    ) : health === "unhealthy" ? (
      <>
        <path d="M8 1l7.5 14H.5z" />
        <path class="sign" d="M8 5.5v4.6M8 12v1.2" />
      </>
    ) : health === "exited" ? (
      <>
        <rect x="1" y="1" width="14" height="14" rx="2" />
        <path class="sign" d="M5 5l6 6M11 5l-6 6" />
      </>
    ) : (
      <>
        <circle cx="8" cy="8" r="7" stroke-dasharray="3 2" fill="none" stroke="currentColor" />
        <path class="sign plain" d="M6 6.2a2 2 0 1 1 2.6 1.9c-.5.2-.6.5-.6 1.2M8 11.6v.9" />
      </>
    );
  return (
    <svg
      class={"mark " + health}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      role="img"
      aria-label={HEALTH_WORDS[health]}
    >
      {shape}
    </svg>
  );
}

function cut(text: string): string {
  return text.length > NAME_MAX ? text.slice(0, NAME_MAX - 1) + "…" : text;
}

function useNarrow(): boolean {
  const [is, set] = useState(narrow.matches);
  useEffect(() => {
    const told = () => set(narrow.matches);
    narrow.addEventListener("change", told);
    return () => narrow.removeEventListener("change", told);
  }, []);
  return is;
}

interface Props {
  list: Component[];
  rates: Rates;
  open: string;
  onOpen(id: string): void;
}

function Box({ c, x, y, rates, open, onOpen }: { c: Component; x: number; y: number } & Omit<Props, "list">) {
  const rate = c.to.length || c.sent ? rateText(rates.of(c.id), c.kind) : "",
    modules = c.modules.length ? `${c.modules.length} module${c.modules.length > 1 ? "s" : ""}` : "",
    note = modules || rate || (c.sent ? c.sent.toLocaleString("en-US") + " passed on" : "");
  return (
    <g
      class={"node " + c.health + (open === c.id ? " open" : "")}
      transform={`translate(${x} ${y})`}
      role="button"
      tabindex={0}
      aria-label={`${c.id}, ${HEALTH_WORDS[c.health]}${rate ? ", " + rate : ""}`}
      aria-pressed={open === c.id}
      onClick={() => onOpen(c.id)}
      onKeyDown={e => {
        if (e.key !== "Enter" && e.key !== " ") return;
        e.preventDefault();
        onOpen(c.id);
      }}
    >
      <title>{c.id + (c.message ? "\n" + c.message : "")}</title>
      <rect width={WIDTH} height={HEIGHT} rx="9" />
      <svg x="10" y="10" width="16" height="16">
        <HealthMark health={c.health} />
      </svg>
      <text class="name" x="32" y="22">
        {cut(c.name)}
      </text>
      <text class="label" x="32" y="38">
        {cut(c.label)}
      </text>
      <text class="rate" x="32" y="53">
        {note}
      </text>
    </g>
  );
}

export function Graph({ list, rates, open, onOpen }: Props) {
  const down = useNarrow(),
    key = down + JSON.stringify(list.map(c => [c.id, c.to])),
    placed = useMemo(() => {
      const full = (c: Component, local: string) => (c.module ? c.module + "/" + local : local),
        edges = list.flatMap(c => c.to.map((to): [string, string] => [c.id, full(c, to)]));
      return layout(
        list.map(c => c.id),
        edges,
        { width: WIDTH, height: HEIGHT, gap: down ? 14 : 22, layerGap: down ? 34 : 64, down },
      );
    }, [key]),
    byId = new Map(list.map(c => [c.id, c]));
  return (
    <div class="pipeline-box">
      <svg
        class="pipeline-graph"
        width={placed.width + 4}
        height={placed.height + 4}
        viewBox={`-2 -2 ${placed.width + 4} ${placed.height + 4}`}
        role="group"
        aria-label="Components and the way of data between them"
      >
        <defs>
          <marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" orient="auto">
            <path d="M0 0l8 4-8 4z" />
          </marker>
        </defs>
        {placed.routes.map(r => (
          <path
            key={r.from + " " + r.to}
            class={"edge" + (rates.of(r.from) ? " moves" : "") + (open === r.from || open === r.to ? " open" : "")}
            d={pathOf(r.points, down)}
            marker-end="url(#arrow)"
          />
        ))}
        {placed.nodes.map(n => (
          <Box key={n.id} c={byId.get(n.id)!} x={n.x} y={n.y} rates={rates} open={open} onOpen={onOpen} />
        ))}
      </svg>
    </div>
  );
}
