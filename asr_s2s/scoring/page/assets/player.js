// Plays a stretch of an utterance's recording: linked or embedded makes no difference to an audio element.

const addresses = [...document.querySelectorAll("script.audio")].map((script) => script.textContent);
const audio = new Audio();
let ending = Infinity; // second of the file at which to stop
let current = null; // the utterance that is heard

const hasSound = (at) => data.recordings.file[at] >= 0;

// Play [start, end] in seconds of the file; without them the whole utterance.
function play(at, span, what) {
  if (!hasSound(at)) return say("This utterance has no recording: only manifests name them.");
  const [start, end] = span ?? wholeOf(at);
  const address = addresses[data.recordings.file[at]];
  current = at;
  ending = end;
  if (audio.dataset.address !== address) {
    audio.src = address;
    audio.dataset.address = address;
  }
  audio.currentTime = start;
  audio.play().catch((error) => {
    if (error.name !== "AbortError")
      say(`${address.slice(0, 200)} cannot be played: is the file there, beside this page?`);
  });
  const times = end === Infinity ? "" : ` (${start.toFixed(1)} to ${end.toFixed(1)} s)`;
  say(
    `${span || !what ? "" : "No word times: the whole utterance. "}${data.references.id[at]}${what && span ? `: ${what}` : ""}${times}`,
  );
  watch();
}

function wholeOf(at) {
  const start = data.recordings.start[at];
  const seconds = data.recordings.seconds[at];
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
  byId("whole").addEventListener("click", () => current !== null && play(current, null, ""));
  document.addEventListener("keydown", (event) => event.key === "Escape" && stop());
}
