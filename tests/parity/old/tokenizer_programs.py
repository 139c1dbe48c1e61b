"""Tokenizer programs that run unchanged on minibert and on the old reference, transformers 4.12.5.

Each takes the library (a module with BertTokenizer) and returns plain data, the same from both. This file imports
neither, and makes its own vocabularies and texts, so that the small results can also be recorded.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import json
import logging
import os
import random
import string
import tempfile
import unicodedata
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Program = Callable[[Any], Any]

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
WORDS = ["the", "of", "and", "to", "in", "a", "is", "that", "it", "was", "for", "on", "with", "as", "he", "be", "at", "by", "i", "this", "had", "not", "are", "but", "from", "un", "##able", "##aff", "##ing", "##ed", "##s", "runn", "want", "##want", "low", "##er", "##est", "hello", "world", "cafe", "##s", "dog", "my", "cute"]  # fmt: skip
MARKS = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["…", "“", "”", "‘", "’", "—", "¿", "。", "、"]  # noqa: RUF005


def spelled(alphabet: str) -> list[str]:
    """Every character as the beginning of a word and as its continuation: any word of them can be spelled."""
    return [*alphabet, *(f"##{char}" for char in alphabet)]


VOCABULARIES = {
    "uncased": [*SPECIAL, "[unused0]", *MARKS, *spelled(string.ascii_lowercase + string.digits + "ıßσςæøłđ"), *WORDS],
    "cased": [
        *SPECIAL,
        *MARKS,
        *spelled(string.ascii_letters + string.digits + "éÉüÜıİßΣσς"),
        *WORDS,
        *(word.capitalize() for word in WORDS if word[0] != "#"),
    ],
    "chinese": [*SPECIAL, *MARKS, *spelled(string.ascii_lowercase + string.digits), *"的一是不了人我在有他这中大来上国个到说们你好世界學㐀𠀀豈"],
    "multilingual": [
        *SPECIAL,
        *MARKS,
        *spelled(string.ascii_lowercase + "абвгдежзийклмнопрстуфхцчшщъыьэюяαβγδεζηθικλμνξοπρσςτυφχψωابتثجحخدذرزسشصضطظعغفقكلمنهويकखगघचािीुूेैोौあいうえおかきくけこアイウエオ"),
        *spelled("".join(map(chr, [*range(0x1100, 0x1113), *range(0x1161, 0x1176), *range(0x11A8, 0x11C3)]))),
        *"你好世界",
    ],
}  # fmt: skip
SETTINGS: dict[str, dict[str, Any]] = {
    "uncased": {},
    "cased": {"do_lower_case": False},
    "chinese": {"do_lower_case": False},
    "multilingual": {"do_lower_case": True, "strip_accents": False},
}
MORE_SETTINGS: list[dict[str, Any]] = [
    {"do_lower_case": False, "strip_accents": True},
    {"tokenize_chinese_chars": False},
    {"strip_accents": False},
    {"never_split": ["hello!", "[ab]", "İ", "won't"]},
    {"never_split": ["Hello!", "Won't"], "do_lower_case": False},
    {"do_basic_tokenize": False},
]

NASTY = [
    "", " ", "\t\n\r ", "Hello, World!", "UNAFFABLE unaffable Unaffables runningest",
    "don't won't I'm it's we've they're ' n't", "a.b.c... e.g. $3.50 #tag @user 50% a_b c-d",
    "cafe\u0301 café CAFÉ Cafe\u0301\u0327 e\u0327\u0301", "naïve Ünïcödé Åström ﬁne ﬀ ǅ ǆ",
    "İstanbul ISTANBUL ıstanbul İİ i̇", "ΣΑΣ ΟΔΟΣ ὈΔΥΣΣΕΎΣ σς Σ", "straße STRASSE ẞ", "ＦＵＬＬ ｗｉｄｔｈ １２３ ！？",
    "zero\u200bwidth\u200cjoin\u200dbreak\ufeffbom", "bidi \u202eabc\u202c \u2066def\u2069 \u200e\u200f", "soft\u00adhyphen",
    "nul\x00byte \x01\x02 \x7f del \x85 nel \x0b vt \x0c ff \x1c\x1d\x1e\x1f seps",
    "a\x0bb a\x0cb a\x1cb a\x1db a\x1eb a\x1fb a\x85b a\u2028b a\u2029b a\xa0b a\u1680b a\u2003b a\u202fb a\u3000b a\u180eb",
    "replacement \ufffd char\ufffdacter", "lone \ud800 surrogates \udfff a\ud83db", "\U000f0000 private \ue000 use \U0010ffff",
    "你好世界 hello你好world 這是繁體 㐀㐁 𠀀𠀁 豈更 你 \U00030000", "日本語のテキスト カタカナ ひらがな 한국어 텍스트 각",
    "👍 👩‍👩‍👧‍👦 🏳️‍🌈 👋🏽 🇩🇪 1️⃣ a😀b", "हिन्दी नमस्ते தமிழ் ไทย ภาษาไทย ខ្មែរ", "عربي العَرَبِيَّة עִבְרִית שלום",
    "Zalgo: Z̸̢̛͓a̷͖͝l̵̟̈́g̶̠͊o̴̥̕", "a" * 99, "a" * 100, "a" * 101, "é" * 101, "e\u0301" * 60, "x" * 10_000, "\u0301" * 200,
    "[MASK]", "[MASK] [CLS] [SEP] [PAD] [UNK]", "the[MASK]dog", "[MASK][MASK]", "[mask] [Mask] [CLS", "[[MASK]]", "[MA\u0301SK]",
    "[MASK]ed un[SEP]able [ MASK ] [CLS[SEP]", " [SEP] \n [MASK]\t", "[UNK]x[UNK]", "[unused0] [UNUSED0]",
    "##ing un ##able # ## ###", "“quoted” ‘single’ — dash – … ¿qué? ¡sí!", "`` '' \"", "<b>html</b> &amp; <s>", "\\n \\ / |",
    "http://example.com/a?b=c&d=e#f user@example.com C:\\path", "x=3;y=4//z", "٣٤٥ ௧ ⅷ ² ½ ①", "K Å Ω ſ ﬅ", "ʼn ŉ ǰ ΐ", "\u0345 ͅα \u1fb3",
    "각 가\u11a8 \u1100\u1161", "\u0f71\u0f72\u0f74 \U0001d165\U0001d16e", "a\u302ab\u302ec\u302fd", "\u0d4d\u0d4d", "A\u030aB\u0327",
    "low lower lowest", "HELLO world café", "the  of\n\nand\r\nto",
]  # fmt: skip


@contextmanager
def quiet() -> Iterator[None]:
    """Neither log messages nor warnings: only results are compared."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)


