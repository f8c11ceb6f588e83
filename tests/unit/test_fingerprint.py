"""The hash of the training code: comments do not count, code does."""

import pytest

from elcrec.fingerprint import code_of, fingerprint

MODEL = '''
"""Docstring."""
from elcrec.losses import next_item_loss


class Model:
    """What it is."""

    width: int = 3
    """A field."""

    def loss(self, batch):
        """Doc."""
        return 2 * self.width  # twice
'''


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(MODEL)
    return path


def test_comments_docstrings_and_layout_do_not_change_it(model):
    before = fingerprint(str(model))
    changed = MODEL.replace("# twice", "# doubled").replace("Docstring.", "Other.")
    model.write_text(changed.replace("What it is.", "Else.") + "\n\n# end\n")
    assert fingerprint(str(model)) == before


def test_code_changes_it(model):
    before = fingerprint(str(model))
    model.write_text(MODEL.replace("2 * self", "3 * self"))
    assert fingerprint(str(model)) != before


def test_models_differ():
    names = ["elcrec.model", "baselines.sasrec", "baselines.iclrec", "baselines.popularity"]
    assert len({fingerprint(name) for name in names}) == 4


def test_a_class_of_docstrings_only_is_still_code(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('class A:\n    """Only words."""\n')
    assert "Pass" in code_of(path)
