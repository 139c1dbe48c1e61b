"""Small invented texts in five languages, and what the rows of a corpus show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from minibert.data.corpus import Corpus
from minibert.data.pairs import Pair, draw_pair
from minibert.data.pretraining_batches import PretrainingBatches
from minibert.tokenization import BertTokenizer

# Each language: beginnings, middles and ends of a sentence, what is between them, and how sentences end.
LANGUAGES: dict[str, tuple[list[str], list[str], list[str], str, list[str]]] = {
    "Russian": (
        ["Старый рыбак", "Моя сестра", "Вечером сосед", "Высокий человек", "«Никто", "Учитель из города"],
        ["медленно шёл домой", "читала длинное письмо", "смотрел на реку", "говорил о погоде, о сене и о лошадях"],
        ["и молчал", "до самой ночи", "пока не пошёл снег", "не зная, что будет завтра"],
        " ",
        [". ", "! ", "? ", "… ", ".» — "],
    ),
    "Chinese": (
        ["老人", "我的妹妹", "邻居家的孩子", "船上的客人", "没有人", "先生"],
        ["慢慢走回家", "在灯下读信", "看着河水", "说起天气、庄稼和马"],
        ["，没有说话", "，直到天黑", "，后来下起了雪", "，不知道明天怎样"],
        "",
        ["。", "！", "？", "。", "！”"],
    ),
    "Hindi": (
        ["बूढ़ा किसान", "मेरी बहन", "पड़ोसी का लड़का", "नाव का यात्री", "कोई नहीं", "शहर का शिक्षक"],
        ["धीरे धीरे घर गया", "लंबी चिट्ठी पढ़ती थी", "नदी को देखता रहा", "मौसम और खेत की बात करता था"],
        ["और चुप रहा", "रात होने तक", "जब तक बारिश नहीं हुई", "यह जाने बिना कि कल क्या होगा"],
        " ",
        ["। ", "! ", "? ", " । ", "॥ "],
    ),
    "Arabic": (
        ["الصياد العجوز", "أختي الصغيرة", "ابن الجار", "مسافر في القارب", "لا أحد", "معلم المدينة"],
        ["مشى ببطء إلى البيت", "قرأت رسالة طويلة", "نظر إلى النهر", "تحدث عن الطقس والحقل والخيل"],
        ["وصمت", "حتى المساء", "قبل أن ينزل المطر", "ولا يعرف ماذا سيكون غدا"],
        " ",
        [". ", "! ", "؟ ", ". ", ".» "],
    ),
    "lower-case English": (
        ["the old fisherman", "my sister", "a boy from next door", "some guest of the inn", "nobody", "our teacher"],
        ["walked slowly home", "read a long letter", "looked at the river", "spoke of rain , of hay and of horses"],
        ["and said nothing", "until the evening", "before it began to snow", "without knowing what would come"],
        " ",
        [" . ", " ! ", " ? ", " . ", " . "],
    ),
}
SENTENCES = 1500


def story(language: str, seed: int, sentences: int = SENTENCES) -> str:
    """A text of so many sentences, now and then one of more than 60 words."""
    *parts, between, ends = LANGUAGES[language]
    noise = np.random.default_rng(seed)
    written = []
    for number in range(sentences):
        middle = parts[1] if number % 50 else list(noise.permutation(parts[1] * 6))
        words = [
            noise.choice(parts[0]),
            *(middle if number % 50 == 0 else [noise.choice(middle)]),
            noise.choice(parts[2]),
        ]
        written.append(between.join(words) + str(noise.choice(ends)))
    return "".join(written).strip() + "\n"


def vocabulary_of(text: str, folder: Path) -> BertTokenizer:
    """A tokenizer that knows every word and every character of a text."""
    pieces = sorted({*re.findall(r"\S+", text.lower()), *re.findall(r"\w+", text.lower()), *text.lower()} - {" ", "\n"})
    path = folder / "vocab.txt"
    path.write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *pieces]) + "\n", encoding="utf-8")
    return BertTokenizer(str(path), do_lower_case=True, strip_accents=False)


class NoTokenizer:
    """For batches of which only the places are asked."""

    all_special_ids = ()
    mask_token_id = cls_token_id = sep_token_id = pad_token_id = 0

    def __len__(self) -> int:
        return 1

    def convert_ids_to_tokens(self, ids: list[int]) -> list[str]:
        return ["" for _ in ids]


def pairs_of(corpus: Corpus, length: int, passes: int, seed: int = 0) -> Iterator[Pair]:
    """The pairs of some passes over a corpus whose tokens are replaced by their places."""
    marked = replace(corpus, tokens=np.arange(len(corpus.tokens)))
    batches = PretrainingBatches(marked, NoTokenizer(), seed)
    for number in range(passes * batches.count_stretches(length - 3)):
        token = batches.first_token(number, length - 3)
        yield draw_pair(marked, token, length - 3, np.random.default_rng([seed, number, 1]))


def counting_corpus(*documents: list[int]) -> Corpus:
    """Documents given by the lengths of their sentences; token i is i, so that a segment shows where it is from."""
    lengths = [length for document in documents for length in document]
    return Corpus(
        np.arange(sum(lengths)),
        np.concatenate([[0], np.cumsum(lengths)]),
        np.concatenate([[0], np.cumsum([len(document) for document in documents])]),
    )
