/* What Explore shows of a selection: the flame graph or one of these panels, with menus for all of them. */
import type { ComponentChildren } from "preact";
import { useIds } from "../../shared/part";
import { State, go } from "../state";
import { ComparePanel } from "./compare";
import { DownloadMenu } from "./download";
import { FunctionsPanel } from "./functions";
import { HeatPanel } from "./heat_map";
import type { PanelId } from "./ids";
import "./panels.css";
import { SandwichPanel } from "./sandwich";
import { ViewMenu } from "./view_menu";

const PANELS: [id: PanelId, title: string][] = [
  ["graph", "Flame graph"],
  ["functions", "Functions"],
  ["sandwich", "Callers and callees"],
  ["compare", "Compare"],
  ["heat", "Heat map"],
];

export function panelOf(p: URLSearchParams): PanelId {
  const found = PANELS.find(([id]) => id === p.get("panel"));
  return found ? found[0] : "graph";
}

export function PanelBar({ state, panel }: { state: State; panel: PanelId }) {
  return (
    <nav class="panel-bar" aria-label="Shown as">
      <div class="ranges" role="group" id="panels">
        {PANELS.map(([id, title]) => (
          <button
            key={id}
            type="button"
            data-panel={id}
            aria-pressed={id === panel}
            onClick={() => go({ panel: id === "graph" ? null : id })}
          >
            {title}
          </button>
        ))}
      </div>
      <span class="grow" />
      {panel !== "heat" && <ViewMenu state={state} panel={panel} />}
      <DownloadMenu state={state} />
    </nav>
  );
}

interface Props {
  state: State;
  panel: PanelId;
  /* What is shown where nothing is selected. */
  children: ComponentChildren;
}

export function Panel({ state, panel, children }: Props) {
  const id = useIds();
  if (!state.type)
    return (
      <section class="panel flame">
        <div id={id("empty")} class="empty" role="status">
          {children}
        </div>
      </section>
    );
  if (panel === "functions") return <FunctionsPanel state={state} />;
  if (panel === "sandwich") return <SandwichPanel state={state} />;
  if (panel === "compare") return <ComparePanel state={state} />;
  return <HeatPanel state={state} />;
}
