// What can be seen of the network: its heads, the answer layer by layer, and the numbers of every stage.
import { COLOURS, colour, fill, make, percent, pixels, quoted, save, scrolling, toggle, visible } from "./make.mjs";
import { drawChange, drawInfluence } from "./experiments.mjs";
import { changesOf } from "./panel.mjs";
import { isChanged } from "./state.mjs";
/** @import { Matrix } from "./bert.mjs" */
/** @import { App } from "./app.mjs" */
/** @import { Panel } from "./panel.mjs" */

/** @type {Record<string, (app: App, panel: Panel) => void>} */
export const DRAW = { heads: drawHeads, layers: drawLayers, stages: drawStages, change: drawChange, influence: drawInfluence };

const ROW = 24;

/** Of a layer's weights (heads · seq, seq), a reader for the head of a number: pruned ones have no rows. @param {App} app @param {Matrix} looks @param {number} layer */
const weightsOf = (app, looks, layer) => (/** @type {number} */ head, /** @type {number} */ from, /** @type {number} */ to) =>
  looks.data[(app.headsOf(layer).indexOf(head) * looks.columns + from) * looks.columns + to];

// Attention -----------------------------------------------------------------------------------------------------------------

/** @param {App} app @param {Panel} panel */
function drawHeads(app, panel) {
  const { state } = app, layers = panel.answer?.attention;
  if (!layers) return;
  const layer = Math.min(state.layer, layers.length - 1), looks = layers[layer];
  const widest = Math.max(...layers.map(each => each ? each.rows / each.columns : 1));
  const open = (/** @type {number} */ at, /** @type {number} */ head) => app.change("head", () => { state.layer = at; state.heads = [head]; });
  const grid = make("div", { class: "thumbs", role: "group", "aria-label": app.say("thumbHint"), style: { "grid-template-columns": `repeat(${widest}, minmax(36px, 1fr))`, "max-width": `${widest * 96}px` } });
  layers.forEach((of, at) => {
    if (!of) grid.append(make("span", { class: "soft", style: { "grid-row": `${at + 1}`, "grid-column": "1 / -1" } }, `${app.say("layerN", at)}: ${app.say("off")}`));
    else app.headsOf(at).forEach((head, i) => {
      const n = of.columns, off = isOff(panel, at, head);
      const chosen = at === layer && state.heads.length === 1 && state.heads[0] === head;
      grid.append(make("button", { type: "button", class: `thumb${off ? " is-off" : ""}`, style: { "grid-row": `${at + 1}`, "--colour": COLOURS[head % COLOURS.length] }, "data-thumb": `${at}.${head}`, "data-key": `thumb${at}.${head}`,
        "aria-pressed": String(chosen), "aria-label": app.say("thumb", at, head) + (off ? `, ${app.say("off")}` : ""), onclick: () => open(at, head) },
      pixels(of.data.subarray(i * n * n, (i + 1) * n * n), n, Math.sqrt), `${at}·${head}${off ? ` ${app.say("off")}` : ""}`));
    });
  });
  const overview = make("div", { class: "overview" }, make("p", { class: "soft" }, app.say("thumbHint")), make("div", { class: "scroll" }, grid));
  const right = make("div", { class: "lines" }, make("h2", {}, app.say("linesOf", layer)));
  fill(panel.view, make("div", { class: "attention" }, overview, right));
  if (!looks) return void right.append(make("p", {}, app.say("layerOff")));
  const present = app.headsOf(layer), chosen = state.heads.filter(head => present.includes(head)), all = chosen.length === 0;
  const heads = all ? present : chosen;
  right.append(make("div", { class: "controls" }, ...present.map(head => toggle(nameOf(app, panel, layer, head), heads.includes(head), () => app.change("head", () => {
    state.heads = chosen.includes(head) ? chosen.filter(each => each !== head) : [...chosen, head].sort((a, b) => a - b);
  }), { class: "chip", style: { "--colour": COLOURS[head % COLOURS.length] }, "data-key": `head${head}`, "data-head": head })),
  toggle(app.say("allHeads"), all, () => app.change("head", () => { state.heads = []; }), { "data-key": "all" })));
  const lines = drawLines(app, panel, looks, layer, heads);
  right.append(lines.element, lines.readout, make("div", { class: "controls" }, make("span", { class: "soft" }, app.say("saveAs")),
    ...(/** @type {const} */ (["svg", "png"])).map(kind => make("button", { type: "button", "data-save": kind, onclick: () => save(picture(app, panel, lines.element, layer, heads), kind) }, kind.toUpperCase()))));
  right.append(whereTable(app, panel, looks, layer));
}

