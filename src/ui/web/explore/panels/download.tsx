/* What is shown as a file, and the commands that give the same. */
import { useState } from "preact/hooks";
import { encoded } from "../../shared/api";
import { copyText } from "../../shared/clipboard";
import { asked } from "../questions";
import type { State } from "../state";
import { Menu } from "./menu";

const FORMATS: [format: string, title: string, what: string][] = [
  ["pprof", "pprof", "with files and lines, for go tool pprof and Grafana"],
  ["collapsed", "Collapsed stacks", "one line per stack, for scripts"],
  ["html", "HTML report", "one page that works without a server"],
];

function fileOf(state: State): string {
  const name = `${state.service || "all"}-${state.type.split(":")[1] || "profile"}`;
  return name.replace(/[^A-Za-z0-9._-]/g, "-");
}

function Commands({ state, address }: { state: State; address: string }) {
  const file = fileOf(state),
    [copied, setCopied] = useState(false),
    text =
      `curl -fsS -o ${file}.pb.gz '${new URL(address, document.baseURI).href}'\n` +
      `smolder convert ${file}.pb.gz --output=${file}.html`;
  return (
    <>
      <p>The same on the command line:</p>
      <pre id="command">{text}</pre>
      <button class="quiet" id="copy-command" onClick={() => copyText(text).then(setCopied)}>
        {copied ? "Copied" : "Copy"}
      </button>
    </>
  );
}

export function DownloadMenu({ state }: { state: State }) {
  /* The time range is that of the moment when the menu is opened. */
  const [address, setAddress] = useState("");
  const of = (format: string) => address + "&format=" + format;
  if (!state.type) return null;
  return (
    <Menu
      id="download-menu"
      title="Download"
      onToggle={open => {
        if (open) setAddress("api/download?" + encoded(asked(state).query));
      }}
    >
      <div class="menu-body">
        {FORMATS.map(([format, title, what]) => (
          <a key={format} href={of(format)} download data-format={format}>
            <b>{title}</b> <small>{what}</small>
          </a>
        ))}
        <Commands state={state} address={of("pprof")} />
      </div>
    </Menu>
  );
}
