"""Generation as programs of the era call it: searches by name, processors, criteria, outputs. Bits are compared in tests/parity/old."""

# ruff: noqa: ARG001, ARG002 what is asked for takes arguments, whatever it needs
from __future__ import annotations

import copy
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import minibert
from minibert import (
    BeamHypotheses,
    BeamSearchScorer,
    BertLMHeadModel,
    EncoderDecoderConfig,
    EncoderDecoderModel,
    LogitsProcessor,
    LogitsProcessorList,
    LogitsWarper,
    MaxLengthCriteria,
    MaxTimeCriteria,
    MinLengthLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    PrefixConstrainedLogitsProcessor,
    StoppingCriteria,
    StoppingCriteriaList,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    top_k_top_p_filtering,
    validate_stopping_criteria,
)
from tests.forks import printed_by
from tests.unit.tiny_bert import tiny, tiny_config, token_ids

PROMPT = token_ids(2, 4)
END = 24
RETURNED = {
    "return_dict_in_generate": True,
    "output_scores": True,
    "output_attentions": True,
    "output_hidden_states": True,
}


@pytest.fixture
def model() -> BertLMHeadModel:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4)


@pytest.fixture
def pair() -> EncoderDecoderModel:
    torch.manual_seed(0)
    configs = [tiny_config(initializer_range=0.4), tiny_config(initializer_range=0.4)]
    config = EncoderDecoderConfig.from_encoder_decoder_configs(*configs, decoder_start_token_id=2, pad_token_id=0)
    return EncoderDecoderModel(config).eval()


def rules() -> LogitsProcessorList:
    return LogitsProcessorList([MinLengthLogitsProcessor(9, END), NoRepeatNGramLogitsProcessor(2)])


def warpers() -> LogitsProcessorList:
    return LogitsProcessorList([TemperatureLogitsWarper(0.7), TopKLogitsWarper(20)])


def beams(number: int, kept: int = 1) -> dict[str, Any]:
    return {"beam_scorer": BeamSearchScorer(2, number, "cpu", num_beam_hyps_to_keep=kept)}


def of_every_beam(number: int) -> Tensor:
    return PROMPT.repeat_interleave(number, dim=0)


# ---------------------------------------------------------------------------------------- the searches are generate's own


def test_greedy_search_is_what_generate_finds(model: BertLMHeadModel) -> None:
    found = model.greedy_search(PROMPT, rules(), max_length=12, eos_token_id=END)
    assert torch.equal(
        found, model.generate(PROMPT, max_length=12, eos_token_id=END, min_length=9, no_repeat_ngram_size=2)
    )


def test_sample_draws_what_generate_draws(model: BertLMHeadModel) -> None:
    torch.manual_seed(3)
    found = model.sample(PROMPT, logits_warper=warpers(), max_length=12)
    torch.manual_seed(3)
    assert torch.equal(found, model.generate(PROMPT, do_sample=True, temperature=0.7, top_k=20, max_length=12))


@pytest.mark.parametrize("kept", [1, 3])
def test_beam_search_is_what_generate_finds(model: BertLMHeadModel, kept: int) -> None:
    found = model.beam_search(
        of_every_beam(3), **beams(3, kept), logits_processor=rules(), max_length=12, eos_token_id=END
    )
    options = {"eos_token_id": END, "min_length": 9, "no_repeat_ngram_size": 2, "num_return_sequences": kept}
    assert torch.equal(found, model.generate(PROMPT, max_length=12, num_beams=3, **options))


def test_beam_sample_draws_what_generate_draws(model: BertLMHeadModel) -> None:
    torch.manual_seed(3)
    found = model.beam_sample(of_every_beam(3), **beams(3), logits_warper=warpers(), max_length=12)
    options = {"do_sample": True, "temperature": 0.7, "top_k": 20, "num_beams": 3}
    torch.manual_seed(3)
    assert torch.equal(found, model.generate(PROMPT, max_length=12, **options))


