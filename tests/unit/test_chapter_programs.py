"""The programs of a course, typed for transformers, run here with only the import changed.

The hub they download from is a local one, and their checkpoints are tiny ones that know the programs' own texts.
"""

import ast
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from minibert import BertForPreTraining, BertLMHeadModel
from tests.parity.old.chapter_programs import SCRIPTS, run_script
from tests.unit import chapter_checkpoints
from tests.unit.checkpoints.conftest import serve
from tests.unit.checkpoints.hub_server import HubServer, Repository

__all__ = ["serve"]


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Repository]:
    """Every checkpoint as the hub holds it."""
    folder = tmp_path_factory.mktemp("chapter")
    chapter_checkpoints.write(folder)
    found = {}
    for config in folder.rglob("config.json"):
        files = {path.name: path.read_bytes() for path in config.parent.iterdir()}
        found[config.parent.relative_to(folder).as_posix()] = Repository(files)
    return found


@pytest.fixture
def hub(
    serve: Callable[..., HubServer],
    repositories: dict[str, Repository],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[HubServer]:
    """A hub with those checkpoints, and an empty cache."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return serve(repositories)


def run(name: str) -> tuple[dict[str, Any], list[str]]:
    """What the program leaves behind, and the lines it printed."""
    left, printed = run_script(name, "minibert")
    return left, printed.splitlines()


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_program_names_transformers_in_its_import_alone(name: str) -> None:
    lines = SCRIPTS[name].read_text(encoding="utf-8").splitlines()
    assert sum("transformers" in line for line in lines) == 1
    assert any(line.startswith("from transformers import ") for line in lines)


@pytest.mark.seconds
def test_pretraining_gives_a_pair_of_logits_and_finds_the_hidden_word(hub: HubServer) -> None:
    left, printed = run("pretraining")
    length = left["inputs"]["input_ids"].shape[1]
    assert left["prediction_logits"].shape == (1, length, left["tokenizer"].vocab_size)
    assert left["seq_relationship_logits"].shape == (1, 2)
    assert printed == ["cold"]
    asked = [path.split("/") for method, path in hub.requests if method == "GET"]  # /NAME/resolve/REVISION/FILE
    assert {(path[1], path[-1]) for path in asked} >= {
        ("bert-base-uncased", "pytorch_model.bin"),
        ("bert-base-uncased", "vocab.txt"),
    }


@pytest.mark.usefixtures("hub")
def test_nothing_of_a_pre_training_checkpoint_is_new(caplog: pytest.LogCaptureFixture) -> None:
    """In the reference this load warns that the tied decoder's bias is newly initialized, which it is not."""
    model = BertForPreTraining.from_pretrained("bert-base-uncased")
    assert model.loading_report.new == []
    assert caplog.text == ""


@pytest.mark.usefixtures("hub")
def test_a_causal_model_sees_only_what_came_before() -> None:
    left, _ = run("causal_lm")
    assert type(left["model"]) is BertLMHeadModel
    torch.testing.assert_close(left["logits"][:, :3], left["shorter"])
    ids, logits = left["inputs"]["input_ids"], left["logits"]
    by_hand = torch.nn.functional.cross_entropy(logits[0, :-1], ids[0, 1:])
    torch.testing.assert_close(left["loss"], by_hand)


@pytest.mark.usefixtures("hub")
def test_an_unrelated_sentence_is_told_from_the_next_one() -> None:
    left, _ = run("next_sentence")  # which asserts it
    torch.testing.assert_close(left["loss"], -left["logits"].log_softmax(-1)[0, 1])


@pytest.mark.usefixtures("hub")
def test_a_paraphrase_is_told_from_another_sentence() -> None:
    _, printed = run("paraphrase")
    shares = [int(line.rpartition(" ")[2].removesuffix("%")) for line in printed]
    assert [line.partition(":")[0] for line in printed] == ["says something else", "says the same"] * 2
    assert shares[1] > 90
    assert shares[2] > 90


@pytest.mark.usefixtures("hub")
def test_every_token_gets_the_label_of_its_word() -> None:
    left, printed = run("named_entities")
    assert len(printed) == len(left["tokens"]) == left["inputs"].shape[1]
    pairs = [ast.literal_eval(line) for line in printed]
    assert (pairs[0], pairs[-1]) == (("[CLS]", "O"), ("[SEP]", "O"))
    words: list[list[str]] = []
    for token, label in pairs:
        if token.startswith("##"):
            assert words[-1][1] == label
            words[-1][0] += token.removeprefix("##")
        else:
            words.append([token, label])
    entities = [tuple(word) for word in words if word[1] != "O"]
    assert entities == [("Anna", "I-PER"), ("Berg", "I-PER"), ("Nordlys", "I-ORG"), ("Bergen", "I-LOC")]


@pytest.mark.usefixtures("hub")
def test_answers_are_cut_from_the_text() -> None:
    _, printed = run("question_answering")
    assert printed == [
        "Who opened Nordlys? anna berg",
        "Where is the café? by the harbour of bergen",
        "How many tables are there? twelve",
    ]


@pytest.mark.usefixtures("hub")
def test_fine_tuning_learns_with_the_rate_rising_then_falling() -> None:
    left, printed = run("fine_tuning")
    assert printed == ["[1, 0, 1, 0]"]
    assert left["losses"][-1] < 0.5 * left["losses"][0]
    rates = left["rates"]
    assert rates[0] == 0
    assert max(rates) == rates[3] == 5e-3
    assert all(earlier > later for earlier, later in itertools.pairwise(rates[3:]))
    groups = left["optimizer"].param_groups
    decayed = {id(parameter) for parameter in groups[0]["params"]}
    names = {name for name, parameter in left["model"].named_parameters() if id(parameter) in decayed}
    assert names
    assert all(name.endswith("weight") and "LayerNorm" not in name for name in names)
    assert len(groups[0]["params"]) + len(groups[1]["params"]) == len(list(left["model"].parameters()))