def tokenizer_class(library: Any) -> Any:
    return library.BertTokenizer


def basic_tokenizer_class(library: Any) -> Any:
    return importlib.import_module(tokenizer_class(library).__module__.rpartition(".")[0]).BasicTokenizer


def new_tokenizer(library: Any, kind: str = "uncased", loaded: bool = True, **settings: Any) -> Any:
    """A tokenizer over one of the vocabularies above; `loaded` as `from_pretrained` makes it, else constructed."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "vocab.txt")
        path.write_text("".join(f"{piece}\n" for piece in dict.fromkeys(VOCABULARIES[kind])), encoding="utf-8")
        settings = {**SETTINGS[kind], **settings}
        if not loaded:
            return tokenizer_class(library)(str(path), **settings)
        Path(folder, "tokenizer_config.json").write_text('{"tokenizer_class": "BertTokenizer"}', encoding="utf-8")
        return tokenizer_class(library).from_pretrained(folder, **settings)


def outcome(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """What the call returns as plain data, or "error"."""
    with quiet():
        try:
            result = function(*args, **kwargs)
        except Exception:
            return "error"
    return plain(result)


def plain(value: Any) -> Any:
    """Encodings, tensors and tuples as dictionaries and lists."""
    if hasattr(value, "data") and isinstance(value.data, dict):
        value = value.data
    if isinstance(value, dict):
        return {str(name): plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def digest(value: Any) -> str:
    """A short stand-in for a long result."""
    return hashlib.sha256(json.dumps(plain(value)).encode()).hexdigest()[:16]


def random_texts(count: int, seed: int, settled: bool = False) -> list[str]:
    """Texts that mix words, special tokens, spaces of every kind and characters from all of Unicode.

    settled: only characters that every Python and every library agrees on (see `is_settled`).
    """
    chance = random.Random(seed)
    assigned = [range(0x20, 0x7F), range(0xA0, 0x250), range(0x300, 0x370), range(0x370, 0x530), range(0x2000, 0x2070)]
    assigned += [
        range(0x3000, 0x3100),
        range(0x4E00, 0x4E40),
        range(0xAC00, 0xAC40),
        range(0x1F300, 0x1F320),
        range(0x110000),
    ]
    separators = [" ", " ", "  ", "\n", "\t", "\r\n", "\x0b", "\x1c", "\x85", "\xa0", "\u2028", "\u3000", "\u200b", ""]
    words = [
        "the",
        "Unaffable",
        "WANT",
        "[MASK]",
        "[SEP]",
        "[CLS]",
        "[UNK]",
        "[PAD]",
        "##ing",
        "don't",
        "你好",
        "é",
        "e\u0301",
        "Σ",
    ]

    def word() -> str:
        if chance.random() < 0.4:
            return chance.choice(words)
        made = "".join(chr(chance.choice(chance.choice(assigned))) for _ in range(chance.randint(1, 8)))
        return "".join(filter(is_settled, made)) if settled else made

    return ["".join(word() + chance.choice(separators) for _ in range(chance.randint(0, 8))) for _ in range(count)]


def is_settled(char: str) -> bool:
    """Whether a character was there in 2002 and has kept its category since: younger tables cannot disagree on it."""
    category = unicodedata.ucd_3_2_0.category(char)
    return category not in ("Cn", "Cs") and category == unicodedata.category(char) and char != "\u1734"


def every_character(block: int) -> str:
    """4,096 code points, each inside a word and after a capital."""
    return " ".join(f"a{char}b Z{char}" for char in map(chr, range(block * 4096, (block + 1) * 4096)))


def tokens_of_nasty_texts(library: Any) -> Any:
    tokenizers = [new_tokenizer(library, kind, loaded) for kind in VOCABULARIES for loaded in (True, False)]
    tokenizers += [new_tokenizer(library, loaded=loaded, **more) for more in MORE_SETTINGS for loaded in (True, False)]
    return [[outcome(tokenizer.tokenize, text) for text in NASTY] for tokenizer in tokenizers]


def encodings_of_nasty_texts(library: Any) -> Any:
    tokenizers = [new_tokenizer(library, kind, loaded) for kind in VOCABULARIES for loaded in (True, False)]
    tokenizers += [new_tokenizer(library, loaded=loaded, **more) for more in MORE_SETTINGS for loaded in (True, False)]
    return [outcome(tokenizer, NASTY) for tokenizer in tokenizers]


def words_of_nasty_texts(library: Any) -> Any:
    basic = basic_tokenizer_class(library)
    grid = itertools.product((True, False), (None, ["hello!", "won't", "[MASK]"]), (True, False), (None, True, False))
    return [[outcome(basic(*settings).tokenize, text, ["[SEP]"]) for text in NASTY] for settings in grid]


def words_of_every_character(library: Any) -> Any:
    """Uses the Unicode tables of the running Python: compare runs of one Python version only."""
    basic = basic_tokenizer_class(library)
    return [
        [digest(basic(do_lower_case=lower).tokenize(every_character(block))) for lower in (True, False)]
        for block in range(0x110000 // 4096)
    ]


def encodings_of_every_character(library: Any) -> Any:
    """As above, through the whole tokenizer, word memory and all."""
    tokenizer = new_tokenizer(library, "multilingual")
    return [digest(outcome(tokenizer, every_character(block))) for block in range(0x110000 // 4096)]


def encodings_of_random_texts(library: Any) -> Any:
    """20,000 texts; MINIBERT_STRINGS=1000000 in the environment makes it a million."""
    return encodings_of_texts(library, random_texts(int(os.environ.get("MINIBERT_STRINGS", 20_000)), seed=4))


def encodings_of_settled_texts(library: Any) -> Any:
    return encodings_of_texts(library, random_texts(4_000, seed=6, settled=True))


def encodings_of_texts(library: Any, texts: list[str]) -> Any:
    tokenizers = [new_tokenizer(library, kind) for kind in VOCABULARIES]
    tokenizers[0].add_tokens(["want", "na", "the dog", "é"])
    return [
        [digest(outcome(tokenizer, texts[start : start + 500])) for start in range(0, len(texts), 500)]
        for tokenizer in tokenizers
    ]


def encodings_of_given_texts(library: Any) -> Any:
    """Every line of the *.txt files in the folder that MINIBERT_TEXTS names; with none named, of this file."""
    folder = os.environ.get("MINIBERT_TEXTS")
    files = sorted(Path(folder).glob("*.txt")) if folder else [Path(__file__)]
    tokenizers = [new_tokenizer(library, kind) for kind in ("uncased", "cased")]
    texts = ((file, file.read_text(encoding="utf-8").split("\n")) for file in files)
    return [[file.name, *(digest(outcome(tokenizer, lines)) for tokenizer in tokenizers)] for file, lines in texts]


TEXTS = [
    "the dog",
    "unaffable running is low , and it was not for the world",
    "hello [MASK] world",
    "",
    "my dog is cute",
]
PAIRS = ["it was", "", "that he be at the lowest of the low and the world", "my dog", "not"]


def options() -> Iterator[dict[str, Any]]:
    """Combinations of the arguments that decide a sequence's length."""
    for padding, truncation, max_length, multiple in itertools.product(
        (False, True, "longest", "max_length", "do_not_pad"),
        (False, True, "only_first", "only_second", "longest_first", "do_not_truncate"),
        (None, 3, 8, 20),
        (None, 4),
    ):
        yield {"padding": padding, "truncation": truncation, "max_length": max_length, "pad_to_multiple_of": multiple}