@pytest.mark.parametrize("num_beams", [1, 3])
@pytest.mark.parametrize("do_sample", [False, True])
def test_an_output_object_has_the_same_ids_and_one_entry_for_each_word(
    model: BertLMHeadModel, num_beams: int, do_sample: bool
) -> None:
    options = {"max_length": 10, "num_beams": num_beams, "do_sample": do_sample}
    torch.manual_seed(3)
    ids = model.generate(PROMPT, **options)
    torch.manual_seed(3)
    output = model.generate(PROMPT, **options, **RETURNED)
    kind = (
        f"{'Beam' if num_beams > 1 else ''}{'Sample' if do_sample else 'Search' if num_beams > 1 else 'GreedySearch'}"
    )
    assert type(output).__name__ == f"{kind}DecoderOnlyOutput"
    assert torch.equal(output.sequences, ids)
    assert len(output.scores) == len(output.attentions) == len(output.hidden_states) == 6
    assert output.scores[0].shape == (2 * num_beams, 99)
    assert [len(layer) for layer in output.attentions] == [2] * 6
    assert output.attentions[1][0].shape == (2 * num_beams, 4, 1, 5)
    assert ("sequences_scores" in output) == (num_beams > 1)
    assert next(iter(output)) == "sequences"


def test_a_pair_returns_both_sides(pair: EncoderDecoderModel) -> None:
    output = pair.generate(PROMPT, max_length=6, **RETURNED)
    assert type(output) is minibert.GreedySearchEncoderDecoderOutput
    assert torch.equal(output.sequences, pair.generate(PROMPT, max_length=6))
    assert len(output.encoder_attentions) == 2
    assert len(output.encoder_hidden_states) == 3
    assert len(output.decoder_attentions) == len(output.cross_attentions) == len(output.decoder_hidden_states) == 5
    assert output.cross_attentions[0][0].shape == (2, 4, 1, 4)


def test_a_pairs_own_search_reads_encoder_outputs(pair: EncoderDecoderModel) -> None:
    encoder = pair.get_encoder()(PROMPT, return_dict=True)
    found = pair.greedy_search(torch.full((2, 1), 2), encoder_outputs=encoder, max_length=6)
    assert torch.equal(found, pair.generate(PROMPT, max_length=6))


def test_no_run_of_what_the_encoder_read_is_written(pair: EncoderDecoderModel) -> None:
    plain = pair.generate(PROMPT, max_length=9)
    forbidden = plain[:, 1:4]
    found = pair.generate(forbidden, max_length=9, encoder_no_repeat_ngram_size=1)
    for read, text in zip(forbidden.tolist(), found[:, 1:].tolist(), strict=True):
        assert not set(read) & set(text)


# -------------------------------------------------------------------------------------------------- the options, one by one


