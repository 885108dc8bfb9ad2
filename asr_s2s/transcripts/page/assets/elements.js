// Small helpers to build elements: text from outside only ever becomes text.

const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en");
const percent = (rate) => (rate === null || rate === undefined ? "–" : (100 * rate).toFixed(2));
const signed = (text) => (Number(text) > 0 ? `+${text}` : text.replace("-", "−"));

// Properties that start with "aria-" or "data-", and a few more, are attributes; children that are null are left out.
function element(name, properties, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties ?? {})) {
    if (/^(aria-|data-|role$|colspan$|scope$)/.test(key)) made.setAttribute(key, value);
    else made[key] = value;
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return made;
}

const button = (content, onclick, properties) => element("button", { type: "button", onclick, ...properties }, content);
const link = (content, onclick) => button(content, onclick, { className: "plain" });
const header = (content, properties) => element("th", { scope: "col", ...properties }, content);
const numbered = (content) => header(content, { className: "figure" });
const figure = (content) => element("td", { className: "figure" }, content);
const row = (...cells) => element("tr", null, ...cells);

function fillTable(table, heads, rows) {
  table.replaceChildren(element("thead", null, row(heads)), element("tbody", null, rows));
}

// Arrow keys walk through words or lines, of which one at a time can be reached by Tab.
function walk(event, items) {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const next = step && items[items.indexOf(document.activeElement) + step];
  if (!next) return;
  event.preventDefault();
  document.activeElement.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}

// A button that turns the page light or dark; until it is used the page follows the system.
function startTheme() {
  const root = document.documentElement;
  const show = (theme) => {
    root.dataset.theme = theme;
    byId("theme").textContent = theme === "dark" ? "Light colours" : "Dark colours";
  };
  show(matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
  byId("theme").addEventListener("click", () => show(root.dataset.theme === "dark" ? "light" : "dark"));
}
