// Rates of parts of the data: the values of a field, kinds of words, the rules of the normalizer, keywords.

const GROUPS_SHOWN = 10;
const NO_FLAG = "(none)";

// A table with a row for each part: {name, figures, rates by system; or none: their intervals, shares of all errors}.
function fillRates(table, heads, parts) {
  const highest = ({ rates, intervals = [] }) => [...rates, ...intervals.map((bounds) => bounds?.high)];
  const scale = scaleOf(parts.flatMap(highest).map((rate) => rate ?? 0));
  const several = systems.length > 1;
  const column = (title) => systems.map((_, system) => numbered(several ? [sign(system), ` ${title}`] : title));
  const withIntervals = parts.some(({ intervals = [] }) => intervals.some(Boolean));
  const withShares = parts.some(({ shares }) => shares);
  const [first, ...others] = heads;
  fillTable(
    table,
    [
      header(first),
      ...others.map(numbered),
      plotHead(scale, "WER"),
      column("WER\u00a0%"),
      withIntervals ? column("95\u00a0%") : [],
      withShares ? column("%\u00a0of\u00a0errors") : [],
    ].flat(),
    parts.map(({ name, figures, rates, intervals = [], shares }) =>
      row(
        element("th", { scope: "row" }, name),
        figures.map((value) => figure(number(value))),
        plot(
          scale,
          rates.map((value, system) => ({ value, intervals: intervals[system] ? [intervals[system]] : [], system })),
        ),
        rates.map((rate) => figure(percent(rate))),
        withIntervals ? intervals.map((bounds) => figure(bounds ? range(bounds.low, bounds.high) : "")) : null,
        withShares ? shares.map((share) => figure(share === null ? "–" : (100 * share).toFixed(1))) : null,
      ),
    ),
  );
}

function drawGroups() {
  const names = Object.keys(fields);
  byId("groups").hidden = !names.length;
  if (!names.length) return;
  byId("field").append(...names.map((name) => new Option(name)));
  byId("field").addEventListener("change", (event) => drawGroup(event.target.value));
  drawGroup(names[0]);
}

// The utterances of each value of a field.
function groupsOf(name) {
  const groups = fields[name].values.map((_, value) => ({ value, ats: [] }));
  for (let at = 0; at < numUtterances; at++) for (const value of valuesAt(name, at)) groups[value].ats.push(at);
  return groups;
}

function drawGroup(name, limit = GROUPS_SHOWN) {
  const groups = groupsOf(name);
  const all = errors.map((counts) => counts.reduce((sum, count) => sum + count, 0));
  const parts = groups.slice(0, limit).map(({ value, ats }) => {
    const totals = systems.map((_, system) => totalOf(system, ats));
    return {
      name: link(valueName(name, value), () => showOnly({ field: name, value })),
      figures: [ats.length, Math.max(...totals.map(([, words]) => words))],
      rates: totals.map(([wrong, words]) => ratio(wrong, words)),
      intervals: fields[name].intervals.map((bounds) => bounds[value]),
      shares: totals.map(([wrong], system) => ratio(wrong, all[system])),
    };
  });
  fillRates(byId("group-table"), [name, "Utterances", "Words"], parts);
  const rest =
    groups.length > limit ? link(`Show all ${number(groups.length)}`, () => drawGroup(name, groups.length)) : "";
  byId("groups-note").replaceChildren(
    "WER in percent, of normalised words; intervals where a group is large enough. Choose one to see its utterances. ",
    rest,
  );
}

// Kinds of words and rules of the normalizer are the same for all systems.
function drawKinds() {
  const { classes, rules, keywords } = systems[0];
  const kinds = classes.map(([name, counts]) => ({
    name,
    figures: [counts[3]],
    rates: systems.map((system) => rateOf(system.classes.find(([other]) => other === name)?.[1] ?? [0, 0, 0, 0])),
  }));
  const stages = rules.map(([name, , length], stage) => ({
    name,
    figures: [length],
    rates: systems.map((system) => ratio(system.rules[stage][1], system.rules[stage][2])),
  }));
  if (kinds.length) fillRates(byId("classes"), ["Words", "Count"], kinds);
  const flagged = flaggedSegments();
  if (flagged.length) fillRates(byId("flagged"), ["Flag", "Segments", "Words"], flagged);
  if (stages.length) fillRates(byId("rules"), ["After the rule", "Words"], stages);
  if (keywords.length) fillKeywords();
  for (const id of ["classes", "flagged", "rules", "keywords"]) {
    byId(id).closest("details").hidden = !byId(id).rows.length;
  }
}

const noneLast = (one, other) => (one === NO_FLAG) - (other === NO_FLAG) || (one < other ? -1 : 1);

// Systems raise flags of their own: the figures are those of the system that flags most.
function flaggedSegments() {
  const names = [...new Set(systems.flatMap(({ flagged }) => flagged.map(([flag]) => flag)))].sort(noneLast);
  return names.map((name) => {
    const found = systems.map(({ flagged }) => flagged.find(([flag]) => flag === name) ?? [name, 0, [0, 0, 0, 0]]);
    return {
      name,
      figures: [Math.max(...found.map(([, segments]) => segments)), Math.max(...found.map(([, , counts]) => counts[3]))],
      rates: found.map(([, , counts]) => rateOf(counts)),
      shares: found.map(([, , counts], system) => ratio(wrongOf(counts), wrongOf(systems[system].normalised.words))),
    };
  });
}

function fillKeywords() {
  const heads = [
    header("Keyword"),
    numbered("Said"),
    ...systems.flatMap((_, system) => ["recall %", "precision %"].map((name) => numbered([sign(system), ` ${name}`]))),
  ];
  const rows = systems[0].keywords.map(([keyword, said], place) => {
    const found = systems.map((system) => system.keywords[place]);
    const rates = found.flatMap(([, of, recognised, hits]) => [ratio(hits, of), ratio(hits, recognised)]);
    return row(
      element("th", { scope: "row" }, keyword),
      figure(number(said)),
      rates.map((rate) => figure(percent(rate))),
    );
  });
  fillTable(byId("keywords"), heads, rows);
}
