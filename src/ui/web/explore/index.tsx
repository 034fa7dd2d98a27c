/* Explore: the profiles of a service over time, as a flame graph. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { FlameGraph } from "../flame/graph";
import type { SearchBox } from "../flame/search_box";
import { useAddress, writeAddress } from "../shared/address";
import { useJvms } from "../shared/jvms";
import { setNotice } from "../shared/notice";
import { typeTitle } from "../shared/profile_types";
import type { View } from "../shared/view";
import { Chart } from "./chart";
import { Empty } from "./empty";
import "./explore.css";
import { FlamePanel } from "./flame_panel";
import { JvmPanel } from "./jvm_panel";
import { Panel, PanelBar, panelOf } from "./panels";
import { matchedOf, useFlame, useServices, useTimeline, useTypes } from "./questions";
import { State, chooseRange, go, rangeOf, stateOf } from "./state";
import { Toolbar } from "./toolbar";
import { Top } from "./top";

function startsWith(path: string[], start: string[]): boolean {
  return start.every((name, i) => path[i] === name);
}

/* What the address leaves open is chosen: the service with the latest profile, the most usual type. */
function useChoices(state: State) {
  const services = useServices(state);
  if (!state.service && services.data && services.data.length)
    state.service = services.data.reduce((a, b) => (b.last_ms > a.last_ms ? b : a)).name;
  const types = useTypes(state);
  if (types.data && !types.data.includes(state.type)) {
    state.type = types.data[0] || "";
    state.zoom = [];
  } else if (!types.data) state.type = "";
  useEffect(() => {
    if (types.data && types.data.length)
      writeAddress(
        { service: state.service, type: state.type, at: state.zoom, ...(state.notice ? {} : { range: state.range }) },
        false,
      );
  }, [state.service, state.type, state.range, types.data]);
  return { services, types };
}

function useTitleAndNotice(state: State): void {
  useEffect(() => {
    document.title = state.service ? state.service + " · smolder" : "smolder";
  }, [state.service]);
  useEffect(() => {
    setNotice(state.notice);
    return () => setNotice("");
  }, [state.notice, state.range, state.from, state.until]);
}

function Body() {
  const state = stateOf(useAddress()),
    { services, types } = useChoices(state),
    [at, setAt] = useState(state.zoom),
    panel = panelOf(state.more),
    flame = useFlame(state, at, panel === "graph"),
    line = useTimeline(state),
    jvms = useJvms(),
    box = useRef<SearchBox | null>(null),
    range = line.data ? line.data.range : rangeOf(state);
  useTitleAndNotice(state);
  const onZoom = (path: string[], graph: FlameGraph) => {
    go({ at: path });
    if (graph.cut || !startsWith(path, at)) setAt(path);
  };
  return (
    <>
      <Toolbar state={state} services={services.data || []} types={types.data || []} />
      <main>
        <div class="left">
          <section class="panel" id="timebox" aria-label="Amount over time">
            <div class="scale">{line.data ? typeTitle(state.type) + " over time" : ""}</div>
            <Chart line={line.data} range={range} onRange={r => chooseRange(state, "custom", r)} />
          </section>
          <PanelBar state={state} panel={panel} />
          {panel !== "graph" && (
            <Panel state={state} panel={panel}>
              <Empty
                state={state}
                error={services.error || types.error}
                loading={services.loading || (!!state.service && types.loading)}
                jvms={jvms.data}
                others={!!services.data && services.data.length > 0}
              />
            </Panel>
          )}
          {panel === "graph" && (
            <FlamePanel
              data={flame.data}
              type={state.type}
              zoom={state.zoom}
              search={state.search}
              onZoom={onZoom}
              onSearch={search => writeAddress({ search }, false)}
              matchedOf={async (path, search) => (flame.data ? matchedOf(flame.data.query, path, search) : null)}
              box={box}
            >
              <Empty
                state={state}
                error={services.error || types.error || flame.error}
                loading={services.loading || (!!state.service && types.loading) || (!!state.type && flame.loading)}
                jvms={jvms.data}
                others={!!services.data && services.data.length > 0}
              />
            </FlamePanel>
          )}
        </div>
        <aside>
          <JvmPanel answer={jvms} service={state.service} />
          {flame.data && flame.data.total > 0 && <Top data={flame.data} look={text => box.current!.look(text)} />}
        </aside>
      </main>
    </>
  );
}

export const explore: View = { id: "explore", title: "Explore", Body };
