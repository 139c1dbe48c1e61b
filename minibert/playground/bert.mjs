// BERT in one page, a second time: tutorials/bert_in_one_page.py in JavaScript, with the same stages under the same names.
//
//     ids → embeddings → layers × (attention, feed-forward) → a head: words, labels, tags or an answer's place
//
// One text at a time, so there is no batch: x is (seq, hidden). What Python calls x @ W.T is `product` here. Every stage is kept
// under the path by which `minibert trace` calls it, and what a person changed in the network (`Edits`) is obeyed where it belongs.
// Sources: Devlin et al. 2019 (BERT); Vaswani et al. 2017 (the encoder).

// Matrices ------------------------------------------------------------------------------------------------------------------

/** Numbers row by row. @typedef {{rows: number, columns: number, data: Float32Array}} Matrix */

/**
 * What is changed in the network; {} is the network as it was trained.
 * heads: "layer.head" of each that is switched off. layers: those that are passed over. residuals: "layer.attention" and
 * "layer.output" of each place where what went in is not added to what comes out. positions, segments: false where they are not
 * added. temperature: the scores of attention are divided by it. swap: two places that exchange their positions.
 * vector: after a layer (0 is the embeddings) the vector `at` one place becomes that `from` another.
 * @typedef {{heads?: string[], layers?: number[], residuals?: string[], positions?: boolean, segments?: boolean,
 *   temperature?: number, swap?: number[] | null, vector?: {layer: number, at: number, from: number} | null}} Edits
 */

/**
 * positions: "absolute", "relative_key" or "relative_key_query". heads: of each layer the numbers of those that are not pruned.
 * @typedef {{layers: number, heads: number[][], headSize: number, eps: number, activation: string, classifier: string, positions: string}} Config
 */

/** @param {number} rows @param {number} columns @param {Float32Array} [data] @returns {Matrix} */
export const matrix = (rows, columns, data = new Float32Array(rows * columns)) => ({ rows, columns, data });

/** One row, as a view. @param {Matrix} x @param {number} row */
export const rowOf = (x, row) => x.data.subarray(row * x.columns, (row + 1) * x.columns);

/** Some rows, copied. @param {Matrix} x @param {ArrayLike<number>} rows */
export function rowsOf(x, rows) {
  const y = matrix(rows.length, x.columns);
  for (let i = 0; i < rows.length; i++) y.data.set(rowOf(x, rows[i]), i * x.columns);
  return y;
}

/** The sum of matrices of one shape. @param {...Matrix} terms */
export function sum(...terms) {
  const y = matrix(terms[0].rows, terms[0].columns);
  for (const { data } of terms) for (let i = 0; i < data.length; i++) y.data[i] += data[i];
  return y;
}

/**
 * x Wᵀ + b: (rows, inner) and (outer, inner) → (rows, outer). It takes four rows of x and four of W at a time: eight numbers are
 * read for sixteen products, which is what makes it fast. Behind the last row of W the last one is computed again.
 * @param {Matrix} x @param {Matrix} weight @param {Matrix | null} bias
 */
