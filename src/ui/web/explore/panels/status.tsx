/* What a panel says while it has nothing to show. */
import type { Answer } from "../../shared/api";

/* `what`: that is asked for. Nothing where there is something to show. */
export function Status({ answer, what, empty }: { answer: Answer<unknown>; what: string; empty: boolean }) {
  if (answer.data && !empty) return null;
  const text = answer.error || (answer.loading ? `Asking for ${what}…` : "There are no profiles in this time range.");
  return (
    <div class={"status" + (answer.error ? " failed" : "")} role="status">
      {text}
    </div>
  );
}
