"""Files of words and tags as they are published: read right, or refused with a message that helps."""

from __future__ import annotations

import json

import pytest

from minibert.tasks import Examples, TagColumns, TaggedSentence, read_tags

WORDS, TAGS = ("Ada", "sang", "#", "Rome"), ("B-per", "O", "O", "B-loc")
CONLLU = "{}\t{}\t_\t{}\tXX\t_\t0\troot\t_\t_\n"


def read(tmp_path, name: str, content: str, encoding: str = "utf-8", **options) -> Examples:
    (tmp_path / name).write_bytes(content.encode(encoding))
    return read_tags(tmp_path / name, where=TagColumns(**options))


def lines(*middle: str, between: str = "\t", end: str = "\n") -> str:
    """A sentence in columns: the word, what is in the middle, the tag."""
    return "".join(between.join([word, *middle, tag]) + end for word, tag in zip(WORDS, TAGS, strict=True)) + end


def numbered(form: str) -> str:
    return "".join(form.format(n, w, t) for n, (w, t) in enumerate(zip(WORDS, TAGS, strict=True), start=1)) + "\n"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        # ends of lines
        ("a.conll", lines(end="\r\n")),
        ("b.conll", lines(end="\r")),
        ("c.conll", "\ufeff" + lines(end="\r\r\n")),
        ("d.bio", "\n\n" + lines(between=" ") + "\n \n\t\n"),
        # comments, and the sign # as a word
        ("e.tsv", "# newdoc\n" + lines()),
        ("f.txt", "# newdoc\n" + lines(between=" ")),
        ("g.conll", "# text = Ada sang\n" + lines("NN", "X", between=" ")),  # as wide as the file
        ("h.conll", "# id 1f\tdomain=en\n" + lines("_", "_", between=" ")),
        ("i.conll", "#begin document (x); part 000\n-DOCSTART- -X- O\n\n" + lines("NN", between=" ")),
        ("j.tsv", "# Ada sang . O\n" + lines("NN", "X")),
        # headers
        ("k.tsv", "token\ttag\n" + lines()),
        ("l.csv", "Word,POS,Tag\n" + lines("NN", between=",")),
        (
            "m.tsv",
            "Sentence_ID\tToken\tPOS\tNER\n" + "".join(f"7\t{w}\tNN\t{t}\n" for w, t in zip(WORDS, TAGS, strict=True)),
        ),
        (
            "n.csv",
            "Sentence #,Word,POS,Tag\nSentence: 1,"
            + "\n,".join(f"{w},NN,{t}" for w, t in zip(WORDS, TAGS, strict=True)),
        ),
        ("o.csv", ",sentence_idx,word,tag\n" + "".join(f"{w},2.0,{w},{t}\n" for w, t in zip(WORDS, TAGS, strict=True))),
        ("i1.tsv", "token\ttag\n" + lines() + "\ntoken\ttag\n"),  # files put together
        ("i2.tsv", lines("NN", "", end="\n").replace("\t\t", "\t")),
        ("i3.tsv", "".join(f"{w}\t{t}\t\n" for w, t in zip(WORDS, TAGS, strict=True))),  # a tab at every end
        # other columns
        ("p.csv", lines(between=",")),
        ("q.csv", lines(between=";")),
        ("r.csv", lines(between=" ")),
        ("s.tsv", "#\thttps://news.example [2009]\n" + numbered("{}\t{}\t{}\tO\n")),
        ("t.tsv", numbered("{}\t{}\t{}\n")),
        ("u.bio", "".join(f"{tag}\t{word}\n" for word, tag in zip(WORDS, TAGS, strict=True))),
        ("v.tsv", "".join(f"pt:{word}\t{tag}\n" for word, tag in zip(WORDS, TAGS, strict=True))),
        (
            "w.conllu",
            "# sent_id = 1\n# text = Ada\n1-2\tAdasang" + "\t_" * 8 + "\n" + numbered(CONLLU) + "\n# newdoc\n",
        ),
        ("x.conll", numbered(CONLLU)),
        # a sentence a row
        ("4.csv", f"text,labels\n{' '.join(WORDS)},{' '.join(TAGS)}\n"),
        ("5.tsv", f"{' '.join(WORDS)}\t{' '.join(TAGS)}\n"),
        ("6.csv", f'Sentence #,Sentence,POS,Tag\nSentence: 1,{" ".join(WORDS)},x,"{list(TAGS)}"\n'),
        ("7.csv", f'id,words,ner\n7,"{list(WORDS)}","{list(TAGS)}"\n'),
        # JSON
        ("8.json", json.dumps({"words": WORDS, "tags": TAGS}, indent=1)),
        ("y.json", json.dumps({"words": WORDS, "ner": TAGS}) + "\n"),
        ("z.json", json.dumps([{"tokens": WORDS, "pos_tags": ["X"] * 4, "ner_tags": TAGS}], indent=1)),
        ("1.jsonl", json.dumps({"id": "0", "tokens": WORDS, "labels": TAGS}) + "\r\n\r\n"),
        ("2.ndjson", json.dumps({"words": WORDS, "tags": TAGS})),
    ],
)
def test_published_files_are_read_as_they_are_meant(name: str, content: str, tmp_path) -> None:
    [sentence], report = read(tmp_path, name, content)
    assert (sentence.words, sentence.tags) == (WORDS, TAGS)
    assert report.understood[0] == "sentences: 1, words: 4"