@pytest.mark.parametrize(
    "options",
    [
        {"output_scores": False},
        {"output_attentions": False, "output_hidden_states": False},
        {"return_dict_in_generate": False},
        {"remove_invalid_values": False},
        {"prefix_allowed_tokens_fn": None},
        {"encoder_no_repeat_ngram_size": 0},
        {"max_time": None, "forced_bos_token_id": None, "forced_eos_token_id": None},
        {"synced_gpus": False, "num_beam_groups": 1, "diversity_penalty": 0.0, "decoder_start_token_id": None},
    ],
    ids=str,
)
def test_options_that_ask_for_nothing_run_the_cores_searches(
    model: BertLMHeadModel, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = model.generate(PROMPT, max_length=9)
    monkeypatch.setattr("minibert.compat.searches.Run", None)
    assert torch.equal(model.generate(PROMPT, max_length=9, **options), expected)


@pytest.mark.parametrize("by_config", [False, True])
def test_the_last_word_can_be_forced(model: BertLMHeadModel, by_config: bool) -> None:
    options = {} if by_config else {"forced_eos_token_id": 7}
    model.config.forced_eos_token_id = 7 if by_config else None
    for search in ({}, {"num_beams": 3}, {"do_sample": True}):
        assert set(model.generate(PROMPT, max_length=9, **search, **options)[:, -1].tolist()) == {7}


def test_the_first_word_can_be_forced(model: BertLMHeadModel) -> None:
    assert model.generate(PROMPT[:, :1], max_length=5, forced_bos_token_id=8)[:, 1].tolist() == [8, 8]


@pytest.mark.parametrize("search", [{}, {"num_beams": 3}, {"do_sample": True}], ids=str)
def test_only_allowed_words_follow(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    asked: list[int] = []

    def allowed(prompt: int, ids: Tensor) -> list[int]:
        asked.append(prompt)
        return list(range(10 * (prompt + 1), 10 * (prompt + 1) + 9))

    found = model.generate(PROMPT, max_length=10, prefix_allowed_tokens_fn=allowed, **search)[:, 4:]
    assert set(asked) == {0, 1}
    for prompt, text in enumerate(found.tolist()):
        assert all(10 * (prompt + 1) <= word < 10 * (prompt + 1) + 9 for word in text)


def test_a_prefix_that_allows_nothing_is_an_error(model: BertLMHeadModel) -> None:
    with pytest.raises(ValueError, match="No word can follow the 4 tokens"):
        model.generate(PROMPT, max_length=10, prefix_allowed_tokens_fn=lambda _, __: [])


def test_invalid_scores_can_be_removed(model: BertLMHeadModel) -> None:
    model.cls.predictions.bias.data[7] = float("nan")
    with pytest.raises(ValueError, match="No word can follow"):
        model.generate(PROMPT, max_length=8)
    found = model.generate(PROMPT, max_length=8, remove_invalid_values=True)
    assert found.shape == (2, 8)


def test_time_that_is_over_stops_after_a_word(model: BertLMHeadModel) -> None:
    assert model.generate(PROMPT, max_length=20, max_time=0.0).size(1) == 5


def test_each_step_is_reported_too(model: BertLMHeadModel) -> None:
    steps: list[Tensor] = []
    output = model.generate(PROMPT, max_length=8, return_dict_in_generate=True, on_tokens=steps.append)
    assert torch.equal(torch.stack(steps, dim=1), output.sequences[:, 4:])


def test_what_hears_of_each_step_hears_of_the_last_and_stops_nothing(model: BertLMHeadModel) -> None:
    whole = model.generate(PROMPT[:1], max_length=12)
    end = int(whole[0, 6])
    heard: dict[bool, list[Tensor]] = {True: [], False: []}
    for era, steps in heard.items():
        options = {"max_time": 60.0} if era else {}
        asked = {"eos_token_id": end, "pad_token_id": 0, "on_tokens": lambda t, steps=steps: steps.append(t) or 1}
        ids = model.generate(PROMPT[:1], max_length=12, **asked, **options)
        assert ids[0, -1] == end
        assert torch.equal(torch.cat(steps), ids[0, PROMPT.size(1) :])


@pytest.mark.parametrize("counted", [False, True])
def test_beams_that_end_in_several_ways_are_the_cores(model: BertLMHeadModel, counted: bool) -> None:
    prompt, mask = PROMPT.clone(), torch.ones_like(PROMPT)
    prompt[1, :2] = mask[1, :2] = 0
    options = {"max_length": 16, "num_beams": 3, "eos_token_id": [*range(20, 60)], "pad_token_id": 0}
    options |= {"attention_mask": mask, "length_penalty": 2.0, "positions_from_mask": True} if counted else {}
    for seed in range(4):
        torch.manual_seed(seed)
        for parameter in model.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        expected = model.generate(prompt if counted else PROMPT, **options)
        found = model.generate(prompt if counted else PROMPT, return_dict_in_generate=True, **options)
        assert torch.equal(found.sequences, expected)


def test_what_is_refused_is_refused_whatever_the_config_says(model: BertLMHeadModel) -> None:
    model.config.return_dict_in_generate = model.config.output_scores = True
    for more in ({}, {"max_time": 60.0}):
        assert isinstance(model.generate(PROMPT, max_length=8, return_dict_in_generate=False, **more), Tensor)
    assert model.generate(PROMPT, max_length=8, output_scores=False).scores is None


def test_one_process_alone_may_be_synchronized(model: BertLMHeadModel, tmp_path: Any) -> None:
    expected = model.generate(PROMPT, max_length=8)
    torch.distributed.init_process_group("gloo", init_method=f"file://{tmp_path}/peers", rank=0, world_size=1)
    try:
        assert torch.equal(model.generate(PROMPT, max_length=8, synced_gpus=True), expected)
    finally:
        torch.distributed.destroy_process_group()


def test_scores_that_cannot_come_back_are_said(model: BertLMHeadModel) -> None:
    with pytest.warns(UserWarning, match="needs return_dict_in_generate=True") as caught:
        assert isinstance(model.generate(PROMPT, max_length=8, output_scores=True), Tensor)
    assert caught[0].filename == __file__


@pytest.mark.parametrize("name", ["no_such_option", "temprature", "head_mask", "decoder_attention_mask"])
def test_an_option_that_the_era_has_not_is_refused(model: BertLMHeadModel, name: str) -> None:
    with pytest.raises(TypeError, match=f"generate takes no argument {name}"):
        model.generate(PROMPT, max_length=8, **{name: 1})


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"num_beam_groups": 2, "num_beams": 4}, NotImplementedError, "docs/differences.md"),
        ({"diversity_penalty": 0.5, "num_beams": 4}, NotImplementedError, "docs/differences.md"),
        ({"encoder_no_repeat_ngram_size": 2}, ValueError, "needs an EncoderDecoderModel"),
        ({"decoder_start_token_id": 2}, ValueError, "is for an EncoderDecoderModel"),
    ],
    ids=str,
)
def test_what_a_decoder_cannot_do_is_refused(
    model: BertLMHeadModel, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        model.generate(PROMPT, max_length=8, **options)


def test_group_beam_search_says_where_to_read_why(model: BertLMHeadModel) -> None:
    with pytest.raises(NotImplementedError, match=r"docs/differences\.md"):
        model.group_beam_search(PROMPT, None)
    with pytest.raises(NotImplementedError, match=r"docs/differences\.md"):
        BeamSearchScorer(2, 4, "cpu", num_beam_groups=2)


@pytest.mark.seconds
def test_a_program_that_asks_for_nothing_of_the_era_imports_none_of_it(tmp_path: Path) -> None:
    program = (
        "import sys, torch; from minibert.config import BertConfig; from minibert.heads import BertLMHeadModel;"
        "sizes = dict(vocab_size=9, hidden_size=8, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8);"
        "model = BertLMHeadModel(BertConfig(is_decoder=True, **sizes)).eval();"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2);"
        "print('minibert.compat.era_generate' in sys.modules);"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2, max_time=9.0);"
        "print('minibert.compat.era_generate' in sys.modules)"
    )
    assert printed_by(program, tmp_path).split() == ["False", "True"]


