// Plays a stretch of an utterance's recording: linked or embedded makes no difference to an audio element.

const LEAD = 0.25; // seconds heard before and after a word
const LEAST = 1.0; // and no less than that in all

const addresses = [...document.querySelectorAll("script.audio")].map((script) => script.textContent);
const audio = new Audio();
let ending = Infinity; // second of the file at which to stop
let current = null; // the utterance that is heard

const hasSound = (at) => recordings.file[at] >= 0;

// Play [start, end] in seconds of the file, or the whole utterance; what is said of it is shown.
function play(at, span, what) {
  if (!hasSound(at)) return say(`${references.id[at]} names no recording.`);
  const [start, end] = span ?? wholeOf(at);
  const address = addresses[recordings.file[at]];
  current = at;
  ending = end;
  if (audio.dataset.address !== address) {
    audio.src = address;
    audio.dataset.address = address;
  }
  audio.currentTime = start;
  audio.play().catch((error) => {
    if (error.name === "AbortError") return; // another word was chosen meanwhile
    say(`Audio not found at ${decodeURI(address.slice(0, 200))}; write the page with --embed-audio.`);
  });
  const seconds = end === Infinity ? "" : ` (${start.toFixed(1)} to ${end.toFixed(1)} s)`;
  say(`${references.id[at]}: ${what}${seconds}`);
  watch();
}

const playAll = (at) => play(at, null, "all of it");

function playWord(at, span, word) {
  if (span) play(at, around(span), word);
  else play(at, null, "all of it, because its words have no times");
}

// The second around a word, or a little more than a longer word.
function around([start, end]) {
  const spare = Math.max(LEAD, (LEAST - (end - start)) / 2);
  return [Math.max(0, start - spare), end + spare];
}

function wholeOf(at) {
  const start = recordings.start[at];
  const seconds = recordings.seconds[at];
  return [start, seconds === null ? Infinity : start + seconds];
}

// The event timeupdate comes four times a second, too seldom for a word.
function watch() {
  if (audio.currentTime >= ending) audio.pause();
  else requestAnimationFrame(() => !audio.paused && watch());
}

function say(text) {
  byId("player").hidden = false;
  byId("playing").textContent = text;
}

function stop() {
  audio.pause();
  byId("player").hidden = true;
}

function startPlayer() {
  byId("stop").addEventListener("click", stop);
  byId("whole").addEventListener("click", () => current !== null && playAll(current));
  document.addEventListener("keydown", (event) => event.key === "Escape" && stop());
}
