// Plays an utterance, or a word of it, in its recording.

let current = null; // the utterance that is heard

const hasSound = (at) => recordings.file[at] >= 0;

// Play [start, end] in seconds of the file, or the whole utterance.
function play(at, span, what) {
  if (!hasSound(at)) return say(`${references.id[at]} names no recording.`);
  const [start, end] = span ?? wholeOf(at);
  const seconds = end === Infinity ? "" : ` (${start.toFixed(1)} to ${end.toFixed(1)} s)`;
  current = at;
  playStretch(addresses[recordings.file[at]], [start, end], `${references.id[at]}: ${what}${seconds}`);
}

const playAll = (at) => play(at, null, "all of it");

function playWord(at, span, word) {
  if (span) play(at, around(span), word);
  else play(at, null, "all of it, because its words have no times");
}

function wholeOf(at) {
  const start = recordings.start[at];
  const seconds = recordings.seconds[at];
  return [start, seconds === null ? Infinity : start + seconds];
}

function startSound() {
  startPlayer(() => (byId("player").hidden = true));
  byId("whole").addEventListener("click", () => current !== null && playAll(current));
}
