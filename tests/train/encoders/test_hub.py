"""Pre-trained weights on the hub: cached, answered for, or named with the command that fetches them."""

from pathlib import Path

import huggingface_hub
import pytest

from edge.errors import UsageError
from train.encoders.hub import PATIENCE_S, check_available


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def refuse(repository: str, timeout: float) -> None:
    raise ConnectionError(f"{repository} did not answer in {timeout} s\nand more")


def test_what_is_cached_is_not_asked_for(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "model_info", refuse)
    model = cache / "models--some--model"
    (model / "refs").mkdir(parents=True)
    (model / "refs" / "main").write_text("1234")
    (model / "snapshots" / "1234").mkdir(parents=True)
    (model / "snapshots" / "1234" / "second.bin").touch()
    check_available("some/model", ["first.bin", "second.bin"], "part.weights")
    with pytest.raises(UsageError):
        check_available("some/model", ["first.bin"], "part.weights")


def test_a_hub_that_answers_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(huggingface_hub, "model_info", lambda name, timeout: asked.append((name, timeout)))
    check_available("some/model", ["config.json"], "part.weights")
    assert asked == [("some/model", PATIENCE_S)]


@pytest.mark.parametrize(("file", "path"), [("", "DIR there"), ("model.bin", "DIR/model.bin there")])
def test_a_hub_that_does_not_answer_is_an_error_that_says_what_to_do(
    file: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(huggingface_hub, "model_info", refuse)
    with pytest.raises(UsageError) as caught:
        check_available("some/model", ["config.json"], "part.weights", file)
    assert str(caught.value) == (
        "part.weights: some/model is neither on this machine nor available from the Hugging Face hub "
        f"(some/model did not answer in {PATIENCE_S} s); where there is a network run "
        "`hf download some/model --local-dir DIR`, copy DIR to this machine and set part.weights to the path of "
        f"{path}"
    )


def test_a_path_is_no_name() -> None:
    with pytest.raises(UsageError, match=r"part\.weights: /a/path is neither a path here nor a name"):
        check_available("/a/path", ["config.json"], "part.weights")
