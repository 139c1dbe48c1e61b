"""What people did with a BERT in 2019 to 2022, a habit a program, run unchanged on minibert and on the old reference, 4.12.5.

Each takes the library and returns tensors, the same from both. This file imports neither.
"""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F
from programs import TINY
from torch import Tensor, nn

Program = Callable[[Any], dict[str, Any]]
IDS = torch.tensor([[5, 6, 7, 8, 9, 10], [11, 12, 13, 14, 0, 0]])
MASK = (IDS != 0).long()


def model(library: Any, name: str = "BertModel", seed: int = 0, **settings: Any) -> Any:
    torch.manual_seed(seed)
    return getattr(library, name)(
        library.BertConfig(**{**TINY, "num_hidden_layers": 4, "initializer_range": 0.2, **settings})
    )


def stages(library: Any) -> ModuleType:
    return importlib.import_module(f"{library.__name__}.models.bert.modeling_bert")


def prefix_as_a_cache(library: Any) -> dict[str, Any]:
    """P-tuning v2: vectors before each layer's keys and values, of a model that is no decoder."""
    bert = model(library).eval()
    torch.manual_seed(1)
    prefix = torch.randn(4 * 2, 2, 4, 3, 8, requires_grad=True)  # (layers · 2, batch, heads, prefix, head size)
    mask = torch.cat([torch.ones(2, 3), MASK], dim=1)
    given = {"attention_mask": mask, "past_key_values": prefix.split(2), "output_attentions": True}
    output = bert(IDS, **given)
    output.pooler_output.sum().backward()
    return {"vectors": output[0], "attentions": torch.stack(output.attentions), "gradient": prefix.grad}


def soft_prompt(library: Any) -> dict[str, Any]:
    """P-tuning: learned vectors before the words."""
    bert = model(library, "BertForMaskedLM").eval()
    prompt = nn.Parameter(torch.full((2, 3, 32), 0.1))
    words = bert.get_input_embeddings()(IDS)
    output = bert(
        inputs_embeds=torch.cat([prompt, words], dim=1), attention_mask=torch.cat([torch.ones(2, 3), MASK], dim=1)
    )
    output.logits.sum().backward()
    return {"logits": output.logits, "gradient": prompt.grad}


def seen_from_left_to_right(library: Any) -> dict[str, Any]:
    """UniLM: the first text sees itself, the second what came before, by a mask of three dimensions."""
    segments = torch.tensor([[0, 0, 0, 1, 1, 1]] * 2)
    order = segments.cumsum(dim=1)
    mask = (order[:, None, :] <= order[:, :, None]).long()
    return {"vectors": model(library).eval()(IDS, attention_mask=mask, token_type_ids=segments)[0]}


class Lora(nn.Module):
    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.linear = linear
        self.down = nn.Parameter(torch.full((2, linear.in_features), 0.01))
        self.up = nn.Parameter(torch.full((linear.out_features, 2), 0.02))

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + x @ self.down.T @ self.up.T


def low_rank_updates(library: Any) -> dict[str, Any]:
    """LoRA by hand, in queries and values; the rest is frozen."""
    bert = model(library).eval().requires_grad_(False)
    for layer in bert.encoder.layer:
        attention = layer.attention.self
        attention.query, attention.value = Lora(attention.query), Lora(attention.value)
    output = bert(IDS, attention_mask=MASK)[0]
    output[..., 0].sum().backward()
    gradients = [parameter.grad.flatten() for parameter in bert.parameters() if parameter.requires_grad]
    return {"vectors": output, "gradients": torch.cat(gradients)}


class Adapted(nn.Module):
    def __init__(self, stage: Any):
        super().__init__()
        self.stage = stage
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, hidden_states: Tensor, input_tensor: Tensor) -> Tensor:
        changed = self.stage.dropout(self.stage.dense(hidden_states))
        return self.stage.LayerNorm(changed + self.scale * torch.tanh(changed) + input_tensor)


def adapters(library: Any) -> dict[str, Any]:
    """A module of one's own in place of both output stages of each layer."""
    bert = model(library).train()
    for layer in bert.encoder.layer:
        layer.output, layer.attention.output = Adapted(layer.output), Adapted(layer.attention.output)
    torch.manual_seed(2)
    return {"vectors": bert(IDS, attention_mask=MASK)[0]}


def hooks(library: Any) -> dict[str, Any]:
    """What stages hand on, seen and changed from outside."""
    bert, seen = model(library).eval(), dict[str, Any]()
    watched = {"embeddings": bert.embeddings, "pooler": bert.pooler, "dense": bert.encoder.layer[0].intermediate}
    for name, stage in watched.items():
        stage.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output}))
    first = {"layer": bert.encoder.layer[1], "attention": bert.encoder.layer[2].attention.self, "encoder": bert.encoder}
    for name, stage in first.items():
        stage.register_forward_hook(lambda _, __, output, name=name: seen.update({name: output[0]}))
    bert.encoder.layer[3].register_forward_pre_hook(lambda _, inputs: (inputs[0] * 2, *inputs[1:]))
    return {"vectors": bert(IDS, attention_mask=MASK)[0], **seen}


