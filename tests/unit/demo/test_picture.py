import re
import xml.etree.ElementTree as ET

from deployments import ROOT
from tests.pictures.demo import picture_of

_OUTPUT = """\
first
\x1b[2mYour deployment will proceed when the active deployment completes.\x1b[0m
cut
cut as well

\x1b[1mDeployment     Correlation id\x1b[0m
\x1b[1;32mAll 12 expectations are met.\x1b[0m
"""


def test_the_demos_picture_leaves_out_the_middle_and_fetches_nothing() -> None:
    picture = picture_of(_OUTPUT)
    said = " ".join("".join(ET.fromstring(picture).itertext()).replace("\xa0", " ").split())  # noqa: S314 - our own text
    assert "will proceed" in said
    assert "2 lines later" in said
    assert "All 12 expectations are met." in said
    assert "cut as well" not in said
    assert "url(" not in picture.replace("url(#", "")


def test_the_picture_in_the_readme_is_of_a_demo_that_met_its_expectations() -> None:
    picture = (ROOT / "docs" / "pictures" / "demo.svg").read_text(encoding="utf-8").replace("&#160;", " ")
    assert re.search(r"All \d+ expectations are met\.", picture)
    assert "✘" not in picture
