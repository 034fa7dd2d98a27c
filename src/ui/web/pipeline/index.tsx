/* The pipeline: the components of the configuration as a graph, what one is made of, and how the agent itself is. */
import { useEffect, useRef } from "preact/hooks";
import { useAddress, writeAddress } from "../shared/address";
import { useNow } from "../shared/clock";
import { ago, plural } from "../shared/format";
import { useJvms } from "../shared/jvms";
import { Elsewhere, usePlace } from "../shared/place";
import type { View } from "../shared/view";
import { Graph, HEALTH_WORDS, HealthMark } from "./graph";
import { Own } from "./own";
import "./pipeline.css";
import { rateText, useDetails, usePipeline, useRates } from "./questions";
import type { Component, Health, Pipeline, Rates, Statement } from "./questions";
import { bodyText } from "./values";

function Part({ title, body }: { title: string; body: Statement[] }) {
  const text = bodyText(body);
  return text ? (
    <>
      <h3>{title}</h3>
      <pre>{text}</pre>
    </>
  ) : null;
}

function Details({ c, rates, nowMs, onClose }: { c: Component; rates: Rates; nowMs: number; onClose(): void }) {
  const { data, error } = useDetails(c.id),
    rate = rateText(rates.of(c.id), c.kind),
    panel = useRef<HTMLElement>(null);
  useEffect(() => {
    panel.current!.scrollIntoView({ block: "nearest" }); /* on a narrow page it is below the graph */
  }, []);
  return (
    <section class="panel" id="component" ref={panel} aria-label={"Details of " + c.id}>
      <div class="bar">
        <HealthMark health={c.health} />
        <h2>{c.id}</h2>
        <span class="grow" />
        <button class="quiet" id="component-close" onClick={onClose} aria-label="Close details">
          ✕
        </button>
      </div>
      <div class="component-body">
        <p class={c.health === "unhealthy" ? "reason" : "meta"}>
          {HEALTH_WORDS[c.health]}
          {c.message ? ": " + c.message : ""}
          {c.updated_ms ? `, since ${ago(nowMs - c.updated_ms)}` : ""}
        </p>
        {(c.sent > 0 || rate) && (
          <p class="meta">
            {`${c.sent.toLocaleString("en-US")} passed on`}
            {rate ? ` · ${rate}` : ""}
          </p>
        )}
        {!data && <p class="meta">{error || "Loading…"}</p>}
        {data && <Part title="Arguments" body={data.arguments} />}
        {data && <Part title="Exports" body={data.exports} />}
        {data && <Part title="Debug information" body={data.debugInfo} />}
      </div>
    </section>
  );
}

function Summary({ list }: { list: { health: Health }[] }) {
  const words = (Object.keys(HEALTH_WORDS) as Health[])
    .map(h => ({ h, n: list.filter(c => c.health === h).length }))
    .filter(x => x.n);
  return (
    <span class="sum" id="pipeline-sum" role="status">
      {words.map(x => (
        <span key={x.h} class="health-count">
          <HealthMark health={x.h} /> {x.n} {HEALTH_WORDS[x.h]}
        </span>
      ))}
    </span>
  );
}

function Modules({ data, rates, open, onOpen }: {
  data: Pipeline;
  rates: Rates;
  open: string;
  onOpen(id: string): void;
}) {
  const modules = [...new Set(data.components.map(c => c.module))];
  return (
    <>
      {modules.map(module => {
        const list = data.components.filter(c => c.module === module);
        return (
          <section key={module} class="panel" aria-label={module ? "Module " + module : "Components"}>
            <div class="bar">
              <h2>{module ? "Module " + module : "Components"}</h2>
              <Summary list={list} />
            </div>
            <Graph list={list} rates={rates} open={open} onOpen={onOpen} />
          </section>
        );
      })}
      {data.imports.length > 0 && (
        <section class="panel" aria-label="Imports">
          <div class="bar">
            <h2>Imports</h2>
          </div>
          <ul class="imports">
            {data.imports.map(i => (
              <li key={i.id}>
                <HealthMark health={i.health} /> <code>{i.id}</code> <span class="meta">{i.message}</span>
              </li>
            ))}
          </ul>
        </section>
      )}
    </>
  );
}

function Shown({ data, at }: { data: Pipeline; at: number }) {
  const open = useAddress().get("component") || "",
    nowMs = data.now_ms + useNow() - at,
    rates = useRates(data),
    c = data.components.find(x => x.id === open),
    close = () => {
      const node = document.querySelector<SVGElement>(".pipeline-graph .node.open");
      writeAddress({ component: null }, true);
      if (node) node.focus();
    };
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === "Escape" && open) close();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [open]);
  return (
    <div class={c ? "pipeline open" : "pipeline"}>
      <div class="pipeline-main">
        {data.components.length ? (
          <Modules
            data={data}
            rates={rates}
            open={open}
            onOpen={id => writeAddress({ component: id === open ? null : id }, true)}
          />
        ) : (
          <p class="note" id="pipeline-empty">
            The configuration has no components.
          </p>
        )}
        <Own data={data} rates={rates} />
      </div>
      {c && <Details key={c.id} c={c} rates={rates} nowMs={nowMs} onClose={close} />}
    </div>
  );
}

/* At the agent, where its API is. */
function Here() {
  const { data, at, error } = usePipeline();
  if (!data) return <p class="note">{error || "Loading…"}</p>;
  return <Shown data={data} at={at} />;
}

/* At the store: health, and where the rest is. */
function AtStore() {
  const { data, error } = useJvms(),
    place = usePlace();
  if (!data || !place) return <p class="note">{error || "Loading…"}</p>;
  if (!data.agent) return <p class="note">This store runs without an agent, so there is no pipeline.</p>;
  return (
    <>
      <Elsewhere
        what="The graph, arguments, rates and the state of the agent are"
        a={place.agent}
        hash="#view=pipeline"
        flag="--server.http.listen-addr"
      />
      <ul class="imports">
        {data.components.map(c => (
          <li key={c.id}>
            <HealthMark health={c.health as Health} /> <code>{c.id}</code>{" "}
            <span class={c.health === "unhealthy" ? "reason" : "meta"}>{c.message}</span>
          </li>
        ))}
      </ul>
      {!data.components.length && <p class="note">The configuration has {plural(0, "component", "components")}.</p>}
    </>
  );
}

function Body() {
  const place = usePlace();
  useEffect(() => {
    document.title = "Pipeline · smolder";
  }, []);
  return place && place.here === "agent" ? <Here /> : <AtStore />;
}

export const pipeline: View = { id: "pipeline", title: "Pipeline", Body };
