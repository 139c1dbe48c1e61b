"""Wrong BERTs, made of the right ones: by changing their code in one place, by chance with a seed or as learners do."""

from __future__ import annotations

import ast
import copy
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
START = HERE.parents[2] / "tutorials" / "your_bert" / "start" / "adapters.py"

# Which part the definitions of the two solutions belong to: a helper of several parts to the first.
PART_OF = {
    "functions": {
        **dict.fromkeys(("is_mark", "is_ideograph", "clean", "strip_accents", "around_specials"), "wordpiece"),
        **dict.fromkeys(("words_of", "pieces_of", "encode"), "wordpiece"),
        "norm": "embeddings", "embed": "embeddings",
        "linear": "attention", "split": "attention", "attend": "attention",
        "inside": "layer", "gelu": "layer", "layer": "layer", "bert": "bert", "pool": "pooler",
        "word_scores": "predictions", "cross_entropy": "pretraining", "both_scores": "pretraining",
        "pretraining_loss": "pretraining", "open_checkpoint": "load", "run_checkpoint": "load",
        "AdamW": "optimizer", "factor": "optimizer", "classify": "classifier", "clip": "train", "train": "train",
    },
    "modules": {
        "Tokenizer": "wordpiece", "Embeddings": "embeddings", "RENAMED": "embeddings", "renamed": "embeddings",
        "Attention": "attention", "attention_names": "attention", "Layer": "layer", "layer_names": "layer",
        "below": "layer", "above": "layer", "Bert": "bert", "bert_names": "bert", "Pooler": "pooler",
        "WordHead": "predictions", "head_names": "predictions", "Pretrained": "pretraining",
        "PretrainingLoss": "pretraining", "pretrained_names": "pretraining", "Sizes": "load", "from_folder": "load",
        "Adam": "optimizer", "in_groups": "optimizer", "rate_factor": "optimizer",
        "Classifier": "classifier", "ClassifierLoss": "classifier", "classifier_names": "classifier", "fit": "train",
    },
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """solution: which was changed; part: that the change is in; what: the change in words; text: the changed file."""

    solution: str
    part: str
    what: str
    text: str


def solution(name: str) -> str:
    """The text of a finished BERT."""
    return (HERE / name / "my_bert.py").read_text(encoding="utf-8")


def adapters(name: str) -> str:
    """Its adapters: the file to begin with, the blanks filled in."""
    return START.read_text(encoding="utf-8") + "\n" + (HERE / name / "fill_in.py").read_text(encoding="utf-8")


def with_design(name: str, design: str) -> str:
    """A solution in which the definitions of `designs/` replace those of the same name."""
    tree, others = ast.parse(solution(name)), ast.parse((HERE / "designs" / f"{design}.py").read_text(encoding="utf-8"))
    own = {node.name: node for node in others.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    tree.body = [own.pop(getattr(node, "name", ""), node) for node in tree.body]
    assert not own, f"{list(own)} replace nothing"
    return ast.unparse(ast.fix_missing_locations(tree))


def mutants_by_chance(name: str, at_most: int, seed: int = 0) -> list[Mutant]:
    """So many of all changes that `changes_of` knows, drawn with this seed."""
    tree = ast.parse(solution(name))
    found: list[tuple[int, str, Callable[[], ast.stmt]]] = []
    for number, node in enumerate(tree.body):
        if _part(name, node):
            found += [(number, what, changed) for what, changed in changes_of(node)]
    random.Random(seed).shuffle(found)
    mutants = []
    for number, what, changed in found[:at_most]:
        other = ast.Module([*tree.body[:number], changed(), *tree.body[number + 1 :]], [])
        text = ast.unparse(ast.fix_missing_locations(other))
        mutants.append(Mutant(name, _part(name, tree.body[number]), what, text))
    return mutants


def _part(name: str, node: ast.stmt) -> str:
    return PART_OF[name].get(getattr(node, "name", "") or _assigned(node), "")


def _assigned(node: ast.stmt) -> str:
    return node.targets[0].id if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) else ""


# Changes that change nothing: a mask of −5000 hides as one of −10000, whole numbers are as good as real ones there, and a new model
# is in training mode.
HUGE = (10000.0, 1e9)
EQUAL = ("mask[:, None, None, :].float(): not called", "model.train(): not called")

SWAPPED: dict[type, type] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Lt: ast.GtE, ast.Gt: ast.LtE, ast.GtE: ast.Lt,
    ast.LtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.And: ast.Or, ast.Or: ast.And, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip


def changes_of(whole: ast.stmt) -> Iterator[tuple[str, Callable[[], ast.stmt]]]:
    """Every change of one thing in a definition, in words, with what makes the copy that has it."""
    for number, node in enumerate(ast.walk(whole)):
        for what, change in changes_at(node):
            if what not in EQUAL:
                yield f"line {getattr(node, 'lineno', '?')}: {what}", partial(_copy_with, change, whole, number)


def _copy_with(change: Callable[[Any], None], whole: ast.stmt, number: int) -> ast.stmt:
    copied = copy.deepcopy(whole)
    change(next(each for at, each in enumerate(ast.walk(copied)) if at == number))
    return copied


def changes_at(node: ast.AST) -> Iterator[tuple[str, Any]]:
    """The changes of one node: an operator for its opposite, an operand left out, another number, a statement gone."""
    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.BoolOp)) and type(node.op) in SWAPPED:
        yield f"{_short(node)}: opposite", lambda twin: setattr(twin, "op", SWAPPED[type(twin.op)]())
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mult, ast.Div, ast.Sub)):
        yield f"{_short(node)}: left alone", lambda twin: _become(twin, twin.left)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield f"{_short(node)}: opposite", lambda twin: twin.ops.__setitem__(0, SWAPPED[type(twin.ops[0])]())
    if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value not in HUGE:
        yield f"{node.value} + 1", lambda twin: setattr(twin, "value", twin.value + 1)
        if node.value not in (0, 1):
            yield f"{node.value} / 2", lambda twin: setattr(twin, "value", type(twin.value)(twin.value / 2))
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield f"not {node.value}", lambda twin: setattr(twin, "value", not twin.value)
    if isinstance(node, ast.Call) and len(node.args) >= 2 and not _alike(node):
        yield f"{_short(node)}: first two swapped", lambda twin: twin.args.__setitem__(slice(2), twin.args[1::-1])
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args and not node.keywords:
        yield f"{_short(node)}: not called", lambda twin: _become(twin, twin.func.value)
    for field in ("body", "orelse"):
        body = getattr(node, field, None)
        for at, line in enumerate(body if isinstance(body, list) else []):
            if isinstance(line, (ast.Assign, ast.AugAssign, ast.Expr)) and not _is_text(line):
                yield (
                    f"{_short(line)}: left out",
                    lambda twin, field=field, at=at: getattr(twin, field).__setitem__(at, ast.Pass()),
                )


def _alike(call: ast.Call) -> bool:
    """Whether the first two arguments can be swapped and nothing changes: equal ones, those of max, two axes, a product's."""
    same = ast.unparse(call.args[0]) == ast.unparse(call.args[1])
    return same or ast.unparse(call.func).endswith(("max", "transpose"))


def _become(node: ast.AST, other: ast.AST) -> None:
    node.__class__ = other.__class__  # type: ignore[assignment]
    node.__dict__ = dict(vars(other))


def _is_text(line: ast.stmt) -> bool:
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant)


def _short(node: ast.AST) -> str:
    return ast.unparse(node).splitlines()[0][:60]
