"""Programs for the fast tokenizer that run unchanged on minibert and on transformers 4.12.5 with the Rust tokenizer of its day.

As `tests/parity/old/tokenizer_programs.py`, whose vocabularies and texts they share: each takes the library, a module with
`BertTokenizerFast`, and returns plain data. The Rust tokenizer of that day needs Python 3.9, so this file runs there too.
"""

from __future__ import annotations

import itertools
import random
import tempfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.parity.old import tokenizer_programs as programs
from tests.parity.old.tokenizer_programs import NASTY, VOCABULARIES, digest, outcome, plain

CONTEXT = (
    "🤗 Transformers (formerly known as pytorch-transformers and pytorch-pretrained-bert) provides general-purpose architectures "
    "(BERT, GPT-2, RoBERTa, XLM, DistilBert, XLNet…) for Natural Language Understanding (NLU) and Natural Language Generation "
    "(NLG) with over 32+ pretrained models in 100+ languages and deep interoperability between TensorFlow 2.0 and PyTorch."
)
"""The text of the course's question-answering program."""

PIECES = "! ' , . ? 's 've 're 'm n't n t s m ve re do not don nothing dot ##hing ##s ## # [SEP] [UNK] we it 2 0 é …"


def fast(library: Any) -> Any:
    """The library as `tokenizer_programs` takes it, with its fast class in the Python one's place."""
    return SimpleNamespace(BertTokenizer=library.BertTokenizerFast)


def new_tokenizer(library: Any, kind: str = "uncased", **settings: Any) -> Any:
    return programs.new_tokenizer(fast(library), kind, **settings)


def settled(text: str) -> str:
    """`text` without the characters that the tables of that day's Rust and this day's Python class differently."""
    return "".join(char for char in text if programs.is_settled(char))


def by_name(columns: Any) -> Any:
    """Columns in the order of their names: the two classes of 4.12.5 have orders of their own."""
    return dict(sorted(columns.items())) if isinstance(columns, dict) else columns


def rows(encoding: Any) -> Any:
    """All that an encoding says of its rows."""
    names = (
        "ids",
        "tokens",
        "offsets",
        "word_ids",
        "sequence_ids",
        "type_ids",
        "special_tokens_mask",
        "attention_mask",
    )
    return [plain([getattr(row, name) for name in names]) for row in encoding.encodings]


def rows_of_nasty_texts(library: Any) -> Any:
    texts = [settled(text) for text in NASTY]
    found = []
    for kind in VOCABULARIES:
        tokenizer = new_tokenizer(library, kind)
        found += [digest(row) for row in rows(tokenizer(texts, verbose=False))]
        found += [digest(row) for row in rows(tokenizer(texts, texts[::-1], verbose=False))]
    return found


def rows_of_random_texts(library: Any) -> Any:
    texts = programs.random_texts(1_500, seed=8, settled=True)
    return [
        digest(rows(new_tokenizer(library, kind)(texts[start : start + 250], verbose=False)))
        for kind in VOCABULARIES
        for start in range(0, len(texts), 250)
    ]


def columns(library: Any) -> Any:
    return list(map(by_name, programs.columns(fast(library))))


def optional_columns(library: Any) -> Any:
    """What `return_…` adds and leaves out."""
    tokenizer, texts, pairs = new_tokenizer(library), programs.TEXTS, programs.PAIRS
    flags = ("return_token_type_ids", "return_attention_mask", "return_special_tokens_mask", "return_length")
    found = []
    for values, special in itertools.product(itertools.product((True, False), repeat=4), (True, False)):
        chosen = {"add_special_tokens": special, **dict(zip(flags, values))}  # noqa: B905  strict= came after Python 3.9
        found.append(outcome(tokenizer, texts[1], pairs[0], **chosen))
        found.append(outcome(tokenizer, texts[:3], padding=True, **chosen))
        found.append(outcome(tokenizer, texts[1], return_tensors="np", **chosen))
    tokenizer.model_input_names = ["input_ids"]
    found += [outcome(tokenizer, texts[0]), outcome(tokenizer, texts[:3], padding=True)]
    return list(map(by_name, found))


