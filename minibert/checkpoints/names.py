"""The spellings of parameter names that published BERT checkpoints use, and what each means here: one row a habit."""

import re
from collections.abc import Collection

from .files import CheckpointError

# Pattern → replacement, applied from top to bottom, each to the result of the one before.
SPELLINGS = {
    # A module saved inside DataParallel or DistributedDataParallel, torch.compile, FSDP, activation checkpointing; in each other too.
    # Lightning, FairScale, Opacus too; only names known to wrap, since a model may call a part of its own `_…module`.
    r"(?<![^.])(module|_orig_mod|_((fsdp|checkpoint)_wrapped_|forward_|fpw_|original_)?module)\.": "",
    r"^output_(weights|bias)$": r"classifier/output_\1",  # from here on Google's TensorFlow code: run_classifier.py,
    r"^cls/squad/": "qa_outputs/",  # run_squad.py,
    r"/output_weights$": "/weight",  # and all of it
    r"/output_bias$": "/bias",
    r"/layer_(\d+)/": r"/layer/\1/",
    r"/(word|position|token_type)_embeddings$": r"/\1_embeddings/weight",
    r"/kernel$": "/weight",
    r"/": ".",
    r"LayerNorm\.gamma$": "LayerNorm.weight",  # its first conversions to PyTorch too
    r"LayerNorm\.beta$": "LayerNorm.bias",
}

WORD_EMBEDDINGS, WORD_DECODER = "embeddings.word_embeddings.weight", "cls.predictions.decoder.weight"
# Names that may be left over without harm, and why, looked up from top to bottom for a name that the model lacks.
HARMLESS_LEFT_OVER = (
    (r"\.(adam_[mv]|AdamWeightDecayOptimizer(_1)?)$|^global_step$", "the optimizer's, of use only to go on training"),
    (r"embeddings\.(position_ids|token_type_ids)$", "counts 0, 1, 2, …: this model makes it itself"),
    (r"(^|\.)pooler\.", "this model reads every position and has no pooler"),
    (r"^cls\.predictions\.", "the masked-word head, which this model does not have"),
    (r"^cls\.seq_relationship\.", "the next-sentence head, which this model does not have"),
    (r"^(classifier|qa_outputs)\.", "the head of another task"),
)


def canonical(name: str) -> str:
    """The reference library's name for a checkpoint's name, the body's prefix aside."""
    for pattern, replacement in SPELLINGS.items():
        name = re.sub(pattern, replacement, name)
    return name


def is_transposed(name: str) -> bool:
    """Whether a checkpoint's name is that of TensorFlow's matrix (inputs, outputs): PyTorch has (outputs, inputs)."""
    return name.endswith("/kernel")


def reason_left_over(name: str) -> str | None:
    """Why a checkpoint's name may be left over; None where that is a surprise."""
    name = canonical(name)
    return next((reason for pattern, reason in HARMLESS_LEFT_OVER if re.search(pattern, name)), None)


def body_prefix(names: Collection[str], usual: str) -> str:
    """What stands before the body's names, such as "bert."; nothing before those of a bare body. names: canonical ones.

    The word embeddings tell; where there are none, or several, it is `usual` if any name begins with it.
    """
    found = {name.removesuffix(WORD_EMBEDDINGS) for name in names if f".{name}".endswith(f".{WORD_EMBEDDINGS}")}
    return found.pop() if len(found) == 1 else usual if any(name.startswith(usual) for name in names) else ""


def match_names(
    model_names: Collection[str], checkpoint_names: Collection[str], usual_prefix: str = "bert."
) -> tuple[dict[str, str], list[str]]:
    """Model name → checkpoint name, and the checkpoint's names that are left over.

    Names are compared as `canonical` spells them, the body's with the prefix that it has in the model in place of the one
    that it has in the checkpoint. Raises CheckpointError where two of the checkpoint's come to one of the model's.
    """
    if set(checkpoint_names) <= set(model_names):  # nothing to translate, whatever a model calls its modules
        return {name: name for name in checkpoint_names}, []
    own = {canonical(name): name for name in model_names}
    given = {name: canonical(name) for name in checkpoint_names}
    here, there = body_prefix(own, usual_prefix), body_prefix(given.values(), usual_prefix)
    body = here or ("embeddings.", "encoder.", "pooler.")
    source: dict[str, str] = {}
    left_over = []
    for checkpoint_name, name in given.items():
        found = own.get(name)
        if name.startswith(there):
            found = own.get(here + name.removeprefix(there), found)
        elif name.startswith(body):  # beside the body there, it is not meant for the body here
            found = None
        if found is None:
            left_over.append(checkpoint_name)
        elif found in source:
            both = f"{source[found]!r} and {checkpoint_name!r} are two names of one tensor, {found!r}"
            raise CheckpointError(f"{both}. Take the one that is not meant out of the checkpoint")
        else:
            source[found] = checkpoint_name
    return source, left_over
