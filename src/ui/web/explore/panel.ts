/* What Explore can show of a selection: a flame graph, and others. Each is in the list of panels.ts. */
import type { ComponentChildren, JSX } from "preact";
import type { FlameAnswer } from "../flame/model";
import type { Answer } from "../shared/api";
import type { State } from "./state";

export interface PanelProps {
  state: State;
  /* The profile type, and which one of those side by side it is. */
  type: string;
  index: number;
  /* Looks for a text in all panels, or for nothing when it was that. */
  look(text: string): void;
  /* What is shown in the place of an answer that did not come, or is empty. */
  instead(answer: Answer<unknown>): ComponentChildren;
  /* Told of the flame graph that is shown. */
  onFlame(data: FlameAnswer | null): void;
}

export interface Panel {
  /* In the address, as "show". */
  id: string;
  title: string;
  Body(props: PanelProps): JSX.Element;
}
