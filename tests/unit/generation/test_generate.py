"""`generate`: what comes back, when it ends, and how it reads a padded prompt or an encoder."""

import sys
from pathlib import Path
from types import FrameType

import pytest
import torch

from minibert import BertLMHeadModel
from minibert.generation.generate import mask_of
from minibert.generation.search import FinishedTexts, SearchOptions, best_extensions
from minibert.model.layer import BertLayer
from tests.forks import printed_by
from tests.unit.tiny_bert import tiny, token_ids

PROMPT = token_ids(2, 4)


@pytest.fixture
def model() -> BertLMHeadModel:
    return tiny(BertLMHeadModel, is_decoder=True, initializer_range=0.4)


def test_greedy_search_says_the_likeliest_word_each_time(model: BertLMHeadModel) -> None:
    ids = model.generate(PROMPT, max_length=9)
    assert torch.equal(ids[:, :4], PROMPT)
    for length in range(4, 9):
        assert torch.equal(model(ids[:, :length]).logits[:, -1].argmax(-1), ids[:, length])


def test_without_a_prompt_one_text_starts_from_the_first_token(model: BertLMHeadModel) -> None:
    expected = model.generate(torch.tensor([[5]]), max_length=6)
    assert torch.equal(model.generate(bos_token_id=5, max_length=6), expected)
    model.config.bos_token_id = 5
    assert torch.equal(model.generate(max_length=6), expected)
    assert model.generate(bos_token_id=7, max_length=2)[0, 0] == 7


@pytest.mark.parametrize("options", [{}, {"num_beams": 2}, {"use_cache": False}])
def test_of_every_text_only_the_last_word_is_scored(
    model: BertLMHeadModel, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    scored = []
    score = model.cls.forward
    monkeypatch.setattr(model.cls, "forward", lambda states: scored.append(states.size(1)) or score(states))
    model.generate(PROMPT, max_length=7, **options)
    assert scored == [1, 1, 1]


@pytest.mark.parametrize("options", [{}, {"use_cache": False}, {"num_beams": 1, "fast": True}])
def test_what_the_encoder_said_is_read_through_its_mask(options: dict[str, object]) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True, initializer_range=0.4)
    states = torch.randn(2, 5, 32, generator=torch.Generator().manual_seed(1))
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 0, 0, 0]])
    encoder = {"encoder_hidden_states": states, "encoder_attention_mask": mask}
    ids = model.generate(PROMPT, max_length=9, **encoder, **options)
    for length in range(4, 9):
        assert torch.equal(model(ids[:, :length], **encoder).logits[:, -1].argmax(-1), ids[:, length])
    whole = model.generate(PROMPT, max_length=9, encoder_hidden_states=states, **options)
    assert torch.equal(whole[0], ids[0])
    assert not torch.equal(whole[1], ids[1])


@pytest.mark.parametrize("beams", [1, 3])
def test_words_are_drawn_by_the_generator_that_is_given(model: BertLMHeadModel, beams: int) -> None:
    def drawn(seed: int, of_torch: int) -> list[list[int]]:
        torch.manual_seed(of_torch)
        generator = torch.Generator().manual_seed(seed)
        ids = model.generate(
            PROMPT, max_length=12, do_sample=True, num_beams=beams, temperature=2.0, generator=generator
        )
        return ids.tolist()

    assert drawn(1, of_torch=1) == drawn(1, of_torch=2)
    assert drawn(1, of_torch=1) != drawn(2, of_torch=1)


def test_a_text_can_use_every_word_once() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, vocab_size=9)
    ids = model.generate(torch.ones(1, 1, dtype=torch.long), max_length=9, no_repeat_ngram_size=1)
    assert sorted(ids[0].tolist()) == list(range(9))


def test_new_tokens_are_counted_from_the_prompts_end(model: BertLMHeadModel) -> None:
    assert torch.equal(model.generate(PROMPT, max_new_tokens=3), model.generate(PROMPT, max_length=7))
    with pytest.warns(
        UserWarning, match=r"^Both max_length and max_new_tokens are given: max_length counts\.$"
    ) as seen:
        assert model.generate(PROMPT, max_new_tokens=3, max_length=6).size(1) == 6
    assert [warning.filename for warning in seen] == [__file__]


@pytest.mark.parametrize("options", [{}, {"num_beams": 2}])
def test_a_config_that_asks_for_tuples_changes_no_text(model: BertLMHeadModel, options: dict[str, object]) -> None:
    expected = model.generate(PROMPT, max_length=8, **options)
    model.config.return_dict = False
    assert torch.equal(model.generate(PROMPT, max_length=8, **options), expected)


