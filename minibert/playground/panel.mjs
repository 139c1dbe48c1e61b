// One text in the network: where it is typed, its pieces, and the answer. A page shows one, or two side by side.
import { COLOURS, fill, make, percent, quoted, visible } from "./make.mjs";
import { inUse, isChanged, moved } from "./state.mjs";
/** @import { Edits } from "./bert.mjs" */
/** @import { Answer, Question } from "./worker.mjs" */
/** @import { App } from "./app.mjs" */

const MOST_BLANKS = 6;

/** Edits without what this text or this model has not: places behind its end, layers above its last. @param {Edits} edits @param {number} length @param {number} layers */
export function fitting(edits, length, layers) {
  const { swap, vector, ...others } = inUse(edits);
  return inUse({
    ...others,
    swap: swap && swap.every(place => place < length) ? swap : null,
    vector: vector && vector.at < length && vector.from < length && vector.layer <= layers ? vector : null,
  });
}

/** What is changed in the network, for a reader. @param {App} app @param {Edits} edits */
export function changesOf(app, edits) {
  const { heads = [], layers = [], residuals = [], positions, segments, temperature, swap, vector } = inUse(edits), after = (/** @type {number} */ layer) => layer === 0 ? app.say("embeddings") : app.say("layerN", layer - 1);
  const off = [...layers.map(layer => app.say("layerN", layer)), ...heads.map(head => app.say("thumb", ...head.split("."))),
    ...residuals.map(residual => residual.split(".")).map(([layer, place]) => app.say("layerResidual", layer, app.say(place === "attention" ? "residualAttention" : "residualOutput"))),
    ...positions === false ? [app.say("positions")] : [], ...segments === false ? [app.say("segments")] : []].map(name => app.say("offName", name));
  return [...off, temperature !== undefined && `${app.say("temperature")} ${temperature.toFixed(2)}`, swap && app.say("swapOf", ...swap), vector && app.say("vectorOf", after(vector.layer), vector.at, vector.from)].filter(part => part).join(app.say("nextHead"));
}

export class Panel {
  /** @param {App} app @param {number} index */
  constructor(app, index) {
    this.app = app;
    this.index = index;
    /** @type {number[]} */ this.ids = [];
    /** @type {number[]} */ this.segments = [];
    /** @type {Answer | null} */ this.answer = null;
    /** @type {Answer | null} */ this.plain = null; // of the unchanged network
    /** @type {Answer | null} */ this.kept = null; // what the changed network says of the words that led before
    this.asked = "";
    this.shown = ""; // the state that the fields, the pieces and the views were drawn from
    /** @type {{key: string, ids: number[], segments: number[]} | undefined} */ this.encoded = undefined;
    /** @type {{own: string, show: () => void} | null} */ this.probe = null;
    /** @type {number | null} */ this.pinned = null;
    /** @type {{swap: number[], vector: {layer: number, at: number, from: number}} | undefined} */ this.half = undefined;
    /** @type {number[]} */ this.unhidden = [];
    this.stage = ""; // the one whose numbers were drawn last
    this.openSecond = false; // a second field, though nothing is in it
    this.length = 0;
    this.card = make("section", { class: "card input", "data-panel": index });
    this.answers = make("section", { class: `card answers ${this.kind}`, "data-panel": index });
    this.said = make("p", { class: "unseen", "aria-live": "polite" }); // for readers of screens, once typing rests
    this.view = make("section", { class: "card view", "data-panel": index });
    this.build();
  }

  get state() {
    return this.app.state.panels[this.index];
  }

  /** Which of two it is, for a reader. */
  get letter() {
    return "AB"[this.index];
  }

  get kind() {
    return this.app.network.kind;
  }

  /** The places that are blank: hidden by a click, or typed as [MASK]. */
  get blanks() {
    const mask = this.app.maskId;
    return this.ids.flatMap((id, place) => mask !== null && id === mask ? [place] : []);
  }

  /** A piece's name for a reader, what stands at a hidden place included. @param {number} place */
  piece(place) {
    return visible(this.app.piece(this.unhidden[place]));
  }

  /** Whose position a place has: its own, unless two are swapped. @param {number} place */
  positionOf(place) {
    const { positions, swap } = fitting(this.state.edits, this.ids.length, this.app.network.layers);
    return swap?.includes(place) && positions !== false ? swap[1 - swap.indexOf(place)] : place;
  }