def test_empty_nodes_and_ranges_of_universal_dependencies_are_no_words(tmp_path) -> None:
    rows = [("1-2", "del", "_"), ("1", "de", "ADP"), ("2", "el", "DET"), ("2.1", "va", "VERB"), ("3", "sol", "NOUN")]
    content = (
        "# text = del sol\n" + "".join(CONLLU.format(*row) for row in rows) + "\n" + CONLLU.format(1, "sí", "INTJ")
    )
    (first, second), report = read(tmp_path, "a.conllu", content)
    assert (first.words, first.tags) == (("de", "el", "sol"), ("ADP", "DET", "NOUN"))
    assert second.words == ("sí",)
    assert "passed over: 1 × comments, 2 × multiword ranges and empty nodes" in str(report)
    for tag in ("xpos", "XPOS", "5"):
        assert read(tmp_path, "a.conllu", content, tag=tag).items[0].tags == ("XX", "XX", "XX")
    assert read(tmp_path, "a.conllu", content, word="lemma").items[0].words == ("_", "_", "_")


def test_sentences_of_a_table_end_where_their_number_changes(tmp_path) -> None:
    content = "sentence_id,word,tag\n1,a,O\n1,b,O\n2,c,O\n\n2,d,O\n"
    assert [each.words for each in read(tmp_path, "a.csv", content).items] == [("a", "b"), ("c",), ("d",)]
    kaggle = "Sentence #,Word,POS,Tag\nSentence: 1,Zoë’s,NN,O\n,ran,VB,O\nSentence: 2,Ñu,NN,B-per\n"
    for encoding in ("utf-8", "cp1252"):
        sentences, report = read(tmp_path, "b.csv", kaggle, encoding)
        assert [each.words for each in sentences] == [("Zoë’s", "ran"), ("Ñu",)]
        assert ("read as Windows-1252" in str(report)) == (encoding == "cp1252")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("# O\nEU B-org\n", ("#", "EU")),
        ("#\tO\nEU\tB-org\n", ("#", "EU")),
        ("a NN\n# #\nb NN\n", ("a", "#", "b")),  # the Penn Treebank's sign for a pound
        ("# SYM\na NN\n\nb NN\n# SYM\n", ("a",)),  # before a sentence nobody knows: it is said
        ("#MeToo O\nEU B-org\n", ("#MeToo", "EU")),
        ("#MeToo HT\nEU NN\n", ("#MeToo", "EU")),
        ("a O\n# B-x\n", ("a", "#")),
    ],
)
def test_the_sign_of_comments_can_be_a_word(content: str, words: tuple[str, ...], tmp_path) -> None:
    sentences, report = read(tmp_path, "a.conll", content)
    assert sentences[0].words == words
    assert ("passed over" in str(report)) == ("#" not in "".join(words) and "#" in content)