@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 0.01}])
def test_drawn_beams_keep_a_way_on_besides_the_end(model: BertLMHeadModel, options: dict[str, object]) -> None:
    likeliest = int(model.generate(PROMPT[:1], max_length=5)[0, 4])
    for seed in range(5):
        torch.manual_seed(seed)
        ids = model.generate(PROMPT[:1], max_length=8, do_sample=True, num_beams=2, eos_token_id=likeliest, **options)
        assert ids.size(0) == 1
        assert torch.equal(ids[:, :4], PROMPT[:1])


def test_one_beam_is_greedy_and_more_beams_find_no_worse(model: BertLMHeadModel) -> None:
    def log_probability(ids: torch.Tensor) -> torch.Tensor:
        words = model(ids).logits[:, :-1].log_softmax(-1).gather(-1, ids[:, 1:, None])
        return words[:, PROMPT.size(1) - 1 :].sum(dim=(1, 2))

    greedy = model.generate(PROMPT, max_length=10)
    assert torch.equal(model.generate(PROMPT, max_length=10, num_beams=1), greedy)
    beams = model.generate(PROMPT, max_length=10, num_beams=8)
    assert (log_probability(beams) >= log_probability(greedy) - 1e-4).all()


def test_beams_come_back_best_first(model: BertLMHeadModel) -> None:
    ids = model.generate(PROMPT, max_length=8, num_beams=4, num_return_sequences=4).view(2, 4, 8)
    assert torch.equal(ids[:, 0], model.generate(PROMPT, max_length=8, num_beams=4))
    assert len({tuple(text) for text in ids[0].tolist()}) == 4


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}, {"do_sample": True, "generator": torch.Generator()}])
def test_a_text_is_padded_after_its_end(model: BertLMHeadModel, options: dict[str, object]) -> None:
    end = int(model.generate(PROMPT[:1], max_length=6)[0, 5])
    ids = model.generate(PROMPT, max_length=20, eos_token_id=end, **options)
    assert ids.size(1) <= 20
    for text in ids[:, 4:].tolist():
        if end in text:
            assert set(text[text.index(end) + 1 :]) <= {model.config.pad_token_id}


def test_generation_stops_once_every_text_has_ended(model: BertLMHeadModel) -> None:
    end = int(model.generate(PROMPT[:1], max_length=6)[0, 5])
    assert model.generate(PROMPT[:1], max_length=20, eos_token_id=end).size(1) <= 6


def test_sampling_repeats_with_the_same_generator_seed(model: BertLMHeadModel) -> None:
    def drawn(seed: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(seed)
        return model.generate(PROMPT, max_length=12, do_sample=True, top_k=0, generator=generator).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_a_prompt_may_be_left_to_the_first_token() -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, bos_token_id=7)
    assert model.generate(max_length=5)[0, 0] == 7


def test_new_tokens_are_counted_behind_the_prompt(model: BertLMHeadModel) -> None:
    assert model.generate(PROMPT, max_new_tokens=3).shape == (2, 7)


def test_of_two_lengths_the_whole_one_counts(model: BertLMHeadModel) -> None:
    with pytest.warns(UserWarning, match="max_length counts"):
        assert model.generate(PROMPT, max_length=9, max_new_tokens=3).size(1) == 9


def test_every_step_is_reported_as_it_comes(model: BertLMHeadModel) -> None:
    steps: list[torch.Tensor] = []
    ids = model.generate(PROMPT, max_new_tokens=3, on_tokens=steps.append)
    assert torch.equal(torch.stack(steps, dim=1), ids[:, 4:])


def test_with_a_cache_each_step_reads_one_word(model: BertLMHeadModel) -> None:
    lengths: list[int] = []
    model.bert.embeddings.register_forward_hook(lambda _module, _inputs, output: lengths.append(output.size(1)))
    model.generate(PROMPT, max_new_tokens=4)
    assert lengths == [4, 1, 1, 1]


@pytest.mark.parametrize("options", [{}, {"num_beams": 3}, {"fast": True}])
@pytest.mark.parametrize("crosses", [False, True])
def test_a_long_prompt_is_read_in_blocks_and_the_text_is_the_same(
    crosses: bool, options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=crosses, initializer_range=0.4)
    prompt = token_ids(2, 8)
    prompt[1, :5] = 0  # padding, so that one block of the second row is hidden as a whole
    encoder = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    given = {"max_new_tokens": 4, **options, **({"encoder_hidden_states": encoder} if crosses else {})}
    whole = model.generate(prompt, **given)
    lengths: list[int] = []
    model.bert.embeddings.register_forward_hook(lambda _module, _inputs, output: lengths.append(output.size(1)))
    scored: list[int] = []
    model.cls.register_forward_hook(lambda _module, _inputs, output: scored.append(output.size(1)))
    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 3)
    assert torch.equal(model.generate(prompt, **given), whole)
    assert lengths == [3, 3, 2, 1, 1, 1]
    assert scored == [1, 1, 1, 1, 1, 1]


