"""`minibert inspect`: a model's config, its parameters by stage, and how it was loaded."""

import re
from pathlib import Path

import pytest

from minibert import BertForMaskedLM, BertForPreTraining, BertModel
from minibert.cli.inspect import parameters_by_stage
from tests.unit.cli.running import json_of, output_of
from tests.unit.tiny_bert import BUNDLED, tiny


def test_it_has_three_parts_and_the_bundled_model_is_the_default() -> None:
    text = output_of("inspect")
    assert [line for line in text.splitlines() if line in {"Config", "Parameters", "Loading"}] == [
        *("Config", "Parameters", "Loading")
    ]
    assert text == output_of("inspect", BUNDLED)


def test_the_config_is_a_table_of_its_fields() -> None:
    fields = dict(re.findall(r"^(\w+) +(\S+)$", output_of("inspect").split("Parameters")[0], flags=re.MULTILINE))
    assert (fields["hidden_size"], fields["num_hidden_layers"], fields["hidden_act"]) == ("256", "4", "gelu")


def test_the_parameters_add_up_to_the_models() -> None:
    lines = output_of("inspect").split("Parameters")[1].split("Loading")[0].strip().splitlines()[2:]
    counts = [int(line.split()[-1].replace(",", "")) for line in lines]
    assert sum(counts[:-1]) == counts[-1] == BertForPreTraining.from_pretrained(BUNDLED).num_parameters()
    assert lines[-1].startswith("all")
    assert re.search(r"^embeddings +word_embeddings\.weight +8192 × 256 +2,097,152$", "\n".join(lines), re.MULTILINE)


def test_a_stage_is_named_once() -> None:
    lines = output_of("inspect").splitlines()
    stages = [line.split()[0] for line in lines if re.match(r"(embeddings|encoder\.layer\.\d|pooler|cls\.\w+) ", line)]
    layers = [f"encoder.layer.{i}" for i in range(4)]
    assert stages == ["embeddings", *layers, "pooler", "cls.predictions", "cls.seq_relationship"]


def test_the_loading_report_is_the_models() -> None:
    report = BertForPreTraining.from_pretrained(BUNDLED).loading_report
    assert output_of("inspect").endswith(f"Loading\n{report}\n")


def test_json_says_all_of_it() -> None:
    answer = json_of("inspect")
    model = BertForPreTraining.from_pretrained(BUNDLED)
    assert answer["config"]["hidden_size"] == 256
    assert sum(row["count"] for row in answer["parameters"]) == model.num_parameters()
    assert answer["parameters"][0] == {
        "stage": "embeddings",
        "parameter": "word_embeddings.weight",
        "shape": [8192, 256],
        "count": 2097152,
    }
    assert answer["loading"]["read"] == model.loading_report.read
    assert answer["loading"]["tied"]["cls.predictions.decoder.bias"] == "the same tensor as cls.predictions.bias"
    assert (answer["loading"]["new"], answer["loading"]["left_over"]) == ({}, {})


def test_a_folder_is_opened_as_the_class_that_saved_it(tmp_path: Path) -> None:
    tiny(BertForMaskedLM).save_pretrained(tmp_path)
    assert f"BertForMaskedLM from {tmp_path}" in output_of("inspect", str(tmp_path))
    tiny(BertModel).save_pretrained(tmp_path)
    assert f"BertModel from {tmp_path}" in output_of("inspect", str(tmp_path))


def test_an_unknown_class_is_opened_as_the_bare_model(tmp_path: Path) -> None:
    model = tiny(BertModel)
    model.save_pretrained(tmp_path)
    model.config.architectures = ["MyOwnModel"]
    model.config.save_pretrained(tmp_path)
    assert f"BertModel from {tmp_path}" in output_of("inspect", str(tmp_path))


def test_stages_of_a_model_name_every_parameter_once() -> None:
    model = tiny(BertForMaskedLM)
    rows = parameters_by_stage(model)
    assert len(rows) == len(list(model.parameters()))
    assert ("encoder.layer.1", "attention.self.query.weight", (32, 32), 1024) in rows
    assert ("cls.predictions", "bias", (99,), 99) in rows


def test_what_needs_attention_is_said_once_in_the_report(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = tiny(BertModel)
    model.save_pretrained(tmp_path)
    model.config.architectures = ["BertForPreTraining"]
    model.config.save_pretrained(tmp_path)
    assert output_of("inspect", str(tmp_path)).count("newly initialised: cls.predictions.bias") == 1
    assert not caplog.records
