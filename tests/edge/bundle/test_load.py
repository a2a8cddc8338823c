"""What a bundle must be to be loaded; every refusal names what was found and the remedy."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edge.bundle.load import SHIPPED, load, sha256
from edge.bundle.manifest import File, Manifest, encode_manifest
from edge.errors import BundleError

AGAIN = "take the bundle again or export it again"


def edit(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    document = json.loads((folder / "manifest.json").read_text())
    change(document)
    (folder / "manifest.json").write_text(json.dumps(document))


def refusal(folder: Path) -> str:
    with pytest.raises(BundleError) as refused:
        load(folder)
    return str(refused.value)


def test_a_bundle_loads_as_its_manifest_says(bundle_folder: Path, manifest: Manifest) -> None:
    bundle = load(bundle_folder)
    assert (bundle.manifest.labels, bundle.manifest.audio, bundle.manifest.video) == (
        manifest.labels,
        manifest.audio,
        manifest.video,
    )
    assert bundle.path(bundle.manifest.golden).read_bytes() == b"golden.npz"


def test_a_window_holds_rate_times_seconds(manifest: Manifest) -> None:
    assert (manifest.audio.samples, manifest.frames) == (2000, 10)


def test_a_token_is_an_even_share_of_the_window(manifest: Manifest) -> None:
    assert manifest.token_s == 0.5


def test_a_bundle_that_knows_a_voice_loads_as_its_manifest_says(bundle_folder, voice_manifest) -> None:
    """Its audio encoder has one output more."""
    document = msgspec.to_builtins(voice_manifest)

    def change(written: dict[str, Any]) -> None:
        written["voice"] = document["voice"]
        written["graphs"]["audio_encoder"]["outputs"] = document["graphs"]["audio_encoder"]["outputs"]

    edit(bundle_folder, change)
    assert load(bundle_folder).manifest.voice == voice_manifest.voice


def test_a_manifest_without_a_voice_says_nothing_of_it(manifest: Manifest) -> None:
    assert b"voice" not in encode_manifest(manifest)


def test_the_shipped_bundle_is_sound() -> None:
    bundle = load(SHIPPED)
    assert bundle.manifest.name == "foal-nano"
    assert {file.name for file in SHIPPED.iterdir()} >= {"README.md", "manifest.json", "golden.npz"}
    assert len(set(bundle.manifest.labels)) == len(bundle.manifest.labels)


def test_a_folder_without_a_manifest(tmp_path: Path) -> None:
    assert refusal(tmp_path / "nowhere") == (
        f"no bundle at {tmp_path / 'nowhere'}: it has no manifest.json; python -m export bundle makes one"
    )


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b"\xff\xfe", b'{"schema": "1"}', b"null", b"{}"])
def test_a_damaged_manifest(bundle_folder: Path, text: bytes) -> None:
    (bundle_folder / "manifest.json").write_bytes(text)
    message = refusal(bundle_folder)
    assert message.startswith(f"{bundle_folder / 'manifest.json'} is damaged: ")
    assert message.endswith(AGAIN)


@pytest.mark.parametrize(
    ("schema", "remedy"), [(2, "update foal-edge"), (99, "update foal-edge"), (0, "export the checkpoint again")]
)
def test_another_schema_is_named_even_where_its_fields_are_unknown(
    bundle_folder: Path, schema: int, remedy: str
) -> None:
    edit(bundle_folder, lambda document: document.update(schema=schema, novelty=1))
    assert refusal(bundle_folder) == (
        f"{bundle_folder / 'manifest.json'} has schema {schema}, this program reads schema 1; {remedy}"
    )


@pytest.mark.parametrize("part", [(), ("sound",), ("picture",), ("graphs",), ("graphs", "fusion"), ("golden",)])
def test_an_unknown_field_is_named_wherever_it_stands(bundle_folder: Path, part: tuple[str, ...]) -> None:
    def add_field(document: dict[str, Any]) -> None:
        for key in part:
            document = document[key]
        document["novelty"] = 1

    edit(bundle_folder, add_field)
    message = refusal(bundle_folder)
    assert "novelty" in message
    assert message.endswith(AGAIN)


@pytest.mark.parametrize("field", ["name", "labels", "sound", "graphs", "temperature", "licences"])
def test_a_missing_field_is_named(bundle_folder: Path, field: str) -> None:
    edit(bundle_folder, lambda document: document.pop(field))
    assert f"it lacks {field!r}" in refusal(bundle_folder)


@pytest.mark.parametrize("name", ["image_encoder.onnx", "audio_encoder.onnx", "fusion.onnx", "golden.npz"])
def test_a_missing_file_is_named(bundle_folder: Path, name: str) -> None:
    (bundle_folder / name).unlink()
    assert refusal(bundle_folder) == f"{bundle_folder / name} is missing; {AGAIN}"


@pytest.mark.parametrize("name", ["image_encoder.onnx", "audio_encoder.onnx", "fusion.onnx", "golden.npz"])
def test_a_file_with_another_hash_is_named_with_both(bundle_folder: Path, name: str) -> None:
    said = sha256(bundle_folder / name)
    (bundle_folder / name).write_bytes(b"something else")
    found = sha256(bundle_folder / name)
    assert refusal(bundle_folder) == (
        f"{bundle_folder / name} is damaged: its sha256 is {found}, manifest.json says {said}; {AGAIN}"
    )


@pytest.mark.parametrize("path", ["../golden.npz", "a/../../golden.npz", "/etc/passwd", "..\\golden.npz", ".."])
def test_a_path_that_leaves_the_bundle(bundle_folder: Path, path: str) -> None:
    shutil.copy(bundle_folder / "golden.npz", bundle_folder.parent)
    edit(bundle_folder, lambda document: document["golden"].update(path=path))
    assert refusal(bundle_folder) == (
        f"{bundle_folder / 'manifest.json'} names {path!r}, which leaves the bundle; do not use this bundle"
    )


def test_a_path_that_no_file_can_have(bundle_folder: Path) -> None:
    edit(bundle_folder, lambda document: document["golden"].update(path="golden\0.npz"))
    assert "golden" in refusal(bundle_folder)


def test_a_link_that_leaves_the_bundle(bundle_folder: Path) -> None:
    shutil.move(bundle_folder / "golden.npz", bundle_folder.parent / "golden.npz")
    (bundle_folder / "golden.npz").symlink_to(bundle_folder.parent / "golden.npz")
    assert refusal(bundle_folder) == (
        f"{bundle_folder / 'golden.npz'} is a link that leaves the bundle; do not use this bundle"
    )


def test_a_bundle_may_itself_be_reached_by_a_link(bundle_folder: Path) -> None:
    link = bundle_folder.parent / "link"
    link.symlink_to(bundle_folder)
    assert load(link).folder == link


def test_no_labels(bundle_folder: Path) -> None:
    edit(bundle_folder, lambda document: document.update(labels=[]))
    assert refusal(bundle_folder) == (
        f"{bundle_folder / 'manifest.json'} is damaged: labels: found [], expected a list that is not empty; {AGAIN}"
    )


@pytest.mark.parametrize("labels", [["calm"], ["calm", "glad", "sad"]])
def test_labels_that_are_not_as_many_as_the_logits(bundle_folder: Path, labels: list[str]) -> None:
    edit(bundle_folder, lambda document: document.update(labels=labels))
    assert refusal(bundle_folder) == (
        f"tiny has {len(labels)} labels ({', '.join(labels)}) for 2 logits; export the checkpoint again"
    )


def test_the_hash_is_that_of_the_content(tmp_path: Path) -> None:
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_paths_are_relative_to_the_bundle(bundle_folder: Path) -> None:
    assert load(bundle_folder).path(File("a/b.onnx", "")) == bundle_folder / "a" / "b.onnx"