  /** Whether any piece is given another's position. */
  get positionsMove() {
    return this.ids.some((_, place) => this.positionOf(place) !== place);
  }

  /** Where a piece stands, and which position it is given, for a reader. @param {number} place */
  placed(place) {
    const position = this.positionOf(place);
    return this.app.say(position === place ? "place" : this.app.network.positions === "absolute" ? "placeSwapped" : "placeCounted", place, position);
  }

  /** A name that is this panel's alone, where there are two. @param {string} name */
  named(name) {
    return this.app.state.panels.length === 2 ? `${this.letter}: ${name}` : name;
  }

  /** Text, hidden pieces and changes in a line. */
  summary() {
    const { text, second, edits } = this.state, hidden = this.state.hidden.filter(place => this.blanks.includes(place)).map(place => quoted(this.piece(place)));
    return [second ? `${text} | ${second}` : text, hidden.length > 0 && `${this.app.say("hidden")}: ${hidden.join(", ")}`, isChanged(edits) && this.app.say("changes", changesOf(this.app, edits))].filter(part => part).join(" · ");
  }

  /** Nothing is pointed at, and no choice is half made. */
  letGo() {
    this.pinned = null;
    this.half = undefined;
  }

  /** The fields, once: they stay while somebody types. */
  build() {
    const { app } = this, span = this.kind === "span";
    /** @param {"text" | "second"} field @param {string} label */
    const field = (field, label) => {
      const area = make("textarea", { id: `${field}-${this.index}`, rows: field === "text" && !span ? 3 : 2, spellcheck: "false", autocomplete: "off",
        oninput: () => this.type(field, area.value) });
      area.value = this.state[field];
      return { area, row: make("div", { class: "field" }, make("label", { for: area.id }, label), area) };
    };
    const text = field("text", app.say(span ? "question" : "text")), second = field("second", app.say(span ? "passage" : "second"));
    this.fields = { text: text.area, second: second.area };
    const canPair = app.network.segments > 1, open = canPair && (span || this.openSecond || this.state.second !== "");
    this.answers.setAttribute("aria-label", this.named(app.say("answer")));
    const add = make("button", { type: "button", class: "quiet", onclick: () => { this.openSecond = true; this.build(); this.refresh(); this.fields?.second.focus(); } }, app.say("addSecond"));
    this.pieces = make("div", { class: "pieces", role: "group", "aria-label": app.say("pieces") });
    this.note = make("p", { class: "soft" });
    this.shown = "";
    this.card.replaceChildren(text.row, ...(open ? [second.row] : canPair ? [add] : []), this.pieces, this.note, this.said);
  }

  /** @param {"text" | "second"} field @param {string} value */
  type(field, value) {
    this.openSecond ||= field === "second"; // its field stays when all is deleted, in the other language too
    this.app.change(`${field}${this.index}`, () => {
      const before = this.encode();
      this.state[field] = value;
      this.state.hidden = moved(this.state.hidden, before.ids, this.encode().ids);
    });
  }

  /** The ids of the text, cut where it is too long. */
  encode() {
    const { app, state } = this, { maximum } = app.network, second = app.network.segments > 1 ? state.second : "", key = `${state.text}\n\0${second}`;
    if (this.encoded?.key !== key) this.encoded = { key, ...app.tokenizer.encode(state.text, second) }; // it is asked for again and again
    const { ids, segments } = this.encoded;
    this.length = ids.length;
    if (ids.length <= maximum) return { ids, segments };
    return { ids: [...ids.slice(0, maximum - 1), ids[ids.length - 1]], segments: segments.slice(0, maximum) };
  }

  /** The fields and pieces as the state says, and a question to the network where it is a new one. */
  refresh() {
    const { app, state } = this, shown = JSON.stringify({ ...app.state, panels: [state, app.front] });
    if (this.asked && shown === this.shown) return; // the other one is typed in
    this.shown = shown;
    const { ids, segments } = this.encode();
    this.unhidden = ids;
    const hides = (/** @type {number} */ place) => app.maskId !== null && state.hidden.includes(place) && app.canHide(ids[place]);
    this.ids = ids.map((id, place) => hides(place) ? /** @type {number} */ (app.maskId) : id);
    this.segments = segments;
    for (const name of /** @type {const} */ (["text", "second"])) {
      const area = this.fields?.[name];
      if (area && area.value !== state[name]) area.value = state[name];
    }
    this.drawPieces();
    const question = this.question(), asked = JSON.stringify(question);
    if (asked === this.asked) return this.draw();
    this.asked = asked;
    app.ask(`panel${this.index}`, question).then(answer => answer && this.receive(answer, question));
  }

