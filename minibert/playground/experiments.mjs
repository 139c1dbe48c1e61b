// What can be done to the network: switching parts of it off, and asking which pieces the answer hangs on.
import { fill, make, percent, quoted, scrolling, toggle, visible } from "./make.mjs";
import { fitting } from "./panel.mjs";
import { inUse, isChanged } from "./state.mjs";
/** @import { Edits } from "./bert.mjs" */
/** @import { Answer } from "./worker.mjs" */
/** @import { App } from "./app.mjs" */
/** @import { Panel } from "./panel.mjs" */

/** @param {App} app @param {Panel} panel */
export function drawChange(app, panel) {
  const edits = panel.state.edits, { layers } = app.network, n = panel.ids.length;
  /** @param {string} what @param {Edits} change */
  const edit = (what, change) => app.change(what, () => { panel.state.edits = inUse({ ...panel.state.edits, ...change }); });
  /** @template T @param {T[] | undefined} list @param {T} item */
  const flipped = (list = [], item) => list.includes(item) ? list.filter(each => each !== item) : [...list, item];
  const rows = Array.from({ length: layers }, (_, layer) => {
    const off = edits.layers?.includes(layer) ?? false, residuals = /** @type {const} */ (["attention", "output"]);
    const heads = app.headsOf(layer).map(head => {
      const key = `${layer}.${head}`;
      return toggle(head, !edits.heads?.includes(key), () => edit(`head${key}`, { heads: flipped(edits.heads, key) }), { class: "switch", "aria-label": app.say("thumb", layer, head), "data-switch": `head${key}`, "data-key": `switch${key}`, disabled: off });
    });
    const kept = residuals.map(place => {
      const key = `${layer}.${place}`;
      const name = app.say(place === "attention" ? "residualAttention" : "residualOutput");
      return toggle(name, !edits.residuals?.includes(key), () => edit(`residual${key}`, { residuals: flipped(edits.residuals, key) }),
        { class: "switch", "aria-label": app.say("layerResidual", layer, name), "data-switch": `residual${key}`, "data-key": `residual${key}`, disabled: off });
    });
    return make("tr", {}, make("th", { scope: "row" }, toggle(app.say("layerN", layer), !off, () => edit(`layer${layer}`, { layers: flipped(edits.layers, layer) }), { class: "switch", "data-switch": `layer${layer}`, "data-key": `layer${layer}` })),
      make("td", {}, make("div", { class: "controls" }, ...heads)), make("td", {}, make("div", { class: "controls" }, ...kept)));
  });
  const added = (/** @type {const} */ (["positions", "segments"])).map(kind =>
    toggle(app.say(kind), edits[kind] !== false, () => edit(kind, { [kind]: edits[kind] === false }), { class: "switch", "data-switch": kind, "data-key": kind }));
  const temperature = edits.temperature ?? 1, shown = make("output", { for: `temperature-${panel.index}` }, temperature.toFixed(2));
  const slider = make("input", { id: `temperature-${panel.index}`, type: "range", min: -3, max: 3, step: 0.25, value: Math.log2(temperature), "data-key": "temperature",
    oninput: () => { shown.textContent = (2 ** slider.value).toFixed(2); edit(`temperature${panel.index}`, { temperature: 2 ** slider.value }); } });
  /** @param {string} key @param {string} label @param {number} chosen @param {string[]} names @param {(value: number) => void} choose */
  const select = (key, label, chosen, names, choose) => {
    const options = names.map((name, value) => make("option", { value: value - 1, selected: value - 1 === chosen }, name));
    const box = make("select", { "data-key": key, "aria-label": label, onchange: () => choose(Number(box.value)) }, ...options);
    return box;
  };
  const nobody = app.say("nobody"), names = [nobody, ...panel.ids.map((_, place) => `${place} ${panel.piece(place)}`)];
  const swap = edits.swap ?? [-1, -1], vector = edits.vector ?? { layer: 0, at: -1, from: -1 };
  // A half that is not chosen yet is kept here until the other half is.
  const half = panel.half ??= { swap: [-1, -1], vector: { layer: 0, at: -1, from: -1 } };
  if (edits.swap) half.swap = swap.slice();
  if (edits.vector) half.vector = { ...vector };
  const swapped = (/** @type {number} */ i) => (/** @type {number} */ value) => {
    half.swap[i] = value;
    edit("swap", { swap: half.swap.every(place => place >= 0) && half.swap[0] !== half.swap[1] ? half.swap.slice() : null });
  };
  const given = (/** @type {"layer" | "at" | "from"} */ part) => (/** @type {number} */ value) => {
    half.vector[part] = part === "layer" ? value + 1 : value;
    edit("vector", { vector: half.vector.at >= 0 && half.vector.from >= 0 && half.vector.at !== half.vector.from ? { ...half.vector } : null });
  };
  const stages = Array.from({ length: layers + 1 }, (_, i) => i === 0 ? app.say("embeddings") : app.say("layerN", i - 1));
  const line = (/** @type {(Node | string)[]} */ ...parts) => make("div", { class: "controls line" }, ...parts.map(part => typeof part === "string" ? make("span", {}, part) : part));
  fill(panel.view, make("div", { class: "head-row" }, make("p", { class: "soft" }, app.say("changeTitle")),
    make("button", { type: "button", "data-key": "reset", "data-reset": true, disabled: !isChanged(edits), onclick: () => { panel.half = undefined; app.change("reset", () => { panel.state.edits = {}; }); } }, app.say("reset"))),
  make("div", { class: "scroll" }, make("table", { class: "switches" }, make("tr", {}, make("th", {}, app.say("layer")), make("th", {}, app.say("works")), make("th", {}, app.say("residuals"))), ...rows)),
  line(app.say("added"), ...added), line(make("label", { for: slider.id }, app.say("temperature")), slider, shown, make("span", { class: "soft" }, app.say("temperatureHint"))),
  line(app.say("swap"), select("swap0", app.say("swap"), half.swap[0], names.slice(0, n + 1), swapped(0)), app.say("and"), select("swap1", app.say("and"), half.swap[1], names, swapped(1))), swapNote(app, panel),
  line(app.say("vector"), select("vector-layer", app.say("vector"), half.vector.layer - 1, stages, given("layer")), app.say("vectorAt"), select("vector-at", app.say("vectorAt"), half.vector.at, names, given("at")),
    app.say("vectorFrom"), select("vector-from", app.say("vectorFrom"), half.vector.from, names, given("from"))));
}

