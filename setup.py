"""What pyproject.toml cannot say: files of the checkout that a wheel holds inside of `elcrec`.

They lie in elcrec/shipped/ there, and are found by `elcrec.ROOT`. `pip install -e` copies nothing.
"""

from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = (
    "workflow/config/**/*.yaml",
    "workflow/paper/*.csv",
    "docs/findings.md",  # the report shows its headings
    "results/recorded/*.csv",
    "results/recorded/*/runs/*/*/*/[!.i]*",  # not intents.npz, which only a figure needs
)


DataFiles = list[tuple[str, str, str, list[str]]]
"""Package, folder, folder in the wheel, names."""


class BuildPy(build_py):
    """Data files of `elcrec` are also those of `SHIPPED`, in a wheel and in an sdist."""

    def _get_data_files(self) -> DataFiles:
        return [*super()._get_data_files(), *self._shipped()]

    def get_data_files_without_manifest(self) -> DataFiles:  # noqa: D102 (of setuptools)
        return [*super().get_data_files_without_manifest(), *self._shipped()]

    def _shipped(self) -> DataFiles:
        files = sorted(path for pattern in SHIPPED for path in Path().glob(pattern))
        target = Path(self.build_lib) / "elcrec" / "shipped"
        return [("elcrec", str(f.parent), str(target / f.parent), [f.name]) for f in files]


setup(cmdclass={"build_py": BuildPy})
