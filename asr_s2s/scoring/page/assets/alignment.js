// Reference and hypotheses of one utterance, word under word; each word can be heard.

const MISSING = " (missing)";
const WIDEST_LABEL = 30; // letters

// Columns of {reference, cells: [{kind, word, span}] by system, span: [start, end] in seconds or null}.
function columnsOf(at) {
  const said = split(referenceOf(at));
  const spans = spansOf(references.times[at], said.length);
  const slots = said.map((word, place) => ({ reference: word, cells: [], span: spans[place] }));
  const gaps = Array.from({ length: said.length + 1 }, () => []); // columns inserted before each word, and at the end
  for (const system of systems.keys()) if (isScored(system, at)) putInto(slots, gaps, system, at);
  const columns = gaps.flatMap((gap, place) => [...gap, ...slots.slice(place, place + 1)]);
  fillSpans(columns);
  return columns;
}

// Put a system's words below the reference's, its insertions beside those of the others.
function putInto(slots, gaps, system, at) {
  const heard = split(hypothesisOf(system, at));
  const spans = spansOf(hypotheses[system].times[at], heard.length);
  let place = 0;
  let next = 0;
  let inserted = 0;
  for (const kind of stepsOf(system, at)) {
    const cell = kind === "D" ? { kind, word: null, span: null } : { kind, word: heard[next], span: spans[next++] };
    if (kind === "I") {
      gaps[place][inserted] ??= { reference: null, cells: [], span: null };
      gaps[place][inserted++].cells[system] = cell;
    } else {
      slots[place++].cells[system] = cell;
      inserted = 0;
    }
  }
}

// Times are written as the hundredths of a second from edge to edge.
function spansOf(times, count) {
  if (!times) return Array(count).fill(null);
  let edge = 0;
  const edges = times.map((step) => {
    edge += step;
    return edge / 100;
  });
  return Array.from({ length: count }, (_, word) => edges.slice(2 * word, 2 * word + 2));
}

// A column is heard where a system recognised its word, else where the reference has it, else between its neighbours.
function fillSpans(columns) {
  const known = columns.map(({ cells, span }) => cells.find((cell) => cell?.span)?.span ?? span);
  columns.forEach((column, at) => {
    const before = known.slice(0, at).findLast(Boolean);
    const after = known.slice(at + 1).find(Boolean);
    const between = before || after ? [(before ?? [after[0], after[0]])[1], (after ?? [before[1]])[0]] : null;
    column.span = known[at] ?? between;
  });
}

// Arrow keys walk through the words of a block; Tab enters it at one word and leaves it. Where all systems are right
// the reference says it all.
function alignmentOf(at) {
  const shown = errors.some((counts) => counts[at]) ? systems : [];
  const words = columnsOf(at).map((column) => drawColumn(at, column, shown));
  const entry = words.find((word) => word.classList.contains("wrong")) ?? words[0];
  if (entry) entry.tabIndex = 0;
  const names = ["reference", ...shown.map(({ name }, system) => name + (isMissing(system, at) ? MISSING : ""))];
  const labels = names.map((name) => element("span", { textContent: name, title: name }));
  const block = element("div", { className: "alignment labelled", role: "group", "aria-label": "Words side by side" }, [
    element("div", { className: "labels", "aria-hidden": "true" }, labels),
    element("div", { className: "words", dir: "auto" }, words),
  ]);
  block.addEventListener("keydown", (event) => walk(event, words));
  return block;
}

// All blocks begin at the same place.
function alignLabels() {
  const name = Math.max(...["reference", ...systems.map((system) => system.name)].map(({ length }) => length));
  const state = hypotheses.some(({ written }) => written.includes(null)) ? MISSING.length : 0;
  document.documentElement.style.setProperty("--labels", `${Math.min(name + state, WIDEST_LABEL)}ch`);
}

function drawColumn(at, { reference, cells, span }, shown) {
  const isWrong = cells.some((cell) => cell && cell.kind !== "=");
  const said = element("span", { className: "said", textContent: reference ?? "" });
  const below = shown.map((_, system) => drawCell(cells[system], reference));
  const heard = cells.find((cell) => cell?.word)?.word;
  return button([said, ...below], () => playWord(at, span, reference ?? heard), {
    className: isWrong ? "column wrong" : "column",
    tabIndex: -1,
    "aria-label": describe(reference, cells),
  });
}

function drawCell(cell, reference) {
  if (!cell) return element("span", { className: "nothing" });
  if (cell.kind === "=") return element("span", { className: "right", textContent: cell.word });
  return drawError(cell.kind, cell.word ?? reference);
}

// An error is told by a letter and the form of its word, not by its colour alone.
function drawError(kind, text) {
  const word = element("span", { className: "word", textContent: text });
  return element("span", { className: `error ${KINDS[kind]}` }, word, element("sup", { textContent: kind }));
}

// What a screen reader says of a column.
function describe(reference, cells) {
  const heard = cells.map((cell, system) => {
    if (!cell) return "";
    const { kind, word } = cell;
    const what = { "=": "right", S: `substituted by ${word}`, D: "deleted", I: `${word} inserted` }[kind];
    return systems.length > 1 ? `${systems[system].name}: ${what}` : what;
  });
  return [reference ?? "nothing said", ...heard.filter(Boolean)].join(", ");
}
