"use strict";
/* The heat map: a column is a stretch of time, from the top down, a cell what was sampled then; the darker the more.
 * Cells are numbered from 1970 on; a range that is selected is passed on as such numbers: [from, to). */
const HEAT_ROWS = 50,
  HEAT_MAX_WIDTH = 30000;

/* The entries of one sample type: which cell, which node, how much. See ui/report_heat.h. */
function heatTimes(heat, column) {
  const cell = new Int32Array(heat.at.length);
  let at = 0;
  heat.at.forEach((later, i) => (cell[i] = at += later));
  const total = new Float64Array(cell.length ? at + 1 : 0),
    value = heat.self[column];
  cell.forEach((c, i) => (total[c] += value[i]));
  return { cell, node: heat.node, value, total, start: heat.start, length: heat.cell_ns };
}
/* What nodes have of their own in a range. */
function heatSelf(times, nodes, [from, to]) {
  const self = new Array(nodes).fill(0);
  for (let i = 0; i < times.cell.length; i++)
    if (times.cell[i] >= from - times.start && times.cell[i] < to - times.start) self[times.node[i]] += times.value[i];
  return self;
}

function heatMap(panel, onRange) {
  const scroller = panel.querySelector("#heat"),
    canvas = scroller.querySelector("canvas"),
    said = panel.querySelector("#heat-range"),
    choice = panel.querySelector("#heat-columns"),
    all = panel.querySelector("#heat-all"),
    tip = document.getElementById("tip");
  let times = null,
    unit = "",
    perColumn = 0, // cells
    merged = 1, // cells in one that is drawn
    lead = 0, // cells of the first column before the first sample
    range = null,
    anchor = -1,
    cursor = -1,
    kept = -1; // where a range began that grows by keys

  const cells = () => times.total.length,
    columns = () => Math.ceil((cells() + lead) / perColumn),
    rows = () => Math.ceil(perColumn / merged);
  function size() {
    const width = Math.max(3, Math.min(36, Math.floor((scroller.clientWidth || 600) / columns())));
    return [width, Math.max(2, Math.round(150 / rows()))];
  }
  /* Columns begin with full seconds (minutes, …), so that what happens each second is a line. */
  function layOut(seconds) {
    perColumn = Math.round((seconds * 1e9) / times.length);
    merged = Math.max(1, Math.round(perColumn / HEAT_ROWS));
    lead = times.start % perColumn;
    for (const b of choice.children) b.setAttribute("aria-pressed", +b.dataset.seconds === seconds);
    draw();
  }
  function drawn() {
    const sums = new Float64Array(columns() * rows());
    times.total.forEach((v, c) => {
      const at = c + lead;
      sums[Math.floor(at / perColumn) * rows() + Math.floor((at % perColumn) / merged)] += v;
    });
    return sums;
  }
  function draw() {
    if (!times) return;
    const [w, h] = size(),
      ratio = window.devicePixelRatio || 1,
      width = columns() * w,
      height = rows() * h,
      scale = Math.min(ratio, HEAT_MAX_WIDTH / width);
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    canvas.style.width = width + "px";
    canvas.style.height = height + "px";
    const c = canvas.getContext("2d"),
      dark = document.documentElement.dataset.theme === "dark",
      sums = drawn();
    let most = 0;
    for (const v of sums) most = Math.max(most, v);
    c.setTransform(scale, 0, 0, scale, 0, 0);
    c.fillStyle = dark ? "#26211c" : "#f3eee8";
    c.fillRect(0, 0, width, height);
    sums.forEach((v, i) => {
      const column = Math.floor(i / rows()),
        row = i % rows();
      if (v) {
        const part = Math.sqrt(v / most);
        c.fillStyle = dark ? `hsl(24 85% ${16 + 52 * part}%)` : `hsl(${32 - 22 * part} 88% ${88 - 52 * part}%)`;
        c.fillRect(column * w, row * h, w - (w > 4 ? 1 : 0), h);
      }
    });
    if (range) shade(c, w, h, dark);
  }
  /* What is outside of the range is covered. */
  function shade(c, w, h, dark) {
    c.fillStyle = dark ? "rgba(22,19,15,.72)" : "rgba(255,255,255,.74)";
    const last = columns() * perColumn;
    for (const [from, to] of [
      [0, range[0] - times.start + lead],
      [Math.max(0, range[1] - times.start + lead), last],
    ])
      for (let column = Math.floor(from / perColumn); column * perColumn < to; column++) {
        const top = Math.max(0, from - column * perColumn) / merged,
          bottom = Math.min(perColumn, to - column * perColumn) / merged;
        c.fillRect(column * w, top * h, w, (bottom - top) * h);
      }
  }
  function cellAt(e) {
    const box = canvas.getBoundingClientRect(),
      [w, h] = size(),
      column = Math.max(0, Math.min(columns() - 1, Math.floor((e.clientX - box.left) / w))),
      row = Math.max(0, Math.min(rows() - 1, Math.floor((e.clientY - box.top) / h)));
    return times.start + Math.max(0, Math.min(cells() - 1, column * perColumn + row * merged - lead));
  }
  function since(cell) {
    return (((cell - times.start) * times.length) / 1e9).toFixed(2) + " s";
  }
  function sum([from, to]) {
    let total = 0;
    for (let i = Math.max(0, from - times.start); i < Math.min(cells(), to - times.start); i++) total += times.total[i];
    return total;
  }
  function tell() {
    all.hidden = !range;
    if (!range) said.textContent = "drag to select";
    else said.textContent = `${since(range[0])} to ${since(range[1])}: ${amount(sum(range), unit)}`;
  }
  function between(a, b) {
    return [Math.min(a, b), Math.min(times.start + cells(), Math.max(a, b) + merged)];
  }
  function select(chosen) {
    if (!times || (!chosen && !range)) return;
    range = chosen;
    tell();
    draw();
    if (!range || sum(range) > 0) onRange(range);
    else said.textContent += ", no samples";
  }
  function point(e) {
    const cell = cellAt(e),
      total = sum(between(cell, cell));
    tip.replaceChildren(element("b", "", since(cell)), element("div", "", amount(total, unit)));
    tip.hidden = false;
    tip.style.left = Math.min(innerWidth - 180, e.clientX + 14) + "px";
    tip.style.top = e.clientY + 16 + "px";
  }
  canvas.addEventListener("pointerdown", e => {
    anchor = cursor = cellAt(e);
    canvas.setPointerCapture(e.pointerId);
  });
  canvas.addEventListener("pointermove", e => {
    point(e);
    if (anchor < 0) return;
    range = between(anchor, cellAt(e));
    tell();
    draw();
  });
  canvas.addEventListener("pointerup", e => {
    if (anchor < 0) return;
    const chosen = between(anchor, cellAt(e));
    anchor = -1;
    select(chosen);
  });
  canvas.addEventListener("pointercancel", () => (anchor = -1));
  canvas.addEventListener("pointerleave", () => (tip.hidden = true));
  /* One cell, a column; with Shift the range grows from where it began. */
  canvas.addEventListener("keydown", e => {
    const step = { ArrowUp: -merged, ArrowDown: merged, ArrowLeft: -perColumn, ArrowRight: perColumn }[e.key];
    if (!times || !step) return;
    e.preventDefault();
    const last = times.start + cells() - 1;
    cursor = cursor < 0 ? times.start : Math.max(times.start, Math.min(last, cursor + step));
    if (!e.shiftKey || kept < 0) kept = cursor;
    select(between(kept, cursor));
  });
  all.onclick = () => select(null);
  choice.onclick = e => {
    if (e.target.dataset.seconds) layOut(+e.target.dataset.seconds);
  };
  addEventListener("resize", draw);

  /* The finest columns that are not too many for the width; finer ones scroll. */
  function offer() {
    const length = (cells() * times.length) / 1e9,
      room = (scroller.clientWidth || 600) / 3,
      fits = [1, 10, 60, 600, 3600].filter(s => length / s < HEAT_MAX_WIDTH / 3 && (s === 1 || length / s >= 4));
    choice.replaceChildren(
      ...fits.map(s => {
        const b = element("button", "", s < 60 ? s + " s" : s < 3600 ? s / 60 + " min" : "1 h");
        b.dataset.seconds = s;
        return b;
      }),
    );
    choice.hidden = fits.length < 2;
    layOut(fits.find(s => length / s <= room) || fits[fits.length - 1] || 3600);
  }
  return {
    draw,
    select,
    /* Another view, with the same range of time. */
    show(view) {
      times = view.times;
      unit = view.unit;
      panel.hidden = !times;
      if (!times) return;
      tell();
      offer();
    },
    get range() {
      return range;
    },
  };
}
