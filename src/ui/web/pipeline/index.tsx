/* The components of the configuration with their health. */
import { useJvms } from "../shared/jvms";
import type { View } from "../shared/view";

function Body() {
  const { data, error } = useJvms();
  if (!data) return <p class="note">{error || "Loading…"}</p>;
  if (!data.components.length) return <p class="note">This store runs without a configuration of components.</p>;
  return (
    <ul class="note">
      {data.components.map(c => (
        <li key={c.id}>
          <code>{c.id}</code> {c.health} <span class="reason">{c.message}</span>
        </li>
      ))}
    </ul>
  );
}

export const pipeline: View = { id: "pipeline", title: "Pipeline", Body };
