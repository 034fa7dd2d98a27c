/* The JVMs of this host: a table to filter and sort, and all that is known of one. */
import { useEffect, useMemo } from "preact/hooks";
import { useAddress, writeAddress } from "../shared/address";
import { useNow } from "../shared/clock";
import { plural } from "../shared/format";
import { Jvm, JvmList, keyOf, profilesJava, useJvms } from "../shared/jvms";
import { usePlace } from "../shared/place";
import type { View } from "../shared/view";
import { Details } from "./details";
import "./jvms.css";
import { GROUPS, matches, sorted } from "./rows";
import { Table } from "./table";

const FIRST_SORT = "state";

function NoJvm({ list }: { list: JvmList }) {
  if (!list.agent) return <p class="note">This store runs without an agent: no JVM is looked for.</p>;
  if (!profilesJava(list))
    return <p class="note">The configuration has no pyroscope.java component: no JVM is looked for.</p>;
  return (
    <p class="note">
      No JVM is running on this host. New ones are detected within a second. Start the sample application with{" "}
      <code>make demo-app</code>.
    </p>
  );
}

function Groups({ all, group }: { all: Jvm[]; group: string }) {
  return (
    <div class="ranges" role="group" aria-label="State" id="jvm-groups">
      {GROUPS.map(g => (
        <button
          key={g.id}
          type="button"
          aria-pressed={g.id === group}
          onClick={() => writeAddress({ state: g.id || null }, true)}
        >
          {g.title} <b>{all.filter(g.has).length}</b>
        </button>
      ))}
    </div>
  );
}

function Found({ data, at }: { data: JvmList; at: number }) {
  const params = useAddress(),
    nowMs = data.now_ms + useNow() - at,
    place = usePlace(),
    search = params.get("find") || "",
    group = params.get("state") || "",
    sort = params.get("sort") || FIRST_SORT,
    open = params.get("jvm") || "",
    shown = useMemo(() => {
      const has = (GROUPS.find(g => g.id === group) || GROUPS[0]).has;
      return sorted(data.jvms.filter(j => has(j) && matches(j, search)), sort, data.now_ms);
    }, [data, search, group, sort]),
    jvm = data.jvms.find(j => keyOf(j) === open),
    close = () => {
      const table = document.getElementById("jvm-table");
      writeAddress({ jvm: null }, true);
      if (table) table.focus();
    };
  useEffect(() => {
    const onKey = (e: KeyboardEvent) => {
      if (e.key === "Escape" && open && !(e.target as HTMLElement).closest(".flame, input, select")) close();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [open]);
  return (
    <>
      <div class="jvm-tools">
        <input
          type="search"
          id="jvm-find"
          placeholder="Find by service, PID, reason, label"
          aria-label="Find JVMs"
          autocomplete="off"
          spellcheck={false}
          value={search}
          onInput={e => writeAddress({ find: e.currentTarget.value }, false)}
        />
        <Groups all={data.jvms} group={group} />
        <span class="sum" role="status" id="jvm-shown">
          {plural(shown.length, "JVM", "JVMs")}
        </span>
      </div>
      <div class={jvm ? "jvm-split open" : "jvm-split"}>
        {shown.length ? (
          <Table
            list={shown}
            nowMs={nowMs}
            sort={sort}
            onSort={id => writeAddress({ sort: id === FIRST_SORT ? null : id }, false)}
            open={open}
            onOpen={key => writeAddress({ jvm: key }, true)}
          />
        ) : (
          <p class="note" id="jvm-none">
            None of {plural(data.jvms.length, "JVM", "JVMs")} is like that.
          </p>
        )}
        {jvm && place && <Details key={open} j={jvm} nowMs={nowMs} place={place} onClose={close} />}
      </div>
    </>
  );
}

function Body() {
  const { data, at, error } = useJvms();
  useEffect(() => {
    document.title = "JVMs · smolder";
  }, []);
  if (!data)
    return (
      <p class="note" id="jvm-empty">
        {error || "Loading…"}
      </p>
    );
  return (
    <div class="jvm-view">
      {data.jvms.length ? <Found data={data} at={at} /> : <NoJvm list={data} />}
      {!data.jvms.length &&
        data.components
          .filter(c => c.health === "unhealthy")
          .map(c => <p class="note reason">{c.id + ": " + c.message}</p>)}
    </div>
  );
}

export const jvms: View = { id: "jvms", title: "JVMs", Body };