def columns(library: Any) -> Any:
    """Every padding with every truncation, for one text, one pair, a batch, and a batch of pairs, either side."""
    results = []
    for settings in ({}, {"padding_side": "left", "model_max_length": 12}):
        tokenizer = new_tokenizer(library, **settings)
        for choice in options():
            results.append(outcome(tokenizer, TEXTS[1], **choice))
            results.append(outcome(tokenizer, TEXTS[1], PAIRS[2], **choice, return_special_tokens_mask=True))
            results.append(outcome(tokenizer, TEXTS, **choice, return_length=True))
            results.append(outcome(tokenizer, TEXTS, PAIRS, **choice, add_special_tokens=False))
    return results


def optional_columns(library: Any) -> Any:
    """What `return_…` adds and leaves out."""
    tokenizer = new_tokenizer(library)
    flags = ("return_token_type_ids", "return_attention_mask", "return_special_tokens_mask", "return_length")
    results = []
    for values in itertools.product((True, False), repeat=4):
        chosen = dict(zip(flags, values, strict=True))
        for special in (True, False):
            results.append(outcome(tokenizer, TEXTS[1], PAIRS[0], add_special_tokens=special, **chosen))
            results.append(outcome(tokenizer, TEXTS[:3], padding=True, add_special_tokens=special, **chosen))
    tokenizer.model_input_names = ["input_ids"]
    results += [outcome(tokenizer, TEXTS[0]), outcome(tokenizer, TEXTS[:3], padding=True)]
    return results


