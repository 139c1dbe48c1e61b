// From text to ids, exactly as minibert/tokenization/words.py and wordpiece.py do it; "unkindly" → un ##kind ##ly.
//
//     text → special tokens are cut out → clean → space out ideographs → lower-case, strip accents → split off punctuation → pieces
//
// Browsers know newer editions of Unicode than Python: what a character is comes from the Python that wrote the page, as ranges of
// code points. A character that this Python does not know is left as it is, and is cleaned away. Positions count code points.

/**
 * What `data_of` in writer.py says of a BertTokenizer. pieces: by id; null where none has the id. basic: the settings of its
 * BasicTokenizer, null without one. cutOut: tokens that are looked for in the text, as they stand in it; tokens: all that count as
 * whole. keepCase: those that are not lower-cased. strips: those that do not take the spaces on both sides: [before, after].
 * neverSplit: words left alone. added: those that the vocabulary has not.
 * @typedef {{pieces: (string | null)[], unknown: string, longest: number, start: string, separator: string, mask: string | null,
 *   basic: {lower: boolean, accents: boolean, chinese: boolean, clean: boolean, own: string[]} | null, cutOut: string[], tokens: string[],
 *   keepCase: string[], strips: Record<string, boolean[]>, neverSplit: string[], added: string[], unicode: Record<string, number[]>, chinese: number[][]}} Tokens
 */

const CONTROL = 1, UNASSIGNED = 2, SPACE = 3, PUNCTUATION = 4, MARK = 5;
const KINDS = { control: CONTROL, unassigned: UNASSIGNED, space: SPACE, punctuation: PUNCTUATION, mark: MARK };
// What Python's str.split() splits at, which is not what \s means here.
const GAP = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/u;

