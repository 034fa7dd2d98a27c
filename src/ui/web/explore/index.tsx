/* Explore: the profiles of a service over time, as a flame graph and in other ways. */
import { useEffect, useState } from "preact/hooks";
import type { FlameAnswer } from "../flame/model";
import { useAddress, writeAddress } from "../shared/address";
import { useJvms } from "../shared/jvms";
import { setNotice } from "../shared/notice";
import type { View } from "../shared/view";
import { Column } from "./column";
import { Empty } from "./empty";
import "./explore.css";
import { JvmPanel } from "./jvm_panel";
import type { PanelProps } from "./panel";
import { PANELS } from "./panels";
import { useServices, useTypes } from "./questions";
import { State, stateOf, zoomName } from "./state";
import { Toolbar } from "./toolbar";
import { Top } from "./top";
import { ViewBar } from "./view_bar";

/* What the address leaves open is chosen: the service with the latest profile, the most usual type. */
function useChoices(state: State) {
  const services = useServices(state);
  if (!state.service && services.data && services.data.length)
    state.service = services.data.reduce((a, b) => (b.last_ms > a.last_ms ? b : a)).name;
  const types = useTypes(state),
    known = state.types.filter(id => types.data && types.data.includes(id)),
    lost = !!types.data && known.length < Math.max(1, state.types.length);
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
    panel = PANELS.find(p => p.id === state.show) || PANELS[0],
    shown = state.types.length ? state.types : [""];
  useTitleAndNotice(state);
  const look = (text: string) => writeAddress({ search: state.search === text ? "" : text }, false);
  const instead: PanelProps["instead"] = answer => (
    <Empty
      state={state}
      error={services.error || types.error || answer.error}
      loading={
        services.loading ||
        (!!state.service && types.loading) ||
        (state.types.length > 0 && answer.loading)
      }
      jvms={jvms.data}
      others={!!services.data && services.data.length > 0}
    />
  );
  return (
    <>
      <Toolbar state={state} services={services.data || []} types={types.data || []} />
      <ViewBar state={state} panel={panel} />
      <main>
        <div class={"columns of-" + shown.length}>
          {shown.map((type, index) => (
            <Column
              key={index}
              panel={panel}
              state={state}
              type={type}
              index={index}
              look={look}
              instead={instead}
              onFlame={index ? () => {} : setTop}
            />
          ))}
        </div>
        <aside>
          <JvmPanel answer={jvms} service={state.service} />
          {top && <Top data={top} look={look} />}
        </aside>
      </main>
    </>
  );
}

export const explore: View = { id: "explore", title: "Explore", Body };
