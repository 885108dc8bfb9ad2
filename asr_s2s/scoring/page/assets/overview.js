// Above the table: what was compared, the rates, and how the systems differ.

const named = (system) => [sign(system), " ", systems[system].name];
const range = (low, high) => `${percent(low)}–${percent(high)}`;
const plotHead = (scale, name) => header(axis(scale, name), { className: "plot" });
const plot = (scale, marks) => element("td", { className: "plot" }, strip(scale, marks));

function drawTitle() {
  byId("title").textContent = data.title;
  for (const list of ["facts", "origin"]) {
    const facts = Object.entries(data[list]).map(([name, text]) =>
      element("div", null, element("dt", { textContent: name }), element("dd", { textContent: text })),
    );
    byId(list).append(...facts);
  }
}

function drawRates() {
  const sides = systems.flatMap((system, index) => [
    { index, side: "normalised", intervals: system.intervals, ...system.normalised },
    { index, side: "raw", intervals: [], ...system.raw },
  ]);
  const scale = scaleOf(
    sides.flatMap(({ words, intervals }) => [rateOf(words) ?? 0, ...intervals.map(({ high }) => high)]),
  );
  const kinds = [...new Set(sides.flatMap(({ intervals }) => intervals.map(({ by }) => by)))];
  const heads = [
    header("System"),
    header("Words"),
    plotHead(scale, "WER"),
    ...[
      "WER\u00a0%",
      ...kinds.map((by) => `95 % by ${by}`),
      "Substituted",
      "Deleted",
      "Inserted",
      "Of\u00a0words",
      "CER\u00a0%",
      "SER\u00a0%",
    ].map(numbered),
  ];
  fillTable(
    byId("rates"),
    heads,
    sides.map((side) => rateRow(side, scale, kinds)),
  );
  const units = kinds.map((by, place) => `${by}s (${place ? "thin" : "thick"} line)`).join(" or ");
  const intervals = units && `Intervals hold 95 % of the bootstrap's resamples of whole ${units}. `;
  byId("rates-note").textContent = `${intervals}A hollow mark is the rate of the texts as they are written.`;
}

function rateRow({ index, side, intervals, words, characters, sentences }, scale, kinds) {
  const bounds = kinds.map((kind) => intervals.find(({ by }) => by === kind));
  return element("tr", { className: side }, [
    side === "normalised" ? element("th", { scope: "rowgroup", rowSpan: 2 }, named(index)) : null,
    element("td", null, side),
    plot(scale, [{ value: rateOf(words), intervals, system: index, isHollow: side === "raw" }]),
    figure(element("strong", null, percent(rateOf(words)))),
    ...bounds.map((interval) => figure(interval ? range(interval.low, interval.high) : "")),
    ...words.map((count) => figure(number(count))),
    figure(percent(rateOf(characters))),
    figure(percent(ratio(...sentences))),
  ]);
}

function drawOthers() {
  const names = Object.keys(systems[0].others);
  const rows = systems.map(({ others }, system) =>
    row(
      element("th", { scope: "row" }, named(system)),
      names.map((name) => figure(percent(others[name]))),
    ),
  );
  fillTable(byId("others"), [header("System"), ...names.map((name) => numbered(`${name}\u00a0%`))], rows);
}

// Ids without a partner, empty references: what the rates rest on. A remark that holds for all systems is shown once.
function drawRemarks() {
  const holders = new Map(); // a remark as text to the systems it holds for
  for (const { name, remarks } of systems) {
    for (const remark of remarks) {
      const key = JSON.stringify(remark);
      holders.set(key, [...(holders.get(key) ?? []), name]);
    }
  }
  const lines = [...holders].map(([key, names]) => {
    const { text, ids } = JSON.parse(key);
    const line = names.length < systems.length ? `${names.join(", ")}: ${text}` : text;
    if (!ids.length) return element("p", null, line);
    const summary = element("summary", null, `${line}: ${number(ids.length)}`);
    return element("details", null, summary, element("p", { className: "ids", textContent: ids.join("\n") }));
  });
  byId("remarks").append(...lines);
}

const TESTS = ["bootstrap", "MAPSSWE", "sign\u00a0test", "McNemar"];
const worded = (p) => (p < 0.001 ? "< 0.001" : p.toFixed(3));

function drawDifferences() {
  const { differences } = data;
  byId("comparison").hidden = !differences.length;
  if (!differences.length) return;
  const scale = scaleOf(differences.flatMap(({ interval, points }) => [points, interval.low, interval.high]));
  const figures = ["Points", "95 %", ...TESTS.map((test) => `p, ${test}`), "Utterances"];
  const heads = [header("Systems"), plotHead(scale, "Difference in WER"), ...figures.map(numbered)];
  const rows = differences.map(({ first, second, points, interval, p, utterances }) =>
    row(
      element("th", { scope: "row" }, named(second), " − ", named(first)),
      plot(scale, [{ value: points, intervals: [interval], system: second }]),
      figure(element("strong", null, signed(percent(points)))),
      figure(`${signed(percent(interval.low))} to ${signed(percent(interval.high))}`),
      p.map((value) => figure(worded(value))),
      figure(number(utterances)),
    ),
  );
  fillTable(byId("differences"), heads, rows);
}

function drawSections() {
  const shown = [...document.querySelectorAll("main > section")].filter((section) => !section.hidden);
  const links = shown.map((section) =>
    element("a", { href: `#${section.id}` }, section.querySelector("h2").textContent),
  );
  byId("sections").append(...links);
}
