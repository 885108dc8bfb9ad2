// Plays a stretch of a recording: linked or embedded makes no difference to an audio element.

const LEAD = 0.25; // seconds heard before and after a word
const LEAST = 1.0; // and no less than that in all

const addresses = [...document.querySelectorAll("script.audio")].map((script) => script.textContent);
const audio = document.querySelector("audio") ?? new Audio();
let ending = Infinity; // second of the file at which to stop

// Play from start to end, in seconds of the file; what is played is shown.
function playStretch(address, [start, end], text) {
  load(address);
  ending = end;
  audio.currentTime = start;
  audio.play().catch((error) => {
    if (error.name !== "AbortError") say(missing(address)); // else another word was chosen meanwhile
  });
  say(text);
  watch();
}

function load(address) {
  if (audio.dataset.address === address) return;
  audio.src = address;
  audio.dataset.address = address;
}

const missing = (address) => `Audio not found at ${decodeURI(address.slice(0, 200))}; write the page with --embed-audio.`;

// The second around a word, or a little more than a longer word.
function around([start, end]) {
  const spare = Math.max(LEAD, (LEAST - (end - start)) / 2);
  return [Math.max(0, start - spare), end + spare];
}

// The event timeupdate comes four times a second, too seldom for a word.
function watch() {
  if (audio.currentTime < ending) return requestAnimationFrame(() => !audio.paused && watch());
  audio.pause();
  ending = Infinity; // whoever goes on, goes on to the end
}

function say(text) {
  byId("player").hidden = false;
  byId("playing").textContent = text;
}

function startPlayer(stop) {
  const end = () => {
    audio.pause();
    stop?.();
  };
  byId("stop")?.addEventListener("click", end);
  document.addEventListener("keydown", (event) => event.key === "Escape" && end());
}