def test_columns_are_chosen_by_name_and_number(tmp_path) -> None:
    content = "EU NNP B-NP B-ORG\nran VB B-VP O\n"
    for options in (
        {},
        {"tag": "4"},
        {"columns": ("word", "pos", "chunk", "ner")},
        {"columns": tuple("wxyz"), "word": "w", "tag": "Z"},
    ):
        [sentence], report = read(tmp_path, "a.conll", content, **options)
        assert (sentence.words, sentence.tags) == (("EU", "ran"), ("B-ORG", "O"))
        assert "word in column 1, tag in column 4" in report.understood
    assert read(tmp_path, "a.conll", content, tag="2").items[0].tags == ("NNP", "VB")
    assert read(tmp_path, "b.csv", "Wort,Etikett\nEU,O\n", word="Wort", tag="etikett").items[0].words == ("EU",)
    line = json.dumps({"chars": ["E"], "bio": ["O"], "ner": ["X"]})
    assert read(tmp_path, "a.jsonl", line, word="chars", tag="bio").items[0].tags == ("O",)


def test_numbers_for_tags_are_their_own_names_and_that_is_said(tmp_path) -> None:
    line = json.dumps({"tokens": ["EU", "ran"], "ner_tags": [1, 0], "pos_tags": [5, 5]})
    [sentence], report = read(tmp_path, "a.jsonl", line)
    assert sentence.tags == ("1", "0")
    assert "tags are numbers: their names are not in the file, so entities are not known" in report.understood


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.conll", "EU,B-ORG\nran,O\n", "line 1: a word without a tag.*commas in a .csv"),
        (
            "b.tsv",
            "1\tEU\tNN\tB-ORG\n2\tran\tVB\tO\n",
            "columns are 1, word, 3, 4; which holds the tags is not known.*tag=",
        ),
        ("c.conll", "bc 0 0 EU NN (S* -\nbc 0 1 ran VB *) -\n", "which holds the tags is not known"),  # CoNLL-2012
        ("d.csv", 'EU,B-ORG\n",O\nran,O\n', "line 2: not CSV.*Is a quote opened here"),
        (
            "e.json",
            '{"text": "EU ran", "label": [[0, 2, "ORG"]]}',
            "'text' must be a list of words",
        ),  # places of characters
        (
            "f.json",
            '[{"words": ["a"], "tags": ["O"]}, {"words": ["a"], "tags": [1]}]',
            "numbers and tags that are names",
        ),
        ("g.jsonl", '{"words": ["a"], "tags": [true]}', "must be a list of words"),
        ("h.conll", "# only\n\n# comments here\n", "has no words"),
        ("i.conll", "EU NN\nran VB\n", "columns are word, tag; none is 'ner'"),
        ("j.conll", "EU NN O\nran VB\n", "2 columns where the file began with 3"),
        ("k.conllu", "1\tEU\n", "has 2 columns, and 10 names for them: id, form"),
        ("o.csv", "text,labels\nEU ran,B-org O\nhe ran,O\n", "line 3: 2 words and 1 tags"),
        ("m.json", '[[["EU", "O"]]]', "item 1: must be a JSON object"),
        ("n.json", '{"data": [{"words": ["EU"], "tags": ["O"]}]}', "missing .there are data"),
        ("l.csv", "word,score\nEU,O\n", "line 1: is this a header \\(word, score\\)"),
        ("l1.csv", "Wort,Klasse\nEU,B-org\nran,O\n", "line 1: is this a header \\(Wort, Klasse\\)"),
        ("l2.tsv", "nr\tmot\tclasse\n1\tEU\tB-org\n2\tran\tO\n", "line 1: is this a header \\(nr, mot, classe\\)"),
        ("p.pos", "EU/NNP ran/VBD\n", "line 1: word/tag, in one"),
        ("q.txt", "中/b-org 国/i-org\n他/o 走/o\n", "line 1: word/tag, in one"),
        ("r.tsv", "EU\tN\t0.99\nran\tV\t0.88\n", "line 1: 0.99 is a number, no tag.*tag="),
        ("s.jsonl", '{"tokens": ["EU", "ran"], "ner_tags": [3, -100]}', "line 1: 'ner_tags' has -100, which is no tag"),
        ("t.tsv", "E\0U\tO\n", "holds zero bytes"),
    ],
)
def test_what_could_mean_several_things_is_refused(name: str, content: str, message: str, tmp_path) -> None:
    options = {"i.conll": {"tag": "ner"}}.get(name, {})
    with pytest.raises(ValueError, match=message):
        read(tmp_path, name, content, **options)


