"""Model card and licence of a bundle."""

import msgspec

from edge.bundle.manifest import Manifest
from train.checkpoint import Ancestor
from train.config import Clips, Config, NanoAudio

TEMPLATE = """\
# {name} {version}

Foal-Net (Li et al., Interspeech 2024) with small encoders: {labels}.
Made with torch {torch}. {precision}

## What it hears and sees
The last {window_s:g} s of audio at {rate_hz} Hz, and {frames} frames ({picture_hz:g} a second) of
{width} x {height} pixels, framing `{framing}`. Either may be missing.{voice}

## Trained on
{corpora}

{recipe}

## Measured
UA is the mean of the classes' recalls, WA the share that is right, ECE the calibration error over 15 bins, all in
percent; confidences are calibrated on the validation part (temperature {temperature:.3f}).
{both}

{table}

Made by `python -m train fit --config configs/{config}.yaml{start}`, which prints these figures at its end.

## Not for
Emotion as it looks and sounds to others is not what a person feels. Not for decisions about people, not for work or
education (the EU AI Act, article 5, forbids emotion recognition there), not without telling those it watches.

## Licences
Code {code}. Weights: {weights}.
"""

VOICE = """
It knows a voice (speech, laughter, crying) from other sound: a window with less than {least_s:g} s of it, at a
probability of {threshold:g} or more, counts as one without audio."""

VOICES_AND_FACES = """\
Voices and faces are **from different people**: a pair for the fusion is a voice and a face of one label. The model
has never seen a person and heard the same person at once, and its AVEL and MEM tasks learnt from such pairs.
The voices are acted. The faces are labelled by how they look to others.

Not in it: children's voices, old voices, feelings that nobody acted, other languages than the above. How it fares in a
language that it never heard, and among noise, the field test says (docs/field.md).

Kept out of training, for validation: {validation}; for the test: {test}.
The corpus of faces has a public test part; every other image of it is validation, the rest test, and training
images that recur in it are left out. The recipe was chosen by the validation part; within a run no epoch is chosen,
the last one counts."""
VOICES_AND_FACES_BOTH = "`both` are pairs of one voice and one face, neither of which was trained on."

CLIPS = """\
Clips with audio and video: {used}. {trained}
One fold of the corpus was left out for the test; another trained nothing, chose the epoch and calibrated the
confidences."""
CLIPS_TRAINED = """The image encoder is frozen; the audio encoder and
the fusion were trained together."""
CLIPS_FROZEN = """Both encoders are those of {ancestor}, frozen; the fusion
was trained on from its weights."""
CLIPS_BOTH = "`both` are clips of the fold in question, `audio` and `video` the same clips without video or audio."

LOWER_PRECISION = """\
{graphs} in {precision}, but for what the manifest lists as
`kept_fp32`{others}. On {windows} windows of the validation part, a third of them without video and a third
without audio, their UA is {ua:.1f} %, in fp32 {ua_fp32:.1f} %; the probabilities differ from those of fp32 by
{mean:.4f} on average, {largest:.4f} at most. The figures under Measured are those of fp32."""

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
    """Return the text about the licence of a bundle's weights."""
    return LICENCE.format(
        name=manifest.name,
        version=manifest.version,
        weights=manifest.licences.weights,
        corpora="\n".join(f"- {corpus}" for corpus in manifest.trained_on),
        code=manifest.licences.code,
    )


def describe_precision(manifest: Manifest) -> str:
    """Return a sentence about the precision of a bundle and its effect."""
    found = manifest.compared
    if found is None:
        return "The graphs are in fp32."
    lowered = {name: graph.precision for name, graph in manifest.graphs.by_name().items() if graph.precision != "fp32"}
    are_all = len(lowered) == len(manifest.graphs.by_name())
    return LOWER_PRECISION.format(
        graphs="The graphs are"
        if are_all
        else f"Of the graphs, {' and '.join(lowered)} {'is' if len(lowered) == 1 else 'are'}",
        precision=next(iter(lowered.values())),
        others="" if are_all else ", the others in fp32",
        windows=found.windows,
        ua=100 * found.ua,
        ua_fp32=100 * found.ua_fp32,
        mean=found.mean_difference,
        largest=found.largest_difference,
    )


def describe_voice(manifest: Manifest) -> str:
    """Return a sentence about what the audio encoder does without a voice; nothing where it knows none."""
    return VOICE.format(**msgspec.structs.asdict(manifest.voice)) if manifest.voice else ""


def used_of_frames(recipe: Clips) -> str:
    """Return a clause about what of the clips' frames is used."""
    if recipe.people > 1:
        return (
            f"of up to {recipe.people} people in the frame, the one whose mouth goes\n"
            "with the voice is used, and no frame where nobody's does"
        )
    return "only the speaker's half of the frame is used" if recipe.speaker_half else "the whole frame is used"


def model_card(manifest: Manifest, config: Config, torch_version: str, ancestor: Ancestor | None = None) -> str:
    """Return the model card in Markdown, from the manifest, the configuration and what the training began with."""
    rows = [
        f"| {name} | {row['count']:.0f} | {100 * row['ua']:.1f} | {100 * row['wa']:.1f} | {100 * row['ece']:.1f} |"
        for name, row in manifest.measured.items()
    ]
    if isinstance(config.recipe, Clips):
        is_frozen = isinstance(config.audio_encoder, NanoAudio)
        trained = CLIPS_FROZEN.format(ancestor=ancestor.name) if ancestor and is_frozen else CLIPS_TRAINED
        recipe, both = CLIPS.format(used=used_of_frames(config.recipe), trained=trained), CLIPS_BOTH
    else:
        validation, test = (
            ", ".join(names) for names in (config.recipe.validation_speakers, config.recipe.test_speakers)
        )
        recipe, both = VOICES_AND_FACES.format(validation=validation, test=test), VOICES_AND_FACES_BOTH
    return TEMPLATE.format(
        name=manifest.name,
        version=manifest.version,
        labels=", ".join(manifest.labels),
        torch=torch_version,
        precision=describe_precision(manifest),
        voice=describe_voice(manifest),
        window_s=manifest.audio.window_s,
        rate_hz=manifest.audio.rate_hz,
        frames=manifest.frames,
        picture_hz=manifest.video.rate_hz,
        width=manifest.video.width,
        height=manifest.video.height,
        framing=manifest.video.framing,
        corpora="\n".join(f"- {corpus}" for corpus in manifest.trained_on),
        recipe=recipe,
        both=both,
        temperature=manifest.temperature,
        table="\n".join(["| | count | UA % | WA % | ECE % |", "|---|---|---|---|---|", *rows]),
        config=config.name.removeprefix("foal-"),
        start=f" --from {ancestor.name.rpartition(' ')[0]}" if ancestor else "",
        code=manifest.licences.code,
        weights=manifest.licences.weights,
    )
