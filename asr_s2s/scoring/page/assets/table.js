// The table of utterances, a page at a time.

const PAGE_SIZES = [10, 25, 100];
const page = { number: 0, size: PAGE_SIZES[0] };
const PATIENCE_MS = 120; // letters typed in haste make one search

function startTable() {
  const names = Object.keys(WHICH).slice(0, systems.length > 1 ? undefined : -1);
  byId("which").append(...names.map((name) => new Option(name)));
  byId("which").addEventListener("change", (event) => select({ which: event.target.value }));
  let waiting = 0;
  byId("query").addEventListener("input", (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => select({ query: event.target.value.trim().toLowerCase() }), PATIENCE_MS);
  });
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  for (const id of ["aligned", "spelled"]) byId(id).addEventListener("change", drawPage);
  drawLegend();
  select({});
}

// Show the utterances of a group or of an error that was chosen above.
function showOnly(change) {
  select(change);
  byId("utterances").scrollIntoView();
  byId("chips").lastElementChild.focus({ preventScroll: true });
}

function turnTo(to) {
  page.number = to;
  drawPage();
}

// Drawing makes the buttons anew: the one that was used keeps the focus, so that it can be pressed again.
function drawPage() {
  const focused = document.activeElement?.dataset.key;
  const shown = selected.slice(page.number * page.size, (page.number + 1) * page.size);
  byId("table").replaceChildren(element("thead", null, row(header("Hear"), columns.map(drawHead))));
  byId("table").append(...shown.map(drawUtterance));
  drawCount();
  drawChips();
  drawPager();
  if (focused) document.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function drawHead(column) {
  const sorted = order.column !== column ? "none" : order.descending ? "descending" : "ascending";
  const arrow = element(
    "span",
    { className: "arrow", "aria-hidden": "true" },
    { ascending: "▲", descending: "▼", none: "↕" }[sorted],
  );
  const of = systems.length > 1 ? (column.of ?? []) : [];
  const signs = of.flatMap((system, place) => [place ? "− " : "", sign(system), " "]);
  const made = button([...signs, column.name, " ", arrow], () => sortBy(column), { "data-key": column.key });
  if (of.length)
    made.setAttribute("aria-label", `${column.name}, ${of.map((system) => systems[system].name).join(" minus ")}`);
  return header(made, { "aria-sort": sorted, className: column.isText ? "" : "figure" });
}

function drawUtterance(at) {
  const listen = button("▶", () => playAll(at), { className: "listen", disabled: !hasSound(at) });
  listen.setAttribute("aria-label", `Play ${references.id[at]}`);
  const cells = columns.map(({ value, show = (shown) => shown ?? "", isText, className = "" }) =>
    element("td", { className: isText ? className : "figure" }, show(value(at))),
  );
  const texts = [byId("aligned").checked ? alignmentOf(at) : null, byId("spelled").checked ? writtenOf(at) : null];
  const below = texts.some(Boolean) ? row(element("td", { colspan: columns.length + 1 }, texts)) : null;
  return element("tbody", null, row(element("td", null, listen), cells), below);
}

// The texts as they were written, before normalising.
function writtenOf(at) {
  const texts = systems.map(({ name }, system) => [name, writtenHypothesis(system, at) ?? "(missing)"]);
  const lines = [["reference", writtenReference(at)], ...texts].flatMap(([name, text]) => [
    element("dt", { textContent: name }),
    element("dd", { textContent: text, dir: "auto" }),
  ]);
  return element("dl", { className: "written labelled" }, lines);
}

function drawCount() {
  const rates = systems.map(({ name }, system) => {
    const [wrong, words] = totalOf(system, selected);
    return `${systems.length > 1 ? name : "WER"} ${percent(ratio(wrong, words))} %`;
  });
  const words = selected.reduce((sum, at) => sum + lengths[at], 0);
  const counted = `${number(selected.length)} of ${number(numUtterances)} utterances, ${number(words)} words`;
  byId("count").textContent = `${counted}: ${rates.join(", ")}`;
}

function drawChips() {
  const { field, value, edit } = filters;
  const chips = [];
  if (field !== null) chips.push([`${field}: ${valueName(field, value)}`, { field: null }]);
  if (edit) {
    const who = systems.length > 1 ? ` by ${systems[edit.system].name}` : "";
    chips.push([`${edit.reference ?? "nothing"} → ${edit.hypothesis ?? "nothing"}${who}`, { edit: null }]);
  }
  const make = ([text, without]) => {
    const remove = () => {
      select(without);
      byId("query").focus({ preventScroll: true }); // the button is gone
    };
    return button(`${text} ✕`, remove, { className: "chip", "aria-label": `Remove filter ${text}` });
  };
  byId("chips").replaceChildren(...chips.map(make));
}

function drawPager() {
  const last = Math.max(0, Math.ceil(selected.length / page.size) - 1);
  const turn = (name, to, possible) =>
    button(name, () => turnTo(to), { disabled: !possible, "data-key": name, "aria-label": `${name} page` });
  const sizes = element(
    "select",
    { "data-key": "sizes" },
    PAGE_SIZES.map((size) => new Option(size, size, false, size === page.size)),
  );
  sizes.addEventListener("change", () => {
    page.size = Number(sizes.value);
    turnTo(0);
  });
  byId("pager").replaceChildren(
    turn("First", 0, page.number > 0),
    turn("Previous", page.number - 1, page.number > 0),
    element("span", null, `page ${number(page.number + 1)} of ${number(last + 1)}`),
    turn("Next", page.number + 1, page.number < last),
    turn("Last", last, page.number < last),
    element("label", null, "Utterances a page ", sizes),
  );
}

function drawLegend() {
  const examples = Object.entries(KINDS).flatMap(([kind, text]) => [drawError(kind, text), " "]);
  const canHear = recordings.file.some((file) => file >= 0);
  byId("legend").append(...examples, canHear ? "Choose a word to hear it; arrow keys walk through the words." : "");
}
