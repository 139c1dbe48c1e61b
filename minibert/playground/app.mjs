// The page: its state, its questions to the worker, and what belongs to all panels at once.
import { fill, make, toggle } from "./make.mjs";
import { Panel } from "./panel.mjs";
import { History, VIEWS, fromFragment, good, keep, kept, toFragment } from "./state.mjs";
import { STEPS } from "./steps.mjs";
import { drawTour, goTo } from "./tour.mjs";
import { DRAW } from "./views.mjs";
import { WordPiece } from "./wordpiece.mjs";
import { say } from "./words.mjs";
/** @import { State, View } from "./state.mjs" */
/** @import { Language } from "./words.mjs" */
/** @import { Answer, Network, Question } from "./worker.mjs" */
/** @import { Tokens } from "./wordpiece.mjs" */

/** @typedef {{path: string, depth: number, class: string, equation: string, code: string, where: string, axes: number}} Stage */
/** @typedef {{title: string, tour: boolean, texts: [string, string][], tokens: Tokens, network: Network, weights: Record<string, number[]>, stages: Stage[]}} Data */

/** The first language of the browser's that the page has. @returns {Language} */
const ofBrowser = () => /^zh/i.test(navigator.languages.find(each => /^(en|zh)\b/i.test(each)) ?? "") ? "zh" : "en";

const byId = (/** @type {string} */ id) => /** @type {HTMLElement} */ (document.getElementById(id));

const ofSystem = () => matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";

/** Asks the worker one thing at a time. Each slot keeps its newest question only, so that typing never waits for what is past. */
class Questions {
  /** @param {Worker} worker @param {(error: string) => void} fail */
  constructor(worker, fail) {
    this.worker = worker;
    this.number = 0;
    this.open = false;
    /** @type {Map<string, {question: Question, done: (answer: Answer | null) => void}>} */ this.waiting = new Map();
    /** @type {{slot: string, number: number, done: (answer: Answer | null) => void} | null} */ this.running = null;
    worker.addEventListener("error", event => fail(event.message || "the worker did not start"));
    worker.addEventListener("message", ({ data }) => {
      const { running } = this;
      if (data.open) this.open = true;
      else if (running) {
        this.running = null;
        if (data.error) fail(data.error);
        running.done(data.error || this.waiting.has(running.slot) ? null : data.answer); // a newer question makes an answer old
      }
      this.next();
    });
  }

  /** @param {string} slot @param {Question} question @returns {Promise<Answer | null>} null where a newer question came */
  ask(slot, question) {
    this.waiting.get(slot)?.done(null);
    return new Promise(done => { this.waiting.set(slot, { question, done }); this.next(); });
  }

  next() {
    const slot = [...this.waiting.keys()].sort()[0]; // "panel0" before "plain0" before "probe0"
    if (!this.open || this.running || slot === undefined) return;
    const { question, done } = /** @type {{question: Question, done: (answer: Answer | null) => void}} */ (this.waiting.get(slot));
    this.waiting.delete(slot);
    this.running = { slot, number: ++this.number, done };
    this.worker.postMessage({ number: this.number, question });
  }
}

export class App {
  /** @param {Data} data @param {Worker} worker */
  constructor(data, worker) {
    this.data = data;
    this.network = data.network;
    this.tokenizer = new WordPiece(data.tokens);
    const { mask } = data.tokens;
    this.maskId = mask === null ? null : this.tokenizer.id(mask);
    this.special = new Set([data.tokens.start, data.tokens.separator, mask ?? ""]);
    this.history = new History();
    this.questions = new Questions(worker, error => { byId("status").textContent = this.say("failed", error); });
    this.state = this.addressed;
    /** @type {Panel[]} */ this.panels = [];
    this.front = 0; // which of two is in front where there is no room for both
    this.look = ""; // where to scroll once it is drawn: as in steps.mjs
    this.rebuild();
    addEventListener("hashchange", () => { if (location.hash !== toFragment(this.state)) this.visit(this.addressed); });
    addEventListener("keydown", event => this.key(event));
    let width = innerWidth;
    addEventListener("resize", () => { if (innerWidth !== width) { width = innerWidth; this.panels.forEach(panel => panel.draw()); } });
  }

