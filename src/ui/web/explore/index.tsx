/* Explore: the profiles of a service over time, as a flame graph and in other ways. */
import { useEffect, useState } from "preact/hooks";
import type { FlameAnswer } from "../flame/model";
import type { Answer } from "../shared/api";
import { useAddress, writeAddress } from "../shared/address";
import { useJvms } from "../shared/jvms";
import { setNotice } from "../shared/notice";
import type { View } from "../shared/view";
import { Column } from "./column";
import { Empty } from "./empty";
import "./explore.css";
import { JvmPanel } from "./jvm_panel";
import { FlamePanel } from "./flame_panel";
import { Panel, PanelBar, panelOf } from "./panels";
import { useServices, useTypes } from "./questions";
import { State, stateOf, zoomName } from "./state";
import { Toolbar } from "./toolbar";
import { Top } from "./top";

/* What the address leaves open is chosen: the service with the latest profile, the most usual type. */
function useChoices(state: State) {
  const services = useServices(state);
  if (!state.service && services.data && services.data.length)
    state.service = services.data.reduce((a, b) => (b.last_ms > a.last_ms ? b : a)).name;
  const types = useTypes(state),
    known = state.types.filter(id => types.data && types.data.includes(id)),
    lost = !!types.data && known.length < state.types.length;
  if (lost) state.zooms = [[], [], []];
  state.types = known.length || !types.data ? known : types.data.slice(0, 1);
  useEffect(() => {
    if (!types.data || !types.data.length) return;
    writeAddress(
      {
        service: state.service,
        type: state.types,
        ...(lost ? { [zoomName(0)]: null, [zoomName(1)]: null, [zoomName(2)]: null } : {}),
        ...(state.notice ? {} : { range: state.range }),
      },
      false,
    );
  }, [state.service, state.types.join(), state.range, types.data]);
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
    jvms = useJvms(),
    [top, setTop] = useState<FlameAnswer | null>(null),
    panel = panelOf(state.more),
    shown = state.types.length ? state.types : [""];
  useTitleAndNotice(state);
  const look = (text: string) => writeAddress({ search: state.search === text ? "" : text }, false);
  /* In the place of an answer that did not come, or is empty. */
  const instead = (answer: Answer<unknown> | null) => (
    <Empty
      state={state}
      error={services.error || types.error || (answer ? answer.error : "")}
      loading={
        services.loading ||
        (!!state.service && types.loading) ||
        (state.types.length > 0 && !!answer && answer.loading)
      }
      jvms={jvms.data}
      others={!!services.data && services.data.length > 0}
    />
  );
  return (
    <>
      <Toolbar state={{ ...state, type: shown[0] }} services={services.data || []} types={types.data || []} />
      <PanelBar state={{ ...state, type: shown[0] }} panel={panel} />
      <main>
        <div class={"columns of-" + shown.length}>
          {shown.map((type, index) => {
            const mine = { ...state, type, zoom: state.zooms[index] };
            return (
              <Column key={index} index={index} state={mine}>
                {panel === "graph" ? (
                  <FlamePanel state={mine} index={index} instead={instead} onFlame={index ? undefined : setTop} />
                ) : (
                  <Panel state={mine} panel={panel}>
                    {instead(null)}
                  </Panel>
                )}
              </Column>
            );
          })}
        </div>
        <aside>
          <JvmPanel answer={jvms} service={state.service} />
          {panel === "graph" && top && top.total > 0 && <Top data={top} look={look} />}
        </aside>
      </main>
    </>
  );
}

export const explore: View = { id: "explore", title: "Explore", Body };