/** What a swap does, so that nobody takes the place where a piece stands for the position that it gets. @param {App} app @param {Panel} panel */
function swapNote(app, panel) {
  const swap = fitting(panel.state.edits, panel.ids.length, app.network.layers).swap;
  if (!swap) return null;
  if (!panel.positionsMove) return make("p", { class: "soft note" }, app.say("swapIdle"));
  const order = panel.ids.map((_, position) => panel.positionOf(position)).map(place => visible(app.piece(panel.ids[place])));
  return make("p", { class: "soft note" }, swap.map(place => app.say("stands", quoted(panel.piece(place)), panel.placed(place))).join(" "), " ", app.say("reads", order.join(" ").replaceAll(" ##", "")));
}

/** @typedef {{place: number, takenOut?: number, covered?: number}} Row */

/**
 * What the answer is about: at which place, which word or label, and how probable it is. null where there is no answer to hang on something.
 * @param {App} app @param {Panel} panel
 */
function subject(app, panel) {
  const { answer, blanks } = panel, at = blanks[0];
  if (app.network.kind === "words" && answer?.words?.[0]) return { at, id: answer.words[0][0].id, share: answer.words[0][0].share, name: visible(app.piece(answer.words[0][0].id)) };
  if (app.network.kind !== "labels" || !answer?.labels || app.network.share === "number") return null;
  const best = [...answer.labels].sort((a, b) => b.share - a.share)[0];
  return { at: -1, id: best.id, share: best.share, name: visible(app.network.labels[best.id]) };
}

/** Each piece is taken out, then hidden, and the network is asked again. @param {App} app @param {Panel} panel */
export function drawInfluence(app, panel) {
  const about = subject(app, panel);
  if (!about) return fill(panel.view, make("p", {}, app.say(app.network.kind === "words" ? "influenceNone" : "influenceTags")));
  const own = `${panel.asked} ${about.id}`; // of this question: a later one begins anew
  if (panel.probe?.own === own) return panel.probe.show();
  const places = panel.ids.map((_, place) => place).filter(place => place !== about.at && app.canHide(panel.ids[place]));
  /** @type {Row[]} */
  const rows = places.map(place => ({ place }));
  const cover = app.maskId ?? app.tokenizer.id(app.data.tokens.unknown), { segments, ids } = panel, edits = JSON.parse(panel.asked).edits;
  const share = (/** @type {Answer} */ answer) => answer.of?.[0]?.[0] ?? answer.labels?.find(each => each.id === about.id)?.share;
  let done = 0;
  const show = () => {
    const bar = (/** @type {string} */ name, /** @type {number | undefined} */ value) => value === undefined ? make("span", { class: "track" }) : make("span", { class: "both" },
      make("span", { class: "track" }, make("span", { class: `bar ${name}`, style: { width: `${100 * value}%` } }), make("span", { class: "was", style: { left: `${100 * about.share}%` } })), make("span", { class: "number" }, percent(value)));
    fill(panel.view, make("h2", {}, app.say("influenceTitle", quoted(about.name), percent(about.share))), make("p", { class: "soft", role: "status" }, done < rows.length ? app.say("working", done, rows.length) : app.say("influenceMarks")),
      scrolling(panel.named(app.say("influence")), make("table", { class: "influence" }, make("tr", {}, make("th", { scope: "col" }, app.say("pieces")), make("th", { scope: "col" }, app.say("takenOut")), make("th", { scope: "col" }, app.say("covered"))),
        ...rows.map(row => make("tr", { "data-influence": row.place }, make("th", { scope: "row" }, panel.piece(row.place)), make("td", {}, bar("out", row.takenOut)), make("td", {}, bar("over", row.covered)))))));
  };
  const without = (/** @type {number[]} */ list, /** @type {number} */ place) => list.filter((_, i) => i !== place);
  const mine = panel.probe = { own, show };
  show();
  (async () => {
    for (const row of rows) {
      const { place } = row, moved = about.at > place ? about.at - 1 : about.at, of = [about.id];
      const covered = ids.map((id, at) => at === place ? cover : id);
      const at = (/** @type {number} */ where) => where < 0 ? [] : [where];
      const one = await app.ask(`probe${panel.index}`, { ids: without(ids, place), segments: without(segments, place), edits: withoutPlaces(edits), at: at(moved), of });
      const two = one && await app.ask(`probe${panel.index}`, { ids: covered, segments, edits, at: at(about.at), of });
      if (panel.probe !== mine) return; // another question was asked meanwhile
      if (!one || !two || app.state.view !== "influence") return void (panel.probe = null);
      Object.assign(row, { takenOut: share(one), covered: share(two) });
      done++;
      show();
    }
  })();
}

/** Edits that hold wherever a piece stands: where one is taken out, places are others. @param {Edits} edits @returns {Edits} */
const withoutPlaces = ({ swap: _, vector: __, ...others }) => others;