@pytest.mark.parametrize("search", [{}, {"num_beams": 2}], ids=str)
def test_without_a_cache_each_forward_reads_the_whole_text(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    output = model.generate(PROMPT, max_length=8, use_cache=False, **search, **RETURNED)
    assert [step[0].size(1) for step in output.hidden_states] == [4, 5, 6, 7]
    assert torch.equal(output.sequences, model.generate(PROMPT, max_length=8, **search))


@pytest.mark.parametrize("search", [{}, {"num_beams": 3}, {"do_sample": True}], ids=str)
def test_an_encoder_beside_a_decoder_is_read(search: dict[str, Any]) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True, initializer_range=0.4)
    encoder = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    given = {"encoder_hidden_states": encoder, "encoder_attention_mask": torch.tensor([[1, 1, 1], [1, 1, 0]])}
    torch.manual_seed(1)
    ids = model.generate(PROMPT, max_length=8, **search, **given)
    torch.manual_seed(1)
    output = model.generate(PROMPT, max_length=8, **search, **given, **RETURNED)
    assert torch.equal(output.sequences, ids)
    assert len(output.cross_attentions) == 4
    assert output.cross_attentions[0][0].shape[-1] == 3


@pytest.mark.parametrize("search", [{}, {"num_beams": 3, "num_return_sequences": 2}, {"do_sample": True}], ids=str)
def test_positions_are_counted_from_the_mask_here_too(model: BertLMHeadModel, search: dict[str, Any]) -> None:
    ids, mask = PROMPT.clone(), torch.ones_like(PROMPT)
    ids[1, :2], mask[1, :2] = 0, 0
    options = {"attention_mask": mask, "max_length": 9, "positions_from_mask": True, **search}
    torch.manual_seed(1)
    expected = model.generate(ids, **options)
    torch.manual_seed(1)
    assert torch.equal(model.generate(ids, **options, **RETURNED).sequences, expected)