def overflow(library: Any) -> Any:
    tokenizer = new_tokenizer(library)
    results = []
    for truncation, stride, max_length in itertools.product(
        (True, "only_first", "only_second", False), (0, 2, 50), (5, 8, 100)
    ):
        how = {"truncation": truncation, "stride": stride, "max_length": max_length, "return_overflowing_tokens": True}
        results.append(outcome(tokenizer, TEXTS[1], **how))
        results.append(outcome(tokenizer, TEXTS[1], PAIRS[2], **how))
        results.append(outcome(tokenizer, TEXTS[:3], **how, padding=True))
        results.append(outcome(tokenizer, TEXTS[:3], PAIRS[:3], **how, padding="max_length", add_special_tokens=False))
    return results


def other_inputs(library: Any) -> Any:
    """Words, tokens, ids, pairs in a batch; and what is none of these."""
    tokenizer = new_tokenizer(library)
    words = [["hello", "unaffable", "[MASK]", "don't"], ["my", "dog"]]
    ids = tokenizer.convert_tokens_to_ids(["the", "dog"])
    return [
        outcome(tokenizer, words[0], is_split_into_words=True),
        outcome(tokenizer, words, is_split_into_words=True, padding=True),
        outcome(tokenizer, words, words[::-1], is_split_into_words=True, padding=True),
        outcome(tokenizer, words[0], words[1], is_split_into_words=True),
        outcome(tokenizer, "hello dog", is_split_into_words=True),
        outcome(tokenizer, [("the dog", "my dog"), ("hello", "world")]),
        outcome(tokenizer, (TEXTS[0], TEXTS[1])),
        outcome(tokenizer.encode, "the dog"),
        outcome(tokenizer.encode, "the dog", "hello", add_special_tokens=False),
        outcome(tokenizer.encode, ["the", "dog", "##s", "xyz"]),
        outcome(tokenizer.encode, ids),
        outcome(tokenizer.encode, ids, ids, max_length=5, truncation=True),
        outcome(tokenizer.encode, "the dog", return_tensors="pt"),
        outcome(tokenizer.encode_plus, "the dog", ids),
        outcome(tokenizer.batch_encode_plus, ["the dog", ["my", "dog"]]),
        outcome(tokenizer.batch_encode_plus, [("the dog", ids), (ids, ids)], padding=True, return_tensors="np"),
        outcome(tokenizer, TEXTS, padding=True, return_tensors="pt"),
        outcome(tokenizer, TEXTS[1], return_tensors="np", max_length=6, truncation=True),
        outcome(tokenizer, TEXTS, return_tensors="pt"),
        outcome(tokenizer, TEXTS[1], max_length=6, truncation_strategy="only_first"),
        outcome(tokenizer, TEXTS[1], truncation_strategy="longest_first"),
        outcome(tokenizer, TEXTS[0], pad_to_max_length=True, max_length=12),
        outcome(tokenizer, TEXTS[0], pad_to_max_length=True),
        *(outcome(tokenizer, bad) for bad in (None, 3, [3], [None], [["a", "b", "c"]], ["a", 3], b"bytes", [])),
        outcome(tokenizer, "a", "b", padding="wrong"),
        outcome(tokenizer, "a", truncation="wrong"),
        outcome(tokenizer, ["a"], "b"),
        outcome(tokenizer, ["a", "b"], ["c"]),
        outcome(tokenizer, "a", add_special_tokens=False, return_token_type_ids=True),
        outcome(tokenizer, "a", padding=True, truncation=True, max_length=7, pad_to_multiple_of=4),
    ]


