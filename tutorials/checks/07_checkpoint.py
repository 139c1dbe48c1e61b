"""Checks of chapter 7: names in files, names in models."""

from collections.abc import Callable

from course.hints import Case, Checked
from minibert import BertConfig, BertForMaskedLM, BertModel
from minibert.checkpoints.names import canonical

TINY = BertConfig(vocab_size=9, hidden_size=4, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8)


def check_modern_name(modern_name: Callable[[str], str]) -> Checked:
    names = [
        "bert.embeddings.LayerNorm.gamma",
        "bert.encoder.layer.0.output.LayerNorm.beta",
        "bert.embeddings.word_embeddings.weight",
        "cls.predictions.bias",
    ]
    for name in names:
        swapped = name.replace("gamma", "\0").replace("beta", "weight").replace("\0", "bias")
        mistakes = {
            "The two are swapped: gamma scales (weight), beta shifts (bias).": swapped,
            "The name is left as it is.": name,
            "gamma becomes weight; beta, too, has a new name.": canonical(name) if "beta" not in name else name,
            "beta becomes bias; gamma, too, has a new name.": canonical(name) if "gamma" not in name else name,
            "Both become weight; beta is the bias.": canonical(name).replace("bias", "weight")
            if "beta" in name
            else canonical(name),
            "`bert.` is to stay: only the last part of a name is changed.": canonical(name).removeprefix("bert."),
            "Only the last part is left; the rest of the name belongs to it.": canonical(name).rpartition(".")[2],
            "There is a dot too many in front.": "." + canonical(name),
        }
        yield Case(modern_name(name), canonical(name), mistakes, name)
    for name in ("gamma_ray.weight", "model.beta.bias", "alphabeta", "gamma.gammas", "norm.gamma", "beta"):
        front, dot, last = name.rpartition(".")
        expected = front + dot + {"gamma": "weight", "beta": "bias"}.get(last, last)
        mistakes = {
            "Only the last part of a name, after the last dot, is changed, and only as a whole.": (
                name.replace("gamma", "weight").replace("beta", "bias")
            ),
            "Only a last part that is gamma or beta as a whole is changed, not one that ends so.": (
                front + dot + last.replace("gamma", "weight").replace("beta", "bias")
            ),
            "A last part `gamma` or `beta` is changed wherever it stands, behind LayerNorm or not.": name,
            "A name may have no dot at all; then it is its own last part.": expected if dot else name,
        }
        yield Case(modern_name(name), expected, mistakes, name)


def check_into_model(into_model: Callable[[list[str], list[str]], dict[str, str]]) -> Checked:
    body = [name for name, _ in BertModel(TINY).named_parameters()]
    whole = [name for name, _ in BertForMaskedLM(TINY).named_parameters()]
    for given, file, model in (
        ("a file of the body into a model with a head", body, whole),
        ("a file of a model with a head into the body", whole, body),
        ("a file into the model it came from", whole, whole),
        ("a file that has one name both ways", ["a", "bert.a", "left"], ["bert.a", "new"]),
        ("a file that has one name both ways, bert. first", ["bert.a", "a", "left"], ["a", "new"]),
        ("a file that has one name both ways, bert. last", ["a", "bert.a", "left"], ["a", "new"]),
        ("a file that has one name both ways, bert. first", ["bert.a", "a"], ["bert.a"]),
        ("a file in another order than the model's", ["b", "bert.c", "a"], ["a", "b", "c", "bert.bert.d"]),
        ("a model that has one name both ways", ["a"], ["a", "bert.a"]),
    ):
        expected = {}
        for name in model:
            for candidate in (name, name.removeprefix("bert.") if name.startswith("bert.") else f"bert.{name}"):
                if candidate in file:
                    expected[name] = candidate
                    break
        result = into_model(list(file), list(model))
        if not isinstance(result, dict):
            yield Case(result, expected, given=given)
            return None
        mistakes = {
            "Names that fit as they are were found, and no others: `bert.` may have to be added or taken away.": (
                {name: name for name in model if name in file}
            ),
            "The dictionary is the wrong way round: its keys are the model's names.": {new: old for old, new in expected.items()},
            "A name that fits as it is goes before one that has to be changed.": {
                name: name.removeprefix("bert.") if name.removeprefix("bert.") in file else found
                for name, found in expected.items()
            },
            "A tensor of the file may go to two places of the model.": _once(expected),
            "`bert.` is only put in front; it may have to be taken away, too.": {
                name: name if name in file else f"bert.{name}" for name in model if name in file or f"bert.{name}" in file
            },
            "`bert.` is only taken away; it may have to be put in front, too.": {
                name: name if name in file else name.removeprefix("bert.")
                for name in model
                if name in file or name.removeprefix("bert.") in file
            },
            "lstrip takes away letters, any of b, e, r, t and the dot; removeprefix takes the word.": {
                name: name if name in file else other
                for name in model
                for other in (name.lstrip("bert.") if name.startswith("bert.") else f"bert.{name}",)
                if name in file or other in file
            },
            "The values are the model's names; asked for are the file's.": {name: name for name in expected},
            "Names without a partner are to be left out.": {name: expected.get(name) for name in model},
        }  # fmt: skip
        if result == expected and list(result) != list(expected):
            return f"{given}: The right pairs, but not in the model's order."
        yield Case(result, expected, mistakes, given)