def test_a_long_prompt_is_read_as_a_models_own_forward_says(monkeypatch: pytest.MonkeyPatch) -> None:
    class Louder(BertLMHeadModel):
        def forward(self, *args, logits_to_keep=0, **given):
            outputs = super().forward(*args, **given)
            outputs.logits = 3 * outputs.logits[:, -logits_to_keep:]
            return outputs

    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 3)
    model = tiny(Louder, is_decoder=True, initializer_range=0.4)
    expected = model.generate(token_ids(2, 8), max_length=20, use_cache=False)
    assert torch.equal(model.generate(token_ids(2, 8), max_length=20), expected)


def test_a_long_prompt_is_read_as_a_models_own_inputs_say(monkeypatch: pytest.MonkeyPatch) -> None:
    class SecondSegment(BertLMHeadModel):
        def prepare_inputs_for_generation(self, input_ids, past=None, **given):
            inputs = super().prepare_inputs_for_generation(input_ids, past=past, **given)
            return {**inputs, "token_type_ids": torch.ones_like(inputs["input_ids"])}

    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 3)
    model = tiny(SecondSegment, is_decoder=True, initializer_range=0.4)
    expected = model.generate(token_ids(2, 8), max_length=20, use_cache=False)
    for fast in (False, True):
        assert torch.equal(model.generate(token_ids(2, 8), max_length=20, fast=fast), expected)


@pytest.mark.parametrize("num_beams", [1, 3])
def test_an_encoder_is_read_by_every_beam_of_its_own_prompt(num_beams: int) -> None:
    model = tiny(BertLMHeadModel, is_decoder=True, add_cross_attention=True, initializer_range=0.4)
    encoder = torch.randn(2, 3, 32, generator=torch.Generator().manual_seed(0))
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    options = {"max_length": 9, "num_beams": num_beams}
    together = model.generate(PROMPT, encoder_hidden_states=encoder, encoder_attention_mask=mask, **options)
    for row in range(2):
        given = {"encoder_hidden_states": encoder[row : row + 1], "encoder_attention_mask": mask[row : row + 1]}
        assert torch.equal(model.generate(PROMPT[row : row + 1], **given, **options)[0], together[row])


def test_a_beam_whose_likeliest_next_word_is_the_end_ends_there(model: BertLMHeadModel) -> None:
    model.cls.predictions.bias.data[9] = 100.0
    ids = model.generate(PROMPT, max_length=12, num_beams=3, eos_token_id=9)
    assert ids.tolist() == [[*prompt, 9] for prompt in PROMPT.tolist()]


@pytest.mark.parametrize("num_beams", [1, 3])
def test_each_word_runs_every_layers_own_forward(model: BertLMHeadModel, num_beams: int) -> None:
    """Counted as a debugger counts: by entries of the function, whatever is called in between."""
    code, entered = BertLayer.forward.__code__, 0

    def count(frame: FrameType, event: str, _argument: object) -> None:
        nonlocal entered
        entered += event == "call" and frame.f_code is code

    before = sys.gettrace()
    sys.settrace(count)
    try:
        ids = model.generate(PROMPT, max_new_tokens=5, num_beams=num_beams)
    finally:
        sys.settrace(before)
    assert ids.size(1) == PROMPT.size(1) + 5
    assert entered == 5 * model.config.num_hidden_layers


def test_only_the_last_words_scores_are_computed(model: BertLMHeadModel) -> None:
    scored: list[int] = []
    model.cls.register_forward_hook(lambda _module, _inputs, output: scored.append(output.size(1)))
    model.generate(PROMPT, max_new_tokens=3)
    model.generate(PROMPT, max_new_tokens=2, use_cache=False)
    assert scored == [1] * 5


@pytest.mark.seconds
def test_the_plain_way_imports_nothing_fast(tmp_path: Path) -> None:
    program = (
        "import sys, torch; from minibert import BertConfig, BertLMHeadModel;"
        "sizes = dict(vocab_size=9, hidden_size=8, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8);"
        "model = BertLMHeadModel(BertConfig(is_decoder=True, **sizes)).eval();"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2);"
        "print('minibert.fast.one_token' in sys.modules);"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2, fast=True);"
        "print('minibert.fast.one_token' in sys.modules)"
    )
    assert printed_by(program, tmp_path).split() == ["False", "True"]


def options(**changes: object) -> SearchOptions:
    """Options of a beam search that ask for nothing more."""
    rules = {"min_length": 0, "temperature": 1.0, "top_k": 0, "top_p": 1.0, "repetition_penalty": 1.0}
    rules |= {"no_repeat_ngram_size": 0, "bad_words_ids": None, "eos_token_id": 3, "pad_token_id": 0}
    search = {"max_length": 9, "do_sample": False, "num_beams": 1, "num_return_sequences": 1}
    return SearchOptions(**{**rules, **search, "length_penalty": 1.0, "early_stopping": False, **changes})


