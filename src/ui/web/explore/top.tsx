/* The functions that cost most by themselves, over all stacks. */
import type { FlameAnswer } from "../flame/model";
import { colorOf, dotted, shortName } from "../flame/names";
import { amount, percent } from "../shared/format";

export function Top({ data, look }: { data: FlameAnswer; look: (text: string) => void }) {
  const rows: [name: string, self: number][] = [];
  for (let i = 0; i < data.top.length; i += 2) rows.push([data.names[data.top[i]], data.top[i + 1]]);
  if (!rows.length) return null;
  return (
    <section class="panel" aria-label="Top functions" id="top-panel">
      <div class="bar">
        <h2>Top functions</h2>
        <span class="sum">self</span>
      </div>
      <ol id="top">
        {rows.map(([name, self]) => (
          <li key={name}>
            <button title={dotted(name) + " — show where it is called"} onClick={() => look(`"${dotted(name)}"`)}>
              <i style={{ background: colorOf(name) }} />
              <span>{shortName(name)}</span>
              <small>{amount(self, data.unit) + " · " + percent(self, data.total)}</small>
            </button>
          </li>
        ))}
      </ol>
    </section>
  );
}