@pytest.mark.parametrize("columns", [("token", "label"), ("word", "tag"), ("Token", "Label")])
def test_a_header_is_no_word_where_the_columns_are_named_too(columns, tmp_path) -> None:
    [sentence], report = read(
        tmp_path, "a.tsv", "token\tlabel\nEU\tB-org\n", columns=columns, word=columns[0], tag=columns[1]
    )
    assert sentence.words == ("EU",)
    assert "1 × header" in str(report)


def test_a_column_in_which_nearly_all_is_new_is_asked_about(tmp_path) -> None:
    odd = "is their column right?"
    assert odd in str(read(tmp_path, "a.tsv", "".join(f"w{n}\tx{n}\n" for n in range(30))).report)
    assert odd not in str(read(tmp_path, "b.tsv", "".join(f"w{n}\tx{n % 9}\n" for n in range(30))).report)
    assert "none: ." not in str(read(tmp_path, "c.tsv", "a\tS-PER\nb\tS-LOC\n").report)


def test_names_for_all_columns_must_be_as_many(tmp_path) -> None:
    with pytest.raises(ValueError, match="has 3 columns, and 2 names for them: word, tag"):
        read(tmp_path, "a.conll", "EU NN O\n", columns=("word", "tag"))


def test_words_alone_are_read_whatever_columns_the_training_had(tmp_path) -> None:
    (tmp_path / "a.txt").write_text("# newdoc 7\nEU\nran\n\n#\n", encoding="utf-8")
    for where in (TagColumns(), TagColumns("form", "ner"), TagColumns(columns=("id", "word", "tag"))):
        first, second = read_tags(tmp_path / "a.txt", labelled=False, where=where).items
        assert (first.words, first.tags, second.words) == (("EU", "ran"), None, ("#",))


def test_a_sentence_a_row_is_asked_as_it_was_trained(tmp_path) -> None:
    (tmp_path / "a.csv").write_text("text,labels\nEU ran,B-org O\nhe ran,O O\n", encoding="utf-8")
    for labelled in (True, False):
        assert [each.words for each in read_tags(tmp_path / "a.csv", labelled=labelled).items] == [
            ("EU", "ran"),
            ("he", "ran"),
        ]
    for head in ("", "text\ttag\n", "word\ttag\n"):  # a word may hold a space, and a tag too
        for tag in ("B-loc", "N Sg"):
            if (head, tag) != ("text\ttag\n", "N Sg"):
                [sentence], _ = read(tmp_path, "b.tsv", f"{head}New York City\t{tag}\nis\tO\n")
                assert sentence.words == ("New York City", "is")


def test_a_report_says_what_was_found(tmp_path) -> None:
    content = "token\ttag\nEU\tB-org\nran\tO\nof\tX\n\nAda\tB-per\nL\tI-per\n"
    _, report = read(tmp_path, "a.tsv", content)
    assert str(report).splitlines()[1:] == [
        "  read as sentences: 2, words: 5; 5 tags: B-org 1, B-per 1, I-per 1, O 1, X 1; entities in IOB2, 2 types: org 1, per 1; "
        "as O, for they mark no entity: X 1; passed over: 1 × header."
    ]
    assert "no entities" in str(read(tmp_path, "b.conll", "EU NOUN\nran VERB\n").report)