/** @param {Panel} panel @param {number} layer @param {number} head */
const isOff = (panel, layer, head) => panel.state.edits.heads?.includes(`${layer}.${head}`) ?? false;

/** A head's name, and that it is off. @param {App} app @param {Panel} panel @param {number} layer @param {number} head */
function nameOf(app, panel, layer, head) {
  const name = app.say("headN", head);
  return isOff(panel, layer, head) ? app.say("offName", name) : name;
}

/** @param {App} app @param {Panel} panel @param {Matrix} looks @param {number} layer @param {number[]} heads */
function drawLines(app, panel, looks, layer, heads) {
  const weight = weightsOf(app, looks, layer), n = looks.columns, width = Math.max(300, Math.min(560, panel.view.clientWidth - 40)), left = 0.34 * width, right = 0.66 * width;
  const middle = (/** @type {number} */ i) => 6 + i * ROW + ROW / 2, places = Array.from({ length: n }, (_, i) => i);
  const svg = make("svg:svg", { class: "links", viewBox: `0 0 ${width} ${n * ROW + 12}`, role: "group", "aria-label": app.say("linesOf", layer) });
  const lines = make("svg:g"), readout = make("p", { class: "soft readout", "aria-live": "polite" });
  svg.append(lines);
  const shares = places.map(to => {
    const share = make("svg:text", { class: "weight", x: width - 4, y: middle(to) + 5, "text-anchor": "end" });
    svg.append(make("svg:text", { x: right + 6, y: middle(to) + 5 }, short(panel.piece(to))), share);
    return share;
  });
  const askers = places.map(from => {
    const asker = make("svg:g", { class: "token", tabindex: 0, role: "button", "data-token": from, "data-key": `token${from}`, "aria-label": app.say("pieceAt", panel.piece(from), panel.placed(from)),
      onmouseenter: () => { if (panel.pinned === null) draw(from); }, onfocus: () => draw(from),
      onclick: () => { panel.pinned = panel.pinned === from ? null : from; draw(from); }, onkeydown: (/** @type {KeyboardEvent} */ event) => {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (event.key === "Enter" || event.key === " ") { event.preventDefault(); panel.pinned = panel.pinned === from ? null : from; draw(from); }
        if (step) { event.preventDefault(); askers[(from + step + n) % n].focus(); }
      } }, make("svg:rect", { x: 2, y: 6 + from * ROW + 1, width: left - 6, height: ROW - 2, rx: 4, fill: "transparent" }),
    make("svg:text", { x: left - 8, y: middle(from) + 5, "text-anchor": "end" }, short(panel.piece(from))));
    svg.append(asker);
    return asker;
  });
  svg.addEventListener("mouseleave", () => { if (panel.pinned === null) draw(null); });

  /** The lines of one piece, or of all. Lines of one head and about one strength are one path: few elements are quick. @param {number | null} one */
  function draw(one) {
    lines.replaceChildren();
    for (const head of heads) {
      /** @type {Map<number, string>} */
      const paths = new Map();
      const bend = (right - left) * (0.35 + 0.06 * (head % 4)), strength = isOff(panel, layer, head) ? 0.15 : 1; // it looks, but nothing is gathered
      for (const from of one === null ? places : [one]) for (const to of places) {
        const share = weight(head, from, to);
        if (share < 0.03) continue;
        const step = Math.ceil(share * 8);
        paths.set(step, `${paths.get(step) ?? ""}M${left} ${middle(from)}C${left + bend} ${middle(from)} ${right - bend} ${middle(to)} ${right} ${middle(to)}`);
      }
      for (const [step, d] of paths) lines.append(make("svg:path", { d, fill: "none", stroke: COLOURS[head % COLOURS.length], "stroke-width": 0.5 + step / 3.2, "stroke-opacity": strength * Math.min(1, 0.06 + step / 8) }));
    }
    askers.forEach((asker, i) => asker.classList.toggle("chosen", i === one));
    shares.forEach((share, to) => { share.textContent = one === null || heads.length === 0 ? "" : percent(heads.reduce((sum, head) => sum + weight(head, one, to), 0) / heads.length); });
    if (one === null) return void (readout.textContent = app.say("lineHint"));
    const said = heads.map(head => {
      const best = [...places].sort((a, b) => weight(head, one, b) - weight(head, one, a)).slice(0, 3).filter(to => weight(head, one, to) >= 0.03); // those that have a line
      return app.say("byHead", best.map(to => `${quoted(panel.piece(to))} ${percent(weight(head, one, to))}`).join(", "), nameOf(app, panel, layer, head));
    });
    readout.textContent = `${app.say("looks", quoted(panel.piece(one)), said.join(app.say("nextHead")))} ${heads.length > 1 ? app.say("meanOf") : ""}`;
  }
  draw(panel.pinned !== null && panel.pinned < n ? panel.pinned : null);
  return { element: svg, readout };
}

