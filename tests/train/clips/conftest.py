"""A made IEMOCAP, the smallest configurations of clips, `python -m train`, and what its longer commands leave."""

import json
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace as changed
from pathlib import Path
from typing import NamedTuple

import open_clip
import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from tests.train import made, made_clips
from train import config
from train.cli.main import main
from train.clips import compare
from train.clips.crossval import RATES_HZ, Experiment
from train.config import Clip, Config, Fusion, Schedule, WavLM
from train.processes import SINGLE_PROCESS

ROOT = Path(__file__).parents[3]
ARCHITECTURE, SIDE, WIDTH = "dwarf-vit", 32, 16
WINDOW_S, RATE_HZ = 2.0, 10.0
KILLED = """
import itertools, os, runpy, signal, sys
import open_clip

architectures, spared = sys.argv[1:3]
del sys.argv[1:3]
open_clip.add_model_config(architectures)
replace, count = os.replace, itertools.count()

def replace_or_die(*paths):
    if next(count) == int(spared):
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*paths)

os.replace = replace_or_die
runpy.run_module("train", run_name="__main__")
"""
"""`python -m train`, killed when a file that it has written is about to be put in its place."""


class Done(NamedTuple):
    """What a command left, and how it is given again."""

    run: Path
    embeddings: Path
    output: str
    command: list[str]


def train(*arguments: object) -> str:
    """What `python -m train` prints, in this process."""
    said = [str(argument) for argument in arguments]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["train", *said])
        result = CliRunner().invoke(main, said, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def train_and_kill(architectures: Path, spared: int, command: Sequence[str]) -> None:
    """The command in a process of its own, killed after so many files."""
    process = [sys.executable, "-c", KILLED, str(architectures), str(spared), *command]
    ended = subprocess.run(process, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr


def do(name: str, chosen: Config, data: Path, folder: Path, *options: object) -> Done:
    """One command, all of whose files lie in a folder."""
    path = made.write_config(folder / f"{chosen.name}.yaml", chosen)
    run, embeddings = folder / "run", folder / "embeddings"
    command = [name, "--config", path, "--data", data, "--run", run, "--embeddings", embeddings, *options]
    said = list(map(str, command))
    return Done(run, embeddings, train(*said), said)


def elsewhere(done: Done, *, run: Path | None = None, embeddings: Path | None = None) -> list[str]:
    """The same command with other folders."""
    others = {str(done.run): run or done.run, str(done.embeddings): embeddings or done.embeddings}
    return [str(others.get(part, part)) for part in done.command]


def files(folder: Path, pattern: str = "*.safetensors") -> dict[str, bytes]:
    """What a folder's files hold."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob(pattern))}


@pytest.fixture(scope="session", autouse=True)
def architectures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an image encoder's tiny architecture, made known to open_clip."""
    folder = tmp_path_factory.mktemp("architectures")
    vision = {"image_size": SIDE, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16}
    text = {"context_length": 8, "vocab_size": 64, "width": 16, "heads": 2, "layers": 1}
    described = {"embed_dim": WIDTH, "vision_cfg": vision, "text_cfg": text}
    (folder / f"{ARCHITECTURE}.json").write_text(json.dumps(described))
    open_clip.add_model_config(folder)
    return folder


@pytest.fixture(scope="session")
def release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five sessions of ten utterances."""
    return made_clips.iemocap(tmp_path_factory.mktemp("iemocap"), dialogs=["F_impro01"])


@pytest.fixture(scope="session")
def short_release(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sessions of ten utterances, as few as can be cross-validated."""
    return made_clips.iemocap(tmp_path_factory.mktemp("short_iemocap"), sessions=3, dialogs=["F_impro01"])


@pytest.fixture(scope="session")
def dwarf() -> Config:
    """`configs/base.yaml` with random encoders of small widths, and two epochs of two steps."""
    base = config.load(ROOT / "configs" / "base.yaml")
    stage = Schedule(epochs=2, batch=8, draws=16, learning_rate=1e-2, save_steps=1)
    return replace(
        base,
        name="foal-dwarf",
        audio=replace(base.audio, window_s=WINDOW_S),
        video=replace(base.video, height=SIDE, width=SIDE, rate_hz=RATE_HZ),
        audio_encoder=WavLM("random", width=32, layers=1, heads=2, feed_forward=64, norm="layer", stem_width=16),
        image_encoder=Clip(ARCHITECTURE, "random", WIDTH),
        fusion=Fusion(embedding=32, heads=2, layers=1),
        recipe=replace(config.clips(base), speaker_half=True, stage=stage),
    )


@pytest.fixture(scope="session")
def eager(dwarf: Config) -> Config:
    """One that learns the made corpus within seconds."""
    recipe = config.clips(dwarf)
    stage = replace(recipe.stage, epochs=8, draws=None, save_steps=None)
    audio = replace(dwarf.audio, window_s=1.0)
    return replace(dwarf, name="foal-eager", audio=audio, recipe=replace(recipe, stage=stage))


@pytest.fixture(scope="session")
def ablated(dwarf: Config, short_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("ablate", dwarf, short_release, tmp_path_factory.mktemp("ablated"), "--seeds", 1)


@pytest.fixture(scope="session")
def crossed(dwarf: Config, short_release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("crossval", dwarf, short_release, tmp_path_factory.mktemp("crossed"), "--seeds", 2)


@pytest.fixture(scope="session")
def fitted(eager: Config, release: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    return do("fit", eager, release, tmp_path_factory.mktemp("fitted"), "--fold", "Session2")


@pytest.fixture(scope="session")
def dwarf_experiment(dwarf: Config, short_release: Path, ablated: Done) -> Experiment:
    """That of the ablation."""
    folder = ablated.run / "ablation"
    return compare.prepare(dwarf, short_release, folder, ablated.embeddings, SINGLE_PROCESS, False, max(RATES_HZ))[0]


@pytest.fixture
def experiment(dwarf_experiment: Experiment, tmp_path: Path) -> Experiment:
    """The same, on which nothing was run."""
    return changed(dwarf_experiment, folder=tmp_path / "run")


@pytest.fixture(scope="session")
def eager_bench(eager: Config, release: Path, fitted: Done) -> Experiment:
    """That of the fit."""
    return compare.prepare(eager, release, fitted.run, fitted.embeddings, SINGLE_PROCESS, False)[0]