def test_words_that_a_text_would_be_cut_at_are_told(tmp_path) -> None:
    for word in ("U.S.", "3.14", "a-b", "北京", "don't", "(a)"):
        told = "words that predict cuts in a TEXT, not in a --file: 1, such as " + word
        assert told in str(read(tmp_path, "a.conll", f"{word} B-x\nran O\n{word} B-x\n").report)
    assert "predict cuts" not in str(read(tmp_path, "a.conll", "हिन्दी B-x\nmi\u200cx O\n. O\n北 O\n").report)


def test_words_of_a_file_have_no_spaces_between_them_where_the_script_has_none() -> None:
    for words, text in (
        ("EU ran", "EU ran"),
        ("北 京 很 大 。", "北京很大。"),
        ("서울 에서", "서울 에서"),
        ("在 IBM 工 作", "在 IBM 工作"),
        ("タワー へ", "タワーへ"),
    ):
        assert TaggedSentence(tuple(words.split())).text() == text
    assert TaggedSentence.of_text("北京 大学 ok").text(0, 3) == "北京 大"


@pytest.mark.parametrize("cells", ["[1 2 0],[0 0 0]", '"[1, 2, 0]","[0, 0, 0]"'])
def test_lists_without_quotes_are_lists(cells: str, tmp_path) -> None:
    first, second = cells.split(",[") if cells[0] == "[" else cells.split('","')
    one, two = (cell.strip('"[]').join("[]") for cell in (first, second))
    content = f"tokens,ner_tags\n['Ada' 'May' 'sang'],\"{one}\"\n['he' 'ran' 'far'],\"{two}\"\n"
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    assert [each.tags for each in read_tags(tmp_path / "a.csv").items] == [("1", "2", "0"), ("0", "0", "0")]


def test_an_empty_list_has_no_words(tmp_path) -> None:
    (tmp_path / "a.tsv").write_text("tokens\ttags\n['EU', 'rejects']\t['B-ORG', 'O']\n[]\t[]\n", encoding="utf-8")
    examples, report = read_tags(tmp_path / "a.tsv")
    assert [each.words for each in examples] == [("EU", "rejects")]
    assert report.used == 1


def test_a_table_is_cut_into_sentences_alike_with_labels_and_without(tmp_path) -> None:
    content = "words\ttags\nNew York\tB-LOC\nis\tO\nbig\tO\n\nSo\tO\nwhat\tO\n"
    (tmp_path / "a.tsv").write_text(content, encoding="utf-8")
    for labelled in (True, False):
        found = [each.words for each in read_tags(tmp_path / "a.tsv", labelled=labelled).items]
        assert found == [("New York", "is", "big"), ("So", "what")]


def test_one_broken_row_of_many_is_named(tmp_path) -> None:
    content = "text,ner_tags\nAda sang,B-P O\nBob ran,B-P O\nHe fell,O\n"
    for column in ("text", "tokens"):
        (tmp_path / "a.csv").write_text(content.replace("text", column), encoding="utf-8")
        with pytest.raises(ValueError, match="line 4: 2 words and 1 tags"):
            read_tags(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("word\nAda\nmet\n", [("Ada", "met")]),
        ("id,word\n7,Ada\n8,met\n", [("Ada", "met")]),
        ("id,tokens\n1,Ada met Bob\n2,he ran\n", [("Ada", "met", "Bob"), ("he", "ran")]),
        ("text\nAda met\nBob\n", [("Ada", "met"), ("Bob",)]),
        ('word\nHi\n,\nyou\n1,000\n"\n', [("Hi", ",", "you", "1,000", '"')]),
        ("word\nThe\nword\n\nword\n", [("The", "word"), ("word",)]),
        ('text\n"Hello, you"\nBob ran\n', [("Hello,", "you"), ("Bob", "ran")]),
    ],
)
def test_the_header_of_a_table_to_ask_about_is_no_word(content: str, words: list[tuple[str, ...]], tmp_path) -> None:
    (tmp_path / "a.csv").write_text(content, encoding="utf-8")
    assert [each.words for each in read_tags(tmp_path / "a.csv", labelled=False).items] == words