/** @param {string} piece */
const short = piece => piece.length > 16 ? `${piece.slice(0, 15)}…` : piece;

/** Where each head of a layer looks on average: for those who cannot see a diagonal, and for those who are not sure of it. @param {App} app @param {Panel} panel @param {Matrix} looks @param {number} layer */
function whereTable(app, panel, looks, layer) {
  const weight = weightsOf(app, looks, layer), n = looks.columns, ends = panel.ids.flatMap((id, i) => app.piece(id) === app.data.tokens.separator ? [i] : []);
  /** Averages over the pieces that are no special ones at the ends. @param {number} head @param {(from: number) => number} share */
  const average = (head, share) => {
    let total = 0;
    for (let from = 1; from < n - 1; from++) total += share(from);
    return total / Math.max(1, n - 2);
  };
  const columns = ["before", "itself", "after", "first", "ends"];
  const rows = app.headsOf(layer).map(head => {
    const at = (/** @type {number} */ from, /** @type {number} */ to) => weight(head, from, to);
    return [average(head, from => at(from, from - 1)), average(head, from => at(from, from)), average(head, from => at(from, from + 1)),
      average(head, from => at(from, 0)), average(head, from => ends.reduce((sum, end) => sum + at(from, end), 0))];
  });
  return make("div", { class: "where" }, make("h3", {}, app.say("whereTitle", layer)), scrolling(panel.named(app.say("whereTitle", layer)), make("table", {},
    make("tr", {}, make("th", { scope: "col" }, app.say("head")), ...columns.map(name => make("th", { class: "number", scope: "col" }, app.say(name)))),
    ...app.headsOf(layer).map((head, row) => make("tr", {}, make("th", { scope: "row" }, head), ...rows[row].map((share, i) => make("td", { class: "number", "data-where": `${head}.${columns[i]}`,
      style: { background: `rgba(${colour("--plus")}, ${(0.55 * share).toFixed(3)})` } }, percent(share, 0))))))), make("p", { class: "soft" }, app.say("whereNote"), panel.positionsMove ? ` ${app.say("whereSwapped")}` : ""));
}

