"""JSON schemas of the YAML files, for editors: `python -m elcrec.config.schema` writes them.

The program does without: what it allows is said by the models that these are made of.
"""

from __future__ import annotations

import json
from pathlib import Path

from elcrec import ROOT
from elcrec.config.config import Asked
from elcrec.config.model_file import ModelFile
from elcrec.files.atomic import write_text

FOLDER = ROOT / "workflow" / "schemas"


def schemas() -> dict[Path, str]:
    """The content of every schema, by its file."""
    made = {"config": Asked.model_json_schema(), "model": ModelFile.model_json_schema()}
    return {
        FOLDER / f"{name}.schema.json": json.dumps(schema, indent=1, ensure_ascii=False) + "\n"
        for name, schema in made.items()
    }


if __name__ == "__main__":
    for path, text in schemas().items():
        write_text(path, text)