export function product(x, weight, bias = null) {
  const { rows, columns: inner, data: a } = x, { rows: outer, data: w } = weight, last = outer - 1;
  const y = matrix(rows, outer), out = y.data, b = bias ? bias.data : new Float32Array(outer);
  for (let o0 = 0; o0 < outer; o0 += 4) {
    const o1 = Math.min(o0 + 1, last), o2 = Math.min(o0 + 2, last), o3 = Math.min(o0 + 3, last);
    const w0 = o0 * inner, w1 = o1 * inner, w2 = o2 * inner, w3 = o3 * inner;
    let r = 0;
    for (; r + 4 <= rows; r += 4) {
      const a0 = r * inner, a1 = a0 + inner, a2 = a1 + inner, a3 = a2 + inner;
      let s00 = b[o0], s01 = b[o1], s02 = b[o2], s03 = b[o3], s10 = s00, s11 = s01, s12 = s02, s13 = s03;
      let s20 = s00, s21 = s01, s22 = s02, s23 = s03, s30 = s00, s31 = s01, s32 = s02, s33 = s03;
      for (let i = 0; i < inner; i++) {
        const p = w[w0 + i], q = w[w1 + i], s = w[w2 + i], t = w[w3 + i];
        const e = a[a0 + i], f = a[a1 + i], g = a[a2 + i], h = a[a3 + i];
        s00 += e * p; s01 += e * q; s02 += e * s; s03 += e * t;
        s10 += f * p; s11 += f * q; s12 += f * s; s13 += f * t;
        s20 += g * p; s21 += g * q; s22 += g * s; s23 += g * t;
        s30 += h * p; s31 += h * q; s32 += h * s; s33 += h * t;
      }
      let at = r * outer;
      out[at + o0] = s00; out[at + o1] = s01; out[at + o2] = s02; out[at + o3] = s03; at += outer;
      out[at + o0] = s10; out[at + o1] = s11; out[at + o2] = s12; out[at + o3] = s13; at += outer;
      out[at + o0] = s20; out[at + o1] = s21; out[at + o2] = s22; out[at + o3] = s23; at += outer;
      out[at + o0] = s30; out[at + o1] = s31; out[at + o2] = s32; out[at + o3] = s33;
    }
    for (; r < rows; r++) { // the rows that are left, one at a time
      const a0 = r * inner, at = r * outer;
      let s0 = b[o0], s1 = b[o1], s2 = b[o2], s3 = b[o3];
      for (let i = 0; i < inner; i++) {
        const e = a[a0 + i];
        s0 += e * w[w0 + i]; s1 += e * w[w1 + i]; s2 += e * w[w2 + i]; s3 += e * w[w3 + i];
      }
      out[at + o0] = s0; out[at + o1] = s1; out[at + o2] = s2; out[at + o3] = s3;
    }
  }
  return y;
}

/** exp(xᵢ) / Σⱼ exp(xⱼ), in place; the largest is taken off first, so that nothing overflows. @param {Float32Array} x */
export function softmax(x) {
  let largest = -Infinity, total = 0;
  for (let i = 0; i < x.length; i++) if (x[i] > largest) largest = x[i];
  for (let i = 0; i < x.length; i++) total += x[i] = Math.exp(x[i] - largest);
  for (let i = 0; i < x.length; i++) x[i] /= total;
  return x;
}

