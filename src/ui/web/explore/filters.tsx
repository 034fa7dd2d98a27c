/* Which series of the service: filters by label, and the label by whose values the amount is shown. */
import { useState } from "preact/hooks";
import { Popover } from "../shared/popover";
import { Filter, OPERATORS, Operator, State, choose, setFilters } from "./state";
import { useLabels, useValues } from "./questions";

const OPERATOR_WORDS: Record<Operator, string> = { "=": "is", "!=": "is not", "=~": "matches", "!~": "does not match" };

function Chip({ filter, all }: { filter: Filter; all: Filter[] }) {
  return (
    <span class="chip">
      {filter.name} {OPERATOR_WORDS[filter.operator]} <b>{filter.value || '""'}</b>
      <button
        type="button"
        aria-label={`Remove the filter ${filter.name} ${filter.operator} ${filter.value}`}
        onClick={() => setFilters(all.filter(f => f !== filter))}
      >
        ×
      </button>
    </span>
  );
}

function NewFilter({ state, close }: { state: State; close: () => void }) {
  const labels = useLabels(state),
    [name, setName] = useState(""),
    [operator, setOperator] = useState<Operator>("="),
    [value, setValue] = useState(""),
    values = useValues(state, name, operator === "=" || operator === "!=" ? value : "");
  const add = (chosen: string) => {
    if (!name) return;
    close();
    setFilters([...state.filters, { name, operator, value: chosen }]);
  };
  if (!labels.data) return <p role="status">{labels.error || "Loading labels…"}</p>;
  if (!labels.data.length) return <p role="status">The series of this service have no further labels.</p>;
  return (
    <form
      class="new-filter"
      onSubmit={e => {
        e.preventDefault();
        add(value);
      }}
    >
      <select id="filter-name" aria-label="Label" value={name} onChange={e => setName(e.currentTarget.value)}>
        <option value="">Label…</option>
        {labels.data.map(l => (
          <option value={l.name}>{`${l.name} (${l.values})`}</option>
        ))}
      </select>
      <select
        aria-label="Condition"
        value={operator}
        onChange={e => setOperator(e.currentTarget.value as Operator)}
      >
        {OPERATORS.map(o => (
          <option value={o}>{OPERATOR_WORDS[o]}</option>
        ))}
      </select>
      <input
        id="filter-value"
        aria-label="Value"
        placeholder="Value"
        autocomplete="off"
        spellcheck={false}
        value={value}
        onInput={e => setValue(e.currentTarget.value)}
      />
      <button type="submit" class="switch" disabled={!name}>
        Add
      </button>
      {name && (
        <ul id="filter-values" aria-label={"Values of " + name}>
          {values.error && <li>{values.error}</li>}
          {values.data &&
            values.data.values.map(v => (
              <li key={v}>
                <button type="button" onClick={() => add(v)}>
                  {v}
                </button>
              </li>
            ))}
          {values.data && values.data.count > values.data.values.length && (
            <li class="meta">{`${values.data.count - values.data.values.length} more: type a part of the value`}</li>
          )}
        </ul>
      )}
    </form>
  );
}

function GroupBy({ state }: { state: State }) {
  const labels = useLabels(state),
    names = (labels.data || []).filter(l => l.values > 1 || l.name === state.by);
  return (
    <label class="pick">
      By{" "}
      <select
        id="by"
        value={state.by}
        title="A line in the chart and a frame in the graph for each value of a label"
        onChange={e => choose({ by: e.currentTarget.value })}
      >
        <option value="">nothing</option>
        {state.by && !names.some(l => l.name === state.by) && <option value={state.by}>{state.by}</option>}
        {names.map(l => (
          <option key={l.name} value={l.name}>{`${l.name} (${l.values})`}</option>
        ))}
      </select>
    </label>
  );
}

export function Filters({ state }: { state: State }) {
  return (
    <>
      {state.filters.map(f => (
        <Chip key={f.name + f.operator + f.value} filter={f} all={state.filters} />
      ))}
      <Popover name="add-filter" label="+ Filter" title="Only series with certain labels">
        {close => <NewFilter state={state} close={close} />}
      </Popover>
      <GroupBy state={state} />
    </>
  );
}
