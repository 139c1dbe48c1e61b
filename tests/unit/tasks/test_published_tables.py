"""Tables as they are published are read as what they are, or refused by name; what was found is said in a line."""

from __future__ import annotations

import json
import re
from contextlib import nullcontext
from dataclasses import replace

import pytest

from minibert.tasks import Classification, find_labels, read_classification
from minibert.tasks.classification import MULTI, REGRESSION, SINGLE

JOY = {"anger", "calm", "joy"}


def lines(*rows: dict) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def write(tmp_path, name: str, content: str):
    path = tmp_path / name
    path.write_bytes(content.encode())
    return path


def read(tmp_path, name: str, content: str, kind: str = SINGLE, **options):
    return read_classification(write(tmp_path, name, content), kind, **options)


SNLI = {"annotator_labels": ["neutral"], "gold_label": "neutral", "sentence1": "a man", "sentence2": "a tall man"}
MNLI = (
    "index\tpromptID\tpairID\tgenre\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\t"
    "sentence1\tsentence2\tlabel1\tgold_label\n"
)
SINGLES = {  # name of the file, its content, the first text, its partner, its label
    "SNLI's .jsonl": ("a.jsonl", lines(SNLI, SNLI | {"gold_label": "entailment"}), "a man", "a tall man", "neutral"),
    "MNLI's .tsv": (
        "b.tsv",
        MNLI + "0\t1\t1n\tfiction\t( a )\t( b )\t(R)\t(R)\ta \"b\"\tc\tneutral\tneutral\n",
        'a "b"',
        "c",
        "neutral",
    ),
    "SNLI on the Hub": ("c.csv", "premise,hypothesis,label\na,b,0\nc,d,1\n", "a", "b", "0"),
    "MRPC": ("d.tsv", "\ufeffQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t70\t71\the\tshe\n", "he", "she", "1"),
    "QQP": ("e.tsv", "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\twhy\twho\t0\n", "why", "who", "0"),
    "QNLI": ("f.tsv", "index\tquestion\tsentence\tlabel\n0\twho\the did\tentailment\n", "who", "he did", "entailment"),
    "SST-2": ("g.tsv", "sentence\tlabel\nhide new secretions \t0\n", "hide new secretions", None, "0"),
    "Kaggle's IMDB": ("h.csv", 'review,sentiment\n"fine, ""truly""<br />",positive\n', 'fine, "truly"<br />', None, "positive"),
    "pandas with its index": ("i.csv", ",text,label\n0,good,pos\n1,bad,neg\n", "good", None, "pos"),
    "several columns without a name": ("j.tsv", "\t\ttext\tlabel\n0\t0\tgood\tpos\n", "good", None, "pos"),
    "a column without a name at the end": ("k.csv", "text,label,\ngood,pos,\n", "good", None, "pos"),
    "semicolons": ("l.csv", 'text;label\n"good; or not";pos\n', "good; or not", None, "pos"),
    "tabs in a .csv": ("m.csv", "text\tlabel\ngood, yes\tpos\n", "good, yes", None, "pos"),
    "the line ends of old Macs": ("n.tsv", "text\tlabel\rgood\tpos\rbad\tneg\r", "good", None, "pos"),
    "the same in .csv": ("o.csv", "text,label\rgood,pos\rbad,neg\r", "good", None, "pos"),
    "Windows, with a byte order mark": ("p.csv", "\ufefftext,label\r\ngood,pos\r\n", "good", None, "pos"),
    "a list of objects": ("q.json", json.dumps([{"text": "good", "label": 1}], indent=1), "good", None, "1"),
    "objects in .json, a line each": ("r.json", lines({"text": "a", "label": 1}, {"text": "b", "label": 0}), "a", None, "1"),
    "one object in .json": ("r1.json", lines({"text": "a", "label": 1}), "a", None, "1"),
    "truth in JSON": ("s.jsonl", lines({"text": "a", "label": True}), "a", None, "True"),
    "WikiQA": ("t2.tsv", "QuestionID\tQuestion\tDocumentTitle\tSentence\tLabel\nQ1\thow?\tG\tso\t0\nQ1\thow?\tG\tno\t1\n", "how?", "so", "0"),
    "ANLI": ("t3.jsonl", lines({"uid": "1", "context": "a", "hypothesis": "b", "label": "e", "reason": ""}), "a", "b", "e"),
    "BoolQ": ("t4.jsonl", lines({"question": "a", "passage": "b", "idx": 0, "label": True}), "a", "b", "True"),
    "Excel, capitals and semicolons": ("t5.csv", "Text;Label\nfine, yes;good\nbad;poor\n", "fine, yes", None, "good"),
    "Excel's own first line": ("t6.csv", "sep=;\r\ntext;label\r\nfine, yes;good\r\n", "fine, yes", None, "good"),
    "a comma in a name of a column": ("t7.csv", "text;label;note, old\na;x;1\nb;y;2\n", "a", None, "x"),
    "bars": ("t8.csv", "text|label\na, b|x\nc|y\n", "a, b", None, "x"),
    "a space before a quote": ("t9.csv", 'label, text\nx, "a, b"\ny, "c"\n', "a, b", None, "x"),
    "a space before every quote": ("t10.csv", 'label, text\nx, "a"\ny, "c"\n', "a", None, "x"),
    "stars": ("t11.jsonl", lines({"text": "a", "label": 4.0}, {"text": "b", "label": 5.0}), "a", None, "4.0"),
    "two spellings of a column": ("t12.csv", "Text,text,label\nid1,a,x\nid2,b,y\n", "a", None, "x"),
    "SICK": ("t.tsv", "pair_ID\tsentence_A\tsentence_B\tlabel\n1\ta\tb\tNEUTRAL\n", "a", "b", "NEUTRAL"),
}  # fmt: skip


