"""Sentences are found in every script that marks their ends, in linear time and little memory."""

from __future__ import annotations

import io
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings, strategies as st

from minibert.data.sentences import LONGEST_PARAGRAPH, _prose, read_documents, split_sentences

from .five_corpora import LANGUAGES, story

# A text with | where one sentence ends and the next begins.
TEXTS = {
    "Russian": "Он пришёл. |«Куда?» — спросила она. |— Домой. |А. С. Пушкин жил в Москве, на ул. Арбат. |Да! |Нет… |Что?",
    "Ukrainian": "Їжак спав. |Єва — ні! |Ґанок скрипів.",
    "Bulgarian": "Той дойде. |„Къде?“ |Никой не знае.",
    "Greek": "Τι κάνεις; |Καλά. |Εσύ; |«Ναι.» |Όχι!",
    "Chinese": "他说：“走。”|她走了！|真的吗？！|是的……走吧。|（完。）|价格是3.5元。|今天好!|明天呢?",
    "Japanese": "まじで？|「そう。」|走れ！|雨だ｡|寒い。",
    "Korean": "그는 갔다. |나는 남았다. |왜? |몰라!",
    "Hindi": "वह आया। |उसने कहा, “जाओ।” |डॉ. राम आए । |ठीक है॥ |क्या? |हाँ!",
    "Hindi with full stops": "यह क्या है? |पता नहीं. |चलो.",
    "Bengali": "সে এল। |কেন? |জানি না।",
    "Arabic": "ذهب الولد إلى المدرسة. |هل رأيته؟ |نعم! |«أين؟» |د. أحمد هنا.",
    "Persian": "او رفت. |کجا؟ |نمی‌دانم.",
    "Urdu": "وہ آیا۔ |کیا؟ |ہاں۔",
    "Hebrew": "הוא הלך. |לאן? |לא יודע!",
    "Armenian": "Ես եկա։ |Դու գնացիր։ |Լավ։",
    "Georgian": "მე მოვედი. |შენ წახვედი. |სად?",
    "Amharic": "እሱ መጣ። |እሷ ሄደች።",
    "Burmese": "သူလာတယ်။ |သူမသွားတယ်။",
    "Khmer": "គាត់មក។ |នាងទៅ។",
    "Spanish": "Vino ayer. |¿Quién? |¡Nadie! |«Bien.» |La Sra. López se fue.",
    "French": "Il dit : « Non ! » |Puis il partit. |« Oui. » |Mme Rolland rit. |Été ? |Peut-être.",
    "French exclamations": "Quoi ! dit-il. |Rien.",
    "German": "Er kam. |„Geh!“ |Sie ging. |»Nein.« |»Doch.« |Über Nacht.",
    "Polish": "Poszedł. |Łódź spała. |Świt!",
    "Turkish": "Geldi. |İyi. |Çok!",
    "Vietnamese": "Anh đi. |Ở đâu? |Đây.",
    "English": "Mr. Brown met Dr. A. Smith at 5.30 p.m. yesterday. |J. R. R. Tolkien wrote. |“Go!” |(Now.) |7 left. |_Stop._ |He did…",
    "English of a treebank": "He left . |She stayed . |the U.S. Army came . |No . 5 is here .",
    "BookCorpus": "he left . |she sat down . |`` why ? '' |he asked . |mr . brown came . |oh no . |we wait . . . and go on . |i . b . singer wrote .",
    "Wikipedia, with its notes": "It is old.[1] |It is new.[2][3] |Why?[citation needed] |He left.† |She stayed.² |Yes.",
    "chat": "hey!! |how r u? |<bob> fine. |@al ok? |#wow",
    "emoji": "I am glad 😀. |You too? |🎉 Great! |❤️ Yes. |👍🏽 Bye.",
    "signs in one": "Really‽ |What⁈ |Oh⁉ |Yes‼ |No.",
    "Chinese, full width": "他走了．|她来了！|价格是３．５元．|好",
    "Syriac": "ܐܙܠ܀ |ܐܬܐ܀",
    "Santali": "ᱩᱱᱤ ᱪᱟᱞᱟᱣ᱾ |ᱚᱠᱟᱨᱮ᱾",
    "Meitei": "ꯃꯍꯥꯛ ꯆꯠꯈꯤ꯫ |ꯀꯗꯥꯏꯗꯥ꯫",
    "Javanese": "ꦩꦤ꧀ꦠꦸꦏ꧉ |ꦱꦶꦁ꧉",
    "lower case": "he left. |she stayed! |why? |mr. brown came, e.g. from www.example.com ... and sat.",
    "Thai, which marks no ends": "เขาไปแล้ว เธออยู่ที่บ้าน",
}


@pytest.mark.parametrize("name", TEXTS)
def test_sentences_end_where_the_script_ends_them(name: str) -> None:
    expected = [sentence.strip() for sentence in TEXTS[name].split("|")]
    assert split_sentences(TEXTS[name].replace("|", "")) == expected