/** The error function, within 1.5e-7. Source: Abramowitz & Stegun 1964, 7.1.26. @param {number} x */
export function erf(x) {
  const t = 1 / (1 + 0.3275911 * Math.abs(x));
  const tail = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  return Math.sign(x) * (1 - tail * Math.exp(-x * x));
}

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));
const gelu = (/** @type {number} */ x) => 0.5 * x * (1 + erf(x * Math.SQRT1_2)); // x · Φ(x)
const geluTanh = (/** @type {number} */ x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
const silu = (/** @type {number} */ x) => x * sigmoid(x);

/** What a config can name, as in minibert/model/activations.py. @type {Record<string, (x: number) => number>} */
export const ACTIVATIONS = {
  gelu, gelu_python: gelu, gelu_new: geluTanh, gelu_fast: geluTanh, silu, swish: silu, sigmoid, tanh: Math.tanh,
  relu: x => Math.max(0, x), quick_gelu: x => x * sigmoid(1.702 * x), mish: x => x * Math.tanh(Math.log1p(Math.exp(x))), linear: x => x,
};

/** Something done to each number. @param {Matrix} x @param {(x: number) => number} what */
const each = (x, what) => matrix(x.rows, x.columns, x.data.map(what));

/** Where each piece stands: 0, 1, 2, …, two of them swapped if so asked. @param {number} count @param {Edits} edits */
function placesOf(count, { swap }) {
  const places = Array.from({ length: count }, (_, place) => place);
  if (swap) [places[swap[0]], places[swap[1]]] = [swap[1], swap[0]];
  return places;
}

// The network ---------------------------------------------------------------------------------------------------------------

/** Its weights are one dictionary, name → matrix, exactly as they lie in the checkpoint file. */
export class Bert {
  /** @param {Config} config @param {Record<string, Matrix>} weights */
  constructor(config, weights) {
    this.config = config;
    this.weights = weights;
    this.activation = ACTIVATIONS[config.activation];
    /** The stages of the latest forward, by path. @type {Map<string, Matrix>} */
    this.stages = new Map();
  }

  /** Keep a stage's output under its path. @param {string} path @param {Matrix} x */
  keep(path, x) {
    this.stages.set(path, x);
    return x;
  }

  // Two building blocks, each found in the dictionary by its name

  /** x Wᵀ + b @param {Matrix} x @param {string} name */
  linear(x, name) {
    return this.keep(name, product(x, this.weights[`${name}.weight`], this.weights[`${name}.bias`]));
  }

  /** (x − mean) / √(variance + ε) · scale + shift: each position by itself. @param {Matrix} x @param {string} name */
  norm(x, name) {
    const scale = this.weights[`${name}.weight`].data, shift = this.weights[`${name}.bias`].data, y = matrix(x.rows, x.columns);
    for (let r = 0; r < x.rows; r++) {
      const from = rowOf(x, r), to = rowOf(y, r);
      let mean = 0, variance = 0;
      for (const number of from) mean += number / x.columns;
      for (const number of from) variance += (number - mean) ** 2 / x.columns;
      const spread = Math.sqrt(variance + this.config.eps);
      for (let i = 0; i < to.length; i++) to[i] = ((from[i] - mean) / spread) * scale[i] + shift[i];
    }
    return this.keep(name, y);
  }

  // The stages, in the order in which a token meets them

  /**
   * What the word is + which sentence it is in + where it stands: ids (seq) → (seq, hidden).
   * @param {number[]} ids @param {number[]} segments @param {Edits} edits
   */
  embed(ids, segments, edits) {
    const name = "bert.embeddings";
    /** @param {string} kind @param {number[]} rows */
    const look = (kind, rows) => this.keep(`${name}.${kind}_embeddings`, rowsOf(this.weights[`${name}.${kind}_embeddings.weight`], rows));
    const terms = [look("word", ids)];
    const segment = look("token_type", segments);
    if (edits.segments !== false) terms.push(segment);
    if (this.config.positions === "absolute") {
      const place = look("position", placesOf(ids.length, edits));
      if (edits.positions !== false) terms.push(place);
    }
    const x = this.norm(sum(...terms), `${name}.LayerNorm`);
    this.keep(`${name}.dropout`, x);
    return this.keep(name, x);
  }

  /**
   * softmax(Q Kᵀ / √d + mask) V in every head, the heads put side by side again.
   * @param {Matrix} x @param {Float32Array} mask @param {number} layer @param {Edits} edits
   */
  attention(x, mask, layer, edits) {
    const name = `bert.encoder.layer.${layer}.attention.self`, d = this.config.headSize, seq = x.rows;
    const query = this.linear(x, `${name}.query`), key = this.linear(x, `${name}.key`), value = this.linear(x, `${name}.value`);
    const byDistance = edits.positions === false ? undefined : this.weights[`${name}.distance_embedding.weight`], places = placesOf(seq, edits);
    const width = query.columns, heads = width / d, divisor = Math.sqrt(d) * (edits.temperature ?? 1);
    const looks = matrix(heads * seq, seq), context = matrix(seq, width);
    for (let head = 0; head < heads; head++) {
      const off = edits.heads?.includes(`${layer}.${this.config.heads[layer][head]}`);
      for (let from = 0; from < seq; from++) {
        const row = rowOf(looks, head * seq + from), q = from * width + head * d;
        for (let to = 0; to < seq; to++) {
          const k = to * width + head * d;
          let score = 0;
          for (let i = 0; i < d; i++) score += query.data[q + i] * key.data[k + i];
          if (byDistance) { // relative positions: how well the distance fits the query (and the key), Shaw et al. 2018
            const a = (places[from] - places[to] + (byDistance.rows - 1) / 2) * d, both = this.config.positions === "relative_key_query";
            for (let i = 0; i < d; i++) score += byDistance.data[a + i] * (query.data[q + i] + (both ? key.data[k + i] : 0));
          }
          row[to] = score / divisor + mask[to];
        }
        softmax(row); // each row adds up to 1
        for (let to = 0; to < seq && !off; to++) {
          const v = to * width + head * d;
          for (let i = 0; i < d; i++) context.data[q + i] += row[to] * value.data[v + i];
        }
      }
    }
    this.keep(`${name}.dropout`, looks);
    return this.keep(name, context);
  }

  /**
   * Attention gathers, feed-forward thinks; each one's result is added to what went in, and normalised.
   * @param {Matrix} x @param {Float32Array} mask @param {number} number @param {Edits} edits
   */
  layer(x, mask, number, edits) {
    const name = `bert.encoder.layer.${number}`;
    /** The residual: what went in is added, unless it was taken out. @param {string} part @param {Matrix} y @param {Matrix} input */
    const add = (part, y, input) => {
      this.keep(`${name}.${part}.dropout`, y);
      const together = edits.residuals?.includes(`${number}.${part.split(".")[0]}`) ? y : sum(y, input);
      return this.keep(`${name}.${part}`, this.norm(together, `${name}.${part}.LayerNorm`));
    };
    const context = this.attention(x, mask, number, edits);
    const gathered = this.linear(context, `${name}.attention.output.dense`);
    x = this.keep(`${name}.attention`, add("attention.output", gathered, x));
    const wide = this.keep(`${name}.intermediate`, each(this.linear(x, `${name}.intermediate.dense`), this.activation)); // (seq, 4 · hidden)
    return this.keep(name, add("output", this.linear(wide, `${name}.output.dense`), x));
  }

  /**
   * The whole encoder: ids (seq) → the vectors after the embeddings and after each layer, (seq, hidden) each.
   * seen: 1 for a token, 0 for padding. segments: 0 or 1.
   * @param {number[]} ids @param {{segments?: number[], seen?: number[], edits?: Edits}} options
   */
  encode(ids, { segments = ids.map(() => 0), seen = ids.map(() => 1), edits = {} } = {}) {
    this.stages.clear();
    const mask = Float32Array.from(seen, one => (1 - one) * -10000); // added to scores: nobody looks at padding
    /** @param {Matrix} x @param {number} layer */
    const patched = (x, layer) => {
      const vector = edits.vector?.layer === layer ? edits.vector : null;
      if (vector) x.data.copyWithin(vector.at * x.columns, vector.from * x.columns, (vector.from + 1) * x.columns);
      return x;
    };
    const states = [patched(this.embed(ids, segments, edits), 0)];
    for (let number = 0; number < this.config.layers; number++) {
      const x = states[number];
      states.push(edits.layers?.includes(number) ? x : patched(this.layer(x, mask, number, edits), number + 1));
    }
    this.keep("bert.encoder", states[states.length - 1]);
    this.keep("bert", states[states.length - 1]);
    return states;
  }

  // The heads

  /** Scores for every word: the word embeddings, used backwards, and a bias of their own. (seq, hidden) → (seq, vocab) @param {Matrix} x */
  predict(x) {
    const name = "cls.predictions";
    const wide = this.keep(`${name}.transform.act`, each(this.linear(x, `${name}.transform.dense`), this.activation));
    x = this.keep(`${name}.transform`, this.norm(wide, `${name}.transform.LayerNorm`));
    const words = this.weights[`${name}.decoder.weight`] ?? this.weights["bert.embeddings.word_embeddings.weight"]; // (vocab, hidden)
    const scores = this.keep(`${name}.decoder`, product(x, words, this.weights[`${name}.bias`]));
    this.keep("cls", scores); // what contains the decoder hands its scores on
    return this.keep(name, scores);
  }

  /** tanh(W h[CLS] + b): (seq, hidden) → (1, hidden) @param {Matrix} x */
  pool(x) {
    const pooled = each(this.linear(rowsOf(x, [0]), "bert.pooler.dense"), Math.tanh);
    this.keep("bert.pooler.activation", pooled);
    return this.keep("bert.pooler", pooled);
  }

  /** Scores of labels, of tags or of an answer's ends: (seq, hidden) → (1 or seq, labels) @param {Matrix} x */
  classify(x) {
    const { classifier } = this.config, ofText = this.weights["bert.pooler.dense.weight"] && classifier !== "qa_outputs";
    const from = ofText ? this.pool(x) : x;
    this.keep("dropout", from);
    return this.linear(from, classifier);
  }
}
