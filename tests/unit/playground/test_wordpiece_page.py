"""The page's tokenizer gives the ids that BertTokenizer gives, whatever the text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from minibert import BertTokenizer
from tests.unit.tiny_bert import BUNDLED

from .pages import ask, carried, needs_node, tiny_tokenizer

pytestmark = needs_node
ROOT = Path(__file__).parents[3]
NASTY = [
    *("", " ", "\t\n\r", "\0", "\ufffd", "\ufeff", "a\u200bb", "a\u00adb", "\u2028a\u2029b", "a\x1cb\x85c", "\u3000a\u00a0b"),
    *("İstanbul ISPARTA ı", "ΣΊΣΥΦΟΣ Σ σς", "ﬁ ﬂ ǅ ß ẞ", "É é e\u0301 ệ", "q\u0323\u0307 q\u0307\u0323", "a\u0303\u0330\u05b0b", "각 각 ㄱ"),
    *("don't stop—now… “quoted” ¿qué?", "$^`~|<>+=", "snake_case a.b@c.d", "½ ² ٣ ¼", "مرحبا בְּרֵאשִׁית", "ไทย हिन्दी", "こんにちは カタカナ"),
    *("我爱北京 abc天安门def", "㐀𠀀𪜀𫝀𫠠豈丽", "🙂👨‍👩‍👧 🇩🇪", "\ud83d lone \ude42 halves", "\U00010400 \U0001e900", "\ua7cb\ua7cc\u1c89"),
    *("[MASK][MASK] [mask] [CLS]a[SEP]", "a [MASK] . b[UNK]c [PAD]", "[ MASK ] [[MASK]] x[MASK]y", "</script><b>&amp;", "x" * 100, "x" * 101),
    *("a" + "\u0301" * 300, "z" * 99 + "\u0301\u0301", "́" * 5, "a" + "\u0323\u0301" * 600, "#", "##a ##", "a\u0000b\u0007c"),
]  # fmt: skip


def texts(count: int) -> list[str]:
    """Parts of the project's own pages, of 1 to 120 words, and random characters of every kind."""
    chance = random.Random(1)
    pages = [path.read_text(encoding="utf-8") for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]]
    blocks = [
        (32, 127),
        (0xA0, 0x250),
        (0x300, 0x370),
        (0x370, 0x530),
        (0x2000, 0x2070),
        (0x4E00, 0x9FFF),
        (0x1F300, 0x1F700),
    ]
    found = list(NASTY)
    while len(found) < count:
        words = chance.choice(pages).split()
        start = chance.randrange(len(words))
        found.append(" ".join(words[start : start + chance.randint(1, 120)]))
        found.append("".join(chr(chance.randint(*chance.choice(blocks))) for _ in range(chance.randint(1, 60))))
    return found


def differing(folder: Path, tokenizer: BertTokenizer, given: list[str]) -> list[str]:
    """The texts whose ids are not the tokenizer's."""
    answers = ask(folder, carried(None, tokenizer), [["encode", text] for text in given])
    return [text for text, answer in zip(given, answers, strict=True) if answer["ids"] != tokenizer(text)["input_ids"]]


def test_ids_are_the_tokenizers_over_a_thousand_texts(tmp_path: Path) -> None:
    assert differing(tmp_path, BertTokenizer.from_pretrained(BUNDLED), texts(1000)) == []


@pytest.mark.parametrize(
    "settings",
    [
        {"do_lower_case": False},
        {"strip_accents": False},
        {"do_lower_case": False, "strip_accents": True},
        {"tokenize_chinese_chars": False},
        {"do_basic_tokenize": False},
        {"clean_text": False},
        {"never_split": ["ABBA", "a-b"]},
        {"max_input_chars_per_word": 3},
    ],
    ids=str,
)
def test_every_setting_is_obeyed(tmp_path: Path, settings: dict[str, object]) -> None:
    tokenizer = tiny_tokenizer(**settings)
    tokenizer.add_tokens(["Abc-Def", "xyz"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<E1>", "[E2]"]})
    more = ["ABBA a-b A-B", "abc-def ABC-DEF xyzxyz Abc-Def", "a <E1> b<e1>[E2] c", "ab cd abcdefghij 12 7 71"]
    assert differing(tmp_path, tokenizer, [*NASTY, *more]) == []


@pytest.mark.parametrize(
    "added",
    [["c++", "+"], ["c#", "#"], ["abc", "b", "bcd", "cd"], ["abcde", "bc", "c", "de"], ["aaa", "aa"], [".. ", "."]],
    ids=str,
)
def test_tokens_inside_of_other_tokens_are_cut_out_as_in_python(tmp_path: Path, added: list[str]) -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.add_tokens(added)
    chance = random.Random(0)
    letters = sorted({*"".join(added), *"a 🙂"})
    made = ["".join(chance.choices(letters, k=chance.randint(1, 12))) for _ in range(300)]
    assert differing(tmp_path, tokenizer, ["i like c++ a lot", *made]) == []


def test_a_pair_has_its_segments(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    (answer,) = ask(tmp_path, carried(None, tokenizer), [["encode", "ab c", "d 1"]])
    expected = tokenizer("ab c", "d 1")
    assert answer == {"ids": expected["input_ids"], "segments": expected["token_type_ids"]}


@pytest.mark.slow(8)
def test_every_character_that_there_is_makes_the_words_that_it_makes_in_python(tmp_path: Path) -> None:
    tokenizer = tiny_tokenizer()
    texts = [" ".join(f"a{chr(code)}B" for code in range(start, start + 4096)) for start in range(0, 0x110000, 4096)]
    answers = ask(tmp_path, carried(None, tokenizer), [["words", text] for text in texts])
    lowered = [text.replace("Σ", "σ").lower() for text in texts]
    assert [tokenizer.basic_tokenizer.tokenize(text) for text in lowered] == answers