  /** What this view needs. @returns {Question} */
  question() {
    const { app } = this, { view } = app.state, edits = fitting(this.state.edits, this.ids.length, app.network.layers);
    return {
      ids: this.ids, segments: this.segments, edits, at: this.blanks.slice(0, MOST_BLANKS), attention: view === "heads",
      lens: view === "layers" ? this.place : null, stages: view === "stages", stage: app.state.stage,
    };
  }

  /** The place that is looked at: the chosen one, or the first blank. */
  get place() {
    const { place } = this.app.state;
    return place < this.ids.length ? place : this.blanks[0] ?? 0;
  }

  /** @param {Answer} answer @param {Question} question */
  receive(answer, question) {
    this.answer = answer;
    this.plain = this.kept = null;
    this.draw();
    if (isChanged(question.edits ?? {})) this.compare(answer, question);
  }

  /** The unchanged network is asked for the same words, and the changed one for those that led before. @param {Answer} answer @param {Question} question */
  async compare(answer, { ids, segments, at, edits }) {
    const ask = (/** @type {Question} */ more) => this.app.ask(`plain${this.index}`, more);
    const plain = await ask({ ids, segments, at, of: this.wordsOf(answer) });
    const kept = plain?.words && this.answer === answer ? await ask({ ids, segments, at, edits, of: plain.words.map(words => words[0].id) }) : null;
    if (!plain || this.answer !== answer) return;
    Object.assign(this, { plain, kept });
    this.drawAnswer();
  }

  /** The words of an answer, each once. @param {Answer} answer */
  wordsOf(answer) {
    return [...new Set((answer.words ?? []).flat().map(word => word.id))];
  }

  /** The likeliest words for a blank; the one that led in the unchanged network is the last of them where it has fallen out. @param {Answer} answer @param {number} i */
  rows(answer, i) {
    const rows = (answer.words?.[i] ?? []).slice(0, this.blanks.length > 2 ? 3 : 8).map(row => ({ ...row, was: this.plain?.of?.[i]?.[this.wordsOf(answer).indexOf(row.id)] }));
    const led = this.plain?.words?.[i]?.[0], share = this.kept?.of?.[i]?.[i];
    if (led && share !== undefined && !rows.some(({ id }) => id === led.id)) rows.splice(-1, 1, { id: led.id, share, was: led.share });
    return rows.map(row => ({ ...row, led: row.id === led?.id }));
  }

  draw() {
    if (!this.answer) return;
    this.drawAnswer();
    this.app.drawView(this);
  }

  drawPieces() {
    const { app, ids } = this;
    const chips = ids.map((_, place) => {
      const own = this.unhidden[place], can = app.canHide(own), hidden = can && this.state.hidden.includes(place);
      const name = this.piece(place);
      return make("button", { type: "button", class: `piece${hidden ? " hidden-piece" : ""}${this.segments[place] ? " segment-1" : ""}`, disabled: !can,
        "data-key": `piece${place}`, "data-piece": place, "aria-pressed": can ? String(hidden) : null,
        "aria-label": `${app.say("pieceAt", name, this.placed(place))}${hidden ? `, ${app.say("hidden")}` : ""}`, onclick: () => app.change("hide", () => {
          const { hidden: now } = this.state;
          this.state.hidden = now.includes(place) ? now.filter(each => each !== place) : [...now, place].sort((a, b) => a - b);
          app.state.place = this.state.hidden.includes(place) ? place : 10000; // look at what was hidden last
        }) }, make("span", { class: "name" }, name), make("span", { class: "id" }, ids[place]), this.positionOf(place) !== place && make("span", { class: "id swapped" }, app.say("gets", this.positionOf(place))));
    });
    fill(/** @type {Element} */ (this.pieces), ...chips);
    const { maximum } = app.network;
    const said = this.length > maximum ? app.say("tooLong", this.length, maximum) : app.maskId === null ? "" : app.say("hideHint");
    const unknown = ids.includes(app.tokenizer.id(app.data.tokens.unknown)) ? app.tokenizer.unknown(`${this.state.text} ${this.state.second}`) : [];
    fill(/** @type {Element} */ (this.note), said, unknown.length > 0 && make("span", { class: "unknown" }, app.say("unknown", app.data.tokens.unknown, unknown.slice(0, 12).join(" ") + (unknown.length > 12 ? " …" : ""))));
  }

