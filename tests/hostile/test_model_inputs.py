"""Inputs that do not fit the model: each is refused before any arithmetic, by a message that says what and where."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from minibert import BertForMaskedLM, BertForPreTraining, BertModel, BertPreTrainedModel
from minibert.model.checks import check_inputs, check_labels
from tests.unit.tiny_bert import tiny, token_ids

IDS = token_ids()  # (2, 7)
NAMES = ("inputs_embeds", "token_type_ids", "position_ids", "attention_mask", "head_mask")
INPUTS = {"input_ids": IDS, **dict.fromkeys((*NAMES, "encoder_hidden_states", "encoder_attention_mask"))}
NEXT = torch.tensor([0, 1])


@pytest.fixture(autouse=True)
def arithmetic_begins(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Notes every embedding lookup and matrix product; a refusal must come before the first one."""
    begun: list[str] = []

    def noting(name: str, function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        return lambda *args, **kwargs: begun.append(name) or function(*args, **kwargs)

    for name in ("embedding", "linear", "layer_norm", "scaled_dot_product_attention", "cross_entropy"):
        monkeypatch.setattr(torch.nn.functional, name, noting(name, getattr(torch.nn.functional, name)))
    yield begun
    assert begun == []


def refused(model: BertPreTrainedModel, *parts: str, **inputs: Any) -> None:
    """The model refuses these inputs with one line that holds all the parts."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the parts are the match
        model(**inputs)
    message = str(caught.value)
    assert all(part in message for part in parts), message
    assert "\n" not in message


def with_one(value: int, row: int = 1, column: int = 4) -> Tensor:
    """The usual ids with one of them replaced."""
    ids = IDS.clone()
    ids[row, column] = value
    return ids


def test_the_usual_ids_are_fine(arithmetic_begins: list[str]) -> None:
    assert tiny(BertModel)(IDS)[0].shape == (2, 7, 32)
    assert "embedding" in arithmetic_begins
    arithmetic_begins.clear()


class TestIds:
    @pytest.mark.parametrize("wrong", [99, 100_000, -1])
    @pytest.mark.parametrize("model_class", [BertModel, BertForMaskedLM, BertForPreTraining])
    def test_beyond_the_vocabulary_they_are_named_with_their_place(
        self, wrong: int, model_class: type[BertPreTrainedModel]
    ) -> None:
        message = f"input_ids[1, 4] is {wrong}, but the vocabulary has 99 entries: 0 to 98"
        refused(tiny(model_class), message, input_ids=with_one(wrong))

    def test_a_resized_vocabulary_moves_the_limit(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel)
        model.resize_token_embeddings(100)
        model(with_one(99))
        arithmetic_begins.clear()
        refused(model, "input_ids[1, 4] is 100, but the vocabulary has 100 entries", input_ids=with_one(100))

    @pytest.mark.parametrize("dtype", [torch.float32, torch.bool, torch.float16])
    def test_they_must_be_whole_numbers(self, dtype: torch.dtype) -> None:
        refused(tiny(BertModel), "input_ids has dtype", str(dtype), "use torch.long", input_ids=IDS.to(dtype))

    @pytest.mark.parametrize("ids", [IDS[0], IDS[0, 0], IDS[None]], ids=["1-D", "0-D", "3-D"])
    def test_they_must_be_a_batch_of_sequences(self, ids: Tensor) -> None:
        refused(tiny(BertModel), f"input_ids has shape {tuple(ids.shape)}", "(batch, seq)", input_ids=ids)

    @pytest.mark.parametrize("model_class", [BertModel, BertForMaskedLM, BertForPreTraining])
    def test_either_ids_or_vectors_must_be_given_and_not_both(self, model_class: type[BertPreTrainedModel]) -> None:
        model = tiny(model_class)
        refused(model, "either input_ids or inputs_embeds, and not both")
        refused(model, "either input_ids or inputs_embeds", input_ids=IDS, inputs_embeds=torch.zeros(2, 7, 32))

    @pytest.mark.parametrize("shape", [(2, 7), (2, 7, 31), (7, 32), (1, 2, 7, 32)])
    def test_vectors_must_be_as_wide_as_the_model(self, shape: tuple[int, ...]) -> None:
        vectors = torch.zeros(shape)
        refused(tiny(BertModel), f"inputs_embeds has shape {shape}", "(batch, seq, 32)", inputs_embeds=vectors)

    def test_an_empty_sequence_is_refused(self) -> None:
        refused(tiny(BertModel), "The sequence is empty", "[CLS]", input_ids=IDS[:, :0])
        refused(tiny(BertModel), "The sequence is empty", inputs_embeds=torch.zeros(2, 0, 32))

    @pytest.mark.parametrize("positions", ["absolute", "relative_key", "relative_key_query"])
    def test_a_sequence_longer_than_the_positions_is_refused_with_both_numbers(self, positions: str) -> None:
        model = tiny(BertModel, position_embedding_type=positions)
        known = "this model knows 24 positions"
        refused(model, "The sequence has 25 tokens", known, "truncation=True", input_ids=token_ids(1, 25))
        refused(model, "The sequence has 25 tokens", known, inputs_embeds=torch.zeros(1, 25, 32))


class TestSegmentsAndPositions:
    @pytest.mark.parametrize("wrong", [2, -1])
    def test_a_segment_out_of_range_is_named_with_its_place(self, wrong: int) -> None:
        segments = torch.zeros_like(IDS)
        segments[0, 6] = wrong
        message = f"token_type_ids[0, 6] is {wrong}, but the segment table has 2 entries"
        refused(tiny(BertModel), message, input_ids=IDS, token_type_ids=segments)

    @pytest.mark.parametrize("wrong", [24, -1])
    def test_a_position_out_of_range_is_named_with_its_place(self, wrong: int) -> None:
        positions = torch.arange(7)[None].clone()
        positions[0, 3] = wrong
        message = f"position_ids[0, 3] is {wrong}, but the position table has 24 entries"
        refused(tiny(BertModel), message, input_ids=IDS, position_ids=positions)

    @pytest.mark.parametrize("name", ["token_type_ids", "position_ids"])
    @pytest.mark.parametrize("shape", [(2, 6), (3, 7), (2, 7, 1)])
    def test_they_must_have_the_inputs_shape(self, name: str, shape: tuple[int, ...]) -> None:
        given = {name: torch.zeros(shape, dtype=torch.long)}
        refused(tiny(BertModel), f"{name} has shape {shape}; the input has (2, 7)", input_ids=IDS, **given)

    @pytest.mark.parametrize("name", ["token_type_ids", "position_ids"])
    def test_they_must_be_whole_numbers(self, name: str) -> None:
        refused(tiny(BertModel), f"{name} has dtype torch.float32", input_ids=IDS, **{name: torch.zeros(2, 7)})


class TestMasks:
    @pytest.mark.parametrize("shape", [(7,), (2, 6), (3, 7), (2, 1, 7), (2, 7, 6), (2, 1, 7, 7), ()])
    def test_a_mask_of_another_shape_is_refused_with_both_that_fit(self, shape: tuple[int, ...]) -> None:
        refused(
            tiny(BertModel),
            f"attention_mask has shape {shape}; it must be (2, 7) or (2, 7, 7)",
            input_ids=IDS,
            attention_mask=torch.ones(shape),
        )

    def test_with_a_cache_the_mask_must_span_old_and_new_tokens(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel, is_decoder=True)
        past = model(IDS).past_key_values
        arithmetic_begins.clear()
        refused(
            model,
            "attention_mask has shape (2, 3); it must be (2, 10)",
            input_ids=IDS[:, :3],
            attention_mask=torch.ones(2, 3),
            past_key_values=past,
        )

    @pytest.mark.parametrize("shape", [(3,), (5,), (3, 4), (2, 3), (4, 2)])
    def test_a_head_mask_of_another_shape_is_refused_with_both_that_fit(self, shape: tuple[int, ...]) -> None:
        refused(
            tiny(BertModel),
            f"head_mask has shape {shape}; it must be (4,) or (2, 4)",
            input_ids=IDS,
            head_mask=torch.ones(shape),
        )


class TestLabels:
    @pytest.mark.parametrize(("wrong", "row", "column"), [(99, 0, 3), (-1, 1, 0), (-101, 1, 6)])
    def test_a_label_out_of_range_is_named_with_its_place(self, wrong: int, row: int, column: int) -> None:
        labels = with_one(wrong, row, column)
        message = f"labels[{row}, {column}] is {wrong}; labels run from 0 to 98, and -100 means: not counted"
        refused(tiny(BertForMaskedLM), message, input_ids=IDS, labels=labels)
        refused(tiny(BertForPreTraining), message, input_ids=IDS, labels=labels, next_sentence_label=NEXT)

    @pytest.mark.parametrize("shape", [(2, 6), (7,), (3, 7), ()])
    def test_there_must_be_one_label_for_each_token(self, shape: tuple[int, ...]) -> None:
        labels = torch.zeros(shape, dtype=torch.long)
        message = f"labels has shape {shape}; it must be (2, 7), one label for each prediction"
        refused(tiny(BertForMaskedLM), message, input_ids=IDS, labels=labels)
        refused(tiny(BertForPreTraining), message, input_ids=IDS, labels=labels, next_sentence_label=NEXT)

    @pytest.mark.parametrize("dtype", [torch.float32, torch.int32])
    def test_they_must_be_of_the_dtype_that_a_loss_takes(self, dtype: torch.dtype) -> None:
        message = f"labels has dtype {dtype}. Class labels are whole numbers: use torch.long"
        refused(tiny(BertForMaskedLM), message, input_ids=IDS, labels=IDS.to(dtype))

    def test_a_sentence_follows_or_does_not(self) -> None:
        model = tiny(BertForPreTraining)
        given = {"input_ids": IDS, "labels": IDS}
        refused(model, "next_sentence_label[1] is 2; labels run from 0 to 1", next_sentence_label=NEXT * 2, **given)
        refused(model, "next_sentence_label has shape (3,); it must be (2,)", next_sentence_label=IDS[0, :3], **given)
        refused(model, "next_sentence_label has dtype torch.float32", next_sentence_label=NEXT.float(), **given)


class TestEncoder:
    def test_a_model_without_cross_attention_takes_no_encoder(self) -> None:
        refused(
            tiny(BertModel, is_decoder=True),
            "encoder_hidden_states were given, but this model has no cross-attention",
            "is_decoder=True and add_cross_attention=True",
            input_ids=IDS,
            encoder_hidden_states=torch.zeros(2, 5, 32),
        )

    @pytest.mark.parametrize("shape", [(2, 5, 31), (3, 5, 32), (5, 32)])
    def test_the_encoders_output_must_fit_the_batch_and_the_width(self, shape: tuple[int, ...]) -> None:
        refused(
            tiny(BertModel, is_decoder=True, add_cross_attention=True),
            f"encoder_hidden_states has shape {shape}; it must be (2, encoder seq, 32)",
            input_ids=IDS,
            encoder_hidden_states=torch.zeros(shape),
        )

    def test_vectors_of_another_dtype_are_refused_by_name(self) -> None:
        model, doubles = tiny(BertModel, is_decoder=True, add_cross_attention=True), torch.zeros(2, 7, 32).double()
        advice = "has dtype torch.float64, the model torch.float32. Convert it: {}.to(model.dtype)."
        for given in ({"inputs_embeds": doubles}, {"input_ids": IDS, "encoder_hidden_states": doubles}):
            name = list(given)[-1]
            refused(model, f"{name} {advice.format(name)}", **given)

    def test_relative_distances_reach_as_far_as_their_table(self, arithmetic_begins: list[str]) -> None:
        sizes = {"is_decoder": True, "add_cross_attention": True}
        relative = tiny(BertModel, position_embedding_type="relative_key", **sizes)
        refused(
            relative,
            "encoder_hidden_states has 25 positions, but relative distances are known up to 24.",
            input_ids=IDS,
            encoder_hidden_states=torch.zeros(2, 25, 32),
        )
        relative(IDS, encoder_hidden_states=torch.zeros(2, 24, 32))
        tiny(BertModel, **sizes)(IDS, encoder_hidden_states=torch.zeros(2, 25, 32))
        arithmetic_begins.clear()

    @pytest.mark.parametrize("shape", [(2, 7), (3, 5), (2, 5, 5)])
    def test_its_mask_must_span_the_encoders_sequence(self, shape: tuple[int, ...]) -> None:
        refused(
            tiny(BertModel, is_decoder=True, add_cross_attention=True),
            f"encoder_attention_mask has shape {shape}; it must be (2, 5) or (2, 7, 5)",
            input_ids=IDS,
            encoder_hidden_states=torch.zeros(2, 5, 32),
            encoder_attention_mask=torch.ones(shape),
        )


class TestCache:
    @pytest.fixture
    def decoder(self) -> BertModel:
        return tiny(BertModel, is_decoder=True)

    @pytest.fixture
    def past(self, decoder: BertModel, arithmetic_begins: list[str]) -> tuple[tuple[Tensor, ...], ...]:
        """What the decoder returned for seven tokens."""
        cache = decoder(IDS).past_key_values
        arithmetic_begins.clear()
        return cache

    @pytest.mark.parametrize("layers", [0, 1, 3])
    def test_it_must_have_as_many_layers_as_the_model(self, decoder: BertModel, past: Any, layers: int) -> None:
        wrong = (*past, *past)[:layers]
        message = f"past_key_values has {layers} layers, the model 2"
        refused(decoder, message, input_ids=IDS, past_key_values=wrong)

    def test_its_layers_must_have_one_length(self, decoder: BertModel, past: Any) -> None:
        shorter = tuple(tensor[:, :, :4] for tensor in past[1])
        message = "past_key_values[1] holds a tensor of shape (2, 4, 4, 8); it must be (2, 4, 7, 8)"
        refused(decoder, message, input_ids=IDS, past_key_values=(past[0], shorter))

    def test_keys_and_values_must_have_one_length(self, decoder: BertModel, past: Any) -> None:
        uneven = (past[0][0], past[0][1][:, :, :4])
        refused(decoder, "past_key_values[0] holds a tensor", input_ids=IDS, past_key_values=(uneven, past[1]))

    def test_it_must_be_of_the_same_batch(self, decoder: BertModel, past: Any) -> None:
        message = "past_key_values[0] holds a tensor of shape (2, 4, 7, 8); it must be (1, 4, 7, 8)"
        refused(decoder, message, input_ids=IDS[:1], past_key_values=past)

    @pytest.mark.parametrize("count", [1, 3, 5])
    def test_a_layer_holds_keys_and_values_and_perhaps_the_encoders(
        self, decoder: BertModel, past: Any, count: int
    ) -> None:
        layers = tuple((layer * 3)[:count] for layer in past)
        message = f"past_key_values[0] has {count} tensors; it must have 2, or 4 with an encoder"
        refused(decoder, message, input_ids=IDS, past_key_values=layers)

    def test_old_and_new_tokens_together_must_not_pass_the_positions(
        self, decoder: BertModel, arithmetic_begins: list[str]
    ) -> None:
        past = decoder(token_ids(2, 20)).past_key_values
        arithmetic_begins.clear()
        refused(decoder, "The sequence has 27 tokens", "24 positions", input_ids=IDS, past_key_values=past)


class TestSurgery:
    @pytest.mark.parametrize("heads", [[4], [0, -1], [1, 77]])
    def test_a_head_that_does_not_exist_cannot_be_pruned(self, heads: list[int]) -> None:
        with pytest.raises(ValueError, match=r"Cannot prune heads \[.*\]: this layer has heads 0 to 3"):
            tiny(BertModel).prune_heads({0: heads})

    @pytest.mark.parametrize("layer", [2, -3])
    def test_a_layer_that_does_not_exist_cannot_be_pruned(self, layer: int) -> None:
        model = tiny(BertForMaskedLM)
        with pytest.raises(ValueError, match=f"heads of layer {layer}: this model has layers 0 to 1"):
            model.prune_heads({0: [1], layer: [0]})
        assert model.config.pruned_heads == {}
        assert model.bert.encoder.layer[0].attention.self.num_attention_heads == 4

    def test_the_last_head_of_a_layer_stays(self) -> None:
        model = tiny(BertModel)
        with pytest.raises(ValueError, match="Cannot prune all 4 heads of a layer"):
            model.prune_heads({1: [0, 1, 2, 3]})
        model.prune_heads({1: [0, 1]})
        with pytest.raises(ValueError, match="Cannot prune all 4 heads of a layer"):
            model.prune_heads({1: [2, 3]})
        assert model.config.pruned_heads == {1: [0, 1]}

    @pytest.mark.parametrize("size", [0, -5])
    def test_a_vocabulary_has_at_least_one_word(self, size: int) -> None:
        model = tiny(BertModel)
        with pytest.raises(ValueError, match=f"Cannot resize to {size} tokens"):
            model.resize_token_embeddings(size)
        assert model.config.vocab_size == 99


class TestTablesThatWereReplaced:
    """The tables say how many ids there are; the config may say something else by now."""

    def longer(self, table: torch.nn.Embedding, rows: int) -> torch.nn.Embedding:
        new = torch.nn.Embedding(rows, table.embedding_dim)
        new.weight.data[: table.num_embeddings] = table.weight.data
        return new

    def test_a_third_segment_is_used(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel)
        model.embeddings.token_type_embeddings = self.longer(model.embeddings.token_type_embeddings, 3)
        segments = torch.full_like(IDS, 2)
        assert model(IDS, token_type_ids=segments).last_hidden_state.isfinite().all()
        arithmetic_begins.clear()
        with pytest.raises(ValueError, match="is 3, but the segment table has 3 entries"):
            model(IDS, token_type_ids=segments + 1)

    def test_new_words_are_used(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel)
        size = model.config.vocab_size
        model.set_input_embeddings(self.longer(model.get_input_embeddings(), size + 2))
        assert model(torch.full((1, 3), size + 1)).last_hidden_state.isfinite().all()
        arithmetic_begins.clear()
        with pytest.raises(ValueError, match=f"the vocabulary has {size + 2} entries"):
            model(torch.full((1, 3), size + 2))

    @pytest.mark.parametrize("by_data", [True, False])
    @pytest.mark.parametrize("rows", [-1, 3])
    @pytest.mark.parametrize(
        ("stage", "argument"), [("word_embeddings", "input_ids"), ("token_type_embeddings", "token_type_ids")]
    )
    def test_rows_put_into_a_table_count(
        self, stage: str, argument: str, rows: int, by_data: bool, arithmetic_begins: list[str]
    ) -> None:
        model = tiny(BertModel)
        table = getattr(model.embeddings, stage)
        size = table.num_embeddings + rows
        weight = table.weight.data.repeat(3, 1)[:size]
        if by_data:
            table.weight.data = weight
        else:
            table.weight = torch.nn.Parameter(weight)
        assert model(**{"input_ids": IDS, argument: torch.full_like(IDS, size - 1)}).last_hidden_state.isfinite().all()
        arithmetic_begins.clear()
        with pytest.raises(ValueError, match=f"has {size} entries"):
            model(**{"input_ids": IDS, argument: torch.full_like(IDS, size)})

    def test_positions_put_into_the_table_count(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel)
        stage, known = model.embeddings, model.config.max_position_embeddings
        stage.position_embeddings.weight.data = stage.position_embeddings.weight.data.repeat(2, 1)
        stage.position_ids = torch.arange(2 * known)[None]
        ids = torch.full((1, 2 * known), 5)
        assert model(ids, token_type_ids=torch.zeros_like(ids)).last_hidden_state.isfinite().all()
        arithmetic_begins.clear()
        with pytest.raises(ValueError, match=f"this model knows {2 * known} positions"):
            model(torch.full((1, 2 * known + 1), 5))

    def test_more_positions_are_used_where_they_are_given_or_counted(self, arithmetic_begins: list[str]) -> None:
        model = tiny(BertModel)
        known = model.config.max_position_embeddings
        model.embeddings.position_embeddings = self.longer(model.embeddings.position_embeddings, known + 4)
        ids = torch.full((1, known + 1), 5)
        segments = torch.zeros_like(ids)
        given = model(ids, token_type_ids=segments, position_ids=torch.arange(known + 1)[None]).last_hidden_state
        arithmetic_begins.clear()
        with pytest.raises(ValueError, match=f"this model knows {known} positions"):
            model(ids, token_type_ids=segments)  # the counter of positions still ends there
        model.embeddings.position_ids = torch.arange(known + 4)[None]
        assert torch.equal(model(ids, token_type_ids=segments).last_hidden_state, given)
        arithmetic_begins.clear()

    @pytest.mark.parametrize(
        ("field", "call", "message"),
        [
            ("vocab_size", {"input_ids": torch.full((1, 3), 99)}, "is 99, but the vocabulary has 99 entries"),
            ("type_vocab_size", {"token_type_ids": torch.full((2, 7), 2)}, "is 2, but the segment table has 2 entries"),
            ("max_position_embeddings", {"position_ids": torch.full((2, 7), 40)}, "is 40, but the position table has"),
            ("max_position_embeddings", {"input_ids": torch.full((1, 41), 5)}, "41 tokens, but this model knows"),
        ],
    )
    def test_a_config_that_promises_more_than_the_table_has_is_no_index_error(
        self, field: str, call: dict[str, Tensor], message: str
    ) -> None:
        model = tiny(BertModel)
        setattr(model.config, field, 1000)
        with pytest.raises(ValueError, match=message):
            model(**{"input_ids": IDS, **call})


class TestOnAGPU:
    """There the values are not there yet: the GPU itself stops the program, and nothing waits for it."""

    @pytest.fixture(autouse=True)
    def as_if(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Tensor, "is_cuda", True, raising=False)

    @pytest.mark.parametrize("wrong", [-1, 99])
    def test_an_id_out_of_range_stops_it(self, wrong: int) -> None:
        with pytest.raises(RuntimeError, match=r"An id of input_ids is not in 0 to 98: the vocabulary has 99\."):
            check_inputs(tiny(BertModel), past_key_values=None, **{**INPUTS, "input_ids": with_one(wrong)})
        for right in (0, 98):
            check_inputs(tiny(BertModel), past_key_values=None, **{**INPUTS, "input_ids": with_one(right)})

    def test_a_later_input_is_checked_too(self) -> None:
        segments = torch.full_like(IDS, 2)
        with pytest.raises(RuntimeError, match=r"An id of token_type_ids is not in 0 to 1: the segment table has 2\."):
            check_inputs(tiny(BertModel), past_key_values=None, **{**INPUTS, "token_type_ids": segments})

    @pytest.mark.parametrize("wrong", [-1, 3, -101])
    def test_a_label_out_of_range_stops_it(self, wrong: int) -> None:
        with pytest.raises(RuntimeError, match=r"One of labels is neither -100 nor in 0 to 2\."):
            check_labels("labels", torch.tensor([0, wrong]), (2,), num_classes=3)
        check_labels("labels", torch.tensor([0, 2, -100]), (3,), num_classes=3)


def test_embeddings_of_ones_own_need_no_tables_and_no_positions() -> None:
    model = tiny(BertModel)
    model.embeddings = torch.nn.Module()
    check_inputs(model, past_key_values=None, **INPUTS)
    with pytest.raises(ValueError, match=r"input_ids\[1, 4\] is 99, but the vocabulary has 99 entries"):
        check_inputs(model, past_key_values=None, **{**INPUTS, "input_ids": with_one(99)})
    with pytest.raises(ValueError, match="has 25 tokens, but this model knows 24 positions"):
        check_inputs(model, past_key_values=None, **{**INPUTS, "input_ids": torch.ones(2, 25, dtype=torch.long)})
