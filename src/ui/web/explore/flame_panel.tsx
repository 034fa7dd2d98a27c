/* The flame graph of a column. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";
import type { FlameAnswer } from "../flame/model";
import { FlameView } from "../flame/view";
import { writeAddress } from "../shared/address";
import type { Answer } from "../shared/api";
import { matchedOf, useFlame } from "./questions";
import { State, go, zoomName } from "./state";

function startsWith(path: string[], start: string[]): boolean {
  return start.every((name, i) => path[i] === name);
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
      index={index}
      zoom={state.zoom}
      search={state.search}
      flipped={state.flipped}
      pending={answer.pending}
      onZoom={(path, graph) => {
        go({ [zoomName(index)]: path });
        if (graph.cut || !startsWith(path, at)) setAt(path);
      }}
      onSearch={search => writeAddress({ search }, false)}
      matchedOf={async (path, search) => (data ? matchedOf(data.query, path, search) : null)}
    >
      {instead(answer)}
    </FlameView>
  );
}
