// Rates of parts of the data: the values of a field, kinds of words, the rules of the normalizer, keywords.

const GROUPS_SHOWN = 10;

// A table with a row for each part: {name, figures, rates by system, shares of all errors by system (or none)}.
function fillRates(table, heads, parts) {
  const scale = scaleOf(parts.flatMap(({ rates }) => rates.map((rate) => rate ?? 0)));
  const several = systems.length > 1;
  const column = (title) => systems.map((_, system) => numbered(several ? [sign(system), ` ${title}`] : title));
  const withShares = parts.some(({ shares }) => shares);
  const [first, ...others] = heads;
  fillTable(
    table,
    [
      header(first),
      ...others.map(numbered),
      plotHead(scale, "WER"),
      column("WER\u00a0%"),
      withShares ? column("%\u00a0of\u00a0errors") : [],
    ].flat(),
    parts.map(({ name, figures, rates, shares }) =>
      row(
        element("th", { scope: "row" }, name),
        figures.map((value) => figure(number(value))),
        plot(
          scale,
          rates.map((value, system) => ({ value, intervals: [], system })),
        ),
        rates.map((rate) => figure(percent(rate))),
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
      shares: totals.map(([wrong], system) => ratio(wrong, all[system])),
    };
  });
  fillRates(byId("group-table"), [name, "Utterances", "Words"], parts);
  const rest =
    groups.length > limit ? link(`Show all ${number(groups.length)}`, () => drawGroup(name, groups.length)) : "";
  byId("groups-note").replaceChildren(
    "WER in percent, of normalised words. Choose a group to see its utterances. ",
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
  if (stages.length) fillRates(byId("rules"), ["After the rule", "Words"], stages);
  if (keywords.length) fillKeywords();
  for (const id of ["classes", "rules", "keywords"]) byId(id).closest("details").hidden = !byId(id).rows.length;
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
