// The sections above the table of utterances: rates, differences, groups, commonest errors.

const ERRORS_SHOWN = 12;
const GROUPS_SHOWN = 25;

const header = (text, properties = {}) => element("th", { scope: "col", ...properties }, text);
const figure = (text) => element("td", { className: "figure" }, text);
const named = (system) => [sign(system), " ", systems[system].name];
const range = (interval) => (interval ? `${percent(interval[0])} – ${percent(interval[1])}` : "");

function drawHead() {
  byId("title").textContent = data.title;
  byId("facts").append(
    ...Object.entries(data.facts).map(([name, value]) =>
      element("div", {}, element("dt", { textContent: name }), element("dd", { textContent: value })),
    ),
  );
  const theme = byId("theme");
  const dark = () => document.documentElement.dataset.theme === "dark";
  const show = (name) => {
    document.documentElement.dataset.theme = name;
    theme.textContent = dark() ? "Light" : "Dark";
    theme.setAttribute("aria-label", `${theme.textContent} colours`);
  };
  show(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  theme.addEventListener("click", () => show(dark() ? "light" : "dark"));
}

function drawRates() {
  const rows = systems.flatMap((system, index) =>
    ["normalised", "raw"].map((side) => ({ index, side, ...system[side], interval: system[side].interval ?? null })),
  );
  const scale = scaleOf(rows.flatMap((row) => [rateOf(row.words) ?? 0, ...(row.interval ?? [])]));
  const hasIntervals = rows.some((row) => row.interval);
  byId("rates").append(
    element("thead", {}, element("tr", {}, [
      header("System"), header("Words"), header(axis(scale), { className: "plot", "aria-label": "WER, plotted" }), header("WER %"),
      hasIntervals ? header("95 % interval") : null,
      ...["Substituted", "Deleted", "Inserted", "Of words", "CER %", "SER %"].map((name) => header(name)),
    ])),
    element("tbody", {}, rows.map((row) => rateRow(row, scale, hasIntervals))),
  );
}

function rateRow({ index, side, words, characters, sentences, interval }, scale, hasIntervals) {
  const mark = { value: rateOf(words), interval, system: index, hollow: side === "raw" };
  return element("tr", { className: side }, [
    side === "normalised" ? element("th", { scope: "rowgroup", rowSpan: 2 }, named(index)) : null,
    element("td", {}, side),
    element("td", { className: "plot" }, strip(scale, [mark])),
    element("td", { className: "figure strong" }, percent(rateOf(words))),
    hasIntervals ? figure(range(interval)) : null,
    ...words.map((count) => figure(number(count))),
    figure(percent(rateOf(characters))),
    figure(percent(ratio(...sentences))),
  ]);
}

// Ids without a partner, empty references: what the rates rest on.
function drawRemarks() {
  const all = systems.flatMap((system) => system.remarks.map((remark) => ({ ...remark, system: system.name })));
  const texts = [...new Set(all.map((remark) => JSON.stringify([remark.text, remark.ids])))];
  byId("remarks").append(
    ...texts.map((text) => {
      const same = all.filter((remark) => JSON.stringify([remark.text, remark.ids]) === text);
      const who = systems.length > same.length ? `${same.map((remark) => remark.system).join(", ")}: ` : "";
      const summary = `${who}${same[0].text}${same[0].ids.length ? `: ${number(same[0].ids.length)}` : ""}`;
      const ids = element("p", { className: "ids", textContent: same[0].ids.join("  ") });
      return same[0].ids.length ? element("details", {}, element("summary", {}, summary), ids) : element("p", {}, summary);
    }),
  );
}

function drawGroups() {
  const fields = Object.keys(data.references.fields);
  if (!fields.length) return;
  byId("groups").hidden = false;
  const select = byId("field");
  select.append(...fields.map((name) => new Option(name)));
  select.addEventListener("change", () => drawGroup(select.value));
  drawGroup(select.value);
}

// Sum words and errors of each value of a field, the value with most words first.
function groupsOf(name) {
  const { values, of } = data.references.fields[name];
  const groups = values.map((value, index) => ({ value, index, utterances: 0, words: 0, errors: systems.map(() => 0) }));
  for (let at = 0; at < numUtterances; at++) {
    const group = groups[of[at]];
    group.utterances++;
    group.words += lengths[at];
    systems.forEach((_, system) => (group.errors[system] += errors[system][at]));
  }
  return groups.sort((a, b) => b.words - a.words);
}

function drawGroup(name, shown = GROUPS_SHOWN) {
  const groups = groupsOf(name);
  const rates = (group) => group.errors.map((count) => ratio(count, group.words));
  const scale = scaleOf(groups.slice(0, shown).flatMap((group) => rates(group).map((rate) => rate ?? 0)));
  const rows = groups.slice(0, shown).map((group) =>
    element("tr", {}, [
      element("th", { scope: "row" }, filterButton(group.value || "(none)", () => filterBy({ field: name, value: group.index }))),
      figure(number(group.utterances)),
      figure(number(group.words)),
      element("td", { className: "plot" }, strip(scale, rates(group).map((value, system) => ({ value, system, interval: null })))),
      ...rates(group).map((rate) => figure(percent(rate))),
    ]),
  );
  const heads = [header(name), header("Utterances"), header("Words"), header(axis(scale), { className: "plot", "aria-label": "WER, plotted" })];
  const names = systems.map((_, system) => header(systems.length > 1 ? named(system) : "WER %"));
  byId("group-table").replaceChildren(element("thead", {}, element("tr", {}, [...heads, ...names])), element("tbody", {}, rows));
  byId("groups-note").replaceChildren(
    "WER in percent, of normalised words; the largest groups first. Choose a group to see its utterances. ",
    groups.length > shown ? filterButton(`Show all ${number(groups.length)}`, () => drawGroup(name, groups.length)) : "",
  );
}

const filterButton = (text, action) => element("button", { type: "button", className: "plain", onclick: action }, text);

function drawErrors() {
  const select = byId("errors-system");
  select.append(...systems.map((system, index) => new Option(system.name, index)));
  byId("errors-controls").hidden = systems.length < 2;
  select.addEventListener("change", () => drawErrorLists(Number(select.value)));
  drawErrorLists(0);
}

function drawErrorLists(system) {
  byId("errors").replaceChildren(...Object.keys(KINDS).map((kind) => errorList(system, kind)));
}

function errorList(system, kind, shown = ERRORS_SHOWN) {
  const { kinds, commonest } = systems[system].edits[kind];
  const most = commonest.length ? commonest[0][2] : 1;
  const items = commonest.slice(0, shown).map(([reference, hypothesis, count]) => {
    const words = [reference, hypothesis].filter((word) => word !== null).join(" → ");
    const bar = element("span", { className: `bar ${KINDS[kind]}` });
    bar.style.width = `${(100 * count) / most}%`;
    const button = filterButton(words, () => filterBy({ system, reference, hypothesis }));
    return element("li", {}, button, element("span", { className: "track", "aria-hidden": "true" }, bar), element("span", { className: "figure" }, number(count)));
  });
  const title = `${kind}: ${{ S: "Substituted", D: "Deleted", I: "Inserted" }[kind]}`;
  const list = element("div", {}, element("h3", { textContent: `${title}, ${number(kinds)} kinds` }), element("ol", {}, items));
  const more = Math.min(commonest.length, 10 * shown);
  if (more > shown) list.append(filterButton(`Show ${number(more)}`, () => list.replaceWith(errorList(system, kind, more))));
  return list;
}