  /** A row of the answer: a name, its share, a bar, and where the unchanged network is. @param {string} name @param {number} share @param {number | undefined} plain @param {boolean} [led] */
  bar(name, share, plain, led = false) {
    const width = (/** @type {number} */ value) => `${Math.max(0, Math.min(100, 100 * value))}%`;
    return make("div", { class: `bar-row${led ? " led" : ""}` }, make("span", { class: "name" }, name), make("span", { class: "track" },
      make("span", { class: "bar", style: { width: width(share) } }), plain === undefined ? null : make("span", { class: "was", style: { left: width(plain) } })),
      make("span", { class: "number" }, percent(share)), plain === undefined ? null : make("span", { class: "number soft" }, percent(plain)));
  }

  drawAnswer() {
    const { app, plain } = this, answer = /** @type {Answer} */ (this.answer), parts = [];
    if (this.kind === "words") {
      parts.push(...this.blanks.slice(0, MOST_BLANKS).map((place, i) => make("div", { class: "blank" }, make("h3", {}, app.say("blank", quoted(this.piece(place)), this.placed(place))),
        ...this.rows(answer, i).map(({ id, share, was, led }) => this.bar(visible(app.piece(id)), share, was, led)))));
      if (this.blanks.length > MOST_BLANKS) parts.push(make("p", { class: "more" }, app.say("moreBlanks", MOST_BLANKS, this.blanks.length)));
      if (this.blanks.length === 0) parts.push(make("p", {}, app.say("noBlank")));
      if (answer.next) parts.push(make("p", {}, app.say("nextYes", percent(answer.next[0].share))));
    } else if (this.kind === "labels") {
      const sorted = [...(answer.labels ?? [])].sort((a, b) => b.share - a.share).slice(0, 20);
      parts.push(...sorted.map(({ id, share }) => app.network.share === "number" ? make("p", { class: "big" }, `${app.network.labels[id]}: ${share.toFixed(3)}`)
        : this.bar(app.network.labels[id], share, plain?.labels?.find(each => each.id === id)?.share)));
    } else if (this.kind === "tags") {
      parts.push(make("div", { class: "tags" }, ...(answer.tags ?? []).slice(1, -1).map(([best], i) => make("div", { class: "tag", style: { "border-color": best.id ? COLOURS[best.id % COLOURS.length] : "" } },
        make("span", { class: "name" }, this.piece(i + 1)), make("b", {}, app.network.labels[best.id]), make("span", { class: "soft" }, percent(best.share, 0))))));
    } else if (this.kind === "span") {
      if (this.segments[this.segments.length - 1] === 0) parts.push(make("p", {}, app.say("noSpan")));
      else parts.push(...(answer.spans ?? []).map(({ from, to, share }) => this.bar(from === 0 ? app.say("noAnswer") : this.words(from, to), share, undefined)));
    } else parts.push(make("p", {}, app.say("noHead")));
    const changed = isChanged(this.state.edits);
    if (changed || app.state.view === "change") parts.push(make("p", { class: "soft" }, app.say(changed ? "unchanged" : "asTrained"))); // always a line, so that nothing moves at the first change
    clearTimeout(this.saying);
    this.saying = setTimeout(() => { this.said.textContent = [...this.answers.querySelectorAll("h3, .bar-row, p:not(.soft), .tag")].slice(0, 5).map(each => [...each.childNodes].map(child => child.textContent).join(" ")).join("; "); }, 800);
    fill(this.answers, make("h2", {}, app.say("answer"), make("span", { class: "soft ms" }, app.say("ms", this.ids.length, answer.ms.toFixed(0)))), ...parts);
  }

  /** Pieces as words: un ##kind ##ly → unkindly. @param {number} from @param {number} to */
  words(from, to) {
    return Array.from({ length: to - from + 1 }, (_, i) => this.piece(from + i)).join(" ").replaceAll(" ##", "");
  }
}
