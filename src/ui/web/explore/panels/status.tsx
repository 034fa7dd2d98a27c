/* What a panel says while it has nothing to show, or something else. */
import type { Answer } from "../../shared/api";

/* What can be shown: not the answer of another question when this one failed. */
export function shownOf<T>(answer: Answer<T>): T | null {
  return answer.stale && answer.error ? null : answer.data;
}

/* `what`: that is asked for. Nothing where there is something to show. */
export function Status({ answer, what, empty }: { answer: Answer<unknown>; what: string; empty: boolean }) {
  if (answer.pending)
    return (
      <p class="hint" role="status">
        {`Asking for ${what}…`}
      </p>
    );
  if (shownOf(answer) && !empty) return null;
  const text = answer.error || (answer.loading ? `Asking for ${what}…` : "There are no profiles in this time range.");
  return (
    <div class={"status" + (answer.error ? " failed" : "")} role="status">
      {text}
    </div>
  );
}
