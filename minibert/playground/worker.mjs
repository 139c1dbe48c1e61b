// Runs the network beside the page, so that typing never waits for it: a question comes in as a message, the answer goes out as one.
import { Bert, matrix, rowOf, rowsOf, softmax } from "./bert.mjs";
/** @import { Config, Edits, Matrix } from "./bert.mjs" */

/**
 * What `network_of` in writer.py says of a model. kind: what its head answers with. share: what makes shares of a label's scores.
 * @typedef {Config & {kind: "words" | "labels" | "tags" | "span" | "none", labels: string[], share: "softmax" | "sigmoid" | "number",
 *   maximum: number, segments: number, architecture: string, longestAnswer: number, noAnswer: boolean}} Network
 */

/**
 * at: the places whose words are asked for. of: words whose probabilities are asked for too. lens: a place to follow through the
 * layers. stages: whether all stages are to be measured; stage: the path of the one whose numbers are to be sent.
 * raw: the scores and vectors themselves, for the console and for tests.
 * @typedef {{ids: number[], segments: number[], edits?: Edits, at?: number[], of?: number[], attention?: boolean, lens?: number | null,
 *   stages?: boolean, stage?: string | null, raw?: boolean}} Question
 */

/** @typedef {{id: number, share: number}} Share  of a word (its id) or of a label (its number) */
/** @typedef {{mean: number, std: number, min: number, max: number, rows: number, columns: number}} Facts */
/** @typedef {{from: number, to: number, share: number}} Span */

/**
 * words: of each place asked for, the likeliest; of: the shares of the words asked for. labels: of the text; tags: of each piece.
 * next: whether the second text follows the first. attention: of each layer, its heads' weights, null where the layer is off.
 * lens: after the embeddings and each layer, the likeliest at one place.
 * @typedef {{words?: Share[][], of?: number[][], labels?: Share[], tags?: Share[][], spans?: Span[], next?: Share[], attention?: (Matrix | null)[],
 *   lens?: Share[][], stages?: Record<string, Facts>, stage?: Matrix, raw?: {scores: Matrix | null, states: Matrix[]}, ms: number}} Answer
 */

const MOST_WORDS = 8, MOST_COLUMNS = 256;

/** The largest of some numbers, with their places. @param {Float32Array} shares @param {number} count @returns {Share[]} */
export function largest(shares, count) {
  /** @type {Share[]} */
  const best = [];
  for (let id = 0; id < shares.length; id++) {
    if (best.length === count && shares[id] <= best[count - 1].share) continue;
    let place = best.length;
    while (place > 0 && best[place - 1].share < shares[id]) place--;
    best.splice(place, 0, { id, share: shares[id] });
    if (best.length > count) best.pop();
  }
  return best;
}

/** Mean, standard deviation, smallest and largest, as `measure` in minibert/microscope/trace.py. @param {Matrix} x @returns {Facts} */
export function measure(x) {
  let mean = 0, square = 0, min = Infinity, max = -Infinity;
  for (const number of x.data) {
    mean += number / x.data.length;
    if (number < min) min = number;
    if (number > max) max = number;
  }
  for (const number of x.data) square += (number - mean) ** 2;
  return { mean, std: Math.sqrt(square / x.data.length), min, max, rows: x.rows, columns: x.columns };
}

/** A model that answers questions. */
export class Answering {
  /** @param {Network} network @param {Record<string, Matrix>} weights */
  constructor(network, weights) {
    this.network = network;
    this.bert = new Bert(network, weights);
  }

  /** The shares of one row of labels' scores. @param {Float32Array} scores */
  shares(scores) {
    const { share } = this.network;
    return share === "number" ? scores : share === "sigmoid" ? scores.map(x => 1 / (1 + Math.exp(-x))) : softmax(scores.slice());
  }

  /** What the head says of vectors (seq, hidden), as if they were the last layer's. @param {Matrix} x @param {Question} question */
  head(x, { ids, segments, at = [], of = [] }) {
    const { bert, network } = this;
    /** @type {Partial<Answer>} */
    const answer = {};
    if (network.kind === "words" && at.length > 0) {
      const rows = bert.predict(rowsOf(x, at));
      const shares = at.map((_, i) => softmax(rowOf(rows, i)));
      answer.words = shares.map(row => largest(row, MOST_WORDS));
      answer.of = shares.map(row => of.map(id => row[id]));
    }
    if (network.kind === "labels") answer.labels = Array.from(this.shares(bert.classify(x).data), (share, id) => ({ id, share }));
    if (network.kind === "tags") {
      const scores = bert.classify(x);
      answer.tags = ids.map((_, i) => largest(softmax(rowOf(scores, i).slice()), network.labels.length));
    }
    if (network.kind === "span") answer.spans = this.spans(bert.classify(x), segments);
    return answer;
  }

