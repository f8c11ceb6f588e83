"""Where `ELCREC_MIRROR` points: a folder, an address, or one line that says it is neither."""

from pathlib import Path

import pytest

from elcrec.data.sources import mirror
from elcrec.errors import InputError


def test_not_set(monkeypatch) -> None:
    monkeypatch.delenv("ELCREC_MIRROR", raising=False)
    assert mirror() is None


def test_folders_and_addresses(tmp_path: Path, monkeypatch) -> None:
    folder = tmp_path / "a b"
    folder.mkdir()
    for told in (str(folder), folder.as_uri(), f"file://localhost{folder}".replace(" ", "%20")):
        monkeypatch.setenv("ELCREC_MIRROR", told)
        assert mirror() == folder
    monkeypatch.setenv("ELCREC_MIRROR", "https://example.org/files")
    assert mirror() == "https://example.org/files"


@pytest.mark.parametrize("told", ["nowhere", "ftp://x/y", "file:///no/where", "~nobody/x", "a\nb"])
def test_what_is_neither(told: str, monkeypatch) -> None:
    monkeypatch.setenv("ELCREC_MIRROR", told)
    with pytest.raises(InputError, match=r"^ELCREC_MIRROR=.+: must be an existing folder"):
        mirror()


def test_a_file_is_no_folder(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ELCREC_MIRROR", str(tmp_path / "file"))
    with pytest.raises(InputError, match="must be an existing folder"):
        mirror()