@pytest.mark.parametrize("kind", SINGLES)
def test_a_published_table_of_single_labels_is_read_as_it_was_meant(kind, tmp_path):
    name, content, text, pair, label = SINGLES[kind]
    examples, report = read(tmp_path, name, content)
    assert (examples[0].text, examples[0].text_pair, examples[0].label) == (text, pair, label)
    assert report.used == report.found


@pytest.mark.parametrize(
    ("columns", "content", "text", "label"),
    [
        ("text,label", "good bread,pos\nbad bread,neg\n", "good bread", "pos"),
        ("label,_,text", "1,x,good\n0,y,bad\n", "good", "1"),
        ("source,label,,text", "gj04,1,,Our friends won't\n", "Our friends won't", "1"),  # CoLA
        ("text,label", "text,label\ngood,pos\n", "good", "pos"),  # it has a header all the same
        ("label,_,text", "label,id,text\n1,7,good\n", "good", "1"),
        (" label , text ", "1;good\n", "good", "1"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "tsv"])
def test_a_file_without_a_header_is_read_by_the_names_that_are_given(ending, columns, content, text, label, tmp_path):
    content = content.replace(",", "\t").replace(";", "\t") if ending == "tsv" else content
    examples, _ = read(tmp_path, f"t.{ending}", content, columns=columns)
    assert (examples[0].text, examples[0].label) == (text, label)


@pytest.mark.parametrize(
    ("name", "content", "columns", "message"),
    [
        ("t.csv", "sentence,label\na,x\n", "text,label", "line 1: this looks like a header, sentence, label, not like text, label"),
        ("t.csv", "a,x\n", "text", "line 1: 2 values for the 1 columns"),
        ("t.csv", "a,x\n", "text,text", "must name each column once"),
        ("t.csv", "a,x\n", "_,_", "must name each column once"),
        ("t.jsonl", '{"text": "a"}\n', "text,label", "names its columns itself: leave out columns"),
        ("t.csv", "a,x\n", "phrase,label", "there is no column 'text'"),
        ("t.csv", "text,label\n", "text,label", "a header and no row"),
    ],
)  # fmt: skip
def test_names_that_do_not_fit_a_file_are_refused(name, content, columns, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, name, content, columns=columns)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.xlsx", "save a sheet as .csv"),
        ("t.zip", "unpack an archive"),
        ("t.csv.gz", "unpack an archive"),
        ("t.txt", "tabs are .tsv"),
        ("t.parquet", "ends in '.parquet'"),
        ("t", "ends in ''"),
        ("t.json", "ends in '.json'"),
    ],
)
def test_an_ending_that_cannot_be_read_is_refused_with_what_to_do(name, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read(tmp_path, name, "text\tlabel\na\tx\n")


MANY = {
    "names between |": ("a.csv", "text,label\nfine day,joy|calm\nbad day,anger\nso so,\n", JOY),
    "a JSON list": ("b.jsonl", lines({"text": "a", "label": ["joy", "calm"]}, {"text": "b", "label": ["anger"]}), JOY),
    "a JSON list in a .csv": ("c.csv", 'text,label\na,"[""joy"", ""calm""]"\nb,"[""anger""]"\n', JOY),
    "a list as pandas writes it": ("d.csv", "text,label\na,\"['joy', 'calm']\"\nb,['anger']\nc,[]\n", JOY),
    "an array as pandas writes it": ("e.csv", "text,label\na,['joy' 'calm']\nb,['anger']\n", JOY),
    "names between commas": ("f.tsv", "text\tlabel\na\tjoy, calm\nb\tanger\n", JOY),
    "names between semicolons": ("g.csv", "text,label\na,joy;calm\nb,anger\n", JOY),
    "a comma in a name": ("h.csv", 'text,label\na,"Health, Food|Art"\nb,Art\n', {"Art", "Health, Food"}),
    "ids in a list": ("i.jsonl", lines({"text": "a", "label": [0, 3]}, {"text": "b", "label": [1]}), {"0", "1", "3"}),
    "ids in a list in a .csv": ("j.csv", 'text,labels\na,"[0, 3]"\nb,[1]\n', {"0", "1", "3"}),
    "a 0 or 1 for each label": ("k.csv", 'text,labels\na,"[1, 1, 0]"\nb,"[0, 0, 1]"\n', {"0", "1", "2"}),
    "the same as NumPy writes it": ("l.csv", "text,label\na,[1 0 0]\nb,[0 1 1]\n", {"0", "1", "2"}),
    "the same in JSON": ("m.jsonl", lines({"text": "a", "label": [0, 1]}, {"text": "b", "label": [1, 0]}), {"0", "1"}),
    "a column for each label": ("n.csv", "id,comment_text,toxic,insult\n0,a,0,0\n1,b,1,1\n7,c,1,0\n", {"toxic", "insult"}),
    "a set as Python writes it": ("p.csv", "text,label\na,\"{'joy', 'calm'}\"\nb,{'anger'}\n", JOY),
    "a tuple as Python writes it": ("q.csv", "text,label\na,\"('joy', 'calm')\"\nb,\"('anger',)\"\n", JOY),
    "signs between spaces": ("r.csv", "text,label\na,1 0 0\nb,0 1 1\n", {"0", "1", "2"}),
    "signs between commas": ("r2.csv", 'text,label\na,"1, 0, 0"\nb,"0, 1, 1"\n', {"0", "1", "2"}),
    "signs in a row": ("s.csv", "text,label\na,100\nb,011\n", {"0", "1", "2"}),
    "signs as numbers": ("t.jsonl", lines({"text": "a", "label": [1.0, 0.0]}, {"text": "b", "label": [0.0, 1.0]}), {"0", "1"}),
    "signs as truth": ("u.jsonl", lines({"text": "a", "label": [True, False]}, {"text": "b", "label": [True, True]}), {"0", "1"}),
    "columns of truth": ("v.jsonl", lines({"text": "a", "joy": True, "calm": False}, {"text": "b", "joy": False, "calm": True}), {"joy", "calm"}),
    "columns of Excel's truth": ("w.csv", "text,joy,calm\na,TRUE,FALSE\nb,FALSE,TRUE\n", {"joy", "calm"}),
    "columns of numbers": ("x.csv", "text,joy,calm\na,1.0,0.0\nb,0.0,1.0\n", {"joy", "calm"}),
    "columns of signs beside one of truth": ("y.csv", "text,unclear,joy,calm\na,True,1,0\nb,False,0,1\n", {"joy", "calm"}),
    "numbers that begin with no 0": ("z.csv", "text,label\na,10\nb,11\n", {"10", "11"}),
    "a name of two words": ("aa.csv", "text,label\na,very good\nb,fair\n", {"very good", "fair"}),
    "a name in brackets": ("ab.csv", "text,label\na,(none)\nb,(1)\n", {"(none)", "(1)"}),
    "a quote in a name": ("o.csv", 'text,label\na,"[""don\'t"", \'x\']"\nb,[\'x\']\n', {"don't", "x"}),
}  # fmt: skip


@pytest.mark.parametrize("kind", MANY)
def test_several_labels_are_read_in_every_way_they_are_published(kind, tmp_path):
    name, content, names = MANY[kind]
    examples, report = read(tmp_path, name, content, MULTI)
    assert set(find_labels(examples, MULTI).names) == names
    assert f"{len(names)} labels: " in str(report)


def test_a_column_for_each_label_gives_each_row_the_labels_that_have_a_1(tmp_path):
    content = "text,toxic,insult,threat\na,0,0,0\nb,1,1,0\nc,0,1,0\n"
    examples, _ = read(tmp_path, "t.csv", content, MULTI)
    assert [each.label for each in examples] == [(), ("toxic", "insult"), ("insult",)]
    task = Classification(MULTI).adapted_to(read(tmp_path, "t.csv", content, MULTI))
    assert task.labels.names == ("insult", "threat", "toxic")  # also the one that no row has
    assert task.label == "toxic,insult,threat"
    named, _ = read(tmp_path, "t.csv", content, MULTI, label="toxic,threat")
    assert [each.label for each in named] == [(), ("toxic",), ()]


@pytest.mark.parametrize(
    ("content", "kind", "message"),
    [
        ("text,label\na,\"['x', 'y']\"\nb,\"['y']\"\n", SINGLE, "line 2: 'label' must name one label, not several .*--labels multi"),
        ("text,label\na,[1 0]\nb,[0 1]\n", SINGLE, "must name one label, not several"),
        ("text,label\na,x|y\nb,x\nc,y\n", SINGLE, "line 2: 'label' must name one label, not several"),
        ('text,label\na,x\nb,y\nc,"x, y"\n', SINGLE, "line 4: 'label' must name one label, not several"),
        ("text,label\na,x\nb,\n", SINGLE, "line 3: 'label' must name one label"),
        ("text,label\na,x\nb,nan\n", SINGLE, "line 3: 'label' must name one label, and is 'nan'"),
        ('text,label\na,"2,3"\nb,27\n', SINGLE, "line 2: 'label' must name one label, not several"),  # GoEmotions
        ("text,label\na,1 0 1\nb,0 1 0\n", SINGLE, "line 2: 'label' must name one label, not several"),
        ("text,label\na,joy|calm\nb,joy|anger\n", SINGLE, "line 2: 'label' must name one label, not several"),
        ("text,label\na,\"{'x'}\"\nb,\"{'y'}\"\n", SINGLE, "line 2: 'label' must name one label, not several"),
        ("sentence1,sentence2,score\na,b,5.000\nc,d,3.800\n", SINGLE, "line 3: 'score' must name one label, not a number .*--labels number"),
        ("text,label\na,0\nb,0.0\nc,1.0\n", SINGLE, "line 2: 'label' must name one label in one way"),
        ("text,sentence2,label\na,b,x\nc,d,y\n", SINGLE, "are the texts, text . sentence2 or text. Say it: text=\"…\", text_pair=\"…\""),
        ("text,text2,label\na,b,x\nc,d,y\n", SINGLE, "are the texts, text . text2 or text"),
        ("Sentence,Hypothesis,label\na,b,x\nc,d,y\n", SINGLE, "are the texts, Sentence . Hypothesis or Sentence"),
        ("Premise,Hypothesis,Text,label\na,b,c,x\n", SINGLE, "are the texts, Premise . Hypothesis or Text"),
        ("text,label\na,\"[True, False]\"\nb,[True]\n", MULTI, "line 2: 'label' must be a list of names"),
        ("text,label\na,x y\nb,y\n", MULTI, "line 2: 'label' must have . between its labels if 'y' is one"),
        ("text,label\na,[x\nb,y]\n", MULTI, None),  # names as they stand
        ("text,label\na,[x y]\nb,y\n", MULTI, "line 2: 'label' must be a list of names"),
        ('text,label\na,"[[1], [2]]"\nb,y\n', MULTI, "must be a list of names"),
        ("text,toxic,insult\na,0,2\nb,1,1\n", MULTI, "there is no column 'label'"),
        ("text,toxic\na,0\nb,1\n", MULTI, "there is no column 'label'"),
        ("text,label\na,x\nb,3\n", REGRESSION, "must be a number"),
        ("sentence1,sentence2,premise,hypothesis,label\na,b,c,d,x\n", SINGLE, "are the texts, sentence1 . sentence2 or premise"),
        ("text,premise,hypothesis,label\na,c,d,x\n", SINGLE, "premise . hypothesis or text"),
        ("text,sentiment,score\na,x,1\n", SINGLE, "which column is the label, sentiment or score.*label="),
        ("phrase,label\na,x\n", SINGLE, "there is no column 'text' .columns: phrase, label.*columns="),
    ],
)  # fmt: skip
def test_what_could_be_meant_in_two_ways_is_not_guessed(content, kind, message, tmp_path):
    if message is None:
        assert read(tmp_path, "t.csv", content, kind)
        return
    with pytest.raises(ValueError, match=message):
        read(tmp_path, "t.csv", content, kind)


def test_a_bar_in_a_label_s_name_is_no_list_where_its_parts_are_no_labels(tmp_path):
    examples, _ = read(tmp_path, "t.csv", "text,label\na,rock|pop\nb,jazz\n")
    assert [each.label for each in examples] == ["rock|pop", "jazz"]


@pytest.mark.parametrize(
    ("labels", "left"),
    [
        (["entailment", "-", "neutral"], ["entailment", "neutral"]),  # SNLI: no gold label
        (["0", "-1", "1", "2"], ["0", "1", "2"]),  # SNLI on the Hub
        (["-1", "0", "1"], ["-1", "0", "1"]),  # how somebody feels
        (["-2", "-1", "0", "1", "2"], ["-2", "-1", "0", "1", "2"]),
        (["+", "-", "="], ["+", "-", "="]),
        (["-1", "1"], ["-1", "1"]),
    ],
)
def test_a_sign_for_no_label_is_passed_over_and_said_but_a_label_is_a_label(labels, left, tmp_path):
    examples, report = read(tmp_path, "t.csv", "text,label\n" + "".join(f"a,{label}\n" for label in labels))
    assert [each.label for each in examples] == left
    assert ("it has no label, but" in str(report)) == (left != labels)


@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [
        ("premise,hypothesis,label\na,b,x\nc,d,x\ne,f,y\n", SINGLE, "pairs: premise . hypothesis; 2 labels: x 2, y 1"),
        ("text,label\na,x\nc,y\n", SINGLE, "texts: text; 2 labels: x 1, y 1"),
        ("id,review,sentiment\n1,a,x\n2,c,y\n", SINGLE, "texts: review; 2 labels: x 1, y 1; labels in sentiment; not read: id"),
        ("text,note,label\na,b,x\nc,d,y\n", SINGLE, "texts: text; .*not read: note"),
        ("text,label\na,Yes\nc,yes\nd,no\n", SINGLE, "3 labels: .*; several labels that differ in letter case alone: yes"),
        ("text,label\na,x|y\nb,x\n", MULTI, "texts: text; 2 labels: x 2, y 1"),
        ("sentence1,sentence2,score\na,b,5\nc,d,2.5\n", REGRESSION, "pairs: sentence1 .* sentence2; numbers from 2.5 to 5, mean 3.75"),
    ],
)  # fmt: skip
def test_what_a_file_was_read_as_stands_in_a_line(content, kind, said, tmp_path):
    _, report = read(tmp_path, "t.csv", content, kind)
    [line] = [line for line in str(report).splitlines() if line.startswith("  read as ")]
    assert re.search(said, line)


