// Small plots in the cells of tables: all rows of a table share one scale, the numbers stand beside them as text.

const ROW = 24; // pixels of a row with one mark
const STEP = 10; // more for each further mark
const SHAPES = [
  (y) => svg("circle", { cx: 0, cy: y, r: 4.5 }),
  (y) => svg("rect", { x: -4, y: y - 4, width: 8, height: 8 }),
  (y) => svg("path", { d: `M0 ${y - 5.5} L5.5 ${y + 4} L-5.5 ${y + 4} Z` }),
  (y) => svg("path", { d: `M0 ${y - 6} L6 ${y} L0 ${y + 6} L-6 ${y} Z` }),
];

function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// A scale of three to six round steps that holds all values: {low, high, ticks}.
function scaleOf(values) {
  const low = Math.min(0, ...values);
  const high = Math.max(...values, low + 1e-9, low === 0 ? 0.01 : 0);
  const rough = (high - low) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.ceil(high / step - 1e-9);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: ticks[0], high: ticks.at(-1), ticks };
}

const place = (scale, value) => `${(4 + (92 * (value - scale.low)) / (scale.high - scale.low)).toFixed(2)}%`;
const inPercent = (value) => String(Number((100 * value).toFixed(6)));

function axis(scale, name) {
  const labels = scale.ticks.map((tick) => {
    const label = svg("text", { x: place(scale, tick), y: 12, "text-anchor": "middle" });
    label.textContent = inPercent(tick);
    return label;
  });
  const worded = `${name}, plotted from ${inPercent(scale.low)} to ${inPercent(scale.high)} %`;
  return svg("svg", { class: "axis", height: 16, role: "img", "aria-label": worded }, ...labels);
}

// marks: [{value, intervals: [{low, high}], system, isHollow}]; a value of null leaves its line empty.
function strip(scale, marks) {
  const height = ROW + STEP * (marks.length - 1);
  const lines = scale.ticks.map((tick) => {
    const x = place(scale, tick);
    return svg("line", { class: tick === 0 ? "zero" : "tick", x1: x, x2: x, y1: 0, y2: height });
  });
  const drawn = marks.map((mark, line) => (mark.value === null ? "" : drawMark(scale, mark, ROW / 2 + STEP * line)));
  return svg("svg", { class: "strip", height, "aria-hidden": "true" }, ...lines, ...drawn);
}

function drawMark(scale, { value, intervals, system, isHollow }, y) {
  const whiskers = intervals.flatMap((interval, thinner) => drawInterval(scale, interval, y, thinner));
  // A shape is drawn around 0 in an svg of its own, which alone can stand at a place given in percent.
  const shape = svg("svg", { x: place(scale, value), overflow: "visible" }, SHAPES[system % SHAPES.length](y));
  const kind = `mark system-${system % SHAPES.length} ${isHollow ? "hollow" : ""}`;
  return svg("g", { class: kind }, ...whiskers, shape);
}

function drawInterval(scale, { low, high }, y, thinner) {
  const [left, right] = [place(scale, low), place(scale, high)];
  const line = svg("line", { class: thinner ? "thin" : "thick", x1: left, x2: right, y1: y, y2: y });
  const ends = [left, right].map((x) => svg("line", { class: "thin", x1: x, x2: x, y1: y - 4, y2: y + 4 }));
  return [line, ...ends];
}

// The sign of a system wherever it is named.
function sign(system) {
  const shape = svg("g", { class: `mark system-${system % SHAPES.length}` }, SHAPES[system % SHAPES.length](7));
  return svg("svg", { class: "sign", width: 14, height: 14, viewBox: "-7 0 14 14", "aria-hidden": "true" }, shape);
}
