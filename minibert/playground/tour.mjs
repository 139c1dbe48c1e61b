// The guided tour: each step sets the page as it needs it, tells something, and asks what can be tried out.
import { fill, make } from "./make.mjs";
import { History } from "./state.mjs";
import { STEPS } from "./steps.mjs";
/** @import { App } from "./app.mjs" */
/** @import { State } from "./state.mjs" */

let told = -1; // the step whose answer is shown
/** What the reader had before the tour, and could take back. @type {{state: State, history: History} | null} */
let own = null;

/** Go to a step; -1 closes the tour. @param {App} app @param {number} step */
export function goTo(app, step) {
  told = -1;
  if (step < 0) leave(app);
  else enter(app, step);
  const box = /** @type {Element} */ (document.getElementById("tour"));
  if (step < 0) /** @type {HTMLElement | null} */ (document.querySelector("[data-key=tour]"))?.focus({ preventScroll: true });
  else if (!box.contains(document.activeElement)) focusMain(box);
}

/** A step as it begins: what is changed from then on can be taken back, and what was before the tour is put aside. @param {App} app @param {number} step */
function enter(app, step) {
  const { state } = app, { text, hidden = [], edits = {}, view, layer = 0, heads = [], place = 10000, stage = "", look = "#views" } = STEPS[step].set;
  if (state.tour < 0) own = { state: structuredClone(state), history: app.history };
  app.history = new History();
  app.look = look;
  app.panels.forEach(panel => { panel.openSecond = false; });
  app.restore({ panels: [{ text, second: "", hidden: [...hidden], edits: structuredClone(edits) }], view, layer, heads: [...heads], place, stage: stage || app.usual.stage, language: state.language, tour: step });
}

/** The tour is closed, and all is as if it had not been, what can be taken back too; but a text that the last step asked for stays. @param {App} app */
function leave(app) {
  const { state } = app, { language, tour } = state, last = STEPS.length - 1;
  const before = { ...own?.state ?? app.usual, language }, after = { ...state, tour: -1 };
  app.history = own?.history ?? new History();
  own = null;
  const typed = tour === last && state.panels[0].text !== STEPS[last].set.text;
  if (typed) app.history.remember(JSON.stringify(before), JSON.stringify(after), "tour");
  app.restore(typed ? after : before);
}

/** To the button that goes on: the next step, or the end. @param {Element} box */
const focusMain = box => /** @type {HTMLElement | null} */ (box.querySelector(".main"))?.focus({ preventScroll: true });

/** @param {App} app @param {Element} box */
export function drawTour(app, box) {
  const { tour, language } = app.state, step = STEPS[tour], of = language === "zh" ? 1 : 0;
  document.documentElement.style.scrollPaddingBottom = "0";
  if (!step || !app.data.tour) return fill(box);
  const last = STEPS.length - 1;
  const button = (/** @type {string} */ name, /** @type {() => void} */ press, more = {}) => make("button", { type: "button", "data-key": `tour-${name}`, "data-tour": name, onclick: press, ...more }, app.say(name));
  fill(box, make("div", { class: "inside" },
    make("p", { class: "soft step" }, app.say("step", tour + 1, STEPS.length), make("span", { class: "sentence" }, step.set.text)),
    make("div", { class: "telling", id: "telling", "aria-live": "polite" }, make("h2", {}, step.title[of]), make("p", {}, step.tell[of]), make("p", { class: "ask" }, step.ask[of]), told === tour ? make("p", { class: "told" }, step.answer[of]) : null),
    make("div", { class: "controls" },
      button("back", () => goTo(app, tour - 1), { disabled: tour === 0 }),
      button("tell", () => { told = tour; drawTour(app, box); focusMain(box); box.querySelector(".telling")?.scrollTo(0, 10000); }, { disabled: told === tour }),
      tour === last ? null : button("forward", () => goTo(app, tour + 1), { class: "main", "aria-describedby": "telling" }),
      button(tour === last ? "finish" : "close", () => goTo(app, -1), { "data-tour": "close", title: app.say("closeHint"), ...(tour === last ? { class: "main", "aria-describedby": "telling" } : {}) }))));
  document.documentElement.style.scrollPaddingBottom = `${/** @type {HTMLElement} */ (box).offsetHeight}px`; // what has the focus is never beneath the tour
}