def _once(found: dict[str, str]) -> dict[str, str]:
    """Each name of the file for the first that takes it."""
    return {
        model: file for place, (model, file) in enumerate(found.items()) if file not in list(found.values())[:place]
    }


def check_account(account: Callable[[list[str], list[str], dict[str, str]], dict[str, list[str]]]) -> Checked:
    tied = {"decoder.weight": "words", "decoder.bias": "bias"}
    cases = (
        (["words", "bias", "old"], ["words", "bias", "decoder.weight", "decoder.bias", "classifier"]),
        (["words"], ["words", "decoder.weight", "decoder.bias", "bias"]),
        (["words", "bias", "decoder.weight"], ["words", "bias", "decoder.weight", "decoder.bias"]),
        ([], ["words", "decoder.weight"]),
        (["f", "words", "c", "y", "a", "x", "z"], ["words", "e", "d", "c", "b", "f", "a", "decoder.weight", "g"]),
    )
    for file, model in cases:
        read = sorted(set(file) & set(model))
        missing = sorted(set(model) - set(file))
        shared = [name for name in missing if tied.get(name) in read]
        new = [name for name in missing if name not in shared]
        left = sorted(set(file) - set(model))
        mistakes = {
            "A name that is tied to one that was read is not new: it has its numbers already.": _report(read, [], missing, left),
            "It is in `tied` and in `new`; each name of the model stands in one list only.": _report(read, shared, missing, left),
            "A name is tied only where the name that it shares was read; otherwise it is new.": _report(
                read, [name for name in missing if name in tied], [name for name in missing if name not in tied], left
            ),
            "A name that was read from the file is read, even where it could have been tied.": _report(
                [name for name in read if name not in tied],
                sorted({*shared, *(name for name in read if name in tied)}),
                new,
                left,
            ),
            "Read and left over have changed places.": _report(left, shared, new, read),
            "Tied and new have changed places.": _report(read, new, shared, left),
            "`read` holds all names of the file; those that the model has not are left over.": _report(sorted(file), shared, new, left),
            "`read` holds all names of the model; those that the file has not are tied or new.": _report(sorted(model), shared, new, left),
            "`left over` holds all names of the file; those that the model has are read.": _report(read, shared, new, sorted(file)),
            "`new` holds all names of the model; those that the file has are read.": _report(read, shared, sorted(set(model) - set(shared)), left),
            "`tied` holds every name that could be tied, and not only those of this model that are missing.": (
                _report(read, sorted(name for name, other in tied.items() if other in read), new, left)
            ),
            "New and left over have changed places.": _report(read, shared, left, new),
        }  # fmt: skip
        given = f"file {file}, model {model}"
        result = account(list(file), list(model), dict(tied))
        if isinstance(result, dict) and set(result) != {"read", "tied", "new", "left over"}:
            return (
                f"{given}: The dictionary has the keys {sorted(map(str, result))}; they are read, tied, new, left over."
            )
        expected = _report(read, shared, new, left)
        if isinstance(result, dict) and result != expected:
            unsorted = {
                key: sorted(value) if isinstance(value, (list, set)) else value for key, value in result.items()
            }
            if unsorted == expected:
                return f"{given}: The right names, but each list is to be a sorted list."
        yield Case(result, expected, mistakes, given)


def _report(read: list[str], tied: list[str], new: list[str], left: list[str]) -> dict[str, list[str]]:
    return {"read": read, "tied": tied, "new": new, "left over": left}