def pieces_of_the_surface(library: Any) -> Any:
    """The smaller methods."""
    tokenizer = new_tokenizer(library, model_max_length=64)
    first, second = [10, 11, 12, 13, 14], [20, 21, 22]
    cuts = itertools.product((True, "only_first", "only_second", "longest_first"), (0, 1, 3, 6, 9, 20), (0, 2))
    return [
        tokenizer.build_inputs_with_special_tokens(first),
        tokenizer.build_inputs_with_special_tokens(first, second),
        tokenizer.create_token_type_ids_from_sequences(first),
        tokenizer.create_token_type_ids_from_sequences(first, second),
        tokenizer.get_special_tokens_mask(first),
        tokenizer.get_special_tokens_mask(first, second),
        tokenizer.get_special_tokens_mask([2, 9, 3, 0, 0], already_has_special_tokens=True),
        outcome(tokenizer.get_special_tokens_mask, [2], [3], already_has_special_tokens=True),
        [tokenizer.num_special_tokens_to_add(), tokenizer.num_special_tokens_to_add(pair=True)],
        [tokenizer.max_len_single_sentence, tokenizer.max_len_sentences_pair, tokenizer.model_max_length],
        [len(tokenizer), tokenizer.vocab_size, tokenizer.get_added_vocab(), tokenizer.is_fast, tokenizer.do_lower_case],
        digest(tokenizer.get_vocab()),
        [
            plain(outcome(tokenizer.truncate_sequences, first, second, n, how, stride))
            for how, n, stride in cuts
            if how is not True
        ],
        [plain(outcome(tokenizer.truncate_sequences, first, None, n, "longest_first", 2)) for n in (0, 2, 5)],
        outcome(tokenizer.prepare_for_model, first, second, max_length=9, truncation=True, padding="max_length"),
        outcome(tokenizer.prepare_for_model, first, return_tensors="pt", prepend_batch_axis=True),
        outcome(tokenizer.prepare_for_model, first, add_special_tokens=False, return_length=True),
        tokenizer.convert_tokens_to_ids("dog"),
        tokenizer.convert_tokens_to_ids(["dog", "xyzzy", "[MASK]"]),
        tokenizer.convert_tokens_to_ids(None),
        tokenizer.convert_ids_to_tokens(4),
        tokenizer.convert_ids_to_tokens([4, 0, 7]),
        tokenizer.convert_ids_to_tokens([4, 0, 7], skip_special_tokens=True),
        tokenizer.convert_tokens_to_string(["un", "##aff", "##able", "dog", "##"]),
        tokenizer.clean_up_tokenization("do n't stop , it 's fine . i 'm we 've they 're ' x ' ok ? yes !"),
    ]


