// The guided tour: each step sets the page as it needs it, tells something, and asks what can be tried out.
import { fill, make } from "./make.mjs";
import { STEPS } from "./steps.mjs";
/** @import { App } from "./app.mjs" */

let told = -1; // the step whose answer is shown

/** Go to a step, as one change that can be taken back; -1 closes the tour. @param {App} app @param {number} step */
export function goTo(app, step) {
  told = -1;
  app.change("tour", () => {
    const { state } = app;
    state.tour = step;
    if (step < 0) return;
    const { text, hidden = [], edits = {}, view, layer = 0, heads = [], place = 10000, stage = "" } = STEPS[step].set;
    state.panels = [{ text, second: "", hidden: [...hidden], edits: structuredClone(edits) }];
    Object.assign(state, { view, layer, heads: [...heads], place, stage: stage || app.usual.stage });
    app.panels.forEach(panel => { panel.pinned = null; panel.half = undefined; });
  });
  if (step < 0 || innerWidth >= 860) return; // a large screen has all in sight
  const { look } = STEPS[step].set;
  if (look === "top") scrollTo(0, 0);
  else document.querySelector(look === "answer" ? ".answers" : "#views")?.scrollIntoView();
}

/** @param {App} app @param {Element} box */
export function drawTour(app, box) {
  const { tour, language } = app.state, step = STEPS[tour], of = language === "zh" ? 1 : 0;
  if (!step || !app.data.tour) return fill(box);
  const last = STEPS.length - 1;
  const button = (/** @type {string} */ name, /** @type {() => void} */ press, more = {}) => make("button", { type: "button", "data-key": `tour-${name}`, "data-tour": name, onclick: press, ...more }, app.say(name));
  fill(box, make("div", { class: "inside" },
    make("p", { class: "soft step" }, app.say("step", tour + 1, STEPS.length)),
    make("div", { "aria-live": "polite" }, make("h2", {}, step.title[of]), make("p", {}, step.tell[of]), make("p", { class: "ask" }, step.ask[of]), told === tour ? make("p", { class: "told" }, step.answer[of]) : null),
    make("div", { class: "controls" },
      button("back", () => goTo(app, tour - 1), { disabled: tour === 0 }),
      button("tell", () => { told = tour; drawTour(app, box); /** @type {HTMLElement | null} */ (box.querySelector(`[data-tour=${tour === last ? "close" : "forward"}]`))?.focus(); }, { disabled: told === tour }),
      button("forward", () => goTo(app, tour + 1), { disabled: tour === last, class: "main" }),
      button("close", () => goTo(app, -1)))));
}