def padded(library: Any) -> Any:
    """The `pad` method, which collators call."""
    tokenizer = new_tokenizer(library)
    rows, ids = [tokenizer(text, return_special_tokens_mask=True) for text in programs.TEXTS], [[1, 2, 3], [4], [5, 6]]
    found = [
        outcome(tokenizer.pad, rows),
        outcome(tokenizer.pad, rows, padding="max_length", max_length=20, return_tensors="np"),
        outcome(tokenizer.pad, rows, padding=False),
        outcome(tokenizer.pad, rows[1], padding="max_length", max_length=20, pad_to_multiple_of=8),
        outcome(tokenizer.pad, {"input_ids": ids}, return_attention_mask=False),
        outcome(tokenizer.pad, [{"input_ids": each} for each in ids], pad_to_multiple_of=4),
        outcome(tokenizer.pad, {"labels": [1, 2]}),
    ]
    return list(map(by_name, found))


def overflow(library: Any) -> Any:
    return list(map(by_name, programs.overflow(fast(library))))


def windows(library: Any) -> Any:
    """Every cut that leaves something, with every stride, and all that the rows say."""
    tokenizer = new_tokenizer(library)
    texts, pairs = programs.TEXTS, programs.PAIRS
    found = []
    for how, stride, longest in itertools.product((True, "only_first", "only_second"), (0, 1, 2), (9, 10, 14, 31)):
        options = {"truncation": how, "stride": stride, "max_length": longest, "return_overflowing_tokens": True}
        for given in ((texts[1],), (texts[1], pairs[2]), (pairs[2], texts[1]), (texts[1], texts[1]), (texts, pairs)):
            for offsets in (False, True):
                made = outcome(tokenizer, *given, **options, return_offsets_mapping=offsets, padding=True)
                found.append(by_name(made))
            found.append("error" if made == "error" else digest(rows(tokenizer(*given, **options))))
    return found


def look_ups(library: Any) -> Any:
    """Every question that an encoding answers, about every token, word and character."""
    tokenizer = new_tokenizer(library)
    text, pair = "the  don't\u0301  Ünaffable [MASK]", "runs  away, é"
    encoding = tokenizer([text, pair], [pair, text])
    found: list[Any] = []
    for row, sequence in itertools.product((0, 1), (0, 1)):
        for index in range(len(encoding["input_ids"][row])):
            for name in ("token_to_word", "token_to_sequence", "token_to_chars"):
                if name != "token_to_chars" or encoding.token_to_sequence(row, index) is not None:  # there a TypeError
                    found.append(plain(outcome(getattr(encoding, name), row, index)))
        for index in range(len((text, pair)[row ^ sequence])):
            for name in ("char_to_token", "char_to_word"):
                found.append(outcome(getattr(encoding, name), row, index, sequence))
        for word in range(max(each for each in encoding.word_ids(row) if each is not None) + 1):
            found.append(plain(outcome(encoding.word_to_tokens, row, word, sequence)))
    return found


def decoded(library: Any) -> Any:
    """Nasty texts and any ids, with special tokens and without, cleaned up twice or once."""
    chance = random.Random(3)
    found = []
    for kind in VOCABULARIES:
        tokenizer = new_tokenizer(library, kind)
        ids = [tokenizer.encode(settled(text), verbose=False) for text in NASTY]
        ids += [[chance.randrange(len(tokenizer)) for _ in range(chance.randint(0, 20))] for _ in range(300)]
        for skip, clean in itertools.product((True, False), repeat=2):
            found.append(tokenizer.batch_decode(ids, skip_special_tokens=skip, clean_up_tokenization_spaces=clean))
    return found


def strings_of_tokens(library: Any) -> Any:
    """Marks, contractions and pieces in any order."""
    tokenizer, chance, pieces = new_tokenizer(library), random.Random(4), [*PIECES.split(), "", " ", "a b"]
    return [
        [
            tokenizer.convert_tokens_to_string([chance.choice(pieces) for _ in range(chance.randint(0, 12))])
            for _ in range(40)
        ]
        for _ in range(25)
    ]


COURSE = "tensor ##flow py ##tor ##ch inter ##oper ##ability general purpose architectures pre ##train ##ed models over 32 2 0"


def answers(library: Any) -> Any:
    """The course's answers: every stretch of its context, as its question-answering program prints it."""
    with tempfile.TemporaryDirectory() as folder:
        pieces = dict.fromkeys([*VOCABULARIES["uncased"], *COURSE.split()])
        Path(folder, "vocab.txt").write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")
        tokenizer = library.BertTokenizerFast.from_pretrained(folder)
    ids = tokenizer("How many pretrained models are available in 🤗 Transformers?", CONTEXT)["input_ids"]
    return [
        [
            tokenizer.convert_tokens_to_string(tokenizer.convert_ids_to_tokens(ids[first:last]))
            for last in range(first + 1, min(first + 25, len(ids) + 1))
        ]
        for first in range(len(ids))
    ]


