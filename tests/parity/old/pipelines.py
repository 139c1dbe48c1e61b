"""200 inputs a task for `pipeline`, asked of one library: python pipelines.py LIBRARY CHECKPOINTS OUT [fast]

CHECKPOINTS: a folder that `write` has made. OUT: {"task, tokenizer class": [the answer to each input, or "error"]}, of plain values; those of
BertTokenizerFast only with `fast`. This file imports neither library at its top; `write` uses minibert.

python pipelines.py record writes a part of what 4.12.5 answers to tests/parity/recorded/pipelines.json.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from unicodedata import category

import torch

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
RECORDED = HERE.parent / "recorded" / "pipelines.json"
sys.path.insert(0, str(HERE))

Answers = dict[str, list[Any]]
Question = Callable[[], Any]  # gives its answer

POSITIONS = 64
WORDS = "the captain of a ship looked at her sister and said nothing for an hour , while rain fell upon old London . my dear Mr. Darcy ! don't you remember it ? unbelievably café über 1813 sea-side".split()  # noqa: SIM905  # fmt: skip
LABELS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC", "MISC")
HEADS: dict[str, tuple[str, dict[str, Any]]] = {
    "fill-mask": ("BertForMaskedLM", {}),
    "three": ("BertForSequenceClassification", {"num_labels": 3}),
    "one": ("BertForSequenceClassification", {"num_labels": 1}),
    "many": ("BertForSequenceClassification", {"num_labels": 4, "problem_type": "multi_label_classification"}),
    "tags": ("BertForTokenClassification", {"id2label": dict(enumerate(LABELS)), "label2id": {name: index for index, name in enumerate(LABELS)}}),
    "answers": ("BertForQuestionAnswering", {}),
    "body": ("BertModel", {}),
}  # fmt: skip


def write(folder: Path) -> None:
    """Small checkpoints with every head, in the era's format, and the bundled one; heads speak clearly, so that no order is a tie."""
    import minibert

    for number, (name, (class_name, fields)) in enumerate(HEADS.items()):
        tokenizer = minibert.BertTokenizer.from_pretrained("novels-4l-256h", model_max_length=POSITIONS)
        sizes: dict[str, Any] = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4}
        sizes |= {"intermediate_size": 37, "max_position_embeddings": POSITIONS, "initializer_range": 0.1}
        torch.manual_seed(number)
        model = getattr(minibert, class_name)(minibert.BertConfig(vocab_size=len(tokenizer), **sizes, **fields))
        with torch.no_grad():
            for parameter in (p for n, p in model.named_parameters() if n.startswith(("classifier.w", "qa_outputs.w"))):
                parameter *= 10
        model.save_pretrained(folder / name, safe_serialization=False)
        tokenizer.save_pretrained(folder / name)
    minibert.BertForPreTraining.from_pretrained("novels-4l-256h").save_pretrained(
        folder / "novels", safe_serialization=False
    )
    minibert.BertTokenizer.from_pretrained("novels-4l-256h").save_pretrained(folder / "novels")


def texts(count: int, seed: int) -> list[str]:
    """Sentences, empty and blank ones, texts in every script, and texts longer than the model's positions."""
    from tokenizer_programs import NASTY

    chance = random.Random(seed)
    odd = [
        text for text in NASTY if not {"Cs", "Co", "Cn"} & set(map(category, text))
    ]  # of them the compiled tokenizers think otherwise
    found = ["", " ", "\n"]
    while len(found) < count:
        length = chance.choice([1, 3, 8, 20, 20, 90])
        sentence = " ".join(chance.choice(WORDS) for _ in range(length))
        found.append(chance.choice(odd) if chance.random() < 0.15 else sentence)
    return found[:count]


