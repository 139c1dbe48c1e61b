"""The paths and private names of the reference that a course on its code uses."""

from __future__ import annotations

from importlib import import_module

import pytest
import torch

import minibert
from minibert.compat.modeling_bert import apply_chunking_to_forward, find_pruneable_heads_and_indices
from minibert.compat.moved import OF_THE_REFERENCE
from tests.unit.tiny_bert import tiny


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("models", "BertModel BertConfig"),
        ("models.bert", "BertModel BertTokenizer"),
        ("models.bert.modeling_bert", "BertLayer prune_linear_layer BertForPreTrainingOutput ACT2FN"),
        ("models.bert.configuration_bert", "BertConfig"),
        (
            "models.bert.tokenization_bert",
            "load_vocab whitespace_tokenize BasicTokenizer WordpieceTokenizer BertTokenizer",
        ),
        (
            "modeling_utils",
            "PreTrainedModel apply_chunking_to_forward find_pruneable_heads_and_indices prune_linear_layer",
        ),
        ("tokenization_utils", "_is_whitespace _is_control _is_punctuation PreTrainedTokenizer"),
        ("tokenization_utils_base", "BatchEncoding AddedToken"),
        ("activations", "ACT2FN gelu gelu_new"),
        ("configuration_utils", "PretrainedConfig"),
        ("file_utils", "ModelOutput add_start_docstrings add_code_sample_docstrings replace_return_docstrings"),
        ("modeling_outputs", "BaseModelOutputWithPoolingAndCrossAttentions SequenceClassifierOutput"),
        ("optimization", "AdamW get_scheduler TYPE_TO_SCHEDULER_FUNCTION"),
        ("trainer_utils", "SchedulerType set_seed"),
        ("data.data_collator", "DataCollatorForLanguageModeling DataCollatorWithPadding default_data_collator"),
        ("models.auto", "AutoModel AutoConfig"),
        ("models.auto.configuration_auto", "AutoConfig CONFIG_MAPPING"),
        ("models.auto.modeling_auto", "AutoModelForMaskedLM MODEL_MAPPING"),
        ("models.auto.tokenization_auto", "AutoTokenizer TOKENIZER_MAPPING"),
        ("models.bert.tokenization_bert_fast", "BertTokenizerFast"),
        ("models.encoder_decoder", "EncoderDecoderModel"),
        ("models.encoder_decoder.configuration_encoder_decoder", "EncoderDecoderConfig"),
        ("models.encoder_decoder.modeling_encoder_decoder", "EncoderDecoderModel"),
        ("tokenization_utils_fast", "PreTrainedTokenizerFast"),
        ("utils", "logging ModelOutput"),
        ("utils.logging", "get_logger set_verbosity_error"),
        ("utils.versions", "require_version"),
    ],
)
def test_a_path_of_the_reference_has_its_names(module: str, names: str, recwarn: pytest.WarningsRecorder) -> None:
    found = import_module(f"minibert.{module}")
    assert all(hasattr(found, name) for name in names.split())
    assert not [warning for warning in recwarn if "is now" in str(warning.message)]
    names_of_all: dict[str, object] = {}
    exec(f"from minibert.{module} import *", names_of_all)
    assert names_of_all.keys() > {"__builtins__"}


def test_every_path_was_asked_for() -> None:
    assert len(OF_THE_REFERENCE) == 27


def test_a_name_that_no_place_has_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"models\.bert\.modeling_bert"):
        getattr(import_module("minibert.models.bert.modeling_bert"), "nothing_of_this")  # noqa: B009


def test_heads_that_are_gone_are_not_found_again() -> None:
    heads, index = find_pruneable_heads_and_indices({0, 2}, 3, 2, {0})
    assert heads == {2}
    assert index.tolist() == [0, 1, 4, 5]  # of heads 1 and 3, numbered among the rows that are left


def test_chunks_give_what_the_whole_gives_and_must_fit() -> None:
    x = torch.arange(12.0).view(1, 6, 2)
    assert torch.equal(apply_chunking_to_forward(torch.add, 2, 1, x, x), x + x)
    with pytest.raises(ValueError, match="no multiple of chunks of 4"):
        apply_chunking_to_forward(torch.exp, 4, 1, x)
    with pytest.raises(ValueError, match=r"they have \[3, 6\]"):
        apply_chunking_to_forward(torch.add, 2, 1, x, x[:, :3])


def test_the_underscored_methods_do_what_the_public_ones_do() -> None:
    model = tiny(minibert.BertForPreTraining)
    five = model._convert_head_mask_to_5d(torch.ones(4), 2)
    assert five.shape == (2, 1, 4, 1, 1)
    assert model._get_resized_embeddings(model.get_input_embeddings(), 7).weight.shape[0] == 7
    assert model._get_resized_embeddings(model.get_input_embeddings()) is model.get_input_embeddings()
    words, decoder = model.get_input_embeddings(), model.cls.predictions.decoder
    decoder.weight = torch.nn.Parameter(decoder.weight.detach().clone())
    model._tie_or_clone_weights(decoder, words)
    assert decoder.weight is words.weight
    model.config.torchscript = True
    model._tie_or_clone_weights(decoder, words)
    assert decoder.weight is not words.weight
    assert torch.equal(decoder.weight, words.weight)


@pytest.mark.parametrize("requirement", ["torch>=1.5.0", "torch >= 2", "numpy"])
def test_a_version_that_is_there_is_enough(requirement: str) -> None:
    import_module("minibert.utils.versions").require_version(requirement)


@pytest.mark.parametrize(
    ("requirement", "kind", "message"),
    [
        ("torch>=99", ImportError, r"torch>=99 is required, and torch is 2\.\S+ Update it"),
        ("no-such-package>=1", ImportError, "no-such-package"),
        ("torch==2.0", ValueError, "'torch==2.0' is not understood"),
        ("torch>=1,<2", ValueError, "is not understood"),
    ],
)
def test_a_version_that_is_not_there_is_said(requirement: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        import_module("minibert.utils.versions").require_version(requirement, "Update it")
