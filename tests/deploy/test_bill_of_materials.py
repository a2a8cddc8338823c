"""The software bill of materials: made alike by the page and in the images, and found where the page says."""

import re

import pytest

from tests.deploy.deployed import DEPLOY, PAGE, instructions


def options(text: str) -> set[str]:
    (words,) = re.findall(r"cyclonedx-py environment ((?:[^&\n])*)", text)
    return set(re.findall(r"(?<!\S)--?[\w-]+", words))


@pytest.mark.parametrize("name", ["Containerfile", "Containerfile.jetson"])
def test_the_page_and_the_images_make_it_by_the_same_options(name: str) -> None:
    (made,) = [one.value for one in instructions(name) if "cyclonedx-py environment" in one.value]
    assert options(made) == options(PAGE) | {"--pyproject"}
    versions = [re.findall(r"'cyclonedx-bom(\S+)'", text) for text in ((DEPLOY / name).read_text(), PAGE)]
    assert versions[0] == versions[1]


@pytest.mark.parametrize("name", ["Containerfile", "Containerfile.jetson"])
def test_it_is_in_the_image_where_the_page_says(name: str) -> None:
    text = (DEPLOY / name).read_text()
    assert re.findall(r"-o (/\S+)", text) == ["/opt/sbom.cdx.json"]
    (place,) = re.findall(r"--from=build /opt/sbom.cdx.json (\S+)", text)
    assert place in PAGE
