// A transcript whose words show how doubtful they are, and can be heard.

const transcript = JSON.parse(byId("payload").textContent);
const LEVELS = [0.85, 0.7, 0.5]; // below each of these probabilities a word is more doubtful
const NAMES = ["", "rather sure", "doubtful", "probably wrong"];
const DOUBTS_SHOWN = 100;
const BEFORE = 2; // words of context, and twice as many after

const FLAGS = {
  low_confidence: "low confidence",
  low_coverage: "speech without words",
  loop: "repeated words",
  truncated: "cut off at the length limit",
  no_speech: "no speech found",
};

const words = transcript.segments.flatMap((segment) => segment.words);
const segmentOf = transcript.segments.flatMap((segment) => segment.words.map(() => segment));
const sorted = words.map((_, at) => at).sort((one, other) => words[one].start - words[other].start);
const speakers = [...new Set(transcript.segments.map(({ speaker }) => speaker).filter(Boolean))];
const hasSound = addresses.length > 0;
const drawn = []; // the element of each word

const known = (word) => word.probability !== null && word.probability !== undefined;
const levelOf = (word) => (known(word) ? LEVELS.filter((limit) => word.probability < limit).length : 0);
const inWords = (share) => `${Math.round(100 * share)} %`;

function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (value) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(whole % 60)}`;
}

function withProbability(text, probability) {
  return text && typeof probability === "number" ? `${text} (${probability.toFixed(2)})` : text;
}

function drawHead() {
  byId("title").textContent = document.title;
  const doubtful = words.filter((word) => levelOf(word) >= 2).length;
  const facts = {
    Length: clock(transcript.duration),
    Words: number(words.length || transcript.text.split(/\s+/).filter(Boolean).length),
    ...(words.some(known) ? { "Doubtful words": number(doubtful) } : {}),
    ...(transcript.confidence === null ? {} : { Confidence: transcript.confidence.toFixed(2) }),
    Model: transcript.model,
    Language: withProbability(transcript.language, transcript.pred_language_probability),
    Notes: transcript.notes.join("; "),
    "Not readable": transcript.damage.map(({ start, reason }) => `${reason} from ${clock(start)}`).join("; "),
  };
  const shown = Object.entries(facts).filter(([, text]) => text);
  byId("facts").append(
    ...shown.map(([name, text]) =>
      element("div", null, element("dt", { textContent: name }), element("dd", { textContent: text })),
    ),
  );
  if (!words.some(known)) return;
  const bounds = LEVELS.map((limit) => inWords(limit));
  const examples = NAMES.slice(1).map((name, at) =>
    element("span", null, [
      element("span", { className: `word doubt-${at + 1}`, textContent: name }),
      ` below ${bounds[at]}`,
    ]),
  );
  byId("legend").append("Probability that a word is right:", ...examples);
  if (hasSound) byId("legend").append("Choose a word to hear it; arrow keys walk through the words.");
}

function drawTranscript() {
  let first = 0;
  for (const segment of transcript.segments) {
    byId("transcript").append(drawSegment(segment, first));
    first += segment.words.length;
  }
  byId("transcript").addEventListener("click", (event) => choose(event.target.closest(".timed")));
  byId("transcript").addEventListener("keydown", (event) => {
    if (event.key === "Enter" || event.key === " ") choose(event.target.closest(".timed"), event);
  });
}

function drawSegment(segment, first) {
  const time = button(hasSound ? `▶ ${clock(segment.start)}` : clock(segment.start), () => hear(segment), {
    className: "time",
    disabled: !hasSound,
    "aria-label": `Play from ${clock(segment.start)}`,
  });
  const flags = Object.keys(segment.flags).map((flag) => FLAGS[flag] ?? flag);
  const body = element("div", null, [
    segment.speaker && speakers.length > 1 ? drawSpeaker(segment.speaker) : null,
    segment.words.length ? drawWords(segment, first) : element("div", { className: "words", dir: "auto" }, segment.text),
    flags.length ? element("div", { className: "flags" }, flags.join(", ")) : null,
  ]);
  return element("div", { className: "segment" }, time, body);
}

function drawSpeaker(name) {
  const colour = `system-${speakers.indexOf(name) % 4}`;
  return element("div", { className: `speaker ${colour}`, textContent: name });
}

function drawWords(segment, first) {
  const made = segment.words.map((word, place) => {
    const level = levelOf(word);
    const share = known(word) ? `, ${inWords(word.probability)}` : "";
    const text = element("span", {
      className: `word ${level ? `doubt-${level}` : ""} ${hasSound ? "timed" : ""}`,
      textContent: word.word,
      title: `${clock(word.start)}${share}`,
      "data-at": first + place,
    });
    if (hasSound) Object.assign(text, { role: "button", tabIndex: place ? -1 : 0 });
    drawn[first + place] = text;
    return text;
  });
  const block = element("div", { className: "words", dir: "auto" }, made.flatMap((word) => [word, " "]));
  block.addEventListener("keydown", (event) => walk(event, made));
  return block;
}

// Play from a word on.
function choose(chosen, event) {
  if (!chosen) return;
  event?.preventDefault();
  const word = words[chosen.dataset.at];
  mark(chosen);
  playStretch(addresses[0], [Math.max(0, word.start - LEAD), Infinity], `from ${clock(word.start)}: ${word.word}`);
}

const hear = (segment) => playStretch(addresses[0], [segment.start, segment.end], `segment at ${clock(segment.start)}`);

function mark(chosen) {
  document.querySelector(".word.chosen")?.classList.remove("chosen");
  chosen.classList.add("chosen");
}

// The most doubtful first; choosing one shows it in the text and plays the second around it.
function drawDoubts() {
  const doubtful = words
    .map((_, at) => at)
    .filter((at) => levelOf(words[at]) > 0)
    .sort((one, other) => words[one].probability - words[other].probability || one - other);
  const items = doubtful.slice(0, DOUBTS_SHOWN).map(drawDoubt);
  if (items.length) items[0].tabIndex = 0;
  byId("doubt-list").append(...items.map((item) => element("li", null, item)));
  byId("doubt-list").addEventListener("keydown", (event) => walk(event, items));
  startNext(items);
  const more = doubtful.length > items.length ? `The first ${number(items.length)} of ${number(doubtful.length)}.` : "";
  const none = words.some(known) ? `No word is below ${inWords(LEVELS[0])}.` : "The words have no probabilities.";
  byId("doubts-note").textContent = items.length ? more : none;
}

function drawDoubt(at) {
  const word = words[at];
  const said = (from, to) => {
    const near = Array.from({ length: to - from }, (_, step) => from + step);
    return near.filter((one) => segmentOf[one] === segmentOf[at]).map((one) => words[one].word);
  };
  const context = element("span", { className: "context", dir: "auto" }, [
    `${said(at - BEFORE, at).join(" ")} `,
    element("b", { className: `doubt-${levelOf(word)}`, textContent: word.word }),
    ` ${said(at + 1, at + 1 + 2 * BEFORE).join(" ")}`,
  ]);
  const show = () => {
    mark(drawn[at]);
    drawn[at].scrollIntoView({ block: "center" });
    if (hasSound) playStretch(addresses[0], around([word.start, word.end]), `${word.word}, ${clock(word.start)}`);
  };
  const cells = [
    element("span", null, inWords(word.probability)),
    context,
    element("span", { className: "at" }, clock(word.start)),
  ];
  return button(cells, show, { tabIndex: -1, "aria-current": "false" });
}

// Go through the list: the first, then the one after that which was chosen last.
function startNext(items) {
  let next = 0;
  items.forEach((item, at) =>
    item.addEventListener("click", () => {
      byId("doubt-list").querySelector("[aria-current='true']")?.setAttribute("aria-current", "false");
      item.setAttribute("aria-current", "true");
      next = (at + 1) % items.length;
    }),
  );
  const go = () => items[next].click();
  byId("next").hidden = !items.length;
  byId("next").addEventListener("click", go);
  document.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
    if (key === "n" && !(ctrlKey || metaKey || altKey) && items.length) go();
  });
}

// Show which word is spoken, as long as the recording plays.
function follow() {
  const now = audio.currentTime;
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (words[sorted[middle]].start <= now) low = middle + 1;
    else high = middle;
  }
  const spoken = low && now < words[sorted[low - 1]].end ? drawn[sorted[low - 1]] : null;
  const before = document.querySelector(".word.now");
  if (before !== spoken) {
    before?.classList.remove("now");
    spoken?.classList.add("now");
  }
  if (!audio.paused) requestAnimationFrame(follow);
}

drawHead();
drawTranscript();
drawDoubts();
startTheme();
if (hasSound) {
  startPlayer();
  load(addresses[0]);
  audio.addEventListener("play", follow);
  audio.addEventListener("seeked", follow);
  audio.addEventListener("error", () => say(missing(addresses[0])));
}
byId("player").hidden = !hasSound && byId("next").hidden;
document.querySelector("audio").hidden = !hasSound;