/** @param {string} text */
const wordsOf = text => text.split(GAP).filter(word => word);
/** Any of some texts, the first of the list that fits; null without any. @param {string[]} texts */
const anyOf = texts => texts.length ? new RegExp(texts.map(text => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "u") : null;

/** Parts of a text, in order, and whether each was found; none is empty. @param {string} text @param {RegExp | null} pattern */
function cut(text, pattern) {
  /** @type {{text: string, found: boolean}[]} */
  const parts = [];
  for (let match; pattern && (match = pattern.exec(text)); text = text.slice(match.index + match[0].length)) {
    parts.push({ text: text.slice(0, match.index), found: false }, { text: match[0], found: true });
  }
  return [...parts, { text, found: false }].filter(part => part.text);
}

/** Tokens by their characters, one level of the tree for each; "" marks the end of one. @typedef {Map<string, Node>} Node */

/** @param {string[]} tokens @returns {Node} */
function trieOf(tokens) {
  /** @type {Node} */
  const root = new Map();
  for (const token of tokens) {
    let node = root;
    for (const char of [...token, ""]) node = node.get(char) ?? /** @type {Node} */ (node.set(char, new Map()).get(char));
  }
  return root;
}

/** Parts of a text, in order, none empty, as `Trie.split` in wordpiece.py cuts them, its oddity included. @param {string} text @param {Node} root */
function cutOut(text, root) {
  const chars = Array.from(text), cuts = /** @type {number[]} */ ([]);
  /** Where each token that may be under way began, and where in the tree it stands. @type {[number, Node][]} */
  let walkers = [];
  for (let position = 0, resume = 0; position <= chars.length; position++) {
    if (position < resume) continue;
    const char = chars[position] ?? "", ended = walkers.find(([, node]) => node.has(""));
    if (!ended) walkers = walkers.flatMap(([start, node]) => /** @type {[number, Node][]} */ (node.has(char) ? [[start, node.get(char)]] : []));
    else { // a token ends here; one that began earlier, or a longer one, may still end later
      let found = ended[0], end = position;
      for (let [start, node] of walkers) {
        if (start > found) break;
        let ahead = end = start < found ? position + 1 : position;
        if (start < found) node = node.get(char) ?? node; // the oddity
        for (let next; ahead < chars.length && (next = node.get(chars[ahead])); ) {
          node = next;
          ahead++;
          if (node.has("")) [found, end, resume] = [start, ahead, ahead];
        }
      }
      cuts.push(found, end);
      walkers = [];
    }
    const first = char && root.get(char);
    if (first) walkers.push([position, first]);
  }
  let begin = 0;
  return [...cuts, chars.length].flatMap(end => { // those that go back are passed over
    const part = chars.slice(begin, end).join("");
    begin = Math.max(begin, end);
    return part ? [part] : [];
  });
}

export class WordPiece {
  /** @param {Tokens} tokens */
  constructor(tokens) {
    this.tokens = tokens;
    this.ids = new Map(tokens.pieces.flatMap((piece, id) => piece === null ? [] : [[piece, id]]));
    this.added = new Set(tokens.added); // no pieces of a word
    this.whole = new Set(tokens.tokens);
    this.own = new Set(tokens.basic?.own);
    this.neverSplit = new Set([...tokens.neverSplit, ...this.own]);
    this.keepCase = anyOf(tokens.keepCase);
    this.trie = trieOf(tokens.cutOut);
    this.kinds = new Uint8Array(0x110000); // 0: of none of these kinds
    for (const [name, kind] of Object.entries(KINDS)) {
      const ranges = tokens.unicode[name]; // first, last, first, last, …
      for (let i = 0; i < ranges.length; i += 2) this.kinds.fill(kind, ranges[i], ranges[i + 1] + 1);
    }
  }

  /** @param {string} char */
  kind(char) {
    return this.kinds[/** @type {number} */ (char.codePointAt(0))];
  }

  /** Character by character, so that a Σ at the end of a word becomes σ. @param {string} text */
  lower(text) {
    return Array.from(text, char => this.kind(char) === UNASSIGNED ? char : char.toLowerCase()).join("");
  }

  /** Nothing for a control character, a plain space for any other space, the character itself otherwise. @param {string} char */
  cleaned(char) {
    if ("\t\n\r ".includes(char)) return " ";
    const kind = this.kind(char);
    return kind === CONTROL || kind === UNASSIGNED || char === "\ufffd" ? "" : kind === SPACE ? " " : char;
  }

  /** An ideograph, which becomes a word of its own. @param {string} char */
  isChinese(char) {
    const code = /** @type {number} */ (char.codePointAt(0));
    return this.tokens.chinese.some(([first, last]) => first <= code && code <= last);
  }

  /** Lower-case a word and strip its accents, as far as the settings ask for it: É → e. @param {string} word */
  normalize(word) {
    const { lower, accents } = this.tokens.basic ?? {};
    if (lower) word = this.lower(word);
    return accents ? Array.from(word.normalize("NFD")).filter(char => this.kind(char) !== MARK).join("") : word;
  }

  /** Words of a text without special tokens: lower-cased, ideographs and punctuation marks apart. @param {string} text */
  words(text) {
    const basic = this.tokens.basic;
    if (!basic) return wordsOf(text);
    if (basic.clean) text = Array.from(text, char => this.cleaned(char)).join("");
    if (basic.chinese) text = Array.from(text, char => this.isChinese(char) ? ` ${char} ` : char).join("");
    return wordsOf(text).flatMap(word => {
      if (!this.neverSplit.has(word)) word = this.normalize(word);
      if (this.neverSplit.has(word)) return [word];
      return wordsOf(Array.from(word, char => this.kind(char) === PUNCTUATION ? ` ${char} ` : char).join("")); // don't → don ' t
    });
  }

  /** Whether the vocabulary itself has a piece. @param {string} piece */
  isPiece(piece) {
    return this.ids.has(piece) && !this.added.has(piece);
  }

  /** The longest piece that begins the word, then the longest that goes on, to the end; or [UNK]. @param {string} word */
  split(word) {
    if (this.own.has(word)) return [word];
    const chars = Array.from(word), pieces = [];
    for (let start = 0, end = 0; start < chars.length && chars.length <= this.tokens.longest; start = end) {
      const prefix = start > 0 ? "##" : "";
      for (end = chars.length; end > start && !this.isPiece(prefix + chars.slice(start, end).join("")); ) end--;
      if (end === start) return [this.tokens.unknown];
      pieces.push(prefix + chars.slice(start, end).join(""));
    }
    return chars.length > this.tokens.longest ? [this.tokens.unknown] : pieces;
  }

  /** The words of a text that become [UNK], each once. @param {string} text */
  unknown(text) {
    return [...new Set(this.words(text).filter(word => this.split(word)[0] === this.tokens.unknown))];
  }

  /** The pieces of a text, without [CLS] and [SEP]. @param {string} text */
  pieces(text) {
    if (this.tokens.basic?.lower) text = cut(text, this.keepCase).map(part => part.found ? part.text : this.lower(part.text)).join("");
    const parts = cutOut(text, this.trie);
    for (let i = 0; i < parts.length; i++) { // special tokens swallow the spaces around them, which may be those of another
      const [before, after] = this.whole.has(parts[i]) ? this.tokens.strips[parts[i]] ?? [true, true] : [false, false];
      if (after && i + 1 < parts.length) parts[i + 1] = parts[i + 1].replace(new RegExp(`^${GAP.source}`, "u"), "");
      if (before && i > 0) parts[i - 1] = parts[i - 1].replace(new RegExp(`${GAP.source}$`, "u"), "");
    }
    return parts.filter(part => part).flatMap(part => this.whole.has(part) ? [part] : this.words(part).flatMap(word => this.split(word)));
  }

  /** A piece's id, or that of [UNK]. @param {string} piece */
  id(piece) {
    return this.ids.get(piece) ?? this.ids.get(this.tokens.unknown) ?? 0;
  }

  /**
   * [CLS] pieces [SEP], and for a pair the second text's pieces and [SEP], in segment 1.
   * @param {string} text @param {string} [second] @returns {{ids: number[], segments: number[]}}
   */
  encode(text, second) {
    const { start, separator } = this.tokens;
    const first = [start, ...this.pieces(text), separator].map(piece => this.id(piece));
    const more = second ? [...this.pieces(second), separator].map(piece => this.id(piece)) : [];
    return { ids: [...first, ...more], segments: [...first.map(() => 0), ...more.map(() => 1)] };
  }
}