def specials(library: Any) -> Any:
    """Roles of tokens, before and after some are added or changed."""

    def state(tokenizer: Any) -> Any:
        roles = ("bos", "eos", "unk", "sep", "pad", "cls", "mask")
        with quiet():
            return plain(
                [
                    [getattr(tokenizer, f"{role}_token") for role in roles],
                    [getattr(tokenizer, f"{role}_token_id") for role in roles],
                    tokenizer.pad_token_type_id,
                    tokenizer.additional_special_tokens,
                    tokenizer.additional_special_tokens_ids,
                    tokenizer.all_special_tokens,
                    tokenizer.all_special_ids,
                    tokenizer.special_tokens_map,
                    tokenizer.special_tokens_map_extended,
                    tokenizer.unique_no_split_tokens,
                    tokenizer.added_tokens_encoder,
                    tokenizer.added_tokens_decoder,
                    len(tokenizer),
                    repr(tokenizer),
                ]
            )

    results = []
    for loaded in (True, False):
        tokenizer = new_tokenizer(library, loaded=loaded, name_or_path="here") if not loaded else new_tokenizer(library)
        tokenizer.name_or_path = "here"
        results.append(state(tokenizer))
        results.append(outcome(tokenizer.add_special_tokens, {"additional_special_tokens": ["<e1>", "<e2>", "dog"]}))
        results.append(outcome(tokenizer.add_special_tokens, {"bos_token": "<s>", "cls_token": "[CLS]"}))
        results.append(outcome(tokenizer.add_special_tokens, {"no_such_role": "x"}))
        results.append(outcome(tokenizer.add_tokens, ["NewWord", "newword", "dog", "x y"]))
        results.append(outcome(tokenizer.add_tokens, "alone", special_tokens=True))
        results.append(outcome(tokenizer.sanitize_special_tokens))
        tokenizer.mask_token = "dog"
        results.append(state(tokenizer))
        texts = ["<E1>the<e1> dog <e2>", "NEWWORD newwords x y alone ALONE", "[MASK] <s> dogs", "a<e1", "<e1><e2><e1>"]
        texts += ["<e\u200b1>", "<e\x0b1> the", "x <e1\x1c> y", "<\u0301e1>"]
        results.append([outcome(tokenizer.tokenize, text) for text in texts])
        results.append(outcome(tokenizer, texts))
        ids = [tokenizer.encode(text) for text in texts]
        results.append([tokenizer.decode(each) for each in ids])
        results.append(
            [tokenizer.decode(each, skip_special_tokens=True, spaces_between_special_tokens=False) for each in ids]
        )
    return results


