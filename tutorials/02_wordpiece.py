# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # 2 · WordPiece: from characters to ids
#
# A network multiplies numbers. This chapter turns text into numbers, and back, without ever meeting a word it cannot write.
#
# ![“A Rôle rewritten!” becomes the words a, role, rewritten and !, these become pieces such as re, ##writ and ##ten, and the pieces become ids between \[CLS\] and \[SEP\]](../docs/figures/tokenizer.svg)

# %%
import re
from unicodedata import category, normalize

from course.figures import new_figure, show
from minibert import BertTokenizer, WordpieceTokenizer
from minibert.tokenization import explain

tokenizer = BertTokenizer.from_pretrained("novels-4l-256h")

# %% [markdown]
# ## Why not words, why not letters?
#
# A list of all words is never complete: names, misspellings, *unforeseeable*. Letters are complete, but they make a
# sentence five times as long, and attention costs the square of the length. WordPiece stands between: frequent words are
# one piece, rare words are spelled out of several.
#
# **What do you expect:** which of these words are one piece?

# %%
for word in ("house", "kindly", "unkindly", "housekeeping", "unforeseeable", "Zyzzyva", "television"):
    print(f"{word:14} {tokenizer.tokenize(word)}")

# %% [markdown]
# `##` marks a piece that goes on a word. Without the mark nobody could tell `un kind` from `un ##kind`.
#
# ## Half one: text → words
#
# Before any piece is looked up, the text is tidied. **What do you expect** to be left of this one?

# %%
text = "Déjà vu,\t HE SAID…  don't!"
for step in explain(tokenizer, text):
    print(f"{step.name:15} {step.parts}")

# %% [markdown]
# (The mark … became `[UNK]`: it is not in this vocabulary. And *special tokens* shows the text in lower case already: the library lowers all that is
# no special token first, so that `[MASK]` stays what it is, and once more word by word, under *normalized*, which then finds nothing to lower.)
# By hand, for text without special tokens:
#
# 1. Drop control characters, and make every kind of space a plain one.
# 2. Lower-case.
# 3. Take accents apart from their letters (Unicode calls this NFD) and drop them: é → e. This model is *uncased*; a cased
#    one skips steps 2 and 3.
# 4. Make every punctuation mark a word of its own.


# %%
def words(text: str) -> list[str]:
    """Lower-cased words and single punctuation marks."""
    text = re.sub(r"\s", " ", text).lower()
    text = "".join(letter for letter in normalize("NFD", text) if category(letter) != "Mn")
    return "".join(f" {letter} " if category(letter).startswith("P") else letter for letter in text).split()


print(words(text))
assert words(text) == tokenizer.basic_tokenizer.tokenize(text)

# %% [markdown]
# ## Half two: word → pieces
#
# Greedy, from left to right: take the longest piece of the vocabulary that begins the word; then the longest that goes on.
#
# **What do you expect:** does greedy always find the cut with the fewest pieces?


# %%
def split_word(word: str, vocab: set[str]) -> list[str]:
    """The longest piece first, to the end; [UNK] when the vocabulary cannot spell the word."""
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        fitting = [end for end in range(start + 1, len(word) + 1) if prefix + word[start:end] in vocab]
        if not fitting:
            return ["[UNK]"]
        pieces.append(prefix + word[start : fitting[-1]])
        start = fitting[-1]
    return pieces


vocab = {"a", "ab", "abc", "##b", "##c", "##d", "##cde", "##e"}
print(split_word("abcde", vocab), "although ab + ##cde would do")
assert split_word("abcde", vocab) == WordpieceTokenizer(vocab, "[UNK]").tokenize("abcde")
for word in words("The unforeseeable housekeeper unhesitatingly said: nonsense!"):
    assert split_word(word, set(tokenizer.vocab)) == tokenizer.tokenize(word)

# %% [markdown]
# It does not. Greedy is fast and always gives the same answer, and that matters more: the model must meet the pieces it was
# trained on.
#
# **What do you expect** of a word with a letter that is not in the vocabulary?

# %%
print(tokenizer.tokenize("a smile ☺ and a ☺smile"))

# %% [markdown]
# One unknown character makes its whole word `[UNK]`. That, and words of more than 100 letters, is all that WordPiece gives up on.
#
# ## A language without spaces
#
# Chinese has no spaces between its words. Before it cuts, BERT's tokenizer puts one on either side of every Chinese character, so that each
# is a word of its own. **What do you expect:** how many pieces has a line of verse, and what does an unknown character cost here?

# %%
verses = BertTokenizer.from_pretrained("shici-4l-256h")  # of the Chinese model that comes with minibert
for line in ("床前明月光，疑是地上霜。", "举头望☺明月"):
    print(verses.tokenize(line))
print(verses.decode(verses.encode("床前明月光"), skip_special_tokens=True))
longer = sum(piece.startswith("##") for piece in verses.vocab)
print(f"{len(verses.vocab):,} pieces, {longer} of them begin with ##")
assert verses.tokenize("床前明月光") == [*"床前明月光"]

