/* Rows of functions, which the server sorted: the head chooses by what. */
import type { ComponentChildren } from "preact";
import { colorOf, dotted, shortName } from "../../flame/names";
import { writeAddress } from "../../shared/address";
import { useIds } from "../../shared/part";

export interface Column<Row> {
  /* What it sorts by; "": it does not. */
  sort: string;
  title: string;
  cell(row: Row): ComponentChildren;
  /* Which part of the cell is filled, 0 to 1. */
  bar?(row: Row): number;
}

interface Props<Row extends [string, ...number[]]> {
  columns: Column<Row>[];
  rows: Row[];
  sort: string;
  onChoose(name: string): void;
}

function Head({ sort, title, current }: { sort: string; title: string; current: string }) {
  const ascending = sort === "name";
  if (!sort) return <th scope="col">{title}</th>;
  return (
    <th scope="col" aria-sort={sort === current ? (ascending ? "ascending" : "descending") : "none"}>
      <button data-sort={sort} onClick={() => writeAddress({ sort }, false)}>
        {title}
        <span aria-hidden="true">{sort === current ? (ascending ? " ▲" : " ▼") : ""}</span>
      </button>
    </th>
  );
}

export function FunctionTable<Row extends [string, ...number[]]>({ columns, rows, sort, onChoose }: Props<Row>) {
  const id = useIds();
  return (
    <div class="table-box">
      <table class="functions" id={id("functions")}>
        <thead>
          <tr>
            <Head sort="name" title="Function" current={sort} />
            {columns.map(c => (
              <Head key={c.title} sort={c.sort} title={c.title} current={sort} />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(row => (
            <tr key={row[0]}>
              <th scope="row">
                <button title={dotted(row[0]) + " — show callers and callees"} onClick={() => onChoose(row[0])}>
                  <i style={{ background: colorOf(row[0]) }} />
                  <span class="wide">{dotted(row[0])}</span>
                  <span class="narrow">{shortName(row[0])}</span>
                </button>
              </th>
              {columns.map(c => (
                <td key={c.title} style={c.bar ? { "--part": c.bar(row) * 100 + "%" } : undefined}>
                  {c.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/* How many there are, and more of them. */
export function Count({ shown, found, count, onMore }: {
  shown: number;
  found: number;
  count: number;
  onMore: () => void;
}) {
  const of = found < count ? `${found.toLocaleString("en-US")} found of ` : "";
  return (
    <p class="count" role="status">
      {`${shown.toLocaleString("en-US")} shown, ${of}${count.toLocaleString("en-US")} functions`}
      {shown < found && (
        <button class="quiet" onClick={onMore}>
          Show more
        </button>
      )}
    </p>
  );
}
