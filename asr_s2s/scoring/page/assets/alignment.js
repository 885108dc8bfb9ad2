// Reference and hypotheses of one utterance, word under word; each word can be heard.

const LEAD = 0.25; // seconds heard before and after a word
const LEAST = 1.0; // and no less than that in all

// Columns of {reference, cells: [{kind, word}] by system, span: [start, end] or null}; an insertion has no reference.
function columnsOf(at) {
  const said = split(referenceOf(at));
  const spans = spansOf(data.references.times[at]);
  const slots = said.map((word, place) => ({ reference: word, cells: [], span: spans && spans[place] }));
  const gaps = Array.from({ length: said.length + 1 }, () => []); // columns inserted before each word, and at the end
  systems.forEach((_, system) => {
    const heard = split(hypothesisOf(system, at));
    const times = spansOf(data.hypotheses[system].times[at]);
    let place = 0;
    let next = 0;
    let inserted = 0;
    for (const kind of stepsOf(system, at)) {
      const column =
        kind === "I" ? (gaps[place][inserted++] ??= { reference: null, cells: [], span: null }) : slots[place];
      if (kind !== "I") [place, inserted] = [place + 1, 0];
      column.cells[system] = {
        kind,
        word: kind === "D" ? null : heard[next],
        span: kind === "D" || !times ? null : times[next],
      };
      if (kind !== "D") next++;
    }
  });
  const columns = gaps.flatMap((gap, place) => (place < slots.length ? [...gap, slots[place]] : gap));
  fillSpans(columns);
  return columns;
}

// Times are written as the hundredths of a second from edge to edge.
function spansOf(times) {
  if (!times) return null;
  let edge = 0;
  const edges = times.map((step) => (edge += step) / 100);
  return Array.from({ length: edges.length / 2 }, (_, word) => edges.slice(2 * word, 2 * word + 2));
}

// A column is heard when its own words were said: the recognised one, else the reference's, else what lies between.
function fillSpans(columns) {
  const known = columns.map((column) => column.cells.find((cell) => cell && cell.span)?.span ?? column.span);
  columns.forEach((column, at) => {
    if (known[at]) return void (column.span = known[at]);
    const before = known.slice(0, at).findLast(Boolean);
    const after = known.slice(at + 1).find(Boolean);
    column.span = before || after ? [(before ?? after)[before ? 1 : 0], (after ?? before)[after ? 0 : 1]] : null;
  });
}

// Arrow keys walk through the words of a block; Tab enters it at one word and leaves it. Where all systems are right
// the reference says it all.
function alignmentOf(at) {
  const shown = errors.some((of) => of[at]) ? systems : [];
  const columns = columnsOf(at).map((column) => drawColumn(at, column, shown));
  const worst = columns.find((column) => column.classList.contains("wrong")) ?? columns[0];
  if (worst) worst.tabIndex = 0;
  const names = shown.map((system, index) =>
    element("span", { textContent: isMissing(index, at) ? `${system.name} (missing)` : system.name }),
  );
  const labels = element(
    "div",
    { className: "labels", "aria-hidden": "true" },
    element("span", { textContent: "reference" }),
    names,
  );
  const words = element("div", { className: "words" }, columns);
  const block = element(
    "div",
    { className: "alignment labelled", role: "group", "aria-label": "Words side by side" },
    labels,
    words,
  );
  block.addEventListener("keydown", (event) => walk(event, columns));
  return block;
}

function walk(event, columns) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const next = step && columns[columns.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  document.activeElement.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

function drawColumn(at, column, shown) {
  const cells = shown.map((_, system) => drawCell(column.cells[system], column.reference));
  const wrong = column.cells.some((cell) => cell && cell.kind !== "=");
  const made = element("button", { type: "button", className: wrong ? "column wrong" : "column", tabIndex: -1 }, [
    element("span", { className: "said", textContent: column.reference ?? "" }),
    ...cells,
  ]);
  made.setAttribute("aria-label", describe(column));
  made.addEventListener("click", () =>
    play(at, column.span && around(column.span), column.reference ?? made.textContent),
  );
  return made;
}

function drawCell(cell, reference) {
  if (!cell) return element("span", { className: "nothing" });
  if (cell.kind === "=") return element("span", { className: "right", textContent: cell.word });
  const word = element("span", { className: "word", textContent: cell.kind === "D" ? reference : cell.word });
  return element("span", { className: `error ${KINDS[cell.kind]}` }, word, element("sup", { textContent: cell.kind }));
}

function describe(column) {
  const heard = column.cells.map((cell, system) => {
    const who = systems.length > 1 ? `${systems[system].name}: ` : "";
    if (!cell) return "";
    if (cell.kind === "=") return `${who}right`;
    return who + { S: `substituted by ${cell.word}`, D: "deleted", I: `${cell.word} inserted` }[cell.kind];
  });
  return [column.reference ?? "nothing said", ...heard.filter(Boolean)].join(", ");
}

function around([start, end]) {
  const spare = Math.max(LEAD, (LEAST - (end - start)) / 2);
  return [Math.max(0, start - spare), end + spare];
}