def fill_mask(library: Any, folder: Path, fast: bool) -> Iterator[Question]:
    chance = random.Random(1)
    pipes = [make(library, "fill-mask", folder / name, fast) for name in ("fill-mask", "novels")]
    pipes.append(make(library, "fill-mask", folder / "novels", fast, top_k=2))
    for number, text in enumerate(texts(200, seed=1)):
        words = text.split(" ")[:55]
        words.insert(chance.randrange(len(words) + 1), "[MASK]")
        asked = " ".join(words if number % 40 else [*words, "[MASK]"] if number % 80 else words[:1])
        options: dict[str, Any] = {}
        if number % 3 == 0:
            options["top_k"] = chance.choice([1, 3, 20])
        if number % 7 == 0:
            options["targets"] = chance.choice(
                ["ship", ["sister", "the", "Darcy"], ["unbelievably", "sea"], ["ship", "ship"], [""]]
            )
        yield partial(outcome, pipes[number % 3], asked, **options)
    yield partial(outcome, pipes[0], ["the [MASK] fell", "a [MASK] .", "[MASK]"], num_workers=0)
    yield partial(outcome, pipes[0], ["the [MASK] fell"], num_workers=0)


def text_classification(library: Any, folder: Path, fast: bool) -> Iterator[Question]:
    chance = random.Random(2)
    pipes = [make(library, "text-classification", folder / name, fast) for name in ("three", "one", "many")]
    pipes.append(
        make(library, "sentiment-analysis", folder / "three", fast, return_all_scores=True, function_to_apply="sigmoid")
    )
    given = texts(200, seed=2)
    for number, text in enumerate(given):
        options: dict[str, Any] = {"truncation": True} if number % 10 else {}
        if number % 3 == 0:
            options["text_pair"] = given[chance.randrange(len(given))]
            if fast and number % 10:  # the compiled tokenizers share out what two long texts lose in another way
                options["truncation"] = "only_second"
        if number % 4 == 1:
            options["return_all_scores"] = chance.random() < 0.7
        if number % 5 == 1:
            options["function_to_apply"] = chance.choice(["softmax", "sigmoid", "none", "NONE", "no such"])
        if number % 11 == 1 and "text_pair" not in options:
            options["max_length"] = 12
            options["padding"] = "max_length"
        yield partial(outcome, pipes[number % 4], text, **options)
    for pipe in pipes:
        yield partial(outcome, pipe, given[3:9], truncation=True, num_workers=0)
        yield partial(outcome, pipe, given[3:4], truncation=True, num_workers=0)


