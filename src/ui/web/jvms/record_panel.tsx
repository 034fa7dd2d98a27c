/* The form that starts a recording, its progress and its result. */
import { useEffect, useState } from "preact/hooks";
import { FlameView } from "../flame/view";
import { amount } from "../shared/format";
import { Jvm, isProfiled, keyOf } from "../shared/jvms";
import { Elsewhere, Place } from "../shared/place";
import { typeRank, typeTitle } from "../shared/profile_types";
import { Recording, RecordedFile, cancelRecording, isRunning, record, useRecording } from "./record";

const SECONDS_MAX = 600,
  LENGTHS = [10, 30, 60, 300];

/* What the profiler was asked for, "event=itimer,interval=10000000,alloc=512k": the names of what is sampled. */
export function eventsOf(options: string): string[] {
  const found: string[] = [];
  for (const item of options.split(",")) {
    const [name, value] = item.split("=");
    if (name === "event" && value) found.push(value);
    else if (/^(alloc|lock|wall|live|nativemem|nativelock|trace|cpu)$/.test(name)) found.push(name);
  }
  return [...new Set(found)];
}

function intervalOf(options: string): string {
  const found = /(?:^|,)interval=(\d+)(?:,|$)/.exec(options);
  return found ? amount(Number(found[1]), "nanoseconds") : "";
}

function Form({ j, busy }: { j: Jvm; busy: boolean }) {
  const [seconds, setSeconds] = useState(30),
    [event, setEvent] = useState(""),
    events = eventsOf(j.options),
    interval = intervalOf(j.options),
    sampled = events.map((name, i) => (i || !interval ? name : `${name} every ${interval}`)).join(", ") || "nothing",
    valid = seconds >= 1 && seconds <= SECONDS_MAX;
  return (
    <form
      class="record-form"
      onSubmit={e => {
        e.preventDefault();
        if (valid && !busy) record(j, Math.round(seconds), event);
      }}
    >
      <label>
        Seconds{" "}
        <input
          id="record-seconds"
          type="number"
          min={1}
          max={SECONDS_MAX}
          list="record-lengths"
          value={seconds}
          onInput={e => setSeconds(Number(e.currentTarget.value))}
        />
      </label>
      <datalist id="record-lengths">
        {LENGTHS.map(n => (
          <option key={n} value={n} />
        ))}
      </datalist>
      <label>
        Event{" "}
        <select id="record-event" value={event} onChange={e => setEvent(e.currentTarget.value)}>
          <option value="">all that is sampled</option>
          {events.map(name => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button class="primary" id="record-start" disabled={busy || !valid}>
        Record now
      </button>
      <p class="meta">
        {`The agent samples ${sampled}; its profiling goes on undisturbed. Other events and intervals are set by ` +
          "profiling_config of the component."}
      </p>
    </form>
  );
}

function Progress({ r }: { r: Recording }) {
  const left = Math.max(0, r.seconds - r.elapsedMs / 1000),
    text =
      r.phase === "starting"
        ? "Starting…"
        : r.phase === "converting"
          ? "Making flame graphs…"
          : left > 0
            ? `Recording, ${Math.ceil(left)} s left · ${amount(r.bytes, "bytes")}`
            : `Waiting for the last samples · ${amount(r.bytes, "bytes")}`;
  return (
    <div class="record-progress" role="status">
      <progress max={r.seconds * 1000} value={Math.min(r.elapsedMs, r.seconds * 1000)} />
      <span id="record-phase">{text}</span>
      <button id="record-cancel" onClick={cancelRecording}>
        Cancel
      </button>
    </div>
  );
}

function save(f: RecordedFile): void {
  const a = document.createElement("a"),
    url = URL.createObjectURL(f.blob);
  a.href = url;
  a.download = f.name;
  a.click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

function Files({ r }: { r: Recording }) {
  return (
    <p class="record-files">
      {r.files.map(f => (
        <button key={f.name} onClick={() => save(f)} title={amount(f.blob.size, "bytes")}>
          {f.name}
        </button>
      ))}
    </p>
  );
}

function Result({ r }: { r: Recording }) {
  const graphs = [...r.graphs].sort((a, b) => typeRank(a.id) - typeRank(b.id)),
    [id, setId] = useState(""),
    [zoom, setZoom] = useState<string[]>([]),
    [search, setSearch] = useState(""),
    shown = graphs.find(g => g.id === id) || graphs[0];
  useEffect(() => {
    setZoom([]);
  }, [shown]);
  return (
    <>
      <div class="ranges" role="group" aria-label="Profile">
        {graphs.map(g => (
          <button key={g.id} aria-pressed={g === shown} onClick={() => setId(g.id)}>
            {typeTitle(g.id)}
          </button>
        ))}
      </div>
      <FlameView
        data={shown ? shown.data : null}
        type={shown ? shown.id : ""}
        zoom={zoom}
        search={search}
        onZoom={path => setZoom(path)}
        onSearch={setSearch}
        matchedOf={async () => null}
      >
        <h3>No samples</h3>
      </FlameView>
    </>
  );
}

/* Of the JVM whose details are shown. */
export function RecordPanel({ j, place }: { j: Jvm; place: Place }) {
  const r = useRecording(),
    busy = isRunning(r),
    mine = r && r.of === keyOf(j) ? r : null;
  if (place.here !== "agent")
    return (
      <Elsewhere
        what="Recordings are started"
        a={place.agent}
        hash={`#view=jvms&jvm=${keyOf(j)}`}
        flag="--server.http.listen-addr"
      />
    );
  return (
    <>
      {isProfiled(j) ? (
        <Form j={j} busy={busy} />
      ) : (
        <p class="meta">It can be recorded while it is profiled; now it is {j.state.replace("_", " ")}.</p>
      )}
      {busy && r && !mine && <p class="meta">{r.title} is being recorded; one at a time.</p>}
      {mine && busy && <Progress r={mine} />}
      {mine && mine.error && (
        <p class="reason" role="alert" id="record-error">
          {mine.error}
        </p>
      )}
      {mine && mine.notes.map(note => <p class="reason">{note}</p>)}
      {mine && mine.files.length > 0 && <Files r={mine} />}
    </>
  );
}

export function RecordResult({ of }: { of: string }) {
  const r = useRecording();
  return r && r.of === of && r.graphs.length ? <Result r={r} /> : null;
}
