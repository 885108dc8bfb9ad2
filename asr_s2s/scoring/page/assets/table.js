// The table of utterances: which are shown, in which order, a page at a time.

const PAGE_SIZES = [10, 25, 100];
const FIELDS_SHOWN = 2; // columns of the table; all fields are groups above

const filters = { query: "", which: "all", field: null, edit: null }; // field: {field, value}; edit: {system, reference, hypothesis}
const order = { column: "place", descending: false };
const page = { number: 0, size: PAGE_SIZES[0] };
let rows = []; // numbers of the utterances that pass the filters, in order
let haystack = null; // one lower-case text an utterance, made at the first search

const fieldsShown = Object.keys(data.references.fields).slice(0, FIELDS_SHOWN);
const rateAt = (system, at) => (lengths[at] ? errors[system][at] / lengths[at] : errors[system][at] ? Infinity : 0);
const columns = [
  { key: "id", name: "Utterance", value: (at) => data.references.id[at], text: true },
  ...fieldsShown.map((name) => ({ key: `field:${name}`, name, value: (at) => fieldAt(name, at), text: true })),
  { key: "seconds", name: "Seconds", value: (at) => data.recordings.seconds[at] ?? 0, show: (at) => data.recordings.seconds[at]?.toFixed(1) ?? "" },
  { key: "words", name: "Words", value: (at) => lengths[at] },
  ...systems.flatMap((_, system) => [
    { key: `errors:${system}`, name: "Errors", of: [system], value: (at) => errors[system][at] },
    { key: `rate:${system}`, name: "WER %", of: [system], value: (at) => rateAt(system, at), show: (at) => percent(ratio(errors[system][at], lengths[at])) },
  ]),
  ...(systems.length === 2
    ? [{ key: "difference", name: "Errors", of: [0, 1], value: (at) => errors[0][at] - errors[1][at], show: (at) => signed(errors[0][at] - errors[1][at]) }]
    : []),
];

function fieldAt(name, at) {
  const { values, of } = data.references.fields[name];
  return values[of[at]];
}

const signed = (value) => (value > 0 ? `+${value}` : value < 0 ? `−${-value}` : "0");

function startTable() {
  const which = byId("which");
  which.append(new Option("all", "all"), new Option("with errors", "wrong"), new Option("without errors", "right"));
  if (systems.length > 1) which.append(new Option("where the systems differ", "differ"));
  which.addEventListener("change", () => update({ which: which.value }));
  let waiting = 0; // letters typed in haste make one search
  byId("query").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => update({ query: event.target.value.trim().toLowerCase() }), 120);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("aligned").addEventListener("change", drawPage);
  byId("spelled").addEventListener("change", drawPage);
  drawLegend();
  const longest = Math.max(...["reference", ...systems.map((system) => system.name)].map((name) => name.length));
  document.documentElement.style.setProperty("--labels", `${Math.min(longest, 28)}ch`);
  update({});
}

// Take filters from the sections above, and show what came of it.
function filterBy(change) {
  update("field" in change ? { field: change } : { edit: change });
  byId("utterances").scrollIntoView();
  byId("chips").querySelector("button:last-child")?.focus({ preventScroll: true });
}

function update(change) {
  Object.assign(filters, change);
  rows = [];
  for (let at = 0; at < numUtterances; at++) if (passes(at)) rows.push(at);
  sortRows();
}

function passes(at) {
  const { query, which, field, edit } = filters;
  if (field && data.references.fields[field.field].of[at] !== field.value) return false;
  if (which !== "all") {
    const counts = errors.map((of) => of[at]);
    if (which === "wrong" && !counts.some(Boolean)) return false;
    if (which === "right" && counts.some(Boolean)) return false;
    if (which === "differ" && counts.every((count) => count === counts[0])) return false;
  }
  if (edit && !hasEdit(at, edit)) return false;
  return !query || search(at).includes(query);
}

function hasEdit(at, { system, reference, hypothesis }) {
  let found = false;
  eachError(system, at, (said, heard) => (found ||= said === reference && heard === hypothesis));
  return found;
}

function search(at) {
  haystack ??= data.references.id.map((id, place) =>
    [id, referenceOf(place), ...systems.map((_, system) => hypothesisOf(system, place))].join("\n").toLowerCase(),
  );
  return haystack[at];
}

function sortRows() {
  const column = columns.find(({ key }) => key === order.column);
  if (column) {
    const values = rows.map(column.value);
    const compare = column.text ? new Intl.Collator("en", { numeric: true }).compare : (a, b) => (a === b ? 0 : a - b);
    const sign = order.descending ? -1 : 1;
    const places = values.map((_, index) => index).sort((a, b) => sign * compare(values[a], values[b]) || a - b);
    rows = places.map((index) => rows[index]);
  }
  page.number = 0;
  drawHeads();
  drawPage();
}

// A column is sorted the way that is wanted first, the other way, and not at all.
function sortBy({ key, text }) {
  const first = !text;
  if (order.column !== key) Object.assign(order, { column: key, descending: first });
  else if (order.descending === first) order.descending = !first;
  else Object.assign(order, { column: "place", descending: false });
  update({});
  byId("table").querySelector(`[data-key="${CSS.escape(key)}"]`).focus();
}