def test_of_finished_texts_the_best_are_kept_and_of_equal_ones_the_first() -> None:
    finished = FinishedTexts(options(num_beams=2))
    texts = [torch.tensor([5, n]) for n in range(5)]
    for text, score in zip(texts, (-4.0, -2.0, -4.0, -3.0, -float("inf")), strict=True):
        finished.add(text, score)
    assert [(score, ids.tolist()) for score, ids in finished.texts] == [(-1.5, [5, 3]), (-1.0, [5, 1])]
    finished = FinishedTexts(options(num_beams=2))
    finished.add(texts[0], -2.0)
    finished.add(texts[1], -2.0)
    finished.add(texts[2], -2.0)
    assert [ids.tolist() for _, ids in finished.texts] == [[5, 0], [5, 1]]


def test_a_finished_text_is_judged_by_its_length_without_padding_and_ends_with_its_end() -> None:
    finished = FinishedTexts(options(length_penalty=2.0), padding=1)
    finished.add(torch.tensor([0, 5, 6]), -8.0, end=3)
    ((score, ids),) = finished.texts
    assert score == -8.0 / 2**2
    assert ids.tolist() == [0, 5, 6, 3]


def test_without_a_padding_token_texts_are_padded_with_their_end(model: BertLMHeadModel) -> None:
    model.config.pad_token_id = None
    end = int(model.generate(PROMPT[:1], max_length=6)[0, 5])
    ids = model.generate(PROMPT, max_length=9, eos_token_id=[end, 98])
    row = ids[0].tolist()
    assert set(row[row.index(end, 4) :]) == {min(end, 98)}
    assert ids.size(1) > 6


def test_a_prompt_goes_on_until_no_open_text_can_be_better() -> None:
    def split(best: float, second: float, **changes: object) -> tuple[bool, list[tuple[int, int, float]]]:
        finished = FinishedTexts(options(**changes))
        finished.add(torch.tensor([5, 6]), -2.0)  # −1 a word
        going_on = finished.split([(0, 7, best), (0, 8, second)], torch.tensor([[5, 6]]))
        return finished.done, going_on

    assert split(-1.0, -9.0) == (False, [(0, 7, -1.0)])
    assert split(-2.5, -9.0) == (True, [(0, 7, -2.5)])
    assert split(-1.0, -9.0, early_stopping=True) == (True, [(0, 7, -1.0)])
    assert split(-2.0, -9.0) == (True, [(0, 7, -2.0)])


def test_a_prompt_that_is_done_is_padded_and_only_the_best_ends_count() -> None:
    finished = FinishedTexts(options(num_beams=2))
    ids = torch.tensor([[5, 6], [5, 7]])
    going_on = finished.split([(0, 8, -1.0), (1, 3, -2.0), (0, 3, -3.0), (1, 9, -4.0)], ids)
    assert going_on == [(0, 8, -1.0), (1, 9, -4.0)]
    assert [(score, text.tolist()) for score, text in finished.texts] == [(-1.0, [5, 7, 3])]
    finished.done = True
    assert finished.split(going_on, ids) == [(0, 0, 0.0), (0, 0, 0.0)]


def test_padding_that_is_also_the_end_is_taken_for_text() -> None:
    ids = torch.tensor([[5, 3, 0], [0, 3, 3]])
    assert mask_of(ids, 3, None).tolist() == [[1, 0, 1], [1, 0, 0]]
    assert mask_of(ids, 0, 3).tolist() == [[1, 1, 0], [0, 1, 1]]
    for ends in (3, [3, 7]):
        assert mask_of(ids, 3, ends).tolist() == [[1, 1, 1], [1, 1, 1]]
    assert mask_of(ids, None, 3).tolist() == [[1, 1, 1], [1, 1, 1]]


@pytest.mark.parametrize(("ends", "number"), [(None, 4), (3, 4), ([3, 4], 6)])
def test_drawn_beams_have_ways_to_go_on_even_if_the_likeliest_ends(ends: object, number: int) -> None:
    asked = options(num_beams=2, do_sample=True, top_k=1, eos_token_id=ends)
    words = torch.randn(1, 2 * 9, generator=torch.Generator().manual_seed(1)).log_softmax(dim=-1)
    scores, indices = best_extensions(words, 5, asked)
    assert scores.shape == indices.shape == (1, number)
    assert scores.isfinite().all()
    assert scores[0].tolist() == sorted(scores[0].tolist(), reverse=True)
    rows = (indices[0] // 9).tolist()
    assert rows.count(0) == rows.count(1) == number // 2
    assert len(set(indices[0].tolist())) == number
