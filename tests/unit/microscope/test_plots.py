"""The numbers behind the six plots of a model, and that each plot draws them."""

from __future__ import annotations

from pathlib import Path
from unittest.mock import MagicMock

import pytest
import torch
from click.testing import CliRunner

from minibert import (
    BertConfig,
    BertForMaskedLM,
    BertForPreTraining,
    BertForSequenceClassification,
    BertLMHeadModel,
    BertModel,
    BertTokenizer,
)
from minibert.cli import main
from minibert.microscope import plots, probes
from tests.unit.tiny_bert import BUNDLED, tiny

TEXT = "He shook his [MASK]."
PIECES = ["[CLS]", "he", "shook", "his", "[MASK]", ".", "[SEP]"]


@pytest.fixture(scope="module")
def model() -> BertForMaskedLM:
    return BertForMaskedLM.from_pretrained("novels-4l-256h").eval()


@pytest.fixture(scope="module")
def tokenizer() -> BertTokenizer:
    return BertTokenizer.from_pretrained("novels-4l-256h")


@pytest.fixture
def figure(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Stands in for matplotlib's; `subplots` gives one panel, or as many as are asked for."""
    paper = MagicMock()
    panel = MagicMock()

    def subplots(rows: int = 1, columns: int = 1, squeeze: bool = True) -> object:
        return panel if squeeze else [[MagicMock() for _ in range(columns)] for _ in range(rows)]

    paper.subplots.side_effect = subplots
    paper.panel = panel
    monkeypatch.setattr(plots, "new_figure", lambda **_: paper)
    return paper


def test_attention_maps_are_output_attentions(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    pieces, layers = probes.attention_maps(model, tokenizer, TEXT)
    expected = model(**tokenizer(TEXT, return_tensors="pt"), output_attentions=True).attentions
    assert pieces == PIECES
    assert all(torch.equal(torch.stack([*a.values()]), b[0]) for a, b in zip(layers, expected, strict=True))


def test_probes_leave_dropout_out_and_the_model_as_it_was(model: BertForMaskedLM, tokenizer: BertTokenizer) -> None:
    _, expected = probes.attention_maps(model, tokenizer, TEXT)
    model.train()
    _, layers = probes.attention_maps(model, tokenizer, TEXT)
    assert model.training
    model.eval()
    assert all(torch.equal(a[head], b[head]) for a, b in zip(layers, expected, strict=True) for head in b)


def test_norms_are_of_the_hidden_states(model: BertForMaskedLM, tokenizer: BertTokenizer, figure: MagicMock) -> None:
    pieces, norms = probes.residual_norms(model, tokenizer, TEXT)
    states = model(**tokenizer(TEXT, return_tensors="pt"), output_hidden_states=True).hidden_states
    assert norms.shape == (5, 7)
    assert norms[3, 2].item() == pytest.approx(states[3][0, 2].detach().square().sum().sqrt().item(), rel=1e-5)
    plots.draw_residual_norms(pieces, norms)
    lines = [call.args[1] for call in figure.panel.plot.call_args_list]
    assert lines == [norms[:, i].tolist() for i in range(7)]


def test_the_lens_ends_with_the_models_answer(
    model: BertForMaskedLM, tokenizer: BertTokenizer, figure: MagicMock
) -> None:
    pieces, words, probabilities = probes.lens(model, tokenizer, TEXT)
    scores = model(**tokenizer(TEXT, return_tensors="pt")).logits[0].softmax(dim=-1)
    assert words[-1] == tokenizer.convert_ids_to_tokens(scores.argmax(dim=-1).tolist())
    torch.testing.assert_close(probabilities[-1], scores.amax(dim=-1))
    assert words[-1][4] == "head"
    plots.draw_lens(pieces, words, probabilities)
    assert [call.args[2] for call in figure.panel.text.call_args_list] == [word for row in words for word in row]


def test_a_model_without_a_word_head_has_no_lens(tokenizer: BertTokenizer) -> None:
    with pytest.raises(ValueError, match="BertModel predicts no words"):
        probes.lens(BertModel.from_pretrained("novels-4l-256h"), tokenizer, TEXT)  # type: ignore[arg-type]


def test_positions_are_most_like_themselves_and_then_their_neighbours(model: BertForMaskedLM) -> None:
    similarity = probes.position_similarity(model)
    assert similarity.shape == (256, 256)
    torch.testing.assert_close(similarity.diagonal(), torch.ones(256))
    trained = similarity[:128, :128]  # the checkpoint has learned from no more
    near, far = trained.diagonal(1).mean(), trained.diagonal(40).mean()
    assert near > far + 0.3


def test_every_number_of_the_model_is_in_one_histogram(figure: MagicMock) -> None:
    model = BertModel(
        BertConfig(vocab_size=30, hidden_size=8, num_hidden_layers=3, num_attention_heads=2, intermediate_size=8)
    )
    kinds = probes.parameter_values(model)
    assert sum(values.numel() for values in kinds.values()) == model.num_parameters()
    assert kinds["attention.self.query.weight"].numel() == 3 * 64
    assert "embeddings.word_embeddings.weight" in kinds
    assert plots.draw_parameters(kinds) is figure


def test_gradient_flow_is_the_size_of_each_gradient(figure: MagicMock) -> None:
    layer = torch.nn.Linear(2, 1)
    with pytest.raises(ValueError, match=r"backward\(\)"):
        probes.gradient_flow(layer)
    layer(torch.tensor([[3.0, 4.0]])).sum().backward()
    flow = probes.gradient_flow(layer)
    assert flow == {"weight": pytest.approx(12.5**0.5), "bias": pytest.approx(1.0)}
    plots.draw_gradient_flow(flow)
    assert figure.panel.barh.call_args.args[1] == list(flow.values())


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("bert.encoder.layer.11.attention.self.query.weight", "attention.self.query.weight"),
        ("bert.embeddings.word_embeddings.weight", "embeddings.word_embeddings.weight"),
        ("cls.predictions.bias", "cls.predictions.bias"),
        ("weight", "weight"),
    ],
)
def test_kinds_forget_the_layer(name: str, kind: str) -> None:
    assert probes.kind_of(name) == kind


