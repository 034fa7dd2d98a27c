/* The services as a list that can be searched, each with its amount over time. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ago, amount } from "../shared/format";
import { Popover } from "../shared/popover";
import { typeTitle } from "../shared/profile_types";
import type { Service, ServiceType } from "./questions";
import { State, choose } from "./state";

const SPARK_WIDTH = 96,
  SPARK_HEIGHT = 20;

/* The amount of the main type, or else of the first that the service has. */
function mainType(service: Service, state: State): ServiceType | null {
  const types = service.types || [];
  return types.find(t => t.id === state.types[0]) || types[0] || null;
}

export function Sparkline({ values }: { values: number[] }) {
  const most = Math.max(1, ...values),
    step = SPARK_WIDTH / Math.max(1, values.length - 1),
    y = (v: number) => SPARK_HEIGHT - 1 - (v / most) * (SPARK_HEIGHT - 2),
    points = values.map((v, i) => (i * step).toFixed(1) + "," + y(v).toFixed(1));
  return (
    <svg class="spark" width={SPARK_WIDTH} height={SPARK_HEIGHT} aria-hidden="true">
      <polygon points={`0,${SPARK_HEIGHT} ${points.join(" ")} ${SPARK_WIDTH},${SPARK_HEIGHT}`} />
      <polyline points={points.join(" ")} />
    </svg>
  );
}

function Row({ id, service, state, active, pick }: {
  id: string;
  service: Service;
  state: State;
  active: boolean;
  pick: (name: string) => void;
}) {
  const type = mainType(service, state),
    row = useRef<HTMLLIElement>(null),
    unit = type ? type.id.split(":")[2] : "";
  useEffect(() => {
    if (active) row.current!.scrollIntoView({ block: "nearest" });
  }, [active]);
  return (
    <li
      ref={row}
      id={id}
      role="option"
      data-service={service.name}
      aria-selected={service.name === state.service}
      class={active ? "active" : ""}
      title={type ? typeTitle(type.id) : ""}
      onClick={() => pick(service.name)}
    >
      <b>{service.name}</b>
      {type && <Sparkline values={type.values} />}
      <small>{type ? amount(type.total, unit) : ago(Date.now() - service.last_ms) + " ago"}</small>
    </li>
  );
}

/* Names have characters that ids cannot have. */
function rowId(i: number): string {
  return "service-row-" + i;
}

function List({ state, services, close }: { state: State; services: Service[]; close: () => void }) {
  const [part, setPart] = useState(""),
    [active, setActive] = useState(0),
    input = useRef<HTMLInputElement>(null),
    wanted = part.trim().toLowerCase(),
    found = services.filter(s => s.name === state.service || s.name.toLowerCase().includes(wanted)),
    at = Math.min(active, found.length - 1);
  useLayoutEffect(() => {
    input.current!.focus();
    setActive(Math.max(0, services.findIndex(s => s.name === state.service)));
  }, []);
  const pick = (name: string) => {
    close();
    if (name !== state.service) choose({ service: name });
  };
  const onKey = (e: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[e.key];
    if (step) {
      e.preventDefault();
      setActive(Math.max(0, Math.min(found.length - 1, at + step)));
    } else if (e.key === "Enter" && found[at]) {
      e.preventDefault();
      pick(found[at].name);
    }
  };
  return (
    <>
      <input
        ref={input}
        type="search"
        id="service-filter"
        placeholder="Filter services"
        role="combobox"
        aria-label="Filter services"
        aria-expanded="true"
        aria-controls="service-list"
        aria-activedescendant={found[at] ? rowId(at) : undefined}
        autocomplete="off"
        spellcheck={false}
        onInput={e => {
          setPart(e.currentTarget.value);
          setActive(0);
        }}
        onKeyDown={onKey}
      />
      <ul id="service-list" role="listbox" aria-label="Services">
        {found.map((s, i) => (
          <Row key={s.name} id={rowId(i)} service={s} state={state} active={i === at} pick={pick} />
        ))}
      </ul>
      <p class="meta" role="status">
        {found.length === services.length
          ? `${services.length} services`
          : `${found.length} of ${services.length} services`}
      </p>
    </>
  );
}

export function ServicePicker({ state, services }: { state: State; services: Service[] }) {
  const known = services.some(s => s.name === state.service),
    name = state.service || "none yet";
  return (
    <span class="pick">
      Service
      <Popover
        name="service"
        label={<b>{known || !state.service ? name : name + " (no data)"}</b>}
        title={name}
        value={state.service}
      >
        {close => <List state={state} services={services} close={close} />}
      </Popover>
    </span>
  );
}
