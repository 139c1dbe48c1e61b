// Elements, and text in them. Nothing that was typed, and no name from a checkpoint, is ever markup: text goes in as text, through
// `make`, with what a reader could not see, or what turns the direction of writing, made visible.

const SVG = "http://www.w3.org/2000/svg";
// As UNSEEN in minibert/visible.py: controls, turns of direction, marks without width, halves of characters. Joiners stay where words need them.
const UNSEEN = /[\0-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\u{1bca0}-\u{1bca3}\u{1d173}-\u{1d17a}\u{e0000}-\u{e007f}]|(?<![^\0-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\0-\x7f])|(?<![^\0-"$-)+-/:-\x7f\ufe00-\ufe0f\u{e0100}-\u{e01ef}])[\ufe00-\ufe0f\u{e0100}-\u{e01ef}]/gu;
// Okabe and Ito's colours keep apart for colour-blind eyes; heads beyond eight start again, and each has its number.
export const COLOURS = ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#8a7a00", "#7f7f7f"];

/** @param {unknown} text */
export const visible = text => String(text).replace(UNSEEN, char => `\\u${/** @type {number} */ (char.codePointAt(0)).toString(16).padStart(4, "0")}`);

/** A piece in quotation marks, so that the word “head” is not a head; [MASK] and its like need none. @param {string} piece */
export const quoted = piece => /^\[\p{Lu}+\]$/u.test(piece) ? piece : `“${piece}”`;

/** @typedef {string | number | Node | null | false} Child */

/**
 * An element, or with "svg:" before its name one of a drawing. Attributes that begin with "on" are listeners, "style" is a
 * dictionary (the policy forbids style in attributes); true is an attribute without a value, null and false leave it out.
 * @param {string} tag @param {Record<string, any>} [attributes] @param {...Child} children @returns {any}
 */
export function make(tag, attributes = {}, ...children) {
  const element = tag.startsWith("svg:") ? document.createElementNS(SVG, tag.slice(4)) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [property, setting] of Object.entries(value)) /** @type {HTMLElement} */ (element).style.setProperty(property, setting);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(name, value === true ? "" : visible(value));
  }
  for (const child of children) if (child !== null && child !== false) element.append(child instanceof Node ? child : visible(child));
  return element;
}

/** Put others in the place of what is in an element; who was on something with a `data-key` is on the same again, or beside it where it is switched off now; what was scrolled stays where it was. @param {Element} element @param {...Child} children */
export function fill(element, ...children) {
  const active = document.activeElement, key = active && element.contains(active) ? active.closest("[data-key]")?.getAttribute("data-key") : null;
  const boxes = () => /** @type {HTMLElement[]} */ ([...element.querySelectorAll(".scroll[aria-label]")]), places = new Map(boxes().map(box => [box.ariaLabel, [box.scrollLeft, box.scrollTop]]));
  element.replaceChildren(...children.filter(child => child !== null && child !== false).map(child => child instanceof Node ? child : visible(child)));
  for (const box of boxes()) {
    const [left, top] = places.get(box.ariaLabel) ?? [0, 0];
    if (left || top) box.scrollTo(left, top);
  }
  if (!key) return;
  const keyed = /** @type {HTMLElement[]} */ ([...element.querySelectorAll("[data-key]")]), at = keyed.findIndex(each => each.dataset.key === key), off = (/** @type {HTMLElement} */ each) => each.matches(":disabled");
  if (at >= 0) (keyed.slice(at).find(each => !off(each)) ?? keyed.slice(0, at).reverse().find(each => !off(each)))?.focus({ preventScroll: true });
}

/** @param {number} share @param {number} [digits] */
export const percent = (share, digits = 1) => `${(100 * share).toFixed(digits)}%`;

/** @type {Map<string, string>} */
const known = new Map();

/** A colour of the page, such as "--plus"; looked up once in light and once in dark. @param {string} name @returns {string} */
export function colour(name) {
  const key = `${document.documentElement.dataset.theme} ${name}`, found = known.get(key) ?? getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  known.set(key, found);
  return found;
}

/** A box that scrolls sideways where it must, and by keyboard. @param {string} label @param {Child} child @param {string} [more] */
export const scrolling = (label, child, more = "") => make("div", { class: `scroll ${more}`, tabindex: 0, role: "region", "aria-label": label }, child);

/** A button that is on or off. @param {Child} label @param {boolean} pressed @param {() => void} press @param {Record<string, any>} [more] */
export const toggle = (label, pressed, press, more = {}) => make("button", { type: "button", "aria-pressed": String(pressed), onclick: press, ...more }, label);

/**
 * Numbers as colours, a pixel each: blue above 0, orange below.
 * @param {ArrayLike<number>} values @param {number} columns @param {(value: number) => number} strength  0 to 1, below 0 for orange
 */
export function pixels(values, columns, strength) {
  const rows = values.length / columns, canvas = make("canvas", { width: columns, height: rows, "aria-hidden": "true" });
  const context = canvas.getContext("2d"), image = context.createImageData(columns, rows);
  const [plus, minus] = ["--plus", "--minus"].map(name => colour(name).split(",").map(Number));
  for (let i = 0; i < values.length; i++) {
    const s = Math.max(-1, Math.min(1, strength(values[i]))), [r, g, b] = s < 0 ? minus : plus;
    image.data.set([r, g, b, 255 * Math.abs(s)], 4 * i);
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** Hand a file to the reader. @param {Blob} blob @param {string} name */
function hand(blob, name) {
  const address = URL.createObjectURL(blob);
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

/** Save a drawing, as SVG or in twice its size as PNG. @param {SVGSVGElement} svg @param {"svg" | "png"} kind */
export function save(svg, kind) {
  const text = new XMLSerializer().serializeToString(svg), { width, height } = svg.viewBox.baseVal;
  if (kind === "svg") return hand(new Blob([text], { type: "image/svg+xml" }), "minibert.svg");
  const image = new Image(), canvas = make("canvas", { width: 2 * width, height: 2 * height });
  image.addEventListener("load", () => {
    canvas.getContext("2d").drawImage(image, 0, 0, 2 * width, 2 * height);
    canvas.toBlob((/** @type {Blob | null} */ blob) => blob && hand(blob, "minibert.png"));
  });
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
}