function drawHeads() {
  const heads = columns.map((column) => {
    const sorted = order.column === column.key ? (order.descending ? "descending" : "ascending") : "none";
    const arrow = element("span", { className: "arrow", "aria-hidden": "true" }, { ascending: "▲", descending: "▼", none: "↕" }[sorted]);
    const of = systems.length > 1 ? (column.of ?? []) : [];
    const signs = of.flatMap((system) => [sign(system), " "]).toSpliced(2, 0, ...(of.length > 1 ? ["− "] : []));
    const button = element("button", { type: "button", "data-key": column.key, onclick: () => sortBy(column) }, [...signs, column.name, " ", arrow]);
    if (of.length) button.setAttribute("aria-label", `${column.name}, ${of.map((system) => systems[system].name).join(" minus ")}`);
    return header(button, { "aria-sort": sorted, className: column.text ? "" : "figure" });
  });
  const head = element("thead", {}, element("tr", {}, header("", { "aria-label": "Sound" }), heads));
  byId("table").querySelector("thead")?.remove();
  byId("table").prepend(head);
}

function drawPage() {
  const shown = rows.slice(page.number * page.size, (page.number + 1) * page.size);
  byId("table").querySelectorAll("tbody").forEach((body) => body.remove());
  byId("table").append(...shown.map(drawUtterance));
  drawCount();
  drawChips();
  drawPager();
}

function drawUtterance(at) {
  const cells = columns.map((column) => element("td", { className: column.text ? "" : "figure" }, String(column.show ? column.show(at) : column.value(at))));
  const listen = element("button", { type: "button", className: "listen", disabled: !hasSound(at), onclick: () => play(at, null, "") }, "▶");
  listen.setAttribute("aria-label", `Play ${data.references.id[at]}`);
  const texts = [byId("aligned").checked ? alignmentOf(at) : null, byId("spelled").checked ? writtenOf(at) : null];
  return element("tbody", {}, [
    element("tr", {}, element("td", {}, listen), cells),
    texts.some(Boolean) ? element("tr", {}, element("td", { colspan: columns.length + 1 }, texts)) : null,
  ]);
}

// The texts as they were written, before normalising.
function writtenOf(at) {
  const texts = [["reference", writtenReference(at)], ...systems.map((system, index) => [system.name, writtenHypothesis(index, at)])];
  return element("dl", { className: "written labelled" }, texts.map(([name, text]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: text ?? "(no hypothesis)" }),
  ]).flat());
}

function drawCount() {
  const counts = systems.map((_, system) => rows.reduce((sum, at) => sum + errors[system][at], 0));
  const words = rows.reduce((sum, at) => sum + lengths[at], 0);
  const rates = counts.map((count, system) => `${systems.length > 1 ? `${systems[system].name} ` : "WER "}${percent(ratio(count, words))} %`);
  byId("count").textContent = `${number(rows.length)} of ${number(numUtterances)} utterances, ${number(words)} words: ${rates.join(", ")}`;
}

function drawChips() {
  const chips = [];
  if (filters.field) {
    const { field, value } = filters.field;
    chips.push([`${field} ${data.references.fields[field].values[value] || "(none)"}`, { field: null }]);
  }
  if (filters.edit) {
    const { system, reference, hypothesis } = filters.edit;
    const words = [reference ?? "nothing", hypothesis ?? "nothing"].join(" → ");
    chips.push([systems.length > 1 ? `${words} by ${systems[system].name}` : words, { edit: null }]);
  }
  const make = ([text, without]) => element("button", { type: "button", className: "chip", "aria-label": `Remove filter ${text}`, onclick: () => update(without) }, `${text} ✕`);
  byId("chips").replaceChildren(...chips.map(make));
}

function drawPager() {
  const last = Math.max(0, Math.ceil(rows.length / page.size) - 1);
  const turn = (name, to, possible) => element("button", { type: "button", disabled: !possible, "aria-label": `${name} page`, onclick: () => turnTo(to, name) }, name);
  const size = element("select", {}, PAGE_SIZES.map((value) => new Option(value, value, false, value === page.size)));
  size.addEventListener("change", () => {
    page.size = Number(size.value);
    turnTo(0);
  });
  byId("pager").replaceChildren(
    turn("First", 0, page.number > 0), turn("Previous", page.number - 1, page.number > 0),
    element("span", {}, `page ${number(page.number + 1)} of ${number(last + 1)}`),
    turn("Next", page.number + 1, page.number < last), turn("Last", last, page.number < last),
    element("label", {}, "Utterances a page ", size),
  );
}

// Drawing makes the pager's buttons anew: the one that was used keeps the focus, so that it can be pressed again.
function turnTo(to, name) {
  page.number = to;
  drawPage();
  const again = name && [...byId("pager").querySelectorAll("button")].find((button) => button.textContent === name);
  again?.focus({ preventScroll: true });
  byId("count").scrollIntoView({ block: "nearest" });
}

function drawLegend() {
  const item = (kind, text) => [element("span", { className: `error ${KINDS[kind]}` }, element("span", { className: "word", textContent: text }), element("sup", { textContent: kind })), " "];
  const hear = data.recordings.file.some((file) => file >= 0) ? "Choose a word to hear it; arrow keys walk through the words." : "";
  byId("legend").append(...item("S", "substituted"), ...item("D", "deleted"), ...item("I", "inserted"), hear);
}
