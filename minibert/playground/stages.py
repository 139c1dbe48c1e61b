"""The stages of a forward as `minibert trace` lists them, each with its equation and its line of Python. No reference class: ours."""

import ast
import inspect
import textwrap
from typing import Any

import torch
from torch import Tensor, nn

from ..heads.multiple_choice import BertForMultipleChoice
from ..microscope.equations import equation, source
from ..microscope.trace import trace
from ..model.modes import evaluation_mode
from ..model.pretrained import BertPreTrainedModel

# Lines of tutorials/bert_in_one_page.py, by the end of a stage's path or by its class; tested to stand there.
NORM_ATTENTION = 'x = self.norm(gathered + x, f"{name}.attention.output.LayerNorm")'
NORM_OUTPUT = 'return self.norm(self.linear(wide, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")'
SCORES = 'return F.linear(x, words, self.weights["cls.predictions.bias"])'
ONE_PAGE = {
    "word_embeddings": 'word = self.weights[f"{name}.word_embeddings.weight"][ids]',
    "token_type_embeddings": 'segment = self.weights[f"{name}.token_type_embeddings.weight"][segments]',
    "position_embeddings": 'place = self.weights[f"{name}.position_embeddings.weight"][places]',
    "self.dropout": "looks = torch.softmax(scores + mask, dim=-1)",
    "predictions.decoder": SCORES,
    "Linear": 'return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])',
    "LayerNorm": "return F.layer_norm(x, scale.shape, scale, shift, self.eps)",
    "BertEmbeddings": 'return self.norm(word + segment + place, f"{name}.LayerNorm")',
    "BertEncoder": 'x = self.layer(x, mask, f"bert.encoder.layer.{number}")',
    "BertSelfAttention": "return (looks @ value).transpose(1, 2).reshape(batch, seq, hidden)",
    "BertSelfOutput": NORM_ATTENTION,
    "BertAttention": NORM_ATTENTION,
    "BertIntermediate": 'wide = F.gelu(self.linear(x, f"{name}.intermediate.dense"))',
    "BertOutput": NORM_OUTPUT,
    "BertLayer": NORM_OUTPUT,
    "BertLMPredictionHead": SCORES,
    "BertPreTrainingHeads": SCORES,
    "BertOnlyMLMHead": SCORES,
    "BertForPreTraining": "return self.predict(x)",
    "BertForMaskedLM": "return self.predict(x)",
}


@torch.no_grad()
def stages_of(model: BertPreTrainedModel) -> list[dict[str, Any]]:
    """The stages of a forward as `minibert trace` lists them, each with its equation and the line of Python that ends it."""
    prefix = "bert." if model.base_model is model else ""
    ids: Tensor = torch.zeros((1, 2), dtype=torch.long, device=model.device)
    shape = ids[:, None] if isinstance(model, BertForMultipleChoice) else ids
    with evaluation_mode(model), trace(model) as record:
        model(input_ids=shape)
    stages = []
    for stage in record.stages:
        path = f"{prefix}{stage.path}".removesuffix(".") if stage.path or prefix else ""
        where = source(stage.module)
        about = {
            "class": type(stage.module).__name__,
            "equation": equation(stage.module),
            "code": code_of(stage.path, stage.module),
        }
        axes = len(next(iter(stage.outputs.values())).shape)
        stages.append({"path": path, "depth": stage.depth, **about, "where": str(where or ""), "axes": axes})
    return stages


def code_of(path: str, module: nn.Module) -> str:
    """The line of the one page that computes a stage; of others, what their own forward returns."""
    of_path = [line for end, line in ONE_PAGE.items() if path.endswith(f".{end}") and not end[0].isupper()]
    return [*of_path, ONE_PAGE.get(type(module).__name__) or last_line(module)][0]


def last_line(module: nn.Module) -> str:
    """What a module's forward returns, as it is written; "" where its code is not to be had."""
    try:
        forward = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(type(module).forward)))).body[0]
    except (OSError, TypeError, SyntaxError):
        return ""
    returns = [node for node in ast.walk(forward) if isinstance(node, ast.Return) and node.value is not None]
    return ast.unparse(max(returns, key=lambda node: node.lineno)) if returns else ""
