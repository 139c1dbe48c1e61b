"""What a forward returns: read by attribute, by key and by position."""

import copy
import pickle

import pytest
import torch
from torch.utils import _pytree

from minibert.outputs import BertForPreTrainingOutput, MaskedLMOutput


@pytest.fixture
def unlabelled() -> MaskedLMOutput:
    """Logits and hidden states; no loss, no attentions."""
    return MaskedLMOutput(logits=torch.ones(2, 3), hidden_states=(torch.zeros(1), torch.zeros(2)))


def test_a_field_is_read_by_attribute_key_and_position(unlabelled: MaskedLMOutput) -> None:
    assert unlabelled.logits is unlabelled["logits"]
    assert unlabelled.logits is unlabelled[0]


def test_a_field_that_is_none_has_an_attribute_but_no_key_and_no_position(unlabelled: MaskedLMOutput) -> None:
    assert unlabelled.loss is None
    assert "loss" not in unlabelled
    assert unlabelled.get("loss") is None
    assert list(unlabelled) == ["logits", "hidden_states"]
    with pytest.raises(KeyError):
        unlabelled["loss"]
    with pytest.raises(IndexError):
        unlabelled[2]


def test_the_loss_comes_first_when_there_is_one() -> None:
    output = MaskedLMOutput(loss=torch.tensor(1.5), logits=torch.ones(2, 3))
    loss, logits = output.to_tuple()
    assert (loss, logits) == (output.loss, output[1])
    assert logits is output.logits


def test_positions_count_from_the_end_and_slice_like_a_tuples(unlabelled: MaskedLMOutput) -> None:
    assert unlabelled[-1] is unlabelled.hidden_states
    assert unlabelled[:1] == (unlabelled.logits,)
    assert unlabelled[1:] == (unlabelled.hidden_states,)
    assert len(unlabelled) == 2


def test_to_tuple_holds_the_fields_that_are_there_in_order(unlabelled: MaskedLMOutput) -> None:
    assert unlabelled.to_tuple() == (unlabelled.logits, unlabelled.hidden_states)
    assert BertForPreTrainingOutput().to_tuple() == ()


def test_its_items_unpack_into_keyword_arguments(unlabelled: MaskedLMOutput) -> None:
    again = MaskedLMOutput(**unlabelled)
    assert again.to_tuple() == unlabelled.to_tuple()


def test_setting_by_attribute_or_by_key_changes_both(unlabelled: MaskedLMOutput) -> None:
    first, second = torch.zeros(1), torch.zeros(2)
    unlabelled.logits = first
    assert unlabelled["logits"] is first
    assert unlabelled[0] is first
    unlabelled["logits"] = second
    assert unlabelled.logits is second
    assert unlabelled[0] is second


def test_a_key_set_for_the_first_time_appears(unlabelled: MaskedLMOutput) -> None:
    unlabelled["loss"] = torch.tensor(2.0)
    assert unlabelled.loss.item() == 2.0
    assert "loss" in unlabelled


def test_fields_cannot_be_removed(unlabelled: MaskedLMOutput) -> None:
    def delete() -> None:
        del unlabelled["logits"]

    removals = [
        delete,
        lambda: unlabelled.pop("logits"),
        lambda: unlabelled.popitem(),
        lambda: unlabelled.clear(),
        lambda: unlabelled.setdefault("loss", 1),
        lambda: unlabelled.update({"loss": 1}),
    ]
    for remove in removals:
        with pytest.raises(TypeError, match="A MaskedLMOutput keeps its fields"):
            remove()
    assert list(unlabelled) == ["logits", "hidden_states"]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, copy.copy, lambda output: pickle.loads(pickle.dumps(output))])
def test_copies_and_pickles_keep_type_fields_and_numbers(duplicate: object, unlabelled: MaskedLMOutput) -> None:
    twin = duplicate(unlabelled)  # type: ignore[operator]
    assert type(twin) is MaskedLMOutput
    assert list(twin) == list(unlabelled)
    assert twin.loss is None
    assert torch.equal(twin.logits, unlabelled.logits)
    assert torch.equal(twin[1][1], unlabelled[1][1])
    assert twin[0] is twin.logits


def test_a_deep_copy_shares_no_memory(unlabelled: MaskedLMOutput) -> None:
    twin = copy.deepcopy(unlabelled)
    twin.logits.zero_()
    assert unlabelled.logits.sum() == 6


@pytest.mark.parametrize("container", [list, dict, iter, tuple], ids=lambda container: container.__name__)
def test_it_can_be_made_from_the_items_of_another(unlabelled: MaskedLMOutput, container: type) -> None:
    again = MaskedLMOutput(container(unlabelled.items()))
    assert again.loss is None
    assert list(again) == ["logits", "hidden_states"]
    assert again.logits is unlabelled.logits
    assert again[1] is unlabelled.hidden_states


def test_a_tensor_alone_is_its_first_field() -> None:
    loss = torch.tensor(1.0)
    assert MaskedLMOutput(loss).loss is loss


def test_pytorch_knows_it_as_a_container_of_tensors(unlabelled: MaskedLMOutput) -> None:
    doubled = _pytree.tree_map(lambda tensor: tensor * 2, unlabelled)
    assert type(doubled) is MaskedLMOutput
    assert torch.equal(doubled.logits, unlabelled.logits * 2)
    assert doubled.loss is None
    leaves, structure = _pytree.tree_flatten(unlabelled)
    assert len(leaves) == 3  # logits and two hidden states
    assert _pytree.tree_unflatten(leaves, structure).hidden_states[1] is unlabelled.hidden_states[1]


ITEMS = {"loss": torch.tensor(1.0), "logits": torch.ones(2, 3)}


@pytest.mark.parametrize(
    "given",
    [
        ITEMS,
        list(ITEMS.items()),
        tuple(ITEMS.items()),
        (pair for pair in ITEMS.items()),
        [["loss", 1.0], ["logits", 2.0]],
    ],
    ids=["dictionary", "list", "tuple", "generator", "lists"],
)
def test_an_output_is_made_from_anothers_items(given: object) -> None:
    output = MaskedLMOutput(given)  # type: ignore[arg-type]
    assert list(output) == ["loss", "logits"]
    assert output.logits is output["logits"] is output[1]


@pytest.mark.parametrize(
    "value", [(torch.ones(1), torch.ones(2)), [1.0, 2.0], "text", 0, 1.5, [("a", 1), (2, 3)], ["ab"]]
)
def test_what_is_no_items_is_the_first_fields_value(value: object) -> None:
    output = MaskedLMOutput(value)  # type: ignore[arg-type]
    assert list(output) == ["loss"]
    assert output.loss is value


@pytest.mark.parametrize("nothing", [None, {}, [], ()])
def test_no_items_make_an_empty_output(nothing: object) -> None:
    assert MaskedLMOutput(nothing).to_tuple() == ()  # type: ignore[arg-type]


@pytest.mark.parametrize("given", [{"logit": 1}, [("logits", 1), ("scores", 2)]])
def test_items_of_a_name_that_the_output_has_not_are_refused(given: object) -> None:
    with pytest.raises(TypeError, match=r"MaskedLMOutput has no field '(logit|scores)'; it has loss, logits"):
        MaskedLMOutput(given)  # type: ignore[arg-type]
