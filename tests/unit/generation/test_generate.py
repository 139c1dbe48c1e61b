"""`generate`: what comes back, when it ends, and how it reads a padded prompt or an encoder."""

import subprocess
import sys
from types import FrameType

import pytest
import torch

from minibert import BertLMHeadModel
from minibert.model.layer import BertLayer
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
    monkeypatch.setattr("minibert.generation.search.PROMPT_BLOCK", 3)
    assert torch.equal(model.generate(prompt, **given), whole)
    assert lengths == [3, 3, 1, 1, 1, 1, 1]


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


def test_the_plain_way_imports_nothing_fast() -> None:
    program = (
        "import sys, torch; from minibert import BertConfig, BertLMHeadModel;"
        "sizes = dict(vocab_size=9, hidden_size=8, num_attention_heads=2, num_hidden_layers=1, intermediate_size=8);"
        "model = BertLMHeadModel(BertConfig(is_decoder=True, **sizes)).eval();"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2);"
        "print('minibert.fast.one_token' in sys.modules);"
        "model.generate(torch.ones(1, 2, dtype=torch.long), max_new_tokens=2, fast=True);"
        "print('minibert.fast.one_token' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.split() == ["False", "True"]
