"""The hash of the training code: comments do not count, code does."""

import pytest

from elcrec.runs.fingerprint import code_of, fingerprint

MODEL = '''
"""Docstring."""
from elcrec.models.losses import next_item_loss


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
    names = ["elcrec.models.elcrec", "baselines.sasrec", "baselines.iclrec", "baselines.popularity"]
    assert len({fingerprint(name) for name in names}) == 4


def test_a_class_of_docstrings_only_is_still_code(tmp_path):
    path = tmp_path / "x.py"
    path.write_text('class A:\n    """Only words."""\n')
    assert "Pass" in code_of(path)


def test_the_text_of_the_code_does_not_depend_on_the_version_of_python(tmp_path):
    path = tmp_path / "x.py"
    path.write_text("def f(a, *, b=None) -> int:\n    return a[1:]\n")
    assert code_of(path) == (
        "Module(body=[FunctionDef(name='f', args=arguments(args=[arg(arg='a')], "
        "kwonlyargs=[arg(arg='b')], kw_defaults=[Constant()]), body=[Return(value=Subscript("
        "value=Name(id='a', ctx=Load()), slice=Slice(lower=Constant(value=1)), ctx=Load()))], "
        "returns=Name(id='int', ctx=Load()))])"
    )
