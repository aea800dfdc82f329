from pathlib import Path


def test_the_guide_has_a_heading():
    guide = Path(__file__).parent.parent / "docs" / "guide.md"
    assert guide.read_text(encoding="utf-8").startswith("# ")
