"""The answer to a question, as it stands in a context: `BertForQuestionAnswering`.

    question, context → windows [CLS] question [SEP] context [SEP] that overlap
    P(i begins), P(j ends) = softmax over the tokens of the context and [CLS]
    score of i … j = P(i begins) · P(j ends),  i ≤ j < i + max_answer_len,  the best of all windows

Scores are of one window each: those of two windows do not add up to 1. `minibert predict` compares logits instead.
Reference: `transformers/pipelines/question_answering.py`, 4.12.5.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..auto import AutoModelForQuestionAnswering
from ..outputs import ModelOutput
from ..tokenization.encoding import Encoding
from .base import Pipeline, PipelineException, Prepared, Settings

Answer = dict[str, Any]


@dataclass(frozen=True)
class AnswerSettings(Settings):
    """top_k: how many answers. max_answer_len: tokens of one. handle_impossible_answer: whether "" is one too.

    max_seq_len: tokens of a window; None for 384, or as many as tokenizer and model read. max_question_len: the question is cut
    after so many; None for 64 with a `BertTokenizer`, not at all with a `BertTokenizerFast`. doc_stride: tokens that windows share,
    with a `BertTokenizer` those from one's start to the next one's; None for 128, at most half a window. padding: of windows.
    """

    top_k: int = 1
    max_answer_len: int = 15
    max_seq_len: int | None = None
    max_question_len: int | None = None
    doc_stride: int | None = None
    handle_impossible_answer: bool = False
    padding: Any = False


class QuestionAnsweringPipeline(Pipeline[AnswerSettings]):
    """{"question": …, "context": …} → {"score", "start", "end", "answer"}, the characters of the context; a list of them for `top_k` > 1.

    Called with question=… and context=…, with two texts, with such a dictionary, or with a list of these.
    """

    settings_class = AnswerSettings
    opens = AutoModelForQuestionAnswering

    def __call__(self, *inputs: Any, X: Any = None, data: Any = None, **given: Any) -> Any:  # noqa: N803  # as there
        question, context = given.pop("question", None), given.pop("context", None)
        if question is not None or context is not None:
            questions = question if isinstance(question, list) else [question]
            contexts = context if isinstance(context, list) else [context] * len(questions)
            if len(questions) != len(contexts):
                counts = f"{len(questions)} questions and {len(contexts)} contexts"
                raise ValueError(f"{counts}: give one context, or as many.")
            asked: Any = [{"question": q, "context": c} for q, c in zip(questions, contexts, strict=True)]
        elif len(inputs) == 2 and all(isinstance(each, str) for each in inputs):
            asked = {"question": inputs[0], "context": inputs[1]}
        else:
            asked = (list(inputs) if len(inputs) > 1 else inputs[0]) if inputs else data if X is None else X
        if asked is None:
            raise ValueError(f"{self.task} is asked with question=… and context=….")
        answers = super().__call__(asked, **given)
        return answers[0] if isinstance(asked, list) and len(asked) == 1 else answers  # as there

    def preprocess(self, inputs: Any, settings: AnswerSettings) -> Prepared:
        if not isinstance(inputs, Mapping) or inputs.keys() != {"question", "context"}:
            raise PipelineException(f'{inputs!r:.80} is not {{"question": "…", "context": "…"}}.')
        question, context = inputs["question"], inputs["context"]
        for name, text in (("question", question), ("context", context)):
            if not isinstance(text, str) or not text:
                raise PipelineException(f"`{name}` cannot be {'empty' if text == '' else repr(text)}: give a text.")
        positions = self.model.config.max_position_embeddings
        size = settings.max_seq_len or min(self.tokenizer.model_max_length, positions, 384)
        stride = settings.doc_stride or min(size // 2, 128)
        longest = settings.max_question_len or (None if self.tokenizer.is_fast else 64)
        spans = self.tokenizer(question, add_special_tokens=False, return_offsets_mapping=True)["offset_mapping"]
        if longest and len(spans) > longest:
            question, spans = question[: spans[longest - 1][1]], spans[:longest]
        if not self.tokenizer.is_fast:  # a stride from window to window, not what they share
            stride = max(size - len(spans) - 3 - stride, 0)
        right = self.tokenizer.padding_side == "right"
        encoding: Any = self.tokenizer(
            *((question, context) if right else (context, question)),
            truncation="only_second" if right else "only_first",
            padding="max_length" if settings.padding == "max_length" else False,
            max_length=size,
            stride=stride,
            return_attention_mask=True,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        names = ("input_ids", "token_type_ids", "attention_mask")
        rows = [{n: encoding[n][i] for n in names if n in encoding} for i in range(len(encoding["input_ids"]))]
        return Prepared(rows, (context, [encoding[i] for i in range(len(rows))]))

    def scores(self, outputs: ModelOutput) -> Tensor:
        return torch.stack([outputs["start_logits"], outputs["end_logits"]], dim=-1)  # (batch, seq, 2)

    def postprocess(self, prepared: Prepared, scores: list[Tensor], settings: AnswerSettings) -> Any:
        context, windows = prepared.source
        fast, of_context = self.tokenizer.is_fast, int(self.tokenizer.padding_side == "right")
        special = () if fast else self.tokenizer.all_special_ids  # no part of an answer of the reference's Python class
        no_answer, answers = 1e6, list[Answer]()
        for row, logits in zip(windows, scores, strict=True):
            kept = [index for index, mask in enumerate(row.attention_mask) if mask]  # the row without padding
            is_inside = [row.sequence_ids[i] == of_context and row.ids[i] not in special for i in kept]
            is_cls = [n == 0 or (fast and row.ids[i] == self.tokenizer.cls_token_id) for n, i in enumerate(kept)]
            inside = torch.tensor(is_inside, device="cpu")
            shut_out = ~(inside | torch.tensor(is_cls, device="cpu"))[:, None]
            shares = logits.masked_fill(shut_out, -10000.0).softmax(dim=0)  # (seq, 2)
            no_answer = min(no_answer, shares[0].prod().item())
            possible = torch.outer(inside, inside).triu().tril(settings.max_answer_len - 1)  # (first, last)
            spans = torch.outer(*shares.unbind(dim=-1)).where(possible, -1.0).flatten()
            values, indices = spans.sort(descending=True, stable=True)
            for score, index in zip(values[: settings.top_k].tolist(), indices.tolist(), strict=False):
                if score >= 0:
                    first, last = (kept[each] for each in divmod(index, len(kept)))
                    answers.append({"score": score, **self.answer(context, row, first=first, last=last)})
        if settings.handle_impossible_answer or not answers:
            score = no_answer if settings.handle_impossible_answer else 0.0
            answers.append({"score": score, "start": 0, "end": 0, "answer": ""})
        answers = sorted(answers, key=lambda answer: -answer["score"])[: settings.top_k]
        return answers[0] if len(answers) == 1 else answers

    def answer(self, context: str, row: Encoding, *, first: int, last: int) -> Answer:
        """The whole words from token `first` to token `last`: of the tokenizer, or, with a `BertTokenizer`, those between spaces."""
        if self.tokenizer.is_fast:
            sequence = row.sequence_ids[first] or 0
            begin, stop = (row.word_to_chars(row.word_ids[index] or 0, sequence) for index in (first, last))
            start, end = begin[0] if begin else 0, stop[1] if stop else 0
            return {"start": start, "end": end, "answer": context[start:end]}
        words = list(re.finditer(r"[^ \t\r\n\u202f]+", context))
        one, other = (sum(word.end() <= row.offsets[index][0] for word in words) for index in (first, last))
        # The reference's `end`: the last character that is this word's, or of the spaces behind it.
        end = (words[other + 1].start() if other + 1 < len(words) else len(context)) - 1
        answer = " ".join(word.group() for word in words[one : other + 1])
        return {"start": words[one].start(), "end": end, "answer": answer}