@pytest.mark.parametrize(
    "text",
    [
        "At 3.5 per cent, i.e. less.",
        "See www.example.com or a file.txt today.",
        "E. T. A. Hoffmann and J.-P. Sartre",
        "É. Zola, E\u0301. Zola, Ж. Верн, Γ. Σεφέρης",
        "Prof. Higgins, Mrs. Pearce, Capt. Nemo, vs. Lt. Columbo",
        "He went … and came; why? nobody knows",
        "他走了……走了…又来了",
        "iPhone 3. it was old",
    ],
)
def test_what_only_looks_like_an_end_is_none(text: str) -> None:
    assert split_sentences(text) == [text]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("वह गया | वह आया | क्या?", ["वह गया |", "वह आया |", "क्या?"]),
        ("সে গেল| সে এল|", ["সে গেল|", "সে এল|"]),
        ("a | b | c", ["a | b | c"]),  # a table, a menu
        ("Дом | Сад | Лес", ["Дом | Сад | Лес"]),
    ],
)
def test_a_bar_is_written_for_the_danda_of_indic_scripts_alone(text: str, sentences: list[str]) -> None:
    assert split_sentences(text) == sentences


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_all_sentences_of_a_story_are_found(language: str, tmp_path: Path) -> None:
    path = tmp_path / "story.txt"
    path.write_text(story(language, 0, 1000), encoding="utf-8")
    assert 980 <= sum(sentence is not None for sentence in read_documents(path)) <= 1000


@pytest.mark.seconds
@pytest.mark.parametrize(
    "unit",
    [
        "A. ",
        ".",
        '."',
        ". ",
        "。",
        ".”",
        "a . ",
        "¿",
        ". “",
        "…",
        "; ",
        ". »",
        "\n",
        " \n",
        "A.\n\n",
        ".[1] ",
        "[1]",
        "| ",
        "．",
        "😀",
        ". 😀",
        ".†",
    ],
)
def test_splitting_takes_time_in_proportion_to_the_text(unit: str) -> None:
    def seconds(number: int) -> float:
        begin = time.process_time()
        for _ in _prose(io.StringIO(unit * number)):
            pass
        return time.process_time() - begin

    seconds(1000)
    assert seconds(80_000) < 20 * (seconds(10_000) + 0.005)


def test_a_paragraph_of_initials_is_split_in_linear_time() -> None:
    begin = time.process_time()
    assert split_sentences("A. " * 200_000) == [("A. " * 200_000).strip()]
    assert time.process_time() - begin < 20  # 1.3 s; as a square of the length it would be an hour


@pytest.mark.slow
@pytest.mark.parametrize("lines", [False, True])
@pytest.mark.parametrize("words", ["It rained all day long. We stayed. ", "雨下了一整天。我们没有走。", "no end ", "x"])
def test_the_memory_that_a_file_of_one_line_takes_does_not_grow_with_it(
    tmp_path: Path, words: str, lines: bool
) -> None:
    def peak(characters: int) -> int:
        path = tmp_path / "line.txt"
        path.write_text(words * (characters // len(words)), encoding="utf-8")
        tracemalloc.start()
        read = sum(len(sentence or "") for sentence in read_documents(path, one_sentence_per_line=lines))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert read > 0.9 * characters
        return most

    peak(1000)
    # The memory of other threads, such as the test runner's, is counted too, now and then.
    assert min(peak(800_000) for _ in range(2)) < 1.5 * peak(200_000)


@given(
    st.lists(
        st.sampled_from(["It rained. ", "он ушёл . ", "走。", "“Go!” ", "A. ", "\n", "\n\n", "word ", "x" * 50]),
        max_size=60,
    )
)
@settings(max_examples=150, deadline=None, derandomize=True)
def test_nothing_but_space_is_lost(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert "".join("".join(_prose(io.StringIO(text))).split()) == "".join(text.split())


@pytest.mark.parametrize("before", range(0, 40, 3))
def test_where_a_piece_ends_no_sentence_is_cut(before: int) -> None:
    text = "x" * (LONGEST_PARAGRAPH - 20 - before) + ". " + "Mr. Brown said: “It rained.” (Then we left.) Why? " * 40
    assert list(_prose(io.StringIO(text))) == split_sentences(text)


def test_an_empty_line_ends_a_sentence_wherever_a_piece_ends() -> None:
    for before in range(6):
        text = "y" * (LONGEST_PARAGRAPH - 3 - before) + "\n \n" + "A Title\n\n\nand text\n"
        assert [sentence[:7] for sentence in _prose(io.StringIO(text))] == ["y" * 7, "A Title", "and tex"]


@pytest.mark.parametrize("characters", range(LONGEST_PARAGRAPH - 2, LONGEST_PARAGRAPH + 3))
def test_a_line_of_any_length_ends_no_document_and_is_cut_between_words(characters: int, tmp_path: Path) -> None:
    words = ("seven words that stand in a line " * LONGEST_PARAGRAPH)[: 2 * characters]
    for long in (words[:characters], words, "x" * characters):
        path = tmp_path / "text.txt"
        path.write_text(f"one\n{long}\ntwo\n\nthree", encoding="utf-8")
        first, *parts, second, end, third, last = read_documents(path, one_sentence_per_line=True)
        assert (first, second, end, third, last) == ("one", "two", None, "three", None)
        assert " ".join(str(part) for part in parts).split() == long.split() or long.startswith("x")
        assert "".join(map(str, parts)).replace(" ", "") == long.replace(" ", "")
