"""What a stage computes, in one line, and where that is written, looked up in the running code.

Equations go by the class's name, so they hold for the reference's classes and a student's own of the same names too.
Sums are in the order in which the (eager) code adds; dropout is left out, since it is a stage of its own.
"""

import inspect
from pathlib import Path
from typing import NamedTuple

from torch import nn

# Class name → its equation. `act` stands for the activation that the config chose.
EQUATIONS = {
    # the network
    "BertModel": "h = encoder(embed(x)), pool(h)",
    "BertEmbeddings": "norm(word + segment + position)",
    "BertEncoder": "hᵢ = layerᵢ(hᵢ₋₁)",
    "BertLayer": "a = attention(x), y = ffn(a)",
    "BertAttention": "norm(W attend(x) + b + x)",
    "BertSelfAttention": "softmax(Q Kᵀ / √d + mask) V",
    "BertSelfOutput": "norm(W c + b + x)",
    "BertIntermediate": "act(W₁ a + b₁)",
    "BertOutput": "norm(W₂ h + b₂ + a)",
    "BertPooler": "tanh(W h[CLS] + b)",
    # what stands on it
    "BertPreTrainingHeads": "predictions(h), W p + b",
    "BertOnlyMLMHead": "predictions(h)",
    "BertOnlyNSPHead": "W p + b",
    "BertLMPredictionHead": "E transform(h) + bias",
    "BertPredictionHeadTransform": "norm(act(W h + b))",
    "BertForPreTraining": "cls(bert(x))",
    "BertForMaskedLM": "cls(bert(x))",
    "BertLMHeadModel": "cls(bert(x)), left to right",
    "BertForNextSentencePrediction": "cls(pooled)",
    "BertForSequenceClassification": "classifier(pooled)",
    "BertForMultipleChoice": "classifier(pooled)",
    "BertForTokenClassification": "classifier(h)",
    "BertForQuestionAnswering": "qa_outputs(h)",
    "EncoderDecoderModel": "decoder(y, encoder(x))",
    # PyTorch's own
    "Linear": "W x + b",
    "Embedding": "row x of E",
    "LayerNorm": "(x − μ) / √(σ² + ε) · γ + β",
    "Dropout": "x · m / (1 − p), m = 0 or 1",
    "Tanh": "tanh(x)",
    "GELU": "x · Φ(x)",
    "GELUActivation": "x · Φ(x)",
    "Softmax": "exp(xᵢ) / Σⱼ exp(xⱼ)",
}

# Where positions are relative, R holds the scores of the distances.
RELATIVE = {"BertEmbeddings": "norm(word + segment)", "BertSelfAttention": "softmax((Q Kᵀ + R) / √d + mask) V"}


def equation(module: nn.Module) -> str:
    """What this module computes, as it is set up now; "" where neither its class nor a parent of it is known."""
    name = next((c.__name__ for c in type(module).__mro__ if c.__name__ in EQUATIONS), "")
    if isinstance(module, nn.Dropout) and not module.training:
        return "x: dropout is off"
    if isinstance(module, nn.GELU) and module.approximate == "tanh":
        return "½ x (1 + tanh(…)) ≈ x · Φ(x)"
    if name == "BertLayer" and hasattr(module, "crossattention"):
        return "a = cross(attention(x), encoded), y = ffn(a)"
    if name in RELATIVE and getattr(module, "position_embedding_type", "absolute") != "absolute":
        return RELATIVE[name]
    activation = getattr(module, "intermediate_act_fn", None) or getattr(module, "transform_act_fn", None)
    return EQUATIONS.get(name, "").replace("act(", f"{getattr(activation, '__name__', type(activation).__name__)}(")


class Source(NamedTuple):
    """Where a forward is written: its file, from the package on, and the line at which it begins."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    @property
    def short(self) -> str:
        """Without the folders."""
        return f"{Path(self.file).name}:{self.line}"


def source(module: nn.Module) -> Source | None:
    """The code that runs when this module is called; None where that is in no Python file."""
    defining = next(cls for cls in type(module).__mro__ if "forward" in vars(cls))
    code = getattr(inspect.unwrap(vars(defining)["forward"]), "__code__", None)
    if code is None or not (path := Path(code.co_filename)).is_file():
        return None
    depth = defining.__module__.count(".") + 1 + (path.stem == "__init__")
    return Source("/".join(path.parts[-depth:]), code.co_firstlineno)
