// The payload, unpacked as it is needed. An utterance is a number, `at`; a system too.

const data = JSON.parse(byId("payload").textContent);
const { systems, references, hypotheses, recordings, fields } = data;
const numUtterances = references.id.length;
const KINDS = { S: "substituted", D: "deleted", I: "inserted" };

const split = (text) => (text ? text.split(" ") : []);
const ratio = (part, whole) => (whole ? part / whole : null);
const wrongOf = ([substituted, deleted, inserted]) => substituted + deleted + inserted;
const rateOf = (counts) => ratio(wrongOf(counts), counts[3]);

// A hypothesis is 0 where it equals the reference; a spelling is 0 where normalising left it alone.
const referenceOf = (at) => references.text[at];
const hypothesisOf = (system, at) => hypotheses[system].text[at] || (isRight(system, at) ? referenceOf(at) : "");
const writtenReference = (at) => references.written[at] || referenceOf(at);
const writtenHypothesis = (system, at) =>
  isMissing(system, at) ? null : hypotheses[system].written[at] || hypothesisOf(system, at);
const isMissing = (system, at) => hypotheses[system].written[at] === null;
const isRight = (system, at) => hypotheses[system].steps[at] === 0;
const isScored = (system, at) => hypotheses[system].steps[at] !== null;

// A letter for each column of the alignment: "=", "S", "D", "I".
function stepsOf(system, at) {
  return isRight(system, at) ? "=".repeat(lengths[at]) : hypotheses[system].steps[at];
}

// Arrays over all utterances: the reference's words, and each system's errors (null where it was not scored).
const lengths = references.text.map((text) => split(text).length);
const errors = hypotheses.map(({ steps }) => steps.map((letters) => letters && letters.replaceAll("=", "").length));
const wordsOf = (system, at) => (isScored(system, at) ? lengths[at] : 0);
const rateAt = (system, at) => ratio(errors[system][at], wordsOf(system, at));

// Sum a system's errors and words over utterances: [errors, words].
function totalOf(system, ats) {
  return ats.reduce(([wrong, words], at) => [wrong + errors[system][at], words + wordsOf(system, at)], [0, 0]);
}

function hasEdit(at, { system, reference, hypothesis }) {
  if (!errors[system][at]) return false;
  const said = split(referenceOf(at));
  const heard = split(hypothesisOf(system, at));
  let i = 0;
  let j = 0;
  for (const kind of stepsOf(system, at)) {
    const word = kind === "I" ? null : said[i++];
    const other = kind === "D" ? null : heard[j++];
    if (kind !== "=" && word === reference && other === hypothesis) return true;
  }
  return false;
}

// The values of a field are numbered; an utterance has one, or several (flags).
const valuesAt = (name, at) => [fields[name].of[at]].flat();
const valueName = (name, value) => fields[name].values[value] || "(none)";