def added_tokens(library: Any) -> Any:
    """Tokens that are not pieces, do not overlap, and stand in the vocabulary's case: the rest is in docs/tokenizer.md."""
    texts = [
        "covid <e1> the covidnewword <e2>",
        "Covid [MASK] NEWWORD <e1>x",
        "cóvid  <E1> . newwords",
        "<e1><e2>  <e1>",
    ]
    found = []
    for kind, special in itertools.product(("uncased", "cased"), (False, True)):
        for add in (
            lambda t: t.add_tokens(["covid", "newword"], special_tokens=special),  # noqa: B023  called here
            lambda t: t.add_special_tokens({"additional_special_tokens": ["<e1>", "<e2>"], "mask_token": "<e1>"}),
            lambda t: (t.add_tokens("newword"), t.add_tokens(["covid", "<e1>"], special_tokens=special)),  # noqa: B023
            lambda t: t.add_tokens(["the", "dog", "[MASK]"]),
        ):
            tokenizer = new_tokenizer(library, kind)
            found.append(outcome(add, tokenizer))
            found.append(rows(tokenizer(texts)))
            found.append([len(tokenizer), sorted(tokenizer.get_added_vocab().items()), tokenizer.all_special_tokens])
            found.append(tokenizer.batch_decode(tokenizer(texts)["input_ids"]))
    return found


def surface(library: Any) -> Any:
    """The smaller methods, and the forms that input may have."""
    tokenizer, words = (
        new_tokenizer(library, model_max_length=64),
        [["hello", "unaffable", "[MASK]", "don't"], ["my", "dog"]],
    )
    first, second = [10, 11, 12, 13, 14], [20, 21, 22]
    cuts = itertools.product(("only_first", "only_second", "longest_first"), (0, 1, 3, 6), (0, 2))
    return [
        tokenizer.build_inputs_with_special_tokens(first, second),
        tokenizer.create_token_type_ids_from_sequences(first, second),
        [tokenizer.num_special_tokens_to_add(), tokenizer.num_special_tokens_to_add(pair=True)],
        [tokenizer.max_len_single_sentence, tokenizer.max_len_sentences_pair, tokenizer.model_max_length],
        [len(tokenizer), tokenizer.vocab_size, tokenizer.get_added_vocab(), tokenizer.is_fast, tokenizer.do_lower_case],
        digest(sorted(tokenizer.get_vocab().items())),
        [plain(tokenizer.truncate_sequences(first, second, n, how, stride)) for how, n, stride in cuts],
        outcome(tokenizer.prepare_for_model, first, second, max_length=9, truncation=True, padding="max_length"),
        tokenizer.convert_tokens_to_ids(["dog", "xyzzy", "[MASK]"]),
        tokenizer.convert_tokens_to_ids(None),
        tokenizer.convert_ids_to_tokens([4, 0, 7], skip_special_tokens=True),
        tokenizer.clean_up_tokenization("do n't stop , it 's fine . i do not . 'm we 've they 're ' x ' ok ? yes !"),
        tokenizer.tokenize("the dog", add_special_tokens=True),
        tokenizer.tokenize("the dog", pair="unaffable"),
        tokenizer.decode(7),
        outcome(tokenizer, words, is_split_into_words=True, padding=True),
        rows(tokenizer(words, words[::-1], is_split_into_words=True)),
        outcome(tokenizer, words[0], words[1], is_split_into_words=True),
        outcome(tokenizer, [("the dog", "my dog"), ("hello", "world")]),
        outcome(tokenizer.encode, "the dog", "hello", add_special_tokens=False),
        outcome(tokenizer.batch_encode_plus, ["the dog", "my"], padding=True, return_tensors="np"),
        outcome(
            tokenizer, "the dog", return_tensors="np", return_overflowing_tokens=True, max_length=3, truncation=True
        ),
        *(outcome(tokenizer, bad) for bad in (None, 3, [None], [["a", "b", "c"]])),
    ]


def all_programs() -> dict[str, Any]:
    """Every program under its name."""
    every = (rows_of_nasty_texts, rows_of_random_texts, columns, optional_columns, padded, overflow, windows, look_ups)
    every += (decoded, strings_of_tokens, answers, added_tokens, surface)
    return {program.__name__: program for program in every}
