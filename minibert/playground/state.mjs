// What a person has chosen, as one object: it is what undo takes back, and what stands in the address behind the #.
/** @import { Edits } from "./bert.mjs" */

/** One text in the network: hidden are the places of pieces that are hidden. @typedef {{text: string, second: string, hidden: number[], edits: Edits}} Panel */
/** @typedef {"heads" | "layers" | "stages" | "change" | "influence"} View */
/** heads: those whose lines are drawn, [] for all. tour: its step, -1 outside. @typedef {{panels: Panel[], view: View, layer: number, heads: number[], place: number, stage: string, language: "en" | "zh", tour: number}} State */

/** @type {View[]} */
export const VIEWS = ["heads", "layers", "stages", "change", "influence"];
const LONGEST_TEXT = 4000;

/** What is in use of the edits: those that change something. @param {Edits} edits @returns {Edits} */
export function inUse(edits) {
  /** @type {[keyof Edits, unknown][]} */
  const nothing = [["positions", true], ["segments", true], ["temperature", 1], ["swap", null], ["vector", null]];
  const idle = new Map(nothing);
  return Object.fromEntries(Object.entries(edits).filter(([name, value]) =>
    Array.isArray(value) ? value.length > 0 : value !== undefined && value !== idle.get(/** @type {keyof Edits} */ (name))));
}

/** Whether the network is changed. @param {Edits} edits */
export const isChanged = edits => Object.keys(inUse(edits)).length > 0;

const isCount = (/** @type {unknown} */ value) => Number.isInteger(value) && /** @type {number} */ (value) >= 0 && /** @type {number} */ (value) < 10000;
/** @param {unknown} value @param {(item: unknown) => boolean} holds */
const listOf = (value, holds) => Array.isArray(value) ? value.filter(holds).slice(0, 500) : [];
const isPlace = (/** @type {unknown} */ value) => typeof value === "string" && /^\d{1,3}\.(\d{1,3}|attention|output)$/.test(value);

/** Edits as they may come from anywhere, made good: what cannot be is left out. @param {any} given @returns {Edits} */
function goodEdits(given) {
  const { heads, layers, residuals, positions, segments, temperature, swap, vector } = given ?? {};
  const pair = listOf(swap, isCount);
  const isVector = isCount(vector?.layer) && isCount(vector?.at) && isCount(vector?.from);
  return inUse({
    heads: listOf(heads, isPlace), layers: listOf(layers, isCount), residuals: listOf(residuals, isPlace),
    positions: positions !== false, segments: segments !== false,
    temperature: typeof temperature === "number" && temperature >= 0.05 && temperature <= 20 ? temperature : 1,
    swap: pair.length === 2 ? pair : null,
    vector: isVector ? { layer: vector.layer, at: vector.at, from: vector.from } : null,
  });
}

/** A state as it may come from anywhere, made good. @param {any} given @param {State} usual @returns {State} */
export function good(given, usual) {
  const text = (/** @type {unknown} */ value) => typeof value === "string" ? value.slice(0, LONGEST_TEXT) : "";
  const panels = listOf(given?.panels, each => typeof each === "object" && each !== null).slice(0, 2).map(each =>
    ({ text: text(each.text), second: text(each.second), hidden: listOf(each.hidden, isCount), edits: goodEdits(each.edits) }));
  return {
    panels: panels.length > 0 ? panels : usual.panels,
    view: VIEWS.includes(given?.view) ? given.view : usual.view,
    layer: isCount(given?.layer) ? given.layer : usual.layer,
    heads: Array.isArray(given?.heads) ? listOf(given.heads, isCount) : usual.heads,
    place: isCount(given?.place) ? given.place : usual.place,
    stage: text(given?.stage) || usual.stage,
    language: ["en", "zh"].includes(given?.language) ? given.language : usual.language,
    tour: isCount(given?.tour) ? given.tour : -1,
  };
}

/** @param {State} state */
export const toFragment = state => `#${encodeURIComponent(JSON.stringify(state))}`;

/** The state behind the # of an address; the usual one where there is none, or none that can be read. @param {string} fragment @param {State} usual */
export function fromFragment(fragment, usual) {
  try {
    return good(JSON.parse(decodeURIComponent(fragment.slice(1))), usual);
  } catch {
    return usual;
  }
}

/**
 * What a reader has chosen once for all pages, such as the language; undefined where nothing is, or the browser keeps nothing for a page from the disk.
 * @template {string} T @param {string} name @param {T[]} allowed @returns {T | undefined}
 */
export function kept(name, allowed) {
  try {
    return allowed.find(each => each === localStorage.getItem(`minibert ${name}`));
  } catch {
    return undefined;
  }
}

/** @param {string} name @param {string | null} value  null for no choice */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`minibert ${name}`);
    else localStorage.setItem(`minibert ${name}`, value);
  } catch { /* it holds for this page alone */ }
}

const FLOWS = /^(text|second|temperature)\d$/; // what is typed or pulled: many changes that a person makes as one

/** States that were, to go back to. */
export class History {
  /** @param {() => number} now */
  constructor(now = () => performance.now()) {
    /** @type {string[]} */ this.past = [];
    /** @type {string[]} */ this.future = [];
    this.now = now;
    this.last = { what: "", time: -Infinity };
  }

  /** After a change; one that changed nothing is none, and what flows on within a second is one step. @param {string} before  the state in JSON @param {string} after @param {string} what */
  remember(before, after, what) {
    if (before === after) return;
    const time = this.now();
    if (!FLOWS.test(what) || what !== this.last.what || time - this.last.time > 1000) this.past.push(before);
    this.past.splice(0, this.past.length - 200);
    this.last = { what, time };
    this.future = [];
  }

  /** @param {State} state @param {"past" | "future"} where @returns {State | null} */
  go(state, where) {
    const [from, to] = where === "past" ? [this.past, this.future] : [this.future, this.past];
    const found = from.pop();
    if (found === undefined) return null;
    to.push(JSON.stringify(state));
    this.last = { what: "", time: -Infinity };
    return JSON.parse(found);
  }
}

/**
 * Where hidden pieces are after the text was changed: those before and after the change stay hidden.
 * @param {number[]} hidden @param {number[]} before  ids @param {number[]} after
 */
export function moved(hidden, before, after) {
  let head = 0, tail = 0;
  const shorter = Math.min(before.length, after.length);
  while (head < shorter && before[head] === after[head]) head++;
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++;
  return hidden.flatMap(place => place < head ? [place] : place >= before.length - tail ? [place + after.length - before.length] : []);
}