@pytest.mark.parametrize(
    "words",
    [("attention", TEXT), ("lens", TEXT), ("norms", TEXT), ("gradients", TEXT), ("positions",), ("parameters",)],
)
def test_each_plot_is_a_command_that_writes_a_file(words: tuple[str, ...], figure: MagicMock, tmp_path: Path) -> None:
    figure.savefig.side_effect = lambda path: Path(path).write_bytes(b"drawn")
    result = CliRunner().invoke(main, ["plot", *words, "--out", str(tmp_path / "picture.png")])
    assert result.exit_code == 0, result.output
    assert [path.name for path in tmp_path.iterdir()] == ["picture.png"]


@pytest.mark.usefixtures("figure")
def test_another_kind_of_file_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["plot", "positions", "--out", str(tmp_path / "picture.gif")])
    assert result.exit_code == 1
    assert ".png or .svg" in result.output


@pytest.mark.parametrize("kind", ["attention", "norms", "lens", "gradients", "positions", "parameters"])
def test_a_plot_says_of_which_model_and_what_it_is(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[MagicMock] = []
    monkeypatch.setattr(plots, "save_figure", lambda figure, _: written.append(figure))
    monkeypatch.setattr(plots, "new_figure", lambda **_: MagicMock(**{"subplots.side_effect": panels}))
    without_text = kind in ("positions", "parameters")
    texts = [] if without_text else ["It costs $5 or $6."]
    result = CliRunner().invoke(main, ["plot", kind, *texts, "--out", str(tmp_path / "plot.png")])
    assert result.exit_code == 0, result.output
    (title,) = written[0].suptitle.call_args.args
    assert title.startswith("novels-4l-256h: ")
    assert "TEXT" not in title
    assert written[0].suptitle.call_args.kwargs["parse_math"] is False  # $ is a dollar


def panels(rows: int = 1, columns: int = 1, squeeze: bool = True) -> object:
    return MagicMock() if squeeze else [[MagicMock() for _ in range(columns)] for _ in range(rows)]


def test_the_colours_of_weights_and_probabilities_have_a_scale(figure: MagicMock) -> None:
    plots.draw_attention(["a", "b"], [{0: torch.eye(2)}])
    assert "attention weight" in figure.colorbar.call_args.kwargs["label"]
    assert "asks (query)" in figure.supxlabel.call_args.args[0]
    plots.draw_lens(["a"], [["b"]], torch.ones(1, 1))
    assert "probability" in figure.colorbar.call_args.kwargs["label"]


@pytest.mark.seconds
@pytest.mark.parametrize("kind", ["lens", "gradients"])
@pytest.mark.parametrize(
    ("saved", "said"),
    [
        (BertForSequenceClassification, "was not trained to predict words: it has no masked-word head."),
        (
            BertLMHeadModel,
            "is a decoder: it was trained to continue a text, not to fill in blanks. Use `minibert generate`.",
        ),
    ],
)
def test_a_plot_of_predicted_words_is_refused_for_a_model_that_fills_in_no_blanks(
    kind: str, saved: type[BertForSequenceClassification | BertLMHeadModel], said: str, tmp_path: Path
) -> None:
    tiny(saved, is_decoder=saved is BertLMHeadModel).save_pretrained(tmp_path / "model")
    BertTokenizer.from_pretrained(BUNDLED).save_pretrained(tmp_path / "model")
    words = ["plot", kind, TEXT, "--model", str(tmp_path / "model"), "--out", str(tmp_path / "plot.png")]
    result = CliRunner().invoke(main, words)
    assert (result.exit_code, result.stderr) == (1, f"Error: {tmp_path / 'model'} {said}\n")


def test_every_parameter_that_was_trained_is_plotted_and_no_other(
    figure: MagicMock, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drawn: list[dict[str, torch.Tensor]] = []
    monkeypatch.setattr(plots, "draw_parameters", lambda kinds: drawn.append(kinds) or figure)
    monkeypatch.setattr(plots, "save_figure", lambda *_: None)
    CliRunner().invoke(main, ["plot", "parameters", "--out", str(tmp_path / "plot.png")])
    assert drawn[0].keys() == probes.parameter_values(BertForPreTraining.from_pretrained(BUNDLED)).keys()


def test_heads_keep_their_numbers_when_others_are_pruned(
    tokenizer: BertTokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = BertModel.from_pretrained(BUNDLED).eval()
    _, before = probes.attention_maps(model, tokenizer, TEXT)
    model.prune_heads({0: [1]})
    pieces, layers = probes.attention_maps(model, tokenizer, TEXT)
    assert [list(layer) for layer in layers] == [[0, 2, 3], *[[0, 1, 2, 3]] * 3]
    torch.testing.assert_close(layers[0][2], before[0][2])
    rows: list[list[MagicMock]] = []
    paper = MagicMock()
    paper.subplots.side_effect = lambda *sizes, **_: rows.extend(panels(*sizes, squeeze=False)) or rows  # type: ignore[call-overload]
    monkeypatch.setattr(plots, "new_figure", lambda **_: paper)
    plots.draw_attention(pieces, layers)
    titles = [panel.set_title.call_args.args[0] for panel in rows[0][:3]]
    assert titles == ["layer 0, head 0", "layer 0, head 2", "layer 0, head 3"]
