// The commonest errors of a system in three lists; choosing one shows the utterances that have it.

const ERRORS_SHOWN = 12;

function drawErrors() {
  byId("errors-system").append(...systems.map(({ name }, system) => new Option(name, system)));
  byId("errors-system").addEventListener("change", (event) => drawErrorLists(Number(event.target.value)));
  byId("errors-controls").hidden = systems.length < 2;
  drawErrorLists(0);
}

function drawErrorLists(system) {
  byId("errors").replaceChildren(...Object.keys(KINDS).map((kind) => errorList(system, kind, ERRORS_SHOWN)));
}

function errorList(system, kind, limit) {
  const { kinds, commonest } = systems[system].edits[kind];
  const most = commonest[0]?.[2];
  const items = commonest.slice(0, limit).map(([reference, hypothesis, count]) => {
    const words = [reference, hypothesis].filter((word) => word !== null).join(" → ");
    const bar = element("span", { className: `bar ${KINDS[kind]}` });
    bar.style.width = `${(100 * count) / most}%`;
    return element("li", null, [
      link(words, () => showOnly({ edit: { system, reference, hypothesis } })),
      element("span", { "aria-hidden": "true" }, bar),
      element("span", { className: "figure" }, number(count)),
    ]);
  });
  const name = KINDS[kind][0].toUpperCase() + KINDS[kind].slice(1);
  const title = element("h3", null, `${name} words: ${number(kinds)} different`);
  const list = element("div", null, title, element("ol", null, items));
  const more = Math.min(commonest.length, 10 * limit);
  if (more > limit) list.append(link(`Show ${number(more)}`, () => list.replaceWith(errorList(system, kind, more))));
  return list;
}
