"""Where tokens come from: rows whose tokens know it.

    text → aligned tokens → cut, or windows over a text too long for one row → [CLS] … [SEP] → padded `Encoding`

Where a token begins and ends equals what the Rust tokenizer of transformers 5 reports.
"""

from typing import Any, NamedTuple, TypeAlias
from unicodedata import category

from .encoding import EncodeOptions, Encoding
from .model_input import Columns, ModelInput
from .wordpiece import TextTokenizer
from .words import BasicTokenizer, Traced


class AlignedToken(NamedTuple):
    """A token and where it came from: `text[start:end]`, word number `word` of text 0 or 1 (`sequence`).

    A special token comes from no text: its word and sequence are None.
    """

    token: str
    id: int
    start: int = 0
    end: int = 0
    word: int | None = None
    sequence: int | None = None


Texts: TypeAlias = list[tuple[Any, Any]]  # texts and their pairs


def aligned(tokenizer: ModelInput, steps: TextTokenizer, text: Any, sequence: int) -> list[AlignedToken]:
    """The tokens of a text or of words, and where each came from: the same steps, on `Traced` text.

    Words are counted as the tokenizer splits them; a special token is one. Of a text given as words, `word` is a
    word's number, and `start` and `end` count inside the word.
    """
    if not isinstance(text, str):
        of_words = [aligned(tokenizer, steps, word, sequence=sequence) for word in text]
        return [token._replace(word=number) for number, tokens in enumerate(of_words) for token in tokens]
    tokens: list[AlignedToken] = []
    for number, (word, pieces) in enumerate(_traced_words(steps, text)):
        end = 0
        for piece in pieces:
            start, end = end, end + len(piece.removeprefix("##") if end else piece)
            origin = word[start:end] if len(pieces) > 1 else word
            if not isinstance(origin, Traced):
                raise ValueError(f"{type(steps.basic).__name__} does not say where {word!r} came from.")
            where = (*origin.span, number, sequence)
            tokens.append(AlignedToken(str(piece), tokenizer.token_to_id(piece), *where))
    if steps.own and [token.token for token in tokens] != steps.own(text):
        raise ValueError(f"{type(tokenizer).__name__} tokenizes in its own way: where its tokens came from is unknown.")
    return tokens


def _traced_words(steps: TextTokenizer, text: str) -> list[tuple[str, list[str]]]:
    """Each word of a text, `Traced`, with its pieces; a special or added token is a word, and its own only piece."""
    words: list[tuple[str, list[str]]] = []
    for part, is_token in steps.parts(Traced(text, range(len(text)))):
        words += [(part, [part])] if is_token else steps.words(part)
    return words


def word_spans(text: str, steps: TextTokenizer | None = None) -> list[tuple[int, int]]:
    """Where each word of `text` begins and ends: an ideograph, a punctuation mark, or what stands between them and spaces.

    Marks and format characters stay with the word that they follow, though BERT may drop them: `می‌خواهم` is one word, `‼️` too.
    steps: `tokenizer.steps()`, to cut with that tokenizer's settings and added tokens; None cuts as `BasicTokenizer` does.
    """
    traced = Traced(text, range(len(text)))
    words = [word for word, _ in _traced_words(steps, text)] if steps else BasicTokenizer().tokenize(traced)
    spans, last = list[tuple[int, int]](), 0
    for word in words:
        if not isinstance(word, Traced):
            raise ValueError(f"The tokenizer cuts in its own way: it does not say where {word!r} came from.")
        start, end = max(last, word.span[0]), word.span[1]
        end = with_marks(text, end, ("M", "Cf"))
        if start < end:  # not a word of marks, which belong to the word before
            spans.append((start, end))
        last = max(last, end)
    return spans


def with_marks(text: str, end: int, kinds: tuple[str, ...] = ("M",)) -> int:
    """The end of a word with the marks behind it, which BERT may have dropped: characters of the categories that begin so."""
    while end < len(text) and category(text[end]).startswith(kinds):
        end += 1
    return end


def origins(tokenizer: ModelInput, steps: TextTokenizer, *, texts: Texts, options: EncodeOptions) -> list[Encoding]:
    """The rows that texts become, with the origin of every token: made as rows of ids are, by `add_row` and `padded`."""
    of_row = options._replace(return_token_type_ids=True, return_attention_mask=True, return_overflowing_tokens=False)
    of_row = of_row._replace(return_special_tokens_mask=True)
    columns: Columns = {}
    for text, pair in texts:
        first = aligned(tokenizer, steps, text, sequence=0)
        second = None if pair is None else aligned(tokenizer, steps, pair, sequence=1)
        for one, other in tokenizer.rows_of(first, second, options):
            tokenizer.add_row(columns, one, other, options=of_row)
    columns = tokenizer.padded(columns, options)
    encodings = []
    for index, row in enumerate(columns["input_ids"]):
        # special tokens and padding come from no text: they are still ids
        tokens = [AlignedToken(tokenizer.id_to_token(each), each) if isinstance(each, int) else each for each in row]
        encodings.append(
            Encoding(
                tokens=[token.token for token in tokens],
                ids=[token.id for token in tokens],
                type_ids=columns["token_type_ids"][index],
                attention_mask=columns["attention_mask"][index],
                special_tokens_mask=columns["special_tokens_mask"][index],
                offsets=[(token.start, token.end) for token in tokens],
                word_ids=[token.word for token in tokens],
                sequence_ids=[token.sequence for token in tokens],
            )
        )
    return encodings
