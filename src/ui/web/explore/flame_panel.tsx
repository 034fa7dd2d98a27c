/* The flame graph of a column. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { FrameAction } from "../flame/frame_menu";
import type { FlameAnswer } from "../flame/model";
import { dotted } from "../flame/names";
import { FlameView } from "../flame/view";
import { writeAddress } from "../shared/address";
import type { Answer } from "../shared/api";
import { matchedOf, useFlame } from "./questions";
import { State, go, zoomName } from "./state";

function startsWith(path: string[], start: string[]): boolean {
  return start.every((name, i) => path[i] === name);
}

/* What Explore does with a frame. */
function actionsOf(state: State, name: string): FrameAction[] {
  const whole = `"${dotted(name)}"`,
    add = (how: string) => go({ [how]: [...state.more.getAll(how), whole], at: null, "at.1": null, "at.2": null });
  return [
    { text: "Callers and callees", run: () => go({ panel: "sandwich", function: name }) },
    { text: "Only stacks with it", run: () => add("only") },
    { text: "Hide its frames", run: () => add("hide") },
    { text: "No stacks with it", run: () => add("without") },
  ];
}

interface Props {
  /* With the type of a column, which is that many columns to the right. */
  state: State;
  index: number;
  /* What is shown in the place of an answer that did not come, or is empty. */
  instead(answer: Answer<unknown>): ComponentChildren;
  /* Told of what is shown. */
  onFlame?(data: FlameAnswer | null): void;
}

export function FlamePanel({ state, index, instead, onFlame }: Props) {
  const [at, setAt] = useState(state.zoom),
    answer = useFlame(state, at),
    { data } = answer;
  useLayoutEffect(() => {
    if (onFlame) onFlame(data);
  }, [data]);
  return (
    <FlameView
      data={data}
      type={state.type}
      zoom={state.zoom}
      search={state.search}
      flipped={state.flipped}
      pending={answer.pending}
      onZoom={(path, graph) => {
        go({ [zoomName(index)]: path });
        if (graph.cut || !startsWith(path, at)) setAt(path);
      }}
      onSearch={search => writeAddress({ search }, false)}
      actionsOf={name => actionsOf(state, name)}
      matchedOf={async (path, search) => (data ? matchedOf(data.query, path, search) : null)}
    >
      {instead(answer)}
    </FlameView>
  );
}