@pytest.mark.parametrize("ending", ["csv", "tsv"])
@pytest.mark.parametrize("columns", ["label,text", "", "urteil,text"])
def test_where_columns_were_named_the_first_row_is_shown(columns, ending, tmp_path):
    content = "urteil,satz\ngut,fine\nschlecht,bad\n".replace(",", "," if ending == "csv" else "\t")
    if columns == "label,text":  # the header is read as a row: that is seen
        assert "the first row is urteil, satz" in str(read(tmp_path, f"t.{ending}", content, columns=columns).report)
    else:
        named = {"columns": columns, "text": "satz", "label": "urteil"}
        with pytest.raises(ValueError, match="looks like a header") if columns else nullcontext():
            assert "the first row" not in str(read(tmp_path, f"t.{ending}", content, **named).report)


def test_values_are_parted_into_as_many_as_there_are_names(tmp_path):
    content = "main\tnews\t5.000\tA plane, or two.\tA plane.\nmain\tnews\t2.600\tA man, a dog.\tA cat, too.\n"
    examples, _ = read(tmp_path, "sts-train.csv", content, REGRESSION, columns="_,_,score,sentence1,sentence2")
    assert [(each.text_pair, each.label) for each in examples] == [("A plane.", 5.0), ("A cat, too.", 2.6)]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"])
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.jsonl"])
def test_text_that_is_not_utf_8_is_never_read_as_if_it_were(name, encoding, tmp_path):
    (tmp_path / name).write_bytes(
        "text,label\nZoë,x\nb,y\n".replace(",", "\t" if "tsv" in name else ",").encode(encoding)
    )
    with pytest.raises(ValueError, match="Save the file as UTF-8"):
        read_classification(tmp_path / name)


