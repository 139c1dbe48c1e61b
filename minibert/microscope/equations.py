"""What a stage computes, in one line, and where that is written.

The equations stand here, by the class's name: so they hold for the reference's classes and a student's own of the same
names too. Files and lines are looked up in the running code.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from pathlib import Path

from torch import nn

EQUATIONS: dict[str, str] = {
    # the network
    "BertModel": "pooler(encoder(embed(ids)))",
    "BertEmbeddings": "norm(word + position + type)",
    "BertEncoder": "hᵢ = layerᵢ(hᵢ₋₁)",
    "BertLayer": "a = attention(x), y = ffn(a)",
    "BertAttention": "norm(x + W attend(x) + b)",
    "BertSelfAttention": "softmax(Q Kᵀ / √d + mask) V",
    "BertSelfOutput": "norm(x + W c + b)",
    "BertIntermediate": "act(W₁ a + b₁)",
    "BertOutput": "norm(a + W₂ h + b₂)",
    "BertPooler": "tanh(W h[CLS] + b)",
    # what stands on it
    "BertPreTrainingHeads": "word scores, next-or-not",
    "BertOnlyMLMHead": "word scores",
    "BertOnlyNSPHead": "W p + b",
    "BertLMPredictionHead": "E transform(h) + bias",
    "BertPredictionHeadTransform": "norm(act(W h + b))",
    "BertForPreTraining": "cls(bert(ids))",
    "BertForMaskedLM": "cls(bert(ids))",
    "BertLMHeadModel": "cls(bert(ids)), left to right",
    "BertForNextSentencePrediction": "cls(pooled)",
    "BertForSequenceClassification": "classifier(pooled)",
    "BertForMultipleChoice": "classifier(pooled)",
    "BertForTokenClassification": "classifier(h)",
    "BertForQuestionAnswering": "qa_outputs(h)",
    "EncoderDecoderModel": "decoder(ids, encoder(ids))",
    # PyTorch's own
    "Linear": "W x + b",
    "Embedding": "row x of E",
    "LayerNorm": "γ (x − μ) / √(σ² + ε) + β",
    "Dropout": "x · m / (1 − p), m = 0 or 1",
    "Tanh": "tanh(x)",
    "GELU": "x · Φ(x)",
    "GELUActivation": "x · Φ(x)",
    "Softmax": "exp(xᵢ) / Σⱼ exp(xⱼ)",
}
"""Class name → its equation. `act` stands for the activation that the config chose."""


def equation(module: nn.Module) -> str:
    """What this module computes, as it is set up now; "" where neither its class nor a parent of it is known."""
    known = next((EQUATIONS[c.__name__] for c in type(module).__mro__ if c.__name__ in EQUATIONS), "")
    if isinstance(module, nn.Dropout) and not module.training:
        return "x: dropout is off"
    for name in ("intermediate_act_fn", "transform_act_fn"):
        activation = getattr(module, name, None)
        if activation is not None:
            known = known.replace("act(", f"{getattr(activation, '__name__', type(activation).__name__)}(")
    return known


@dataclass(frozen=True)
class Source:
    """Where a forward is written: its file, from the package on, and the line where it begins."""

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
    defining = next(cls for cls in type(module).__mro__ if "forward" in cls.__dict__)
    code = getattr(inspect.unwrap(vars(defining)["forward"]), "__code__", None)
    if code is None or not Path(code.co_filename).is_file():
        return None
    path = Path(code.co_filename)
    depth = defining.__module__.count(".") + 1 + (path.stem == "__init__")
    return Source("/".join(path.parts[-depth:]), code.co_firstlineno)
