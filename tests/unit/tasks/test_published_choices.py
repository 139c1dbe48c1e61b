"""Questions with choices as they are published; questions with different numbers of choices make batches of their own."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from minibert.tasks import BatchOrder, MultipleChoice, evaluation_batches, read_choices
from minibert.training.finetuning import open_task
from tests.unit.training.small_tasks import ALONE, QUIET, RECIPE, small_model

CSQA = {
    "answerKey": "B",
    "id": "1",
    "question": {"stem": "who?", "choices": [{"label": "A", "text": "cat"}, {"label": "B", "text": "dog"}]},
}
HUB = {"question": "who?", "choices": {"label": ["1", "2"], "text": ["cat", "dog"]}, "answerKey": "2"}
FILES = {  # name, content, (context, beginning, endings, right)
    "SWAG": (
        "a.csv",
        ",video-id,fold-ind,startphrase,sent1,sent2,gold-source,ending0,ending1,label\n0,v,1,a b,a,b,gold,c,d,1\n",
        ("a", "b", ("c", "d"), 1),
    ),
    "HellaSwag": (
        "b.jsonl",
        json.dumps({"ind": 4, "ctx_a": "a", "ctx_b": "b", "ctx": "a b", "label": 1, "endings": ["c", "d"]}) + "\n",
        ("a b", "", ("c", "d"), 1),
    ),
    "RACE": (
        "c.jsonl",
        json.dumps({"article": "a", "question": "b?", "options": ["c", "d"], "answer": "B"}) + "\n",
        ("a", "b?", ("c", "d"), 1),
    ),
    "CommonsenseQA": ("d.jsonl", json.dumps(CSQA) + "\n", ("who?", "", ("cat", "dog"), 1)),
    "ARC on the Hub": ("e.jsonl", json.dumps(HUB) + "\n", ("who?", "", ("cat", "dog"), 1)),
    "COPA": ("f.csv", "premise,choice1,choice2,question,label\na,c,d,cause,1\na,c,d,cause,0\n", ("a", "cause", ("c", "d"), 1)),
    "WinoGrande": ("g.csv", "sentence,option1,option2,answer\na _ b,c,d,2\na,c,d,1\n", ("a _ b", "", ("c", "d"), 1)),
    "SocialIQA": (
        "h.csv",
        "context,question,answerA,answerB,answerC,label\na,b,c,d,e,3\na,b,c,d,e,1\n",
        ("a", "b", ("c", "d", "e"), 2),
    ),
    "SocialIQA's own": ("h2.jsonl", '{"context": "a", "question": "b", "answerA": "c", "answerB": "d", "correct": "B"}', ("a", "b", ("c", "d"), 1)),
    "ReClor": ("h3.json", '[{"context": "a", "question": "b", "answers": ["c", "d"], "label": 1}]', ("a", "b", ("c", "d"), 1)),
    "OpenBookQA": (
        "h4.jsonl",
        '{"question_stem": "a", "choices": {"text": ["c", "d"], "label": ["A", "B"]}, "answerKey": "B"}',
        ("a", "", ("c", "d"), 1),
    ),
    "capitals": ("h5.csv", "Context,Question,Ending0,Ending1,Label\na,b,c,d,1\n", ("a", "b", ("c", "d"), 1)),
    "semicolons": ("h6.csv", "sent1;ending0;ending1;label\na;c, or;d;1\n", ("a", "", ("c, or", "d"), 1)),
    "numbers as endings, by letter": ("h7.csv", "question,option_A,option_B,answer\n2 * 2,1,4,B\n", ("2 * 2", "", ("1", "4"), 1)),
    "numbers as endings, by number": ("h8.jsonl", '{"question": "a", "choices": ["1", "0"], "answer": 1}', ("a", "", ("1", "0"), 1)),
    "PIQA": ("i.csv", "goal,sol1,sol2,label\na,c,d,1\na,c,d,0\n", ("a", "", ("c", "d"), 1)),
    "a list as pandas writes it": (
        "j.csv",
        "question,choices,answer\na,\"['c', 'd']\",1\n",
        ("a", "", ("c", "d"), 1),
    ),
    "the text of the right one": ("k.csv", "sent1,ending0,ending1,label\na,c,d,d\n", ("a", "", ("c", "d"), 1)),
    "fewer choices": ("l.csv", "sent1,ending0,ending1,ending2,label\na,c,d,,1\na,c,d,e,2\n", ("a", "", ("c", "d"), 1)),
    "fewer choices in JSON": (
        "m.jsonl",
        '{"sent1": "a", "ending0": "c", "ending1": "d", "ending2": null, "label": 1}\n',
        ("a", "", ("c", "d"), 1),
    ),
    "eleven choices": (
        "n.csv",
        "sent1," + ",".join(f"ending{n}" for n in range(11)) + ",label\na," + ",".join("bcdefghijkl") + ",10\n",
        ("a", "", tuple("bcdefghijkl"), 10),
    ),
}  # fmt: skip


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return path


@pytest.mark.parametrize("kind", FILES)
def test_published_questions_are_read_as_they_were_meant(kind, tmp_path):
    name, content, wanted = FILES[kind]
    examples, report = read_choices(write(tmp_path, name, content))
    first = examples[0]
    assert (first.context, first.beginning, first.endings, first.label) == wanted
    assert "  read as contexts: " in str(report)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "question,option1,option2,option3,label\na,b,c,d,1\na,b,c,d,2\n",
            "which number does 'label' begin at, 0 or 1. No row has 0 or 3",
        ),
        ("sentence,option1,option2,answer\na,c,d,2\na,c,d,0\n", "line 2: 'answer' must be 0 to 1, and is '2'"),
        ("sent1,ending0,ending1,ending2,label\na,c,d,,2\n", "line 2: 'label' must be 0 to 1, and is '2'"),
        ("sent1,ending0,ending1,label\na,c,d,C\n", "'label' must be 0 to 1, and is 'C'"),
        ("sent1,endings,label\na,no list,0\n", "'endings' must be a list of texts"),
        ("sent1,endings,label\na,[1 2],0\n", "'endings' must be a list of texts"),
        (
            'question,choices,answer\n2+1,"[""1"", ""2"", ""3""]",2\n',
            "which ending does '2' in 'answer' name, that of this number or of this text",
        ),
        ("question,option0,option1,answer\na,1,0,1\nb,1,0,0\n", "which ending does '1' in 'answer' name"),
        ("sent1,choice,label\na,b,0\n", "must be at least the columns 'ending0' and 'ending1', or a list"),
    ],
)
def test_a_right_ending_that_could_be_another_is_not_guessed(content, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        read_choices(write(tmp_path, "t.csv", content))


def test_what_the_questions_are_stands_in_a_line(tmp_path):
    content = "sent1,sent2,ending0,ending1,ending2,label\na,b,c,d,,1\na,b,c,d,e,1\na,b,c,d,e,2\n"
    _, report = read_choices(write(tmp_path, "t.csv", content))
    said = "contexts: sent1 + sent2; 2 or 3 endings: ending0, ending1, ending2; 2 right endings, from 0: 1 2, 2 1."
    assert f"  read as {said}" in str(report).splitlines()


def test_the_columns_of_the_questions_are_demanded_later(tmp_path):
    train = write(tmp_path, "train.csv", "premise,question,choice1,choice2,label\na,b,c,d,0\na,b,c,d,1\n")
    task = MultipleChoice().adapted_to(MultipleChoice().read(train))
    assert (task.text, task.text_pair, task.label) == ("premise", "question", "label")
    with pytest.raises(ValueError, match="there is no column 'premise'"):
        task.read(write(tmp_path, "later.csv", "sent1,question,choice1,choice2,label\na,b,c,d,0\n"))
    later = write(tmp_path, "other.csv", "s,choice1,choice2,label\na,c,d,0\n")
    assert replace(task, text="s", text_pair="").read(later).items[0].context == "a"


@pytest.mark.parametrize("group_by_length", [True, False])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_a_batch_has_questions_of_one_number_of_choices_and_an_epoch_has_all(group_by_length, batch_size):
    lengths, choices = [n % 7 + 3 for n in range(40)], [2 + n % 3 for n in range(40)]
    order = BatchOrder(lengths, batch_size, 0, group_by_length=group_by_length, choices=choices)
    for batches in (list(order), evaluation_batches(lengths, batch_size, choices)):
        assert Counter(each for batch in batches for each in batch) == Counter(range(40))
        assert all(len({choices[each] for each in batch}) == 1 for batch in batches)
        assert max(map(len, batches)) <= batch_size
    assert len(list(order)) == order.batches_per_epoch


@pytest.mark.parametrize("group_by_length", [True, False])
def test_one_number_of_choices_changes_no_batch(group_by_length):
    lengths = [n % 7 + 3 for n in range(130)]
    plain = BatchOrder(lengths, 2, 3, group_by_length=group_by_length)
    with_choices = BatchOrder(lengths, 2, 3, group_by_length=group_by_length, choices=[4] * 130)
    assert [plain.batch(step) for step in range(200)] == [with_choices.batch(step) for step in range(200)]
    assert evaluation_batches(lengths, 8) == evaluation_batches(lengths, 8, [4] * 130)


def test_questions_with_different_numbers_of_choices_are_learned_and_scored(tmp_path):
    rows = [
        "the cat,sat,ran,,0",
        "the dog,sat,ran,,1",
        "the mat,sat,ran,on,2",
        "who,sat,ran,on,0",
        "where,sat,ran,on,1",
    ]
    path = write(tmp_path, "t.csv", "sent1,ending0,ending1,ending2,label\n" + "\n".join(rows) + "\n")
    examples = MultipleChoice().read(path)
    task, recipe = MultipleChoice().adapted_to(examples), replace(RECIPE, batch_size=2)
    model = small_model(tmp_path / "model")
    trained = open_task(task, model, examples, task.read(path), recipe, ALONE, QUIET)
    assert {tuple(trained.batch(step)["input_ids"].shape[:2]) for step in range(1, 4)} == {(2, 2), (2, 3), (1, 3)}
    assert trained.backward(1, trained.batch(1))["loss"] > 0
    scores = trained.evaluate()
    assert 0 <= scores["accuracy"] <= 1
    kept, _ = trained.outputs(trained.evaluation)
    assert [len(logits) for logits in kept] == [2, 2, 3, 3, 3]
    assert all(torch.isfinite(logits).all() for logits in kept)
    assert [len(answer["endings"]) for answer in task.answers(trained.evaluation, kept)] == [2, 2, 3, 3, 3]
