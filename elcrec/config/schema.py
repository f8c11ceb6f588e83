"""The JSON schema of the configuration or of a model's file, for editors.

    python -m elcrec.config.schema [config | model] > FILE

The program itself does not use it: it checks with the models that the schema is made from.
"""

import json
import sys

from elcrec.config.config import ConfigFile
from elcrec.config.model_file import ModelFile
from elcrec.files.checked import Section

KINDS: dict[str, type[Section]] = {"config": ConfigFile, "model": ModelFile}


def schema(kind: str) -> str:
    """The schema of one of `KINDS`, as JSON."""
    return json.dumps(KINDS[kind].model_json_schema(), indent=2, ensure_ascii=False)


if __name__ == "__main__":
    print(schema(*(sys.argv[1:] or ["config"])))
