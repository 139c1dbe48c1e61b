"""The page "BERT in one page, twice" shows lines that stand in the two files, and the tour says what the bundled model does."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from minibert import BertForPreTraining, BertTokenizer
from tests.tutorials.places import TUTORIALS
from tests.unit.docs.pages import DOCS
from tests.unit.tiny_bert import BUNDLED

from .pages import ask, carried, needs_node, tensor

NO, PARDON = "He shook his head, and said no.", "I beg your [MASK], sir."
MASK = 4


def test_every_line_that_is_shown_stands_in_one_of_the_two() -> None:
    files = [TUTORIALS / "bert_in_one_page.py", DOCS.parent / "minibert" / "playground" / "bert.mjs"]
    lines = {line.strip() for file in files for line in file.read_text(encoding="utf-8").splitlines()}
    blocks = re.findall(
        r"```(?:python|javascript)\n(.*?)```", (DOCS / "one_page_twice.md").read_text(encoding="utf-8"), re.DOTALL
    )
    shown = [line for block in blocks for line in block.splitlines()]
    assert len(shown) > 20
    assert [line for line in shown if not any(line in own for own in lines)] == []


class Told:
    """The bundled model, asked all that the tour asks, at once."""

    def __init__(self, folder: Path):
        self.tokenizer = BertTokenizer.from_pretrained(BUNDLED)
        self.head, self.pardon = self.ids(NO, hidden=4), self.ids(PARDON)
        changes: dict[str, Any] = {
            "head 1 off": {"heads": ["0.1"]},
            "head 2 off": {"heads": ["0.2"]},
            "no positions": {"positions": False},
            "swapped": {"swap": [2, 4]},
            "sharp": {"temperature": 0.25},
            "blurred": {"temperature": 8},
            "no residual": {"residuals": ["0.attention"]},
            **{f"layer {layer} off": {"layers": [layer]} for layer in range(4)},
        }
        hidden = {
            place: [MASK if at == place else index for at, index in enumerate(self.pardon)]
            for place in (1, 2, 3, 5, 6, 7)
        }
        questions = {
            **{
                name: self.question(self.head, "head", edits=edits, attention=True)
                for name, edits in {"as trained": {}, **changes}.items()
            },
            **{f"{place} hidden": self.question(ids, "pardon") for place, ids in hidden.items()},
            "no comma": self.question([*self.pardon[:5], *self.pardon[6:]], "pardon"),
            "no hidden": self.question(self.ids(NO, hidden=8), "no", at=[8]),
            "pardon": self.question(self.pardon, "pardon", lens=4, stages=True),
        }
        data = carried(BertForPreTraining.from_pretrained(BUNDLED), self.tokenizer)
        self.answers = dict(
            zip(questions, ask(folder, data, [["answer", each] for each in questions.values()]), strict=True)
        )

    def ids(self, text: str, hidden: int | None = None) -> list[int]:
        ids = self.tokenizer(text)["input_ids"]
        return [MASK if place == hidden else index for place, index in enumerate(ids)]

    def question(self, ids: list[int], word: str, **more: Any) -> dict[str, Any]:
        return {"ids": ids, "segments": [0] * len(ids), "at": [4], "of": [self.tokenizer.vocab[word]], **more}

    def share(self, name: str) -> int:
        """In percent."""
        return round(100 * self.answers[name]["of"][0][0])

    def words(self, name: str) -> list[str]:
        return self.tokenizer.convert_ids_to_tokens([each["id"] for each in self.answers[name]["words"][0]])


@pytest.mark.slow
@needs_node
def test_what_the_tour_says_is_so(tmp_path: Path) -> None:
    told = Told(tmp_path)
    assert told.tokenizer.tokenize("unkindly") == ["unkind", "##ly"]
    assert len(told.tokenizer.tokenize("antidisestablishmentarian")) == 10
    assert told.words("no hidden")[:2] == ["nothing", "something"]
    assert min((1, 2, 3, 5, 6, 7), key=lambda place: told.share(f"{place} hidden")) == 2
    assert told.share("2 hidden") == 31
    assert told.share("no comma") == 8
    lens = told.answers["pardon"]["lens"]
    assert told.tokenizer.convert_ids_to_tokens([layer[0]["id"] for layer in lens[1:]]) == ["own", *["pardon"] * 3]
    assert round(100 * lens[2][0]["share"]) == 61
    assert [told.share(f"head {head} off") for head in (1, 2)] == [63, 52]
    assert "head" not in told.words("no positions")
    assert round(1000 * told.answers["no positions"]["of"][0][0]) == 2
    assert told.words("swapped")[:3] == ["shook", "turned", "opened"]
    assert [told.share(name) for name in ("sharp", "blurred")] == [69, 3]
    assert min(range(4), key=lambda layer: told.share(f"layer {layer} off")) == 2
    assert told.words("layer 2 off")[:2] == ["hand", "head"]
    assert told.share("layer 2 off") == 14
    assert told.share("no residual") == 1
    assert round(told.answers["pardon"]["stages"]["bert.embeddings.LayerNorm"]["std"], 2) == 0.89
    # heads with simple jobs
    first, second = (tensor(layer).view(4, 11, 11) for layer in told.answers["as trained"]["attention"][:2])
    inside = range(1, 10)
    assert min(float(first[1, place, place - 1]) for place in inside) > 0.99
    assert min(float(first[2, place, place + 1]) for place in inside) > 0.99
    assert round(100 * float(second[0, 4, 2])) == 97


@needs_node
def test_both_languages_say_everything() -> None:
    script = """
    import { WORDS } from "./minibert/playground/words.mjs"; import { STEPS } from "./minibert/playground/steps.mjs";
    const said = [...Object.values(WORDS), ...STEPS.flatMap(({ title, tell, ask, answer }) => [title, tell, ask, answer])];
    const holes = text => [...text.matchAll(/\\{\\d\\}/g)].map(hole => hole[0]).sort().join();
    const wrong = said.filter(([en, zh]) => !en || !zh || holes(en) !== holes(zh));
    console.log(JSON.stringify([STEPS.length, wrong]));"""
    run = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, cwd=DOCS.parent)
    assert run.stdout.strip() == "[12,[]]", run.stderr


@needs_node
def test_a_hidden_piece_moves_with_the_text_and_undo_takes_typing_back_at_once() -> None:
    script = """
    import { History, moved } from "./minibert/playground/state.mjs";
    let time = 0; const history = new History(() => time), state = text => ({ text });
    const change = (before, after, what) => history.remember(JSON.stringify(state(before)), JSON.stringify(state(after)), what);
    change("a", "ab", "text0"); time = 500; change("ab", "abc", "text0"); change("abc", "abc", "view"); time = 3000; change("abc", "abcd", "text0");
    const back = [history.go(state("abcd"), "past"), history.go(state("abc"), "past"), history.go(state("a"), "past")];
    console.log(JSON.stringify([moved([2, 4], [1, 2, 3, 4, 5], [1, 9, 9, 3, 4, 5]), moved([2], [1, 2, 3], [1, 2, 7]), back]));"""
    run = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True, text=True, cwd=DOCS.parent)
    assert run.stdout.strip() == '[[3,5],[],[{"text":"abc"},{"text":"a"},null]]', run.stderr