  /** What is shown before anything is chosen, made anew: in the language that was chosen last, on any page, or else the browser's. @returns {State} */
  get usual() {
    return { panels: this.data.texts.map(([text, second]) => ({ text, second, hidden: [], edits: {} })), view: "heads", layer: 0, heads: [], place: 10000,
      stage: "bert.embeddings", language: kept("language", ["en", "zh"]) ?? ofBrowser(), tour: -1 };
  }

  /** What the address says. */
  get addressed() {
    const state = fromFragment(location.hash, this.usual);
    return this.data.tour && state.tour < STEPS.length ? state : { ...state, tour: -1 };
  }

  /** @param {string} key @param {...(string | number)} about */
  say(key, ...about) {
    return say(this.state.language, key, ...about);
  }

  /** @param {number} id */
  piece(id) {
    return this.data.tokens.pieces[id] ?? `#${id}`;
  }

  /** Whether a piece may be hidden: the ends are no words, and a [MASK] is hidden already. @param {number} id */
  canHide(id) {
    return this.maskId !== null && !this.special.has(this.piece(id));
  }

  /** The heads of a layer, by their numbers before any pruning. @param {number} layer */
  headsOf(layer) {
    return this.network.heads[layer];
  }

  /** @param {string} slot @param {Question} question */
  ask(slot, question) {
    return this.questions.ask(slot, question);
  }

  /** Change the state, so that it can be taken back. @param {string} what @param {() => void} how */
  change(what, how) {
    const before = JSON.stringify(this.state);
    how();
    this.history.remember(before, JSON.stringify(this.state), what);
    this.refresh();
  }

  /** Undo, or redo; the language stays as it is. @param {"past" | "future"} where */
  goBack(where) {
    const found = this.history.go(this.state, where);
    if (found) this.restore({ ...found, language: this.state.language });
  }

  /** Another address of this page, as one change. @param {State} state */
  visit(state) {
    this.history.remember(JSON.stringify(this.state), JSON.stringify(state), "address");
    this.restore(state);
  }

  /** @param {State} state */
  restore(state) {
    this.state = good(state, this.usual);
    this.panels.forEach(panel => panel.letGo());
    this.rebuild();
  }

  /** @param {Language} language */
  speak(language) {
    this.state.language = language;
    keep("language", language);
    this.rebuild();
  }

  /** Everything anew: for another language, or another number of panels. */
  rebuild() {
    const { state } = this;
    document.documentElement.lang = state.language === "zh" ? "zh-Hans" : "en";
    document.title = `${this.data.title}: ${this.say("subtitle")}`;
    byId("title").textContent = this.data.title;
    byId("subtitle").textContent = this.say("subtitle");
    byId("keys").textContent = this.say("keys");
    byId("views").setAttribute("aria-label", this.say("views"));
    if (this.panels.length !== state.panels.length) this.panels = state.panels.map((_, index) => new Panel(this, index));
    else this.panels.forEach(panel => panel.build());
    fill(byId("inputs"), ...this.panels.flatMap(panel => [panel.card, panel.answers]));
    fill(byId("panels"), ...this.panels.map(panel => panel.view));
    document.body.classList.toggle("pair", state.panels.length === 2);
    this.panels.forEach(panel => { panel.asked = ""; });
    byId("tools").setAttribute("aria-label", this.say("tools"));
    this.refresh();
  }