# %% [markdown]
# A piece for each character; there is nothing to go on with, so none begins with `##`. An unknown character costs itself and no more, `decode`
# puts spaces where there were none, and the vocabulary cannot be small: it must list every character. That 明 and 月 together are the bright moon
# is left to attention.
#
# ## Pieces → ids
#
# An id is a line number in `vocab.txt`, counted from 0. Three special tokens frame the text: `[CLS]` opens it, `[SEP]` ends a
# sentence, `[PAD]` fills a batch up to one length. A pair of sentences carries *segments*, 0 for the first and 1 for the
# second.
#
# **What do you expect:** how long are the rows below, and where is the mask 0?

# %%
batch = tokenizer([("He stood up.", "He left."), ("No.", "")], padding=True)
for ids, segments, mask in zip(batch["input_ids"], batch["token_type_ids"], batch["attention_mask"], strict=True):
    print(tokenizer.convert_ids_to_tokens(ids))
    print("  ids     ", ids)
    print("  segments", segments)
    print("  mask    ", mask)

first, second = (tokenizer.convert_tokens_to_ids(tokenizer.tokenize(part)) for part in ("He stood up.", "He left."))
cls, sep = tokenizer.cls_token_id, tokenizer.sep_token_id
assert batch["input_ids"][0] == [cls, *first, sep, *second, sep]
assert batch["token_type_ids"][0] == [0] * (len(first) + 2) + [1] * (len(second) + 1)

# %% [markdown]
# ## And back
#
# **What do you expect:** what does `decode` give back of *Déjà vu,  HE SAID*?

# %%
print(tokenizer.decode(tokenizer.encode("Déjà vu,  HE SAID"), skip_special_tokens=True))

# %% [markdown]
# Accents, capitals and double spaces are gone for good. Where a piece came from in the original text is kept beside the ids
# when you ask for it (`return_offsets_mapping=True`); chapter 15 needs that to cut answers out of a text.
#
# ## How many pieces are enough?
#
# A vocabulary is learned by joining: begin with single letters, then join two neighbouring pieces into one, the most useful
# pair first, again and again. The file keeps that order. Its first 500 lines are about the vocabulary that training would have
# stopped at, had we asked for 500.
#
# **What do you expect:** how many pieces does a word take with 500, and with 8,192?

# %%
sample = """The old gentleman looked at her with some astonishment, and then, taking off his spectacles, he wiped them
carefully upon his handkerchief. "I cannot pretend to understand it," said he; "nobody in the neighbourhood has been
seen upon that road since Tuesday, and yet the gate was unlocked this morning, and the housekeeper swears that she
heard footsteps in the passage." Margaret said nothing. Outside, the rain had begun to fall again."""
sample_words = [word for word in words(sample) if word.isalpha()]
in_order = list(tokenizer.vocab)  # as in vocab.txt
sizes = [200, 300, 500, 800, 1200, 2000, 3000, 5000, len(in_order)]
pieces_per_word = []
for size in sizes:
    cutter = WordpieceTokenizer(set(in_order[:size]), "[UNK]")
    cut = [cutter.tokenize(word) for word in sample_words]
    assert ["[UNK]"] not in cut  # the letters themselves stand first in the file
    pieces_per_word.append(sum(map(len, cut)) / len(cut))
for size, average in zip(sizes, pieces_per_word, strict=True):
    print(f"{size:6,} pieces in the vocabulary: {average:.2f} for a word")

figure = new_figure(width=7, height=3.6)
panel = figure.subplots()
panel.semilogx(sizes, pieces_per_word, marker="o")
panel.axhline(1.0, linestyle=":", color="gray")
panel.set_xticks(sizes, [f"{size:,}" for size in sizes], rotation=30)
panel.minorticks_off()
panel.set_xlabel("vocabulary (dotted: every word whole)")
panel.set_ylabel("pieces for a word")
panel.set_title("Pieces for a word, by the size of the bundled model's vocabulary")
show(
    figure,
    "02-vocabulary-size",
    "A line that falls from nearly four pieces for a word, with 200 pieces in the vocabulary, steeply at first "
    "and then slowly to just above one, with 8,192.",
)

# %% [markdown]
# The first thousand pieces do most of the work. Each further piece is a row of 256 numbers to be learned, from words that
# are ever rarer: BERT stopped at 30,522.
#
# ## Summary
#
# - Text is tidied into words and marks; each word is cut greedily into the longest known pieces.
# - `##` goes on a word; `[UNK]` stands for a word that cannot be spelled. In Chinese every character is a piece.
# - `[CLS]`, `[SEP]`, segments and the attention mask tell the model what the ids alone do not.
# - A vocabulary is learned by joining neighbours; its size trades short inputs for a large table.
#
# **The code, in reading order:** [`words.py`](../minibert/tokenization/words.py) text → words,
# [`wordpiece.py`](../minibert/tokenization/wordpiece.py) word → pieces, [`model_input.py`](../minibert/tokenization/model_input.py) special
# tokens and pairs, [`train_vocabulary.py`](../minibert/tokenization/train_vocabulary.py) learning a vocabulary. Try
# `minibert tokenize "your text" --explain`, too.
#
# **Exercises:** [`exercises/02_wordpiece.py`](exercises/02_wordpiece.py). Check them with `minibert check 2`.
#
# **Next:** [3 · Embeddings](03_embeddings.py)