def added_tokens_in_text(library: Any) -> Any:
    """Tokens that overlap, contain and begin one another, in texts made of their characters."""
    chance = random.Random(5)
    results = []
    for case in range(200):
        tokenizer = new_tokenizer(library, ("uncased", "cased")[case % 2])
        tokens = [
            "".join(chance.choice("abC [") for _ in range(chance.randint(1, 4))) for _ in range(chance.randint(1, 5))
        ]
        special = chance.random() < 0.5
        if special and case % 2 == 0:  # with capitals, 4.12.5's Python class never finds them: docs/tokenizer.md
            tokens = [token.lower() for token in tokens]
        tokenizer.add_tokens(tokens, special_tokens=special)
        texts = ["".join(chance.choice("abcABC [x") for _ in range(chance.randint(0, 14))) for _ in range(10)]
        results.append([outcome(tokenizer.tokenize, text) for text in texts])
        results.append(digest(outcome(tokenizer, texts)))
    return results


def decoded(library: Any) -> Any:
    results = []
    for kind in VOCABULARIES:
        tokenizer = new_tokenizer(library, kind)
        encoded = [tokenizer.encode(text) for text in NASTY]
        for skip, clean in itertools.product((True, False), repeat=2):
            results.append(
                tokenizer.batch_decode(encoded, skip_special_tokens=skip, clean_up_tokenization_spaces=clean)
            )
    return results


def padded(library: Any) -> Any:
    """The `pad` method, which collators call."""
    import numpy
    import torch

    tokenizer = new_tokenizer(library)
    rows = [tokenizer(text, return_special_tokens_mask=True) for text in TEXTS]
    ids = [[1, 2, 3], [4], [5, 6]]
    return [
        outcome(tokenizer.pad, rows),
        outcome(tokenizer.pad, rows, padding="max_length", max_length=20, return_tensors="pt"),
        outcome(tokenizer.pad, rows, padding=False),
        outcome(tokenizer.pad, rows[1], padding="max_length", max_length=20, pad_to_multiple_of=8),
        outcome(tokenizer.pad, {"input_ids": ids}),
        outcome(tokenizer.pad, {"input_ids": ids}, return_attention_mask=False),
        outcome(tokenizer.pad, [{"input_ids": each} for each in ids], pad_to_multiple_of=4),
        outcome(tokenizer.pad, {"input_ids": [torch.tensor(each) for each in ids]}),
        outcome(tokenizer.pad, {"input_ids": [numpy.array(each) for each in ids]}),
        outcome(tokenizer.pad, {"input_ids": [1, 2]}),
        outcome(tokenizer.pad, {"labels": [1, 2]}),
        outcome(tokenizer.pad, {"input_ids": ids, "labels": [0, 1]}),
    ]


def all_programs() -> dict[str, Program]:
    """Every program under its name, tokenizer_…"""
    programs = (
        tokens_of_nasty_texts,
        encodings_of_nasty_texts,
        words_of_nasty_texts,
        words_of_every_character,
        encodings_of_every_character,
        encodings_of_random_texts,
        encodings_of_settled_texts,
        encodings_of_given_texts,
        columns,
        optional_columns,
        overflow,
        other_inputs,
        pieces_of_the_surface,
        specials,
        added_tokens_in_text,
        decoded,
        padded,
    )
    return {f"tokenizer_{program.__name__}": program for program in programs}