# ------------------------------------------------------------------------------------------------- processors and criteria


def test_a_bad_word_beyond_the_vocabulary_is_no_silent_nothing(model: BertLMHeadModel) -> None:
    for words in ([[999]], [[int(PROMPT[0, -1]), 999]]):
        with pytest.raises(IndexError):
            model.greedy_search(
                PROMPT, LogitsProcessorList([minibert.NoBadWordsLogitsProcessor(words, None)]), max_length=8
            )
        with pytest.raises(ValueError, match=r"bad_words_ids holds \["):
            model.generate(PROMPT, max_length=8, bad_words_ids=words)


def test_a_processor_of_ones_own_takes_part(model: BertLMHeadModel) -> None:
    class Always(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
            scores[:, 5] = float("inf")
            return scores

    assert set(
        model.greedy_search(PROMPT, LogitsProcessorList([Always()]), max_length=8)[:, 4:].flatten().tolist()
    ) == {5}


def test_a_criterion_of_ones_own_stops(model: BertLMHeadModel) -> None:
    class Twice(StoppingCriteria):
        calls = 0

        def __call__(self, input_ids: Tensor, scores: Any, **kwargs: Any) -> bool:
            self.calls += 1
            return self.calls == 2

    criteria = StoppingCriteriaList([Twice()])
    assert model.greedy_search(PROMPT, stopping_criteria=criteria).size(1) == 6


def test_without_criteria_a_text_ends_at_the_models_last_position(model: BertLMHeadModel) -> None:
    with pytest.warns(UserWarning, match="a text may get 24 tokens"):
        assert model.greedy_search(PROMPT).size(1) == 24


def test_a_list_passes_on_what_a_processor_needs() -> None:
    class Needs(LogitsProcessor):
        def __call__(self, input_ids: Tensor, scores: Tensor, added: float) -> Tensor:  # type: ignore[override]
            return scores + added

    assert LogitsProcessorList([Needs()])(PROMPT, torch.zeros(1, 2), added=2.0).tolist() == [[2.0, 2.0]]
    with pytest.raises(ValueError, match="Needs needs added"):
        LogitsProcessorList([Needs()])(PROMPT, torch.zeros(1, 2))


@pytest.mark.parametrize("base", [LogitsProcessor, LogitsWarper, StoppingCriteria])
def test_a_base_class_alone_does_nothing(base: Any) -> None:
    with pytest.raises(NotImplementedError, match="of its own"):
        base()(PROMPT, torch.zeros(2, 9))


def test_a_prefix_counts_the_beams_of_a_prompt() -> None:
    seen: list[int] = []
    allow = PrefixConstrainedLogitsProcessor(lambda prompt, _: seen.append(prompt) or [0], num_beams=2)
    allow(torch.zeros(4, 3).long(), torch.zeros(4, 5))
    assert seen == [0, 0, 1, 1]


def test_filtering_keeps_the_likeliest() -> None:
    scores = torch.tensor([[0.1, 0.4, 0.2, 0.3]]).log()
    assert top_k_top_p_filtering(scores, top_k=2).isfinite().tolist() == [[False, True, False, True]]
    assert top_k_top_p_filtering(scores, top_p=0.39).isfinite().tolist() == [[False, True, False, False]]


def test_criteria_are_copied_and_completed() -> None:
    given = StoppingCriteriaList([MaxTimeCriteria(1000.0)])
    assert validate_stopping_criteria(given, 7).max_length == 7
    assert given.max_length is None
    with pytest.warns(UserWarning, match="say 5 tokens, max_length says 7"):
        assert validate_stopping_criteria(StoppingCriteriaList([MaxLengthCriteria(5)]), 7).max_length == 5


# -------------------------------------------------------------------------------------------------------------- beams alone


def test_hypotheses_keep_the_best_texts() -> None:
    kept = BeamHypotheses(num_beams=2, length_penalty=1.0, early_stopping=False)
    for length, score in ((4, -8.0), (4, -4.0), (4, -2.0)):
        kept.add(torch.zeros(length), score)
    assert (len(kept), kept.worst_score) == (2, -1.0)
    assert [score for score, _ in kept.beams] == [-1.0, -0.5]
    assert kept.is_done(-8.0, 4)
    assert not kept.is_done(-1.0, 4)


def test_a_scorer_is_done_when_no_open_beam_can_be_better() -> None:
    scorer = BeamSearchScorer(1, 2, "cpu", do_early_stopping=True)
    ids, scores = torch.tensor([[5, 6], [5, 7]]), torch.tensor([[-1.0, -2.0, -3.0, -4.0]])
    tokens, indices = torch.tensor([[2, 2, 8, 9]]), torch.tensor([[0, 1, 0, 1]])
    step = scorer.process(ids, scores, tokens, indices, pad_token_id=0, eos_token_id=2)
    assert step["next_beam_tokens"].tolist() == [8, 9]
    assert scorer.is_done
    end = scorer.finalize(ids, step["next_beam_scores"], tokens, indices, max_length=6, pad_token_id=0, eos_token_id=2)
    assert end["sequences"].tolist() == [[5, 6, 2]]
    assert end["sequence_scores"].tolist() == [-0.5]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: BeamSearchScorer(2, 1, "cpu"), "num_beams is 1; it must be at least 2"),
        (lambda: BeamSearchScorer(2, 2, "cpu", num_beam_hyps_to_keep=3), r"num_beam_hyps_to_keep \(3\)"),
        (lambda: MinLengthLogitsProcessor(-1, 3), "min_length is -1"),
        (lambda: TemperatureLogitsWarper(0.0), "temperature is 0.0"),
        (lambda: TopKLogitsWarper(0), "top_k is 0"),
        (lambda: NoRepeatNGramLogitsProcessor(0), "ngram_size is 0"),
    ],
)
def test_settings_out_of_range_are_named(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_too_many_ends_are_refused() -> None:
    ids, scores = torch.tensor([[5, 6], [5, 7]]), torch.tensor([[-1.0, -2.0, -3.0, -4.0]])
    with pytest.raises(ValueError, match="Fewer than 2 of"):
        BeamSearchScorer(1, 2).process(ids, scores, torch.full((1, 4), 2), torch.zeros(1, 4).long(), eos_token_id=2)


def test_ids_of_another_number_of_beams_are_refused(model: BertLMHeadModel) -> None:
    with pytest.raises(ValueError, match="input_ids has 2 rows; 2 prompts × 3 beams are 6"):
        model.beam_search(PROMPT, **beams(3), max_length=8)


def test_an_end_without_padding_is_refused(model: BertLMHeadModel) -> None:
    model.config.pad_token_id = None
    with pytest.raises(ValueError, match="there must be a pad_token_id"):
        model.greedy_search(PROMPT, max_length=8, eos_token_id=3)


def test_objects_of_a_search_can_be_copied() -> None:
    criteria, processors = copy.deepcopy(StoppingCriteriaList([MaxLengthCriteria(5)])), copy.deepcopy(rules())
    assert criteria.max_length == 5
    assert len(processors) == 2


def test_modules_of_the_era_lead_to_the_names() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from minibert.generation_logits_process import TopPLogitsWarper
        from minibert.generation_stopping_criteria import MaxTimeCriteria as Time
        from minibert.generation_utils import GreedySearchDecoderOnlyOutput
    assert TopPLogitsWarper is minibert.TopPLogitsWarper
    assert Time is MaxTimeCriteria
    assert GreedySearchDecoderOnlyOutput is minibert.GreedySearchDecoderOnlyOutput
