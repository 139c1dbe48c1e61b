"""Files as they are published, rebuilt in a few rows: each trains, is measured and is answered from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.running import run
from tests.unit.training.small_tasks import small_model

SNLI = [
    {"gold_label": label, "sentence1": "the cat sat", "sentence2": text, "annotator_labels": [label]}
    for label, text in (
        ("neutral", "on the mat"),
        ("entailment", "sat"),
        ("-", "ran"),
        ("contradiction", "the cat ran"),
    )
]
HELLASWAG = [
    {
        "ind": n,
        "ctx_a": "the cat",
        "ctx_b": "sat",
        "ctx": "the cat sat",
        "endings": ["on the mat", "ran"],
        "label": n % 2,
    }
    for n in range(4)
]
CSQA = [
    {
        "answerKey": "AB"[n % 2],
        "question": {"stem": "who sat", "choices": [{"label": "A", "text": "cat"}, {"label": "B", "text": "dog"}]},
    }
    for n in range(4)
]


def lines(rows: list[dict]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


FILES: dict[str, tuple[str, str, str, list[str], str]] = {  # task, file, content, options, what the run says of it
    "SNLI": ("classify", "a.jsonl", lines(SNLI), [], "pairs: sentence1 + sentence2; 3 labels: contradiction 1, entailment 1,"),
    "MRPC": (
        "classify",
        "b.tsv",
        "Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\the sat\tsat\n0\t3\t4\the \"ran\tsat\n",
        [],
        "pairs: #1 String + #2 String; 2 labels: 0 1, 1 1",
    ),
    "QQP": (
        "classify",
        "c.tsv",
        "id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\twho sat\twho ran\t0\n1\t3\t4\twho\twho\t1\n",
        [],
        "pairs: question1 + question2",
    ),
    "CoLA": (
        "classify",
        "d.tsv",
        "gj04\t1\t\tThe cat sat.\ngj04\t0\t*\tCat the sat.\n",
        ["--columns", "_,label,_,sentence"],
        "texts: sentence; 2 labels: 0 1, 1 1",
    ),
    "IMDB": (
        "classify",
        "e.csv",
        'review,sentiment\n"the cat, ""the"" cat",positive\nthe dog ran,negative\n',
        [],
        "texts: review; 2 labels: negative 1, positive 1",
    ),
    "pandas with an index": ("classify", "f.csv", ",text,label\n0,the cat,a\n1,the dog,b\n", [], "2 labels: a 1, b 1"),
    "STS-B": (
        "classify",
        "g.tsv",
        "index\tgenre\tsentence1\tsentence2\tscore\n0\tx\tthe cat\tcat\t5.0\n1\tx\tthe dog\tcat\t1.0\n",
        ["--labels", "number"],
        "pairs: sentence1 + sentence2; numbers from 1 to 5, mean 3",
    ),
    "Jigsaw": (
        "classify",
        "h.csv",
        "id,comment_text,toxic,insult,threat\nx1,the cat,0,0,0\nx2,the dog,1,1,0\nx3,who ran,1,0,0\n",
        ["--labels", "multi"],
        "texts: comment_text; 2 labels: toxic 2, insult 1; labels in toxic,insult,threat; not read: id",
    ),
    "GoEmotions": (
        "classify",
        "i.tsv",
        "the cat\t2,7\tab\nthe dog\t7\tcd\nwho\t27\tef\n",
        ["--labels", "multi", "--columns", "text,label,_"],
        "3 labels: 7 2, 2 1, 27 1",
    ),
    "columns of one's own": (
        "classify",
        "j.csv",
        "nr;satz;urteil\n1;the cat, the dog;gut\n2;the mat;schlecht\n",
        ["--text", "satz", "--label", "urteil"],
        "texts: satz; 2 labels: gut 1, schlecht 1; labels in urteil; not read: nr",
    ),
    "SWAG": (
        "choose",
        "k.csv",
        ",video-id,sent1,sent2,gold-source,ending0,ending1,label\n0,v,the cat,the dog,gold,ran,sat,1\n"
        "1,v,the cat,the dog,gold,ran,sat,0\n",
        [],
        "contexts: sent1 + sent2; 2 endings",
    ),
    "HellaSwag": ("choose", "l.jsonl", lines(HELLASWAG), [], "contexts: ctx; 2 endings: endings"),
    "CommonsenseQA": ("choose", "m.jsonl", lines(CSQA), [], "contexts: question; 2 endings: choices"),
    "fewer choices": (
        "choose",
        "n.csv",
        "story,a0,ending0,ending1,ending2,label\nthe cat,x,ran,sat,,1\nthe dog,x,ran,sat,on the mat,2\n",
        ["--text", "story", "--text-pair", ""],
        "contexts: story; 2 or 3 endings",
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> str:
    return small_model(tmp_path_factory.mktemp("models") / "base")


@pytest.mark.seconds
@pytest.mark.parametrize("kind", FILES)
def test_a_published_file_trains_is_measured_and_is_answered(kind: str, model: str, tmp_path: Path) -> None:
    task, name, content, options, said = FILES[kind]
    path, columns = tmp_path / name, options[options.index("--columns") :][:2] if "--columns" in options else []
    path.write_text(content, encoding="utf-8")
    words = ("--model", model, "--train", str(path), "--eval", str(path), "--out", str(tmp_path / "run"))
    trained = run("finetune", task, *words, "--epochs", "1", "--batch-size", "2", "--max-length", "32", *options)
    assert trained.exit_code == 0, trained.output
    assert sum(said in line for line in trained.stdout.splitlines()) == 2  # of either file
    at = ("--model", str(tmp_path / "run" / "model"), "--file", str(path), *columns)  # the other columns are remembered
    measured = run("eval", *at)
    assert measured.exit_code == 0, measured.output
    assert said in measured.stdout
    answered = run("predict", *at, "--json")
    assert answered.exit_code == 0, answered.output
    assert len(json.loads(answered.stdout)["answers"]) >= 2
    assert "read as " in answered.stderr


@pytest.fixture(scope="module")
def pairs(model: str, tmp_path_factory) -> str:
    """A model of pairs, trained on premise and hypothesis."""
    folder = tmp_path_factory.mktemp("pairs")
    path = folder / "t.csv"
    path.write_text("premise,hypothesis,label\nthe cat,sat,a\nthe dog,ran,b\n", encoding="utf-8")
    words = ("--model", model, "--train", str(path), "--eval", str(path), "--out", str(folder / "run"), "--epochs", "1")
    assert run("finetune", "classify", *words).exit_code == 0
    return str(folder / "run" / "model")


@pytest.mark.parametrize("command", ["eval", "predict"])
def test_a_model_of_pairs_never_reads_single_texts(command: str, pairs: str, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("premise,second,label\nthe cat,sat,a\n", encoding="utf-8")
    refused = run(command, "--model", pairs, "--file", str(path))
    assert refused.exit_code != 0
    assert "there is no column 'hypothesis' (columns: premise, second, label)" in refused.output
    named = run(command, "--model", pairs, "--file", str(path), "--text-pair", "second")
    assert named.exit_code == 0, named.output
    assert "pairs: premise + second" in named.output


@pytest.mark.seconds
def test_a_model_of_pairs_is_asked_pairs_and_one_of_texts_texts(pairs: str, model: str, tmp_path: Path) -> None:
    refused = run("predict", "the cat", "--model", pairs)
    assert "This model was taught pairs, with hypothesis: give a second text too." in refused.output
    lines = tmp_path / "t.txt"
    lines.write_text("the cat\nthe dog\n", encoding="utf-8")
    assert "was taught pairs" in run("predict", "--file", str(lines), "--model", pairs).output
    path = tmp_path / "t.csv"
    path.write_text("text,label\nthe cat,a\nthe dog,b\n", encoding="utf-8")
    words = (
        "--model",
        model,
        "--train",
        str(path),
        "--eval",
        str(path),
        "--out",
        str(tmp_path / "run"),
        "--epochs",
        "1",
    )
    assert run("finetune", "classify", *words).exit_code == 0
    single = run("predict", "the cat", "--second", "sat", "--model", str(tmp_path / "run" / "model"))
    assert "This model was taught single texts: leave out the second." in single.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("eval", "--data", ".", "--text", "a"), "--text is for a --file of questions"),
        (
            ("predict", "the cat", "--second", "b", "--columns", "a,b"),
            "--columns is for a --file: leave it out.",
        ),
        (("predict", "--file", "t.xlsx"), "save a sheet as .csv"),
        (("eval", "--file", "t.jsonl", "--columns", "text,label"), "names its columns itself"),
        (("predict", "the cat", "--file", "t.jsonl", "--text", "a"), "--file brings all there is to ask"),
        (
            ("eval", "--file", "t.jsonl", "--max-answer-length", "9"),
            "the task 'classify', which has no max_answer_length",
        ),
    ],
)
def test_columns_where_there_are_none_are_refused(words, message, pairs: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("t.xlsx", "t.jsonl"):
        (tmp_path / name).write_text("{}\n", encoding="utf-8")
    refused = run(*words, "--model", pairs)
    assert refused.exit_code != 0
    assert message in refused.output