def attack_and_average(library: Any) -> dict[str, Any]:
    """Four steps with FGM, R-Drop, an average of the weights and a learning rate for each layer."""
    bert = model(library, "BertForSequenceClassification", hidden_dropout_prob=0.2).train()
    words, labels = bert.bert.embeddings.word_embeddings.weight, torch.tensor([1, 0])
    groups = [{"params": list(bert.classifier.parameters()), "lr": 1e-2}]
    layers = [bert.bert.embeddings, *bert.bert.encoder.layer, bert.bert.pooler]
    groups += [
        {"params": list(part.parameters()), "lr": 1e-3 * 0.9**depth} for depth, part in enumerate(reversed(layers))
    ]
    optimizer = library.AdamW(groups, lr=1e-3, correct_bias=False)
    schedule = library.get_cosine_schedule_with_warmup(optimizer, 1, 4)
    average = {name: p.detach().clone() for name, p in bert.named_parameters()}
    torch.manual_seed(3)
    losses = []
    for _ in range(4):
        one, other = (bert(IDS, attention_mask=MASK, labels=labels) for _ in range(2))
        apart = F.kl_div(one.logits.log_softmax(-1), other.logits.softmax(-1), reduction="batchmean")
        (one.loss + other.loss + apart).backward()
        kept = words.data.clone()
        words.data.add_(words.grad / words.grad.norm())
        bert(IDS, attention_mask=MASK, labels=labels)[0].backward()
        words.data = kept
        nn.utils.clip_grad_norm_(bert.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        for name, parameter in bert.named_parameters():
            average[name].lerp_(parameter.detach(), 0.1)
        losses.append(one.loss.detach())
    return {
        "losses": torch.stack(losses),
        "average": average["bert.encoder.layer.0.output.dense.weight"],
        "words": words,
    }


def students(library: Any) -> dict[str, Any]:
    """Every second layer of a teacher, copied; a layer of one's own; the last layers begun anew; half the encoder."""
    teacher, student = model(library).eval(), model(library, seed=1, num_hidden_layers=2).eval()
    student.embeddings = copy.deepcopy(teacher.embeddings)
    for to, of in enumerate((0, 2)):
        student.encoder.layer[to] = copy.deepcopy(teacher.encoder.layer[of])
    student.pooler.load_state_dict(teacher.pooler.state_dict())
    found = {"student": student(IDS, attention_mask=MASK)[1]}

    class Doubled(stages(library).BertLayer):  # type: ignore[misc, name-defined]
        def forward(self, hidden_states: Tensor, *others: Any, **named: Any) -> Any:
            output = super().forward(hidden_states, *others, **named)
            return (output[0] * 2, *output[1:])

    torch.manual_seed(4)
    student.encoder.layer[-1] = Doubled(student.config).eval()
    found["own layer"] = student(IDS, attention_mask=MASK)[0]
    teacher.encoder.layer[-1].apply(teacher._init_weights)
    found["begun anew"] = teacher(IDS, attention_mask=MASK)[0]
    teacher.encoder.layer = teacher.encoder.layer[:2]
    found["shorter"] = teacher(IDS, attention_mask=MASK)[0]
    return found


def heads_of_ones_own(library: Any) -> dict[str, Any]:
    """A `BertPreTrainedModel` with an LSTM over the words, and a contrast of two passes with dropout, SimCSE's."""

    class Tagger(library.BertPreTrainedModel):  # type: ignore[misc, name-defined]
        def __init__(self, config: Any):
            super().__init__(config)
            self.bert = library.BertModel(config, add_pooling_layer=False)
            self.lstm = nn.LSTM(config.hidden_size, 8, batch_first=True, bidirectional=True)
            self.classifier = nn.Linear(16, config.num_labels)
            self.init_weights()

        def forward(self, input_ids: Tensor, attention_mask: Tensor, **others: Any) -> Any:
            vectors, _ = self.lstm(self.bert(input_ids, attention_mask=attention_mask, **others)[0])
            return stages(library).TokenClassifierOutput(logits=self.classifier(vectors))

    torch.manual_seed(5)
    tagger = Tagger(library.BertConfig(**TINY, num_labels=5)).eval()
    bert = model(library).train()
    torch.manual_seed(6)
    one, other = (bert(IDS, attention_mask=MASK).last_hidden_state[:, 0] for _ in range(2))
    alike = F.cosine_similarity(one[:, None], other[None], dim=-1) / 0.05
    F.cross_entropy(alike, torch.arange(2)).backward()
    gradient = bert.embeddings.LayerNorm.weight.grad
    return {"tags": tagger(IDS, MASK).logits, "alike": alike, "gradient": gradient}


def all_programs() -> dict[str, Program]:
    """Every program by name."""
    programs = (prefix_as_a_cache, soft_prompt, seen_from_left_to_right, low_rank_updates, adapters, hooks)
    programs += (attack_and_average, students, heads_of_ones_own)
    return {f"habit: {each.__name__.replace('_', ' ')}": each for each in programs}
