/* How the agent itself is: what waits, what was lost, what it costs. */
import type { ComponentChildren } from "preact";
import { ago, amount, plural } from "../shared/format";
import { Pipeline, Rates, Reading } from "./questions";

function sum(list: Reading[]): number {
  return list.reduce((total, r) => total + r.value, 0);
}

function mean(list: Reading[]): { value: number; count: number } {
  const count = list.reduce((total, r) => total + (r.count || 0), 0);
  return { value: count ? sum(list) / count : 0, count };
}

function Card({ title, bad, children, more }: {
  title: string;
  bad?: boolean;
  children: ComponentChildren;
  more?: string;
}) {
  return (
    <div class={bad ? "own-card bad" : "own-card"}>
      <dt>{title}</dt>
      <dd>
        {bad && <span aria-label="problem">⚠ </span>}
        {children}
        {more && <small>{more}</small>}
      </dd>
    </div>
  );
}

/* "2 queue_full, 1 rejected" of the readings that are not 0. */
function byLabel(list: Reading[], label: string): string {
  return list
    .filter(r => r.value)
    .map(r => `${r.value.toLocaleString("en-US")} ${r.labels[label].replace(/_/g, " ")}`)
    .join(", ");
}

function Costs({ data, rates }: { data: Pipeline; rates: Rates }) {
  const of = (name: string) => data.own.metrics["smolder_" + name] || [],
    started = sum(of("resources_process_start_time_seconds")) * 1000,
    cpu = sum(of("resources_process_cpu_seconds_total")),
    resident = sum(of("resources_process_resident_memory_bytes")),
    age = data.now_ms - started,
    share = rates.cpu === null && age > 0 ? cpu / (age / 1000) : rates.cpu;
  return (
    <>
      <Card title="CPU" more="main process; conversions are in the list of JVMs">
        {share === null ? "" : (share * 100).toFixed(2) + " % of a processor"}
      </Card>
      <Card title="Memory" more={amount(sum(of("heap_bytes")), "bytes") + " of heap"}>
        {amount(resident, "bytes")}
      </Card>
      <Card title="Running for" more={"version " + data.own.version}>
        {started ? ago(age) : ""}
      </Card>
    </>
  );
}

function Losses({ data }: { data: Pipeline }) {
  const of = (name: string) => data.own.metrics["smolder_" + name] || [],
    dropped = of("dropped_profiles_total"),
    lost = of("chunks_total").filter(r => r.labels.result !== "read"),
    gap = mean(of("gap_seconds")),
    coverage = mean(of("cpu_coverage_ratio")),
    restarts = of("parser_restarts_total"),
    failed = of("config_last_load_successful").some(r => r.value === 0);
  return (
    <>
      <Card title="Dropped profiles" bad={sum(dropped) > 0} more={byLabel(dropped, "reason")}>
        {sum(dropped).toLocaleString("en-US")}
      </Card>
      <Card title="Lost chunks" bad={sum(lost) > 0} more={byLabel(lost, "result")}>
        {sum(lost).toLocaleString("en-US")}
      </Card>
      <Card title="Gap at a roll-over" more={gap.count ? plural(gap.count, "roll-over", "roll-overs") : ""}>
        {gap.count ? "at most " + amount(gap.value * 1e9, "nanoseconds") : "none so far"}
      </Card>
      <Card title="CPU time in samples" more={coverage.count ? plural(coverage.count, "interval", "intervals") : ""}>
        {coverage.count ? `${(coverage.value * 100).toFixed(0)} % of the kernel's count` : "not compared yet"}
      </Card>
      {sum(restarts) > 0 && (
        <Card title="Parser restarts" bad more={byLabel(restarts, "reason")}>
          {sum(restarts)}
        </Card>
      )}
      {failed && (
        <Card title="Configuration" bad>
          the last load was rejected
        </Card>
      )}
    </>
  );
}

function Delivery({ data }: { data: Pipeline }) {
  const of = (name: string) => data.own.metrics["smolder_" + name] || [],
    queue = of("queue_bytes"),
    spool = sum(of("spool_bytes")),
    pushes = of("pushes_total"),
    failing = pushes.filter(r => r.labels.result !== "ok"),
    store = sum(of("store_bytes"));
  return (
    <>
      <Card title="Queue" more={spool ? amount(spool, "bytes") + " on disk" : ""}>
        {amount(sum(queue), "bytes")}
      </Card>
      <Card title="Pushes" more={byLabel(failing, "result")}>
        {byLabel(
          pushes.filter(r => r.labels.result === "ok"),
          "result",
        ) || "none so far"}
      </Card>
      <Card title="Sessions">{byLabel(of("sessions"), "state") || "none"}</Card>
      {store > 0 && <Card title="Store">{amount(store, "bytes")}</Card>}
    </>
  );
}

export function Own({ data, rates }: { data: Pipeline; rates: Rates }) {
  return (
    <section class="panel" aria-label="The agent itself" id="own">
      <div class="bar">
        <h2>The agent itself</h2>
      </div>
      <dl class="own-cards">
        <Delivery data={data} />
        <Losses data={data} />
        <Costs data={data} rates={rates} />
      </dl>
    </section>
  );
}