def trained_on(tmp_path, content: str, **fields) -> Classification:
    task = Classification(**fields)
    return task.adapted_to(task.read(write(tmp_path, "train.csv", content)))


@pytest.mark.parametrize(
    ("train", "later", "missing"),
    [
        ("premise,hypothesis,label\na,b,x\nc,d,y\n", "premise,other,label\na,b,x\n", "hypothesis"),
        ("text,text_pair,label\na,b,x\nc,d,y\n", "text,label\na,x\n", "text_pair"),
        ("text,text_pair,label\na,b,x\nc,d,y\n", "text,second,label\na,b,x\n", "text_pair"),
        ("review,sentiment\na,x\nb,y\n", "text,sentiment\na,x\n", "review"),
        ("review,sentiment\na,x\nb,y\n", "review,label\na,x\n", "sentiment"),
        ("text,label\na,x\nb,y\n", "sentence1,sentence2,label\na,b,x\n", "text"),
    ],
)
def test_the_columns_of_training_are_demanded_later(train, later, missing, tmp_path):
    task = trained_on(tmp_path, train)
    with pytest.raises(ValueError, match=f"there is no column '{missing}'"):
        task.read(write(tmp_path, "later.csv", later))


def test_a_model_of_single_texts_reads_single_texts_where_a_file_has_pairs_too(tmp_path):
    task = trained_on(tmp_path, "text,label\na,x\nb,y\n")
    [example], report = task.read(write(tmp_path, "later.csv", "text,text_pair,label\na,b,x\n"))
    assert example.text_pair is None
    assert "not read: text_pair" in str(report)


def test_other_columns_can_be_named_for_a_later_file(tmp_path):
    task = replace(trained_on(tmp_path, "premise,hypothesis,label\na,b,x\nc,d,y\n"), text="s1", text_pair="s2")
    [example], _ = task.read(write(tmp_path, "later.csv", "s1,s2,label\na,b,x\n"))
    assert (example.text, example.text_pair) == ("a", "b")
