// The payload, unpacked as it is needed, and small helpers to build elements: text from outside only ever becomes text.

const data = JSON.parse(document.getElementById("payload").textContent);
const systems = data.systems;
const numUtterances = data.references.id.length;
const KINDS = { S: "substituted", D: "deleted", I: "inserted" };

const byId = (id) => document.getElementById(id);
const split = (text) => (text ? text.split(" ") : []);
const number = (value) => value.toLocaleString("en");
const percent = (rate) => (rate === null ? "–" : (100 * rate).toFixed(2));
const ratio = (errors, length) => (length ? errors / length : null);
const rateOf = ([substituted, deleted, inserted, length]) => ratio(substituted + deleted + inserted, length);

// Make an element: properties that start with "aria-" or "data-", and "role", are attributes; null children are left out.
function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (/^(aria-|data-|role$|colspan$|scope$)/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

function referenceOf(at) {
  return data.references.text[at];
}

function hypothesisOf(system, at) {
  const text = data.hypotheses[system].text[at];
  return text === 0 ? referenceOf(at) : text;
}

// What was written before normalising; null for a missing hypothesis.
function writtenReference(at) {
  const written = data.references.written[at];
  return written === 0 ? referenceOf(at) : written;
}

function writtenHypothesis(system, at) {
  const written = data.hypotheses[system].written[at];
  return written === 0 ? hypothesisOf(system, at) : written;
}

const isMissing = (system, at) => data.hypotheses[system].written[at] === null;

// A letter for each column of the alignment: "=", "S", "D", "I".
function stepsOf(system, at) {
  return data.hypotheses[system].steps[at] || "=".repeat(split(referenceOf(at)).length);
}

// The counts that the table sorts by and the groups add up: an array of all utterances for each system.
function countErrors(steps) {
  if (!steps) return 0;
  let errors = 0;
  for (let i = 0; i < steps.length; i++) errors += steps[i] !== "=";
  return errors;
}

const lengths = data.references.text.map((text) => split(text).length);
const errors = data.hypotheses.map((hypothesis) => hypothesis.steps.map(countErrors));

// Call visit(reference, hypothesis) for each error of an utterance; a side that has no word is null.
function eachError(system, at, visit) {
  if (!errors[system][at]) return;
  const said = split(referenceOf(at));
  const heard = split(hypothesisOf(system, at));
  let i = 0;
  let j = 0;
  for (const kind of stepsOf(system, at)) {
    const reference = kind === "I" ? null : said[i++];
    const hypothesis = kind === "D" ? null : heard[j++];
    if (kind !== "=") visit(reference, hypothesis);
  }
}