  /**
   * The likeliest places of an answer, in the second text where there are two: p(start) · p(end). A model that has learned that a
   * question may have no answer points at [CLS] then. @param {Matrix} scores @param {number[]} segments
   */
  spans(scores, segments) {
    const last = segments[segments.length - 1], inside = segments.map((segment, i) => segment === last && i > 0 && i < segments.length - 1), { longestAnswer: longest, noAnswer: none } = this.network;
    /** @param {number} column */
    const ends = column => softmax(Float32Array.from(inside, (is, i) => is || none && i === 0 ? scores.data[i * scores.columns + column] : -1e9));
    const start = ends(0), end = ends(1);
    /** @type {Span[]} */
    const found = none ? [{ from: 0, to: 0, share: start[0] * end[0] }] : [];
    for (let from = 0; from < inside.length; from++) {
      for (let to = from; inside[from] && to < Math.min(from + longest, inside.length); to++) {
        if (inside[to]) found.push({ from, to, share: start[from] * end[to] });
      }
    }
    return found.sort((a, b) => b.share - a.share).slice(0, 5);
  }

  /** Whether the second text follows the first: a pre-training head of its own, where the model has one. @param {Matrix} x */
  next(x) {
    const scores = this.bert.linear(this.bert.pool(x), "cls.seq_relationship");
    return Array.from(softmax(scores.data.slice()), (share, id) => ({ id, share }));
  }

  /** @param {Question} question @returns {Answer} */
  answer(question) {
    const began = performance.now(), { bert, network } = this, { ids, segments } = question;
    const states = bert.encode(ids, { segments, edits: question.edits }), last = states[states.length - 1];
    /** @type {Answer} */
    const answer = { ms: 0, ...this.head(last, question) };
    if (question.raw) answer.raw = { states, scores: network.kind === "words" ? bert.predict(rowsOf(last, question.at ?? [])) : network.kind === "none" ? null : bert.classify(last) };
    const predictsNext = network.kind === "words" && "cls.seq_relationship.weight" in bert.weights;
    if (predictsNext && segments[segments.length - 1] === 1) answer.next = this.next(last);
    if (question.attention) {
      answer.attention = states.slice(1).map((_, i) => bert.stages.get(`bert.encoder.layer.${i}.attention.self.dropout`) ?? null);
    }
    const place = question.lens;
    if (place !== null && place !== undefined) {
      answer.lens = states.map(x => {
        const said = this.head(x, { ...question, at: [place], of: [] });
        return (said.words?.[0] ?? said.tags?.[place] ?? said.labels ?? []).slice(0, 5);
      });
    }
    if (question.stages) {
      if (network.kind === "words") bert.predict(last);
      else if (network.kind !== "none") bert.classify(last);
      else if ("bert.pooler.dense.weight" in bert.weights) bert.pool(last);
      if (predictsNext) this.next(last);
      const top = ["cls.predictions", network.classifier].map(path => bert.stages.get(path)).find(x => x);
      if (network.kind === "labels" && network.classifier.startsWith("cls.") && top) bert.keep("cls", top);
      if (top && network.kind !== "none") bert.keep("", network.kind === "span" ? rowOfColumn(top) : top);
      answer.stages = Object.fromEntries([...bert.stages].map(([path, x]) => [path, measure(x)]));
      const shown = question.stage === null || question.stage === undefined ? null : bert.stages.get(question.stage);
      if (shown) answer.stage = clipped(shown);
    }
    answer.ms = performance.now() - began;
    return answer;
  }
}

/** The first column as a row: where an answer may start. @param {Matrix} x */
const rowOfColumn = x => matrix(1, x.rows, Float32Array.from({ length: x.rows }, (_, i) => x.data[i * x.columns]));

/** The first columns of a matrix, as many as a screen can show. @param {Matrix} x */
function clipped(x) {
  const columns = Math.min(x.columns, MOST_COLUMNS), y = matrix(x.rows, columns);
  for (let r = 0; r < x.rows; r++) y.data.set(rowOf(x, r).subarray(0, columns), r * columns);
  return y;
}

/**
 * float16 in base64 → matrices. Each of the 65,536 numbers that 16 bits can say is looked up in a table.
 * @param {string} text @param {Record<string, number[]>} layout  name → where it begins, rows, columns
 */
export function weightsFrom(text, layout) {
  const letters = atob(text), table = new Float32Array(0x10000);
  for (let bits = 0; bits < 0x10000; bits++) {
    const sign = bits & 0x8000 ? -1 : 1, exponent = (bits >> 10) & 31, fraction = bits & 1023;
    table[bits] = exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  }
  const numbers = new Float32Array(letters.length / 2);
  for (let i = 0; i < numbers.length; i++) numbers[i] = table[letters.charCodeAt(2 * i) | (letters.charCodeAt(2 * i + 1) << 8)];
  return Object.fromEntries(Object.entries(layout).map(([name, [start, rows, columns]]) =>
    [name, matrix(rows, columns, numbers.subarray(start, start + rows * columns))]));
}

/** The worker itself: the first message opens the model, each later one is a question. */
export function listen() {
  /** @type {Answering | undefined} */
  let model;
  self.addEventListener("message", ({ data }) => {
    try {
      if (!model) {
        model = new Answering(data.network, weightsFrom(data.weights, data.layout));
        self.postMessage({ open: true });
      } else self.postMessage({ number: data.number, answer: model.answer(data.question) });
    } catch (error) {
      self.postMessage({ number: data.number, error: String(error) });
    }
  });
}
if (typeof self !== "undefined" && typeof document === "undefined") listen();
