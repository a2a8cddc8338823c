"""The model card that a bundle carries."""

from edge.bundle import Manifest
from train.config import Config

CARD = """\
# {name} {version}

Foal-Net (Li et al., Interspeech 2024) with small encoders: {labels}.
Made with torch {torch}.

## What it hears and sees
The last {window_s:g} s of sound at {rate_hz} Hz, and {frames} pictures ({picture_hz:g} a second) of
{width} x {height} pixels, framing `{framing}`. Either may be missing.

## Trained on
{corpora}

Voices and faces are **from different people**: a pair for the fusion is a voice and a face of one label. The model
has never seen a person and heard the same person at once, and its AVEL and MEM tasks learnt from such pairs.
The voices are acted. The faces are labelled by how they look to others.

Kept out of training, for validation: {validation}; for the test: {test}.
The corpus of faces has a public test part; every other picture of it is validation, the rest test, and training
pictures that recur in it are left out. The recipe was chosen by the validation part; within a run no epoch is chosen,
the last one counts.

## Measured
UA is the mean of the classes' recalls, WA the share that is right, ECE the calibration error over 15 bins, all in
percent; confidences are calibrated on the validation part (temperature {temperature:.3f}).
`both` are pairs of one voice and one face, neither of which was trained on.

{table}

Made by `python -m train fit --config configs/{config}.yaml`, which prints these figures at its end.

## Not for
Emotion as it looks and sounds to others is not what a person feels. Not for decisions about people, not for work or
education (the EU AI Act, article 5, forbids emotion recognition there), not without telling those it watches.

## Licences
Code {code}. Weights: {weights}.
"""

LICENCE = """\
The weights in this folder ({name} {version}: the ONNX files and what is derived from them)
are licensed as follows:

    {weights}

The terms follow from those of the recordings that the weights were trained on, none of which is included:

{corpora}

CC BY-NC-SA 4.0 is at https://creativecommons.org/licenses/by-nc-sa/4.0/legalcode: give credit, do not use the weights
for commercial purposes, and share what you make of them under the same terms. They come without any warranty.
The code that made and runs them is under {code}.
"""


def licence(manifest: Manifest) -> str:
    """The terms of a bundle's weights."""
    return LICENCE.format(
        name=manifest.name,
        version=manifest.version,
        weights=manifest.licences.weights,
        corpora="\n".join(f"- {corpus}" for corpus in manifest.trained_on),
        code=manifest.licences.code,
    )


def card(manifest: Manifest, config: Config, torch_version: str) -> str:
    """Markdown about a bundle, from its manifest and the configuration that it was trained by."""
    rows = [
        f"| {name} | {row['count']:.0f} | {100 * row['ua']:.1f} | {100 * row['wa']:.1f} | {100 * row['ece']:.1f} |"
        for name, row in manifest.measured.items()
    ]
    return CARD.format(
        name=manifest.name,
        version=manifest.version,
        labels=", ".join(manifest.labels),
        torch=torch_version,
        window_s=manifest.sound.window_s,
        rate_hz=manifest.sound.rate_hz,
        frames=manifest.frames,
        picture_hz=manifest.picture.rate_hz,
        width=manifest.picture.width,
        height=manifest.picture.height,
        framing=manifest.picture.framing,
        corpora="\n".join(f"- {corpus}" for corpus in manifest.trained_on),
        validation=", ".join(config.data.validation_speakers),
        test=", ".join(config.data.test_speakers),
        temperature=manifest.temperature,
        table="\n".join(["| | count | UA % | WA % | ECE % |", "|---|---|---|---|---|", *rows]),
        config=manifest.name.removeprefix("foal-"),
        code=manifest.licences.code,
        weights=manifest.licences.weights,
    )
