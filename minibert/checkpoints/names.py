"""The spellings of parameter names that published BERT checkpoints use, and what each means here: one row a habit."""

import re
from collections.abc import Collection, Iterable

BODY_PREFIX = "bert."

# Pattern → replacement, applied from top to bottom, each to the result of the one before.
SPELLINGS = {
    r"^_orig_mod\.": "",  # a model saved inside torch.compile
    r"^module\.": "",  # a model saved inside DataParallel or DistributedDataParallel
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


def match_names(model_names: Collection[str], checkpoint_names: Iterable[str]) -> tuple[dict[str, str], list[str]]:
    """Model name → checkpoint name, and the checkpoint's names that are left over.

    Names are matched as they are, then with the body's prefix added, then with it taken away: so a checkpoint of the
    bare body fits a model with a head, and the reverse.
    """
    source: dict[str, str] = {}
    left_over = []
    for checkpoint_name in checkpoint_names:
        name = canonical(checkpoint_name)
        spelled = (name, BODY_PREFIX + name, name.removeprefix(BODY_PREFIX))
        found = next((n for n in spelled if n in model_names and n not in source), None)
        if found is None:
            left_over.append(checkpoint_name)
        else:
            source[found] = checkpoint_name
    return source, left_over
