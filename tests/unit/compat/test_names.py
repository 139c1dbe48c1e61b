"""Names of the era at the top level, classes registered with the Auto classes, and what is left out."""

from __future__ import annotations

import logging as standard
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import minibert
from minibert import AutoConfig, AutoModel, AutoModelForMaskedLM, AutoTokenizer, BertConfig, BertModel, logging
from minibert.compat.names import why_not_here
from tests.forks import printed_by
from tests.unit.tiny_bert import tiny, tiny_config


class OwnConfig(BertConfig):
    model_type = "own-model"


class OwnModel(BertModel):
    config_class = OwnConfig


class OwnTokenizer(minibert.BertTokenizer):
    pass


class OwnTokenizerFast(minibert.BertTokenizerFast):
    slow_tokenizer_class = OwnTokenizer


@pytest.fixture
def registered(tmp_path: Path) -> Iterator[Path]:
    """The folder of a model and tokenizer of classes that are registered."""
    auto: Any = AutoConfig
    auto.register("own-model", OwnConfig)
    AutoModel.register(OwnConfig, OwnModel)  # type: ignore[attr-defined]
    AutoTokenizer.register(OwnConfig, OwnTokenizer, OwnTokenizerFast)  # type: ignore[attr-defined]
    OwnModel(OwnConfig(**tiny_config().to_dict())).save_pretrained(tmp_path)
    OwnTokenizer({"[UNK]": 0, "[PAD]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4}).save_pretrained(tmp_path)
    yield tmp_path
    for classes, key in ((AutoConfig, "own-model"), (AutoModel, OwnConfig), (AutoTokenizer, OwnConfig)):
        classes.classes.pop(key)  # type: ignore[attr-defined]


# ---------------------------------------------------------------------------------------------------- registered classes


def test_registered_classes_are_opened_by_what_the_files_say(registered: Path) -> None:
    assert type(AutoConfig.from_pretrained(registered)) is OwnConfig
    assert type(AutoModel.from_pretrained(registered)) is OwnModel
    assert type(AutoTokenizer.from_pretrained(registered)) is OwnTokenizerFast
    assert type(AutoTokenizer.from_pretrained(registered, use_fast=False)) is OwnTokenizer


def test_registered_classes_are_made_from_their_config_and_berts_stay_berts(registered: Path, tmp_path: Path) -> None:
    assert type(AutoModel.from_config(OwnConfig(**tiny_config().to_dict()))) is OwnModel
    assert type(AutoModel.from_config(tiny_config())) is BertModel
    assert type(AutoConfig.for_model("own-model")) is OwnConfig
    with pytest.raises(ValueError, match="model_type is 'own-model'"):
        AutoModelForMaskedLM.from_pretrained(registered)
    tiny(BertModel).save_pretrained(tmp_path / "bert")
    assert type(AutoModel.from_pretrained(tmp_path / "bert")) is BertModel
    assert type(AutoConfig.from_pretrained(tmp_path / "bert")) is BertConfig


def test_a_config_or_a_type_says_whose_tokenizer_it_is_where_the_files_do_not(registered: Path) -> None:
    for name in ("tokenizer_config.json", "config.json"):
        (registered / name).unlink()
    assert type(AutoTokenizer.from_pretrained(registered, config=OwnConfig())) is OwnTokenizerFast
    assert type(AutoTokenizer.from_pretrained(registered, tokenizer_type="own-model")) is OwnTokenizerFast
    assert type(AutoTokenizer.from_pretrained(registered, tokenizer_type="bert")) is minibert.BertTokenizerFast
    assert type(AutoTokenizer.from_pretrained(registered)) is minibert.BertTokenizerFast
    with pytest.raises(ValueError, match="tokenizer_type 'gpt2' is not known"):
        AutoTokenizer.from_pretrained(registered, tokenizer_type="gpt2")


@pytest.mark.parametrize(
    ("auto", "arguments", "complaint"),
    [
        (AutoConfig, ("other", OwnConfig), "model_type is 'own-model', not 'other'"),
        (AutoConfig, ("bert", BertConfig), "another model_type"),
        (AutoModel, (OwnConfig, BertModel), "BertModel.config_class is BertConfig, not OwnConfig"),
        (AutoModel, (BertConfig, BertModel), "a config class of your own"),
        (AutoTokenizer, (OwnConfig,), "nothing to register"),
        (AutoTokenizer, (OwnConfig, OwnTokenizerFast), "slow_tokenizer_class: OwnTokenizerFast"),
        (AutoTokenizer, (OwnConfig, None, OwnTokenizer), "fast_tokenizer_class: OwnTokenizer"),
        (AutoTokenizer, (OwnConfig, minibert.BertTokenizer, OwnTokenizerFast), "slow_tokenizer_class must be"),
        (AutoTokenizer, (BertConfig, OwnTokenizer), "a config class of your own"),
    ],
)
def test_classes_that_do_not_fit_are_not_registered(auto: Any, arguments: tuple[Any, ...], complaint: str) -> None:
    before = dict(auto.classes)
    with pytest.raises(ValueError, match=complaint):
        auto.register(*arguments)
    assert auto.classes == before


def test_the_tables_of_the_era_are_what_the_auto_classes_use() -> None:
    assert minibert.CONFIG_MAPPING["bert"] is BertConfig
    assert [config.model_type for config in minibert.MODEL_FOR_MASKED_LM_MAPPING] == ["bert"]
    assert minibert.MODEL_WITH_LM_HEAD_MAPPING == minibert.MODEL_FOR_MASKED_LM_MAPPING
    assert minibert.MODEL_WITH_LM_HEAD_MAPPING is not minibert.MODEL_FOR_MASKED_LM_MAPPING


# --------------------------------------------------------------------------------------------------------- other names


@pytest.mark.parametrize(
    ("made", "kind"),
    [
        (tiny(BertModel), minibert.PreTrainedModel),
        (tiny_config(), minibert.PretrainedConfig),
        (minibert.BertTokenizer({"[UNK]": 0}), minibert.PreTrainedTokenizer),
        (minibert.BertTokenizerFast({"[UNK]": 0}), minibert.PreTrainedTokenizerFast),
        (minibert.BertTokenizerFast({"[UNK]": 0}), minibert.PreTrainedTokenizerBase),
        (minibert.BaseModelOutput(last_hidden_state=torch.ones(1)), minibert.ModelOutput),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_made_is_of_the_references_kind(made: Any, kind: type) -> None:
    assert isinstance(made, kind)
    assert not isinstance(minibert.BertTokenizer({"[UNK]": 0}), minibert.PreTrainedTokenizerFast)


def test_a_config_of_no_model_keeps_its_fields() -> None:
    config = minibert.PretrainedConfig(colour="green")
    assert config.to_diff_dict() == {"colour": "green", "model_type": ""}


@pytest.mark.parametrize("name", ["", "WithPooling", "WithPast", "WithCrossAttentions"])
def test_outputs_of_ones_own_are_read_like_all_others(name: str) -> None:
    output = getattr(minibert, f"BaseModelOutput{name}")(last_hidden_state=torch.ones(2), attentions=(torch.zeros(1),))
    assert list(output) == ["last_hidden_state", "attentions"]
    assert output[0] is output.last_hidden_state


def test_a_seed_sets_every_generator() -> None:
    found = []
    for _ in range(2):
        minibert.set_seed(3)
        found.append((random.random(), np.random.rand(), torch.rand(1).item()))
    assert found[0] == found[1]


@pytest.mark.parametrize("kind", [minibert.TensorType.PYTORCH, minibert.TensorType("pt")])
def test_tensors_are_asked_for_by_their_type(kind: Any) -> None:
    tokenizer = minibert.BertTokenizer({"[UNK]": 0, "[CLS]": 1, "[SEP]": 2})
    assert isinstance(tokenizer("a", return_tensors=kind)["input_ids"], torch.Tensor)


def test_availability_is_answered() -> None:
    available = minibert.is_torch_available(), minibert.is_tokenizers_available()
    assert available == (True, True)
    assert (minibert.is_tf_available(), minibert.is_flax_available()) == (False, False)


# ------------------------------------------------------------------------------------------------- how much is said


@pytest.fixture
def logger() -> Iterator[standard.Logger]:
    """The library's logger, put back as it was."""
    library = standard.getLogger("minibert")
    before = library.level, library.propagate, list(library.handlers)
    yield library
    library.setLevel(before[0])
    library.propagate = before[1]
    library.handlers[:] = before[2]


@pytest.mark.seconds
@pytest.mark.parametrize(
    ("level", "shown"),
    [
        ("debug", 3),
        *(pytest.param(*each, marks=pytest.mark.slow) for each in (("info", 2), ("warning", 1), ("error", 0))),
    ],
)
def test_the_verbosity_decides_what_is_shown_and_nothing_is_shown_twice(level: str, shown: int) -> None:
    program = (
        f"from minibert import logging; logging.set_verbosity_{level}(); log = logging.get_logger('minibert.x');"
        "import logging as root; root.basicConfig();"
        "log.debug('a debug'); log.info('an info'); log.warning('a warning')"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert len(result.stderr.splitlines()) == shown


def test_handlers_formats_and_propagation_are_switched(logger: standard.Logger) -> None:
    messages: list[str] = []

    class Listener(standard.Handler):
        def emit(self, record: standard.LogRecord) -> None:
            messages.append(self.format(record))

    listener = Listener()
    logging.disable_default_handler()
    logging.add_handler(listener)
    logging.set_verbosity(logging.INFO)
    assert logging.get_verbosity() == logging.get_logger().level == logging.get_log_levels_dict()["info"] == 20
    logging.enable_explicit_format()
    logger.info("told")
    logging.reset_format()
    logger.info("alone")
    logging.remove_handler(listener)
    logger.info("to nobody")
    assert messages[0].startswith("[INFO|test_names.py:")
    assert messages[1:] == ["alone"]
    logging.enable_propagation()
    assert logger.propagate
    logging.disable_propagation()
    assert not logger.propagate


# ------------------------------------------------------------------------------------------------------- what is left out


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("Trainer", "finetune"),
        ("TrainingArguments", "finetune"),
        ("SummarizationPipeline", "minibert.pipeline"),
        ("ConversationalPipeline", "minibert.pipeline"),
        ("AutoModelForSeq2SeqLM", "EncoderDecoderModel"),
        ("TFBertModel", "PyTorch only"),
        ("FlaxBertForMaskedLM", "PyTorch only"),
        ("Adafactor", "AdamW"),
        ("SquadV2Processor", "minibert.tasks"),
    ],
)
def test_what_is_left_out_says_what_to_use_instead(name: str, advice: str) -> None:
    with pytest.raises(ImportError, match=rf"minibert has no {name}: .*{advice}.*docs/differences\.md"):
        exec(f"from minibert import {name}")
    with pytest.raises(ImportError, match=advice):
        getattr(minibert, name)


def test_a_name_that_nobody_has_is_an_ordinary_mistake() -> None:
    assert why_not_here("Trayner") is None
    with pytest.raises(AttributeError, match="no attribute 'Trayner'"):
        minibert.Trayner  # noqa: B018


@pytest.mark.slow
@pytest.mark.parametrize(
    "module", ["minibert.auto", "minibert.heads", "minibert.compat.attach", "minibert.compat.names"]
)
def test_a_module_may_be_imported_first(module: str, tmp_path: Path) -> None:
    assert (
        printed_by(f"import {module}; import minibert; print(minibert.BertModel.__name__)", tmp_path) == "BertModel\n"
    )