/** A drawing that stands by itself: the text, the answer and the lines, with their colours inside. @param {App} app @param {Panel} panel @param {SVGSVGElement} lines @param {number} layer @param {number[]} heads */
function picture(app, panel, lines, layer, heads) {
  const { width, height } = lines.viewBox.baseVal, ink = colour("--ink"), words = panel.answer?.words?.[0]?.slice(0, 5) ?? [];
  const top = 92 + 22 * words.length, font = "13px ui-monospace, monospace";
  const svg = make("svg:svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${top + height}`, width, height: top + height, fill: ink });
  const inner = /** @type {SVGElement} */ (lines.cloneNode(true));
  inner.querySelectorAll("text").forEach(text => text.setAttribute("font-size", "13"));
  const { text, second, edits } = panel.state, most = Math.floor(width / 8.5); // so many letters fit
  const line = (/** @type {number} */ y, /** @type {string} */ said, more = "") => {
    const chars = Array.from(visible(said.replace(/\s+/g, " "))), wide = chars.filter(char => char > "\u2e80").length; // ideographs take twice the place
    const fit = Math.floor(most * chars.length / (chars.length + wide));
    return make("svg:text", { x: 6, y, style: { font: `${more} 14px system-ui, sans-serif` } }, chars.length > fit ? `${chars.slice(0, fit - 1).join("")}…` : chars.join(""));
  };
  const changes = isChanged(edits) ? app.say("changes", changesOf(app, edits)) : app.say("asTrained");
  svg.append(make("svg:rect", { width, height: top + height, fill: colour("--paper") }),
    line(22, second ? `${text} | ${second}` : text, "600"), line(42, `${app.data.title}. ${changes}`), line(top - 30, `${app.say("linesOf", layer)}`),
    make("svg:text", { x: 6, y: top - 10, style: { font } }, ...heads.map(head => make("svg:tspan", { fill: COLOURS[head % COLOURS.length] }, `${nameOf(app, panel, layer, head)}   `))));
  words.forEach(({ id, share }, i) => svg.append(make("svg:text", { x: 6, y: 66 + 22 * i, style: { font } }, `${short(visible(app.piece(id)))}  ${percent(share)}`),
    make("svg:rect", { x: 190, y: 57 + 22 * i, width: Math.max(1, (width - 200) * share), height: 10, rx: 2, fill: colour("--accent") })));
  svg.append(make("svg:g", { transform: `translate(0 ${top})`, style: { font } }, ...[...inner.childNodes]));
  return svg;
}

// The answer, layer by layer --------------------------------------------------------------------------------------------------

/** @param {App} app @param {Panel} panel */
function drawLayers(app, panel) {
  const lens = panel.answer?.lens;
  if (!lens) return;
  if (lens[0].length === 0) return fill(panel.view, make("p", {}, app.say("lensNone")));
  const { place } = panel, words = app.network.kind === "words";
  const chips = panel.ids.map((_, i) => toggle(panel.piece(i), i === place, () => app.change("place", () => { app.state.place = i; }), { class: "piece small", "data-key": `place${i}`, "data-place": i }));
  const rows = lens.map((said, i) => make("li", {}, make("h3", {}, i === 0 ? app.say("embeddings") : app.say("layerN", i - 1)),
    ...said.map(({ id, share }) => panel.bar(visible(words ? app.piece(id) : app.network.labels[id]), share, undefined))));
  fill(panel.view, make("h2", {}, app.say("lensTitle", quoted(panel.piece(place)), panel.placed(place))), make("p", { class: "soft" }, app.say("lensHint")),
    make("div", { class: "pieces" }, ...chips), make("ol", { class: "lens" }, ...rows));
}

// Stages --------------------------------------------------------------------------------------------------------------------

/** A shape as `minibert trace` writes it. @param {App} app @param {import("./app.mjs").Stage} stage @param {{rows: number, columns: number}} facts */
const shape = (app, { axes }, { rows, columns }) => axes === 4 ? `1×${rows / columns}×${columns}×${columns}` : axes === 2 ? `${rows}×${columns}` : `1×${rows}×${columns}`;

/** @param {App} app @param {Panel} panel */
function drawStages(app, panel) {
  const found = panel.answer?.stages, { state } = app;
  if (!found) return;
  const rows = app.data.stages.flatMap(stage => {
    const facts = found[stage.path], name = stage.path.split(".").slice(stage.path.match(/layer\.\d+$/) ? -2 : -1).join(".") || app.say("whole");
    if (!facts) return [];
    const open = stage.path === state.stage;
    return [make("tr", { role: "row", class: open ? "chosen" : null }, make("th", { role: "rowheader", scope: "row", style: { "--depth": stage.depth } },
      toggle(name, open, () => app.change("stage", () => { state.stage = stage.path; }), { class: "stage", "data-stage": stage.path, "data-key": `stage${stage.path}`, title: stage.class })),
    make("td", { role: "cell", class: "number" }, shape(app, stage, facts)), ...(/** @type {const} */ (["mean", "std", "min", "max"])).map(kind => make("td", { role: "cell", class: "number", "data-fact": kind }, facts[kind].toFixed(3))))];
  });
  // Its roles are said, for where there is no room for six columns its rows are two lines each, and no table to the browser.
  const table = make("table", { role: "table", class: "stage-table" }, make("tr", { role: "row" }, ...["stage", "shape", "mean", "std", "min", "max"].map((name, i) => make("th", { role: "columnheader", scope: "col", class: i > 0 ? "number" : null }, app.say(name)))), ...rows);
  const box = scrolling(panel.named(app.say("stages")), table, "tall");
  fill(panel.view, make("p", { class: "soft" }, app.say("stageTitle")), make("div", { class: "stages" }, box, stageDetail(app, panel)));
  const seen = box.getBoundingClientRect(), row = table.querySelector(".chosen")?.getBoundingClientRect();
  if (row && panel.stage !== state.stage && (row.top < seen.top || row.bottom > seen.bottom)) box.scrollTop += row.top - seen.top - seen.height / 3; // one that the tour or a link has opened
  panel.stage = state.stage;
}

/** @param {App} app @param {Panel} panel */
function stageDetail(app, panel) {
  const stage = app.data.stages.find(each => each.path === app.state.stage), x = panel.answer?.stage, facts = panel.answer?.stages?.[app.state.stage];
  if (!stage || !x) return make("div");
  const largest = Math.max(1e-9, ...Array.from(x.data, Math.abs)), n = panel.ids.length, shown = x.data.length > 0 ? Math.min(x.columns, 8) : 0;
  const names = Array.from({ length: x.rows }, (_, row) => x.rows === n || stage.axes === 4 ? panel.piece(row % n) : "");
  const first = Array.from({ length: Math.min(x.rows, 24) }, (_, row) => make("tr", {}, make("th", { scope: "row" }, short(names[row])),
    ...Array.from(x.data.subarray(row * x.columns, row * x.columns + shown), number => make("td", { class: "number" }, number.toFixed(3)))));
  const fact = (/** @type {string} */ name, /** @type {string} */ value) => value ? [make("dt", {}, app.say(name)), make("dd", {}, make("code", {}, value))] : [];
  return make("div", { class: "detail" }, make("h2", {}, stage.path || app.say("whole")), make("dl", {}, ...fact("equation", stage.equation), ...fact("python", stage.code), ...fact("written", `${stage.class}, ${stage.where}`), ...fact("shape", facts ? shape(app, stage, facts) : "")),
    make("p", { class: "soft" }, app.say(stage.axes === 4 ? "numbersHeads" : "numbers")),
    make("div", { class: "heat", style: { height: `${Math.min(260, Math.max(24, 14 * x.rows))}px` } }, pixels(x.data, x.columns, value => value / largest)),
    make("h3", {}, app.say("firstNumbers")), scrolling(panel.named(app.say("firstNumbers")), make("table", {}, ...first)));
}
