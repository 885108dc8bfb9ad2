// Which utterances are shown and in which order: the state behind the table.

// value: the number of one of the field's values; edit: {system, reference, hypothesis}
const filters = { query: "", which: "all", field: null, value: null, edit: null };
const order = { column: null, descending: false };
let selected = []; // the utterances that pass the filters, in order

const WHICH = {
  all: () => true,
  "with errors": (counts) => counts.some(Boolean),
  "without errors": (counts) => !counts.some(Boolean),
  "where systems differ": (counts) => new Set(counts.filter((count) => count !== null)).size > 1,
};

const FIELDS_SHOWN = 1; // columns of the table; all fields are groups above it
const columns = [
  { key: "id", name: "Utterance", className: "id", value: (at) => references.id[at], isText: true },
  ...Object.keys(fields).slice(0, FIELDS_SHOWN).map(fieldColumn),
  {
    key: "seconds",
    name: "Seconds",
    value: (at) => recordings.seconds[at],
    show: (seconds) => seconds?.toFixed(1) ?? "",
  },
  { key: "words", name: "Words", value: (at) => lengths[at] },
  ...systems.flatMap((_, system) => [
    { key: `errors:${system}`, name: "Errors", of: [system], value: (at) => errors[system][at] },
    { key: `rate:${system}`, name: "WER %", of: [system], value: (at) => rateAt(system, at), show: percent },
  ]),
  ...(systems.length === 2 ? [differenceColumn()] : []),
];

function fieldColumn(name) {
  const value = (at) =>
    valuesAt(name, at)
      .map((one) => fields[name].values[one])
      .join(", ");
  return { key: `field:${name}`, name, value, isText: true };
}

function differenceColumn() {
  const value = (at) => (isScored(0, at) && isScored(1, at) ? errors[0][at] - errors[1][at] : null);
  return {
    key: "difference",
    name: "Errors",
    of: [0, 1],
    value,
    show: (count) => (count === null ? "" : signed(String(count))),
  };
}

// Change the filters and select anew.
function select(change) {
  Object.assign(filters, change);
  const passes = { query: passesQuery, which: passesWhich, field: passesField, edit: passesEdit };
  const all = Array.from({ length: numUtterances }, (_, at) => at);
  selected = Object.values(passes).reduce((left, pass) => pass(left), all);
  sortSelected();
  turnTo(0);
}

const passesWhich = (ats) => {
  const test = WHICH[filters.which];
  return filters.which === "all" ? ats : ats.filter((at) => test(errors.map((counts) => counts[at])));
};
const passesField = (ats) =>
  filters.field === null ? ats : ats.filter((at) => valuesAt(filters.field, at).includes(filters.value));
const passesEdit = (ats) => (filters.edit === null ? ats : ats.filter((at) => hasEdit(at, filters.edit)));

let haystack = null; // one lower-case text an utterance, made at the first search

function passesQuery(ats) {
  if (!filters.query) return ats;
  haystack ??= references.id.map((id, at) =>
    [id, referenceOf(at), ...systems.map((_, system) => hypothesisOf(system, at))].join("\n").toLowerCase(),
  );
  return ats.filter((at) => haystack[at].includes(filters.query));
}

// What is unknown stands last, whatever the direction.
function sortSelected() {
  if (!order.column) return;
  const values = new Map(selected.map((at) => [at, order.column.value(at)]));
  const compare = order.column.isText ? new Intl.Collator("en", { numeric: true }).compare : (a, b) => a - b;
  const direction = order.descending ? -1 : 1;
  selected.sort((one, other) => {
    const [a, b] = [values.get(one), values.get(other)];
    if (a === null || b === null) return (a === null) - (b === null) || one - other;
    return direction * compare(a, b) || one - other;
  });
}

// A column is sorted the way that is wanted first, then the other way, then not at all.
function sortBy(column) {
  const first = !column.isText;
  if (order.column !== column) Object.assign(order, { column, descending: first });
  else if (order.descending === first) order.descending = !first;
  else order.column = null;
  select({});
}