def token_classification(library: Any, folder: Path, fast: bool) -> Iterator[Question]:
    pipe = make(library, "ner", folder / "tags", fast)
    given = texts(200, seed=3)
    strategies = (
        ["none", "simple", "first", "average", "max"] if fast else ["none", "simple", "none", "simple", "first"]
    )
    for number, text in enumerate(given):
        pipe.ignore_labels = [[], ["O"], ["PER", "MISC", "B-LOC"]][number // 5 % 3]
        strategy = strategies[number % 5]
        if any(map(str.isalnum, text)) or strategy in (
            "none",
            "simple",
        ):  # of a text without words it makes a TypeError
            yield partial(outcome, pipe, text, aggregation_strategy=strategy)
    yield partial(outcome, pipe, given[3:9], num_workers=0)
    yield partial(outcome, pipe, given[3:4], num_workers=0)
    yield partial(outcome, pipe, given[5], aggregation_strategy="no such")
    for options in (
        {"grouped_entities": True},
        {"grouped_entities": True, "ignore_subwords": True},
        {"ignore_subwords": True},
    ):
        if fast or len(options) < 2:
            yield partial(outcome, make(library, "ner", folder / "tags", fast, **options), given[5])
        else:
            yield lambda: None


def question_answering(library: Any, folder: Path, fast: bool) -> Iterator[Question]:
    chance = random.Random(4)
    pipe = make(library, "question-answering", folder / "answers", fast)
    # Of windows of two lengths the reference makes an array, which today's NumPy refuses.
    padding: dict[str, Any] = {"padding": "max_length"} if fast else {}
    questions, contexts = (texts(200, seed=seed) for seed in (4, 5))
    for number, (question, context) in enumerate(zip(reversed(questions), contexts, strict=True)):
        question = (
            question if question.strip() or fast else question.strip()
        )  # a blank one: an error of the Python class
        if len(question.split()) > 10:  # a window must hold more than what the next repeats
            question = " ".join(question.split()[:10])
        if context and not set(context.split()) & set(
            WORDS
        ):  # without a piece that could be the answer it gives [], or fails
            context += " the ship"
        options = dict(padding)
        if number % 3 == 0:
            options["top_k"] = chance.choice([2, 3])
        if number % 5 == 0:
            options["max_answer_len"] = chance.choice([0, 1, 3, 40])
        if number % 6 == 1:
            options["doc_stride"] = chance.choice([1, 5, 16])
        yield partial(outcome, pipe, question=question, context=context, **options)
    some = [{"question": "who said it ?", "context": each} for each in contexts[5:9]]
    yield partial(outcome, pipe, some, num_workers=0, **padding)
    yield partial(outcome, pipe, some[:1], num_workers=0, **padding)
    yield partial(outcome, pipe, question=["who ?", "where ?"], context=contexts[6], num_workers=0, **padding)
    yield partial(outcome, pipe, question=["who ?", "where ?"], context=contexts[6:8], num_workers=0, **padding)
    yield partial(outcome, pipe, question=["who ?"], context=contexts[6:8], num_workers=0, **padding)
    yield partial(outcome, pipe, "who ?", contexts[6], **padding)
    yield partial(outcome, pipe, {"question": "who ?"})
    yield partial(outcome, pipe, question="who ?", context=contexts[6], topk=3, **padding)
    yield partial(outcome, pipe, question="who ?", context=contexts[6], top_k=0)


def feature_extraction(library: Any, folder: Path, fast: bool) -> Iterator[Question]:
    pipe = make(library, "feature-extraction", folder / "body", fast)
    given = [" ".join(text.split(" ")[:30]) for text in texts(200, seed=6)]
    for text in given:
        yield partial(outcome, pipe, text)
    yield partial(outcome, pipe, given[:4], num_workers=0)
    yield partial(outcome, pipe, given[5:6], num_workers=0)


TASKS: dict[str, Callable[[Any, Path, bool], Iterator[Question]]] = {
    "fill-mask": fill_mask,
    "text-classification": text_classification,
    "token-classification": token_classification,
    "question-answering": question_answering,
    "feature-extraction": feature_extraction,
}


def make(library: Any, task: str, folder: Path, fast: bool, **settings: Any) -> Any:
    return library.pipeline(task, model=str(folder), use_fast=fast, **settings)


def outcome(pipe: Any, *args: Any, **kwargs: Any) -> Any:
    """The answer, NumPy's numbers as Python's, or "error"."""
    from tokenizer_programs import quiet

    with quiet():
        try:
            return plain(pipe(*args, **kwargs))
        except BaseException as error:  # a panic of the compiled tokenizers is no Exception
            if isinstance(error, (KeyboardInterrupt, SystemExit)):
                raise
            return "error"


def plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value.item() if hasattr(value, "item") else value


def answers(library: Any, folder: Path, *, fast: bool) -> Answers:
    """Of every task, the answers with the Python tokenizer; with `fast` those with the fast one too."""
    kinds = ("BertTokenizer", "BertTokenizerFast") if fast else ("BertTokenizer",)
    keys = [f"{task}, {kind}" for kind in kinds for task in TASKS]
    return {key: [ask() for ask in questions(library, folder, key)] for key in keys}


def questions(library: Any, folder: Path, key: str) -> Iterator[Question]:
    """What a task's pipeline is asked with a tokenizer; each is to be called before the next is taken."""
    task, kind = key.split(", ")
    return TASKS[task](library, folder, kind == "BertTokenizerFast")


def compiled_tokenizers() -> Path | None:
    """Today's package, which the environment of today's library has; 4.12.5 runs with it, where its own has no wheel."""
    return next(iter((ROOT / ".venv-parity").glob("[Ll]ib/**/site-packages/tokenizers")), None)


def old_answers(folder: Path) -> Answers:
    """What 4.12.5 answers, in its own environment, with the compiled tokenizers if they are there."""
    python = ROOT / ".venv-old" / ("Scripts" if os.name == "nt" else "bin") / "python"
    python = Path(os.environ.get("MINIBERT_OLD_PYTHON", python))
    assert python.exists(), f"{python} is missing: `make parity` makes the environment of the old reference"
    with tempfile.TemporaryDirectory() as place:
        tokenizers, fast, out = compiled_tokenizers(), list[str](), Path(place, "answers.pt")
        if tokenizers:
            fast = ["fast"]
            Path(place, "tokenizers").symlink_to(tokenizers)
            Path(place, "tokenizers-0.10.3.dist-info").mkdir()  # the version that 4.12.5 asks for
            about = "Metadata-Version: 2.1\nName: tokenizers\nVersion: 0.10.3\n"
            Path(place, "tokenizers-0.10.3.dist-info", "METADATA").write_text(about, encoding="utf-8")
        command = [python, __file__, "transformers", folder, out, *fast]
        environment = os.environ | {"PYTHONPATH": place, "TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, env=environment, stderr=subprocess.DEVNULL)
        loaded: Answers = torch.load(out)
    return loaded


def comparable(key: str, value: Any) -> Any:
    """An answer without the spaces in which the two join pieces otherwise, on purpose.

    4.12.5's Python class decodes one id as "s h i p"; today's compiled tokenizers no longer make "don't" of "don ' t", as the era's did
    (tests/parity/recorded/fast_tokenizer).
    """
    field = {"fill-mask, BertTokenizer": "token_str", "token-classification, BertTokenizerFast": "word"}.get(key)
    if isinstance(value, dict):
        return {name: each.replace(" ", "") if name == field else each for name, each in value.items()}
    return [comparable(key, each) for each in value] if isinstance(value, list) else value


def difference(found: Any, expected: Any, where: str = "", *, within: float = 1e-6) -> str | None:
    """Where two answers differ first: in kinds, names and their order, values, or numbers by more than `within`; None where they do not."""
    if isinstance(found, float) and isinstance(expected, float):
        return None if abs(found - expected) <= within * max(1, abs(expected)) else f"{where}: {found} for {expected}"
    if type(found) is not type(expected) or not isinstance(found, (dict, list)):
        return None if found == expected else f"{where}: {found!r} for {expected!r}"
    if list(found) != list(expected) if isinstance(found, dict) else len(found) != len(expected):
        return f"{where}: {found!r:.300} for {expected!r:.300}"
    keys = found if isinstance(found, dict) else range(len(found))
    each = (difference(found[key], expected[key], f"{where}[{key!r}]", within=within) for key in keys)
    return next(filter(None, each), None)


def shortened(value: Any) -> Any:
    """A few of many numbers."""
    if isinstance(value, list) and value and isinstance(value[0], float):
        return value[:2]
    if isinstance(value, dict):
        return {name: shortened(each) for name, each in value.items()}
    return [shortened(each) for each in value] if isinstance(value, list) else value


def has_a_tie(value: Any) -> bool:
    """Whether two answers in a row score nearly the same, so that another processor may rank them otherwise."""
    if not isinstance(value, list) or not all(isinstance(each, dict) and "score" in each for each in value):
        return False
    scores = [each["score"] for each in value]
    return any(abs(one - other) < 1e-5 * one for one, other in pairwise(scores))


def record() -> None:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        found = old_answers(Path(folder))
    kept = {
        key: {
            str(index): shortened(each)
            for index, each in enumerate(found[key])
            if index % 7 == 3 and not has_a_tie(each)
        }
        for key in found
    }
    figures = {"recorded from": "transformers 4.12.5", "answers": kept}
    RECORDED.write_text(json.dumps(figures, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")


def main() -> None:
    if sys.argv[1:] == ["record"]:
        record()
        return
    library_name, folder, out, *fast = sys.argv[1:]
    torch.set_num_threads(1)
    torch.save(answers(importlib.import_module(library_name), Path(folder), fast=bool(fast)), out)


if __name__ == "__main__":
    main()
