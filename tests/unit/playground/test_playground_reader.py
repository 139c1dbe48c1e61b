"""What a person expects who reads on a phone, in Chinese or English, changes something, and wants to go back."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from click.testing import CliRunner

from minibert.cli import main
from tests.unit.microscope.browser import Browser

from .in_browser import needs_browser, set_text, settled, texts, until

pytestmark = [needs_browser, pytest.mark.slow]
LANGUAGE = "return app.state.language"
PHONE = (390, 844)


def command(window: Browser, cmd: str, **params: Any) -> Any:
    return window.ask("POST", "/goog/cdp/execute", cmd=cmd, params=params)


def visit(window: Browser, path: Path, **state: Any) -> None:
    """The page by a link from elsewhere: with some state in its address, or bare."""
    window.ask("POST", "/url", url="about:blank")
    window.ask("POST", "/url", url=path.as_uri() + (f"#{quote(json.dumps(state))}" if state else ""))
    settled(window)


def edit(window: Browser, edits: dict[str, Any], panel: int = 0) -> None:
    window.run("app.change('x', () => { app.state.panels[arguments[1]].edits = arguments[0]; })", edits, panel)
    settled(window)


@contextmanager
def at_every_opening(window: Browser, script: str) -> Iterator[None]:
    added = command(window, "Page.addScriptToEvaluateOnNewDocument", source=script)
    try:
        yield
    finally:
        command(window, "Page.removeScriptToEvaluateOnNewDocument", **added)


class TestLanguage:
    def test_it_is_the_first_of_the_browsers_that_the_page_has(self, page: Browser, bundled: Path) -> None:
        for languages, expected in ((["fr", "zh-TW", "en"], "zh"), (["fr", "en-GB", "zh"], "en"), (["fr"], "en")):
            with at_every_opening(
                page, f"Object.defineProperty(navigator, 'languages', {{ get: () => {languages!r} }})"
            ):
                visit(page, bundled)
                assert page.run(LANGUAGE) == expected

    def test_the_one_that_was_chosen_is_there_when_the_page_is_opened_again(self, page: Browser, bundled: Path) -> None:
        page.click('[data-key="language"]')
        assert until(page, "location.hash.includes('zh')")  # whoever is sent this address reads the same
        visit(page, bundled)
        assert page.run(LANGUAGE) == "zh"
        assert until(page, "location.hash.includes('zh')")

    def test_a_link_says_in_which_one_it_is_read(self, page: Browser, bundled: Path) -> None:
        page.run(
            "navigator.clipboard.writeText = text => { window.copied = text; return Promise.resolve(); };"
            "document.querySelector('[data-key=link]').click()"
        )
        assert "%22language%22%3A%22en%22" in page.run("return copied")
        page.click('[data-key="language"]')  # kept: Chinese
        visit(page, bundled, language="en")
        assert page.run(LANGUAGE) == "en"
        visit(page, bundled, view="change")
        assert page.run(LANGUAGE) == "zh"

    def test_a_link_can_be_had_where_the_browser_lets_no_page_copy(self, page: Browser) -> None:
        page.run(
            "Object.defineProperty(navigator, 'clipboard', { value: undefined }); window.prompt = (_, text) => { window.shown = text; };"
            "document.querySelector('[data-key=link]').click()"
        )
        assert until(page, "shown === location.href")

    def test_it_can_be_chosen_where_the_browser_keeps_nothing(self, page: Browser, bundled: Path) -> None:
        nothing = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError'); }, configurable: true })"
        with at_every_opening(page, nothing):
            visit(page, bundled)
            page.click('[data-key="language"]')
            page.click('[data-key="theme"]')
            settled(page)
            assert page.run(LANGUAGE) == "zh"
        visit(page, bundled)
        assert page.run(LANGUAGE) == "en"

    def test_light_or_dark_is_kept_too_until_it_is_what_the_system_has(self, page: Browser, bundled: Path) -> None:
        for expected in ("dark", "light"):
            page.click('[data-key="theme"]')
            visit(page, bundled)
            assert page.run("return document.documentElement.dataset.theme") == expected
        assert page.run("return localStorage.length") == 0


class TestOnAPhone:
    def test_two_texts_take_hardly_more_room_than_one(self, page: Browser) -> None:
        page.resize(*PHONE)
        for view in ("heads", "layers", "stages", "change"):
            page.click(f'[data-view="{view}"]')
            settled(page)
            alone = page.run("return document.documentElement.scrollHeight")
            page.click('[data-key="compare"]')
            settled(page)
            assert page.run("return document.documentElement.scrollHeight") < alone + 400, view
            page.click('[data-key="compare"]')
            settled(page)

    def test_both_answers_stand_beside_each_other_and_one_text_is_in_front(self, page: Browser) -> None:
        page.resize(*PHONE)
        page.click('[data-key="compare"]')
        settled(page)
        set_text(page, "I beg your [MASK], sir.", "#text-1")
        edit(page, {"temperature": 8}, panel=1)
        assert texts(page, "#sides button") == [
            "A He shook his [MASK], and said no.",
            "B I beg your [MASK], sir. · Changed: Temperature of attention 8.00",
        ]
        shown = "return [...document.querySelectorAll('.input, .view')].map(each => each.offsetParent !== null)"
        for front in (1, 0, 1):
            page.click(f'[data-side="{front}"]')
            settled(page)
            assert page.run(shown) == [each == front for each in (0, 1, 0, 1)]
            assert page.run("return document.activeElement.dataset.side") == str(front)
            first, second = page.run(
                "return [...document.querySelectorAll('.answers')].map(each => each.getBoundingClientRect().toJSON())"
            )
            assert first["top"] == second["top"]
            assert 0 < first["left"] < first["right"] < second["left"] < second["right"] < 390
        page.resize(1280, 900)
        assert page.run(shown) == [True] * 4
        assert page.run("return document.querySelector('#sides').offsetParent") is None

    def test_both_answers_stay_in_sight_while_one_is_changed(self, page: Browser) -> None:
        page.resize(*PHONE)
        page.click('[data-key="compare"]')
        page.click('[data-view="change"]')
        settled(page)
        slider = ".view[data-panel='1'] [data-key=temperature]"
        page.run("document.querySelector(arguments[0]).scrollIntoView()", slider)
        boxes = page.run(
            "return [...document.querySelectorAll('.answers, ' + arguments[0])].map(each => each.getBoundingClientRect().toJSON())",
            slider,
        )
        assert boxes[0]["right"] < boxes[1]["left"]
        for answer in boxes[:2]:
            assert 0 <= answer["top"] < answer["bottom"] <= boxes[2]["top"] < 844

    def test_what_is_typed_on_one_side_leaves_the_other_alone(self, page: Browser) -> None:
        page.click('[data-key="compare"]')
        settled(page)
        page.run("""
            window.drawn = 0;
            for (const part of document.querySelectorAll("[data-panel='1']"))
              new MutationObserver(() => drawn++).observe(part, { childList: true, subtree: true });""")
        set_text(page, "I beg your [MASK], sir.")
        assert page.run("return drawn") == 0
        set_text(page, "I beg your [MASK], sir.", "#text-1")
        assert page.run("return drawn") > 0

    def test_each_stage_shows_its_shape_and_all_its_numbers(self, page: Browser) -> None:
        for width, pair in ((390, False), (390, True), (860, True), (860, False), (1280, False)):
            page.resize(width, 844)
            if pair != page.run("return app.state.panels.length === 2"):
                page.click('[data-key="compare"]')
            page.click('[data-view="stages"]')
            settled(page)
            cut = page.run("""
                return [...document.querySelectorAll(".stages .tall, .detail .scroll")].filter(box => box.offsetParent !== null)
                  .map(box => box.scrollWidth - box.clientWidth);""")
            assert cut == [0] * len(cut), (width, pair)
            facts = "[data-stage='bert.encoder.layer.0.attention.self']"
            row = page.run(
                "return [...document.querySelector(arguments[0]).closest('tr').cells].map(cell => cell.textContent)",
                facts,
            )
            assert row[:2] == ["self", "1×11×256"]
            assert len(row) == 6

    def test_no_number_is_cut_off_beside_long_words(self, page: Browser) -> None:
        page.resize(*PHONE)
        set_text(page, "The misunderstanding was [MASK] by the superintendent.")
        page.click('[data-view="influence"]')
        assert until(
            page, "document.querySelectorAll('[data-influence] .number').length === 2 * app.panels[0].ids.length - 6"
        )
        box = "const box = document.querySelector('.view .scroll'); return box.scrollWidth - box.clientWidth"
        assert page.run(box) == 0

    def test_a_stage_that_is_opened_is_in_sight_and_the_list_stays_where_it_was(self, page: Browser) -> None:
        page.resize(*PHONE)
        page.click('[data-view="stages"]')
        settled(page)
        places = """
            const box = document.querySelector(".tall"), [row, seen] = [box.querySelector(".chosen"), box].map(each => each.getBoundingClientRect());
            return [Math.round(box.scrollTop), seen.top <= row.top && row.bottom <= seen.bottom];"""
        assert page.run(places) == [0, True]
        top = page.run("const box = document.querySelector('.tall'); box.scrollTop = 700; return box.scrollTop")
        page.run("document.querySelector('[data-stage=\"bert.encoder.layer.0.attention.output.LayerNorm\"]').click()")
        settled(page)
        assert page.run(places) == [top, True]
        page.run("app.change('stage', () => { app.state.stage = 'bert.encoder.layer.3.output'; })")
        settled(page)
        assert page.run(places)[1]


class TestSwappedPositions:
    def test_where_a_piece_stands_and_which_position_it_is_given_are_told_apart(self, page: Browser) -> None:
        edit(page, {"swap": [2, 4]})
        assert texts(page, ".answers h3") == ["For [MASK] at place 4, with position 2’s vector"]
        assert texts(page, ".piece .swapped") == ["gets position 4", "gets position 2"]
        named = page.run("return document.querySelector('[data-piece=\"2\"]').ariaLabel")
        assert named == "shook, place 2, with position 4’s vector"
        page.click('[data-view="layers"]')
        settled(page)
        assert "(place 4, with position 2’s vector)" in texts(page, ".view h2")[0]
        page.click('[data-view="change"]')
        settled(page)
        assert texts(page, ".note") == [
            "“shook” stands at place 2, with position 4’s vector. [MASK] stands at place 4, with position 2’s vector. "
            "The network reads: [CLS] he [MASK] his shook , and said no . [SEP]"
        ]
        page.click('[data-key="language"]')
        settled(page)
        assert texts(page, ".answers h3") == ["[MASK]（位置 4，用的是位置 2 的位置向量）"]

    def test_without_positions_nothing_is_said_to_be_swapped(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        edit(page, {"swap": [2, 4], "positions": False})
        assert texts(page, ".answers h3") == ["For [MASK] at place 4"]
        assert texts(page, ".piece .swapped") == []
        assert texts(page, ".note") == ["Positions are switched off, so nothing is swapped."]


class TestGoingBack:
    def test_each_click_is_a_step_and_what_changes_nothing_is_none(self, page: Browser) -> None:
        page.run("for (const place of [1, 2, 3]) document.querySelector(`[data-piece='${place}']`).click()")
        assert page.run("return app.state.panels[0].hidden") == [1, 2, 3]
        page.run("for (let i = 0; i < 3; i++) document.querySelector('[data-view=heads]').click()")
        for hidden in ([1, 2], [1], []):
            page.run("document.querySelector('[data-key=undo]').click()")
            assert page.run("return app.state.panels[0].hidden") == hidden
        assert page.run("return app.history.past.length") == 0

    def test_the_focus_stays_among_the_tools_when_nothing_is_left_to_undo(self, page: Browser) -> None:
        page.click('[data-view="layers"]')
        page.run("document.querySelector('[data-key=undo]').focus()")
        page.press("\ue007")
        assert page.run("return [app.state.view, document.activeElement.dataset.key]") == ["heads", "redo"]

    def test_a_swap_that_is_taken_back_is_gone_from_its_boxes(self, page: Browser) -> None:
        page.click('[data-view="change"]')
        settled(page)
        for key, value in (("swap0", "2"), ("swap1", "4")):
            page.run(
                "const box = document.querySelector(`[data-key=${arguments[0]}]`); box.value = arguments[1]; box.dispatchEvent(new Event('change'))",
                key,
                value,
            )
        assert page.run("return app.state.panels[0].edits") == {"swap": [2, 4]}
        page.click('[data-key="undo"]')
        settled(page)
        boxes = "return ['swap0', 'swap1'].map(key => document.querySelector(`[data-key=${key}]`).value)"
        assert page.run(boxes) == ["-1", "-1"]

    def test_another_address_can_be_taken_back(self, page: Browser) -> None:
        set_text(page, "Is it mine?")
        page.run("location.hash = arguments[0]", quote(json.dumps({"view": "stages"})))
        assert until(page, "app.state.view === 'stages'")
        page.click('[data-key="undo"]')
        assert page.run("return [app.state.view, app.state.panels[0].text]") == ["heads", "Is it mine?"]


class TestAfterTheTour:
    def test_all_that_could_be_taken_back_before_can_be_and_nothing_else(self, page: Browser) -> None:
        set_text(page, "Is it mine?")
        page.click('[data-view="layers"]')
        page.click('[data-view="stages"]')
        page.click('[data-key="undo"]')
        before = page.run("return [app.state, app.history.past, app.history.future]")
        page.click('[data-key="tour"]')
        for _ in range(7):
            page.click('[data-tour="forward"]')
        settled(page)
        page.click('[data-switch="head0.2"]')
        page.press("\ue00c")
        settled(page)
        assert page.run("return [app.state, app.history.past, app.history.future]") == before
        page.click('[data-key="redo"]')
        assert page.run("return app.state.view") == "stages"
        for _ in range(3):
            page.click('[data-key="undo"]')
        assert page.run("return [app.state.view, app.state.panels[0].text, app.state.tour]") == [
            "heads",
            "He shook his [MASK], and said no.",
            -1,
        ]

    def test_within_a_step_undo_goes_back_to_how_it_began_and_no_further(self, page: Browser) -> None:
        set_text(page, "Is it mine?")
        page.click('[data-key="tour"]')
        page.click('[data-tour="forward"]')
        page.click('[data-piece="4"]')
        page.click('[data-piece="9"]')
        for hidden in ([], [4]):
            page.click('[data-key="undo"]')
            settled(page)
            assert page.run("return app.state.panels[0].hidden") == hidden
        assert page.run("return [app.state.tour, document.querySelector('[data-key=undo]').disabled]") == [1, True]

    def test_a_text_of_the_last_step_is_one_change(self, page: Browser) -> None:
        set_text(page, "Is it mine?")
        before = page.run("return app.state")
        page.click('[data-key="tour"]')
        for _ in range(11):
            page.click('[data-tour="forward"]')
        set_text(page, "A text of my own.")
        page.click('[data-tour="close"]')
        settled(page)
        page.click('[data-key="undo"]')
        settled(page)
        assert page.run("return app.state") == before
        page.click('[data-key="redo"]')
        assert page.run("return [app.state.panels[0].text, app.state.tour]") == ["A text of my own.", -1]

    def test_a_second_text_has_its_field_again_in_the_other_language_too(self, page: Browser) -> None:
        page.click(".quiet")
        set_text(page, "It is.", "#second-0")
        page.click('[data-key="tour"]')
        assert page.run("return document.querySelector('#second-0')") is None
        page.click('[data-key="language"]')
        page.press("\ue00c")
        settled(page)
        assert page.run("return document.querySelector('#second-0').value") == "It is."

    def test_a_model_without_a_tour_has_none_by_a_link_either(self, window: Browser, tmp_path: Path) -> None:
        out = tmp_path / "page.html"
        assert CliRunner().invoke(main, ["playground", "--model", "shici-4l-256h", "--out", str(out)]).exit_code == 0
        visit(window, out, tour=3, panels=[{"text": "白日依山尽"}])
        window.press("\ue00c")
        assert window.run("return [app.state.tour, app.state.panels[0].text]") == [-1, "白日依山尽"]