  /** What the state says, shown. */
  refresh() {
    const { state } = this, { past, future } = this.history;
    if (this.panels.length !== state.panels.length) return this.rebuild();
    const pair = state.panels.length === 2;
    document.documentElement.classList.toggle("changing", state.view === "change");
    document.body.dataset.front = String(this.front);
    fill(byId("tools"),
      this.data.tour && toggle(this.say("tour"), state.tour >= 0, () => goTo(this, state.tour >= 0 ? -1 : 0), { "data-key": "tour", class: "main", title: this.say("closeHint") }),
      toggle(this.say("compare"), pair, () => { this.front = 1; this.change("compare", () => { state.panels = pair ? [state.panels[0]] : [state.panels[0], structuredClone(state.panels[0])]; }); },
        { "data-key": "compare", title: this.say("compareHint") }),
      make("button", { type: "button", "data-key": "undo", disabled: past.length === 0, onclick: () => this.goBack("past") }, this.say("undo")),
      make("button", { type: "button", "data-key": "redo", disabled: future.length === 0, onclick: () => this.goBack("future") }, this.say("redo")),
      make("button", { type: "button", "data-key": "link", onclick: () => this.copy() }, this.say("link")),
      make("button", { type: "button", "data-key": "language", lang: state.language === "zh" ? "en" : "zh-Hans", title: this.say("otherHint"), onclick: () => this.speak(state.language === "zh" ? "en" : "zh") }, this.say("other")),
      make("button", { type: "button", "data-key": "theme", "aria-label": this.say("theme"), title: this.say("theme"), onclick: () => this.turn() }, "◐"));
    fill(byId("views"), ...VIEWS.map(view => make("button", { type: "button", role: "tab", id: `tab-${view}`, "data-key": view, "data-view": view, "aria-controls": "panels",
      "aria-selected": String(state.view === view), tabindex: state.view === view ? 0 : -1, onclick: () => this.open(view) }, this.say(view))));
    byId("panels").setAttribute("aria-labelledby", `tab-${state.view}`);
    drawTour(this, byId("tour"));
    this.panels.forEach(panel => panel.refresh());
    fill(byId("sides"), ...pair ? this.panels.map((panel, index) => toggle(make("span", {}, make("b", {}, panel.letter), ` ${panel.summary()}`), this.front === index,
      () => { this.front = index; this.refresh(); }, { "data-key": `side${index}`, "data-side": index })) : []);
    clearTimeout(this.writing);
    this.writing = setTimeout(() => this.write(), 300);
  }

  /** @param {View} view */
  open(view) {
    this.change("view", () => { this.state.view = view; });
  }

  /** @param {Panel} panel */
  drawView(panel) {
    if (this.questions.open) byId("status").textContent = "";
    if (this.panels.length === 2 && innerWidth < 860 && panel.index !== this.front) return; // nobody sees it
    DRAW[this.state.view](this, panel);
    if (this.look === "top" || this.look === "answer" && innerWidth >= 860) scrollTo(0, 0);
    else if (this.look) document.querySelector(this.look === "answer" ? "#panels" : this.look)?.scrollIntoView(); // on a phone the answer stays in sight
    this.look = "";
  }

  /** Put the state into the address, unless it is what a bare address shows. */
  write() {
    if (location.hash || toFragment(this.state) !== toFragment({ ...this.usual, language: ofBrowser() })) history.replaceState(null, "", toFragment(this.state));
  }

  copy() {
    history.replaceState(null, "", toFragment(this.state)); // the language too, whoever opens it
    const button = /** @type {HTMLElement | null} */ (byId("tools").querySelector('[data-key="link"]'));
    (navigator.clipboard?.writeText(location.href) ?? Promise.reject()).then(() => { if (button) { button.style.width = `${button.offsetWidth}px`; button.textContent = this.say("copied"); } }, () => prompt(this.say("link"), location.href));
  }

  turn() {
    const root = document.documentElement;
    const theme = root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
    keep("theme", theme === ofSystem() ? null : theme);
    this.panels.forEach(panel => panel.draw());
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return; // to write Chinese takes keys of its own
    const target = /** @type {HTMLElement} */ (event.target), writes = target.matches("textarea, input, select");
    const undo = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z";
    if (undo && !writes) {
      event.preventDefault();
      return this.goBack(event.shiftKey ? "future" : "past");
    }
    if (event.key === "Escape") {
      if (this.state.tour >= 0) goTo(this, -1);
      else this.panels.forEach(panel => { panel.pinned = null; panel.draw(); });
    }
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step && target.getAttribute("role") === "tab") {
      this.open(VIEWS[(VIEWS.indexOf(this.state.view) + step + VIEWS.length) % VIEWS.length]);
      byId(`tab-${this.state.view}`).focus();
    }
  }
}

/** Open the page: read what it carries, and start the worker from its own text. */
export function start() {
  const root = document.documentElement;
  root.dataset.theme = kept("theme", ["dark", "light"]) ?? ofSystem();
  const text = (/** @type {string} */ id) => byId(id).textContent ?? "";
  /** @type {Data} */
  const data = JSON.parse(text("data"));
  const worker = new Worker(URL.createObjectURL(new Blob([text("worker")], { type: "text/javascript" })));
  worker.postMessage({ network: data.network, layout: data.weights, weights: text("weights") });
  byId("weights").remove();
  const app = new App(data, worker);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (root.dataset.theme !== ofSystem()) app.turn(); });
  if (!app.questions.open) byId("status").textContent = app.say("opening");
  Object.assign(window, { app }); // for the console, and for the tests
}
if (typeof document !== "undefined") start();
