"""Print the lowest supported version of every direct dependency, as constraints for pip."""

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
EXTRAS = ("demo", "tasks", "prometheus", "opentelemetry", "postgres", "mysql")


def floors() -> list[str]:
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    requirements = project["dependencies"] + [one for extra in EXTRAS for one in extras[extra]]
    return [re.sub(r"(\[.*?\])?>=([\w.]+).*", r"==\2", requirement) for requirement in requirements]


if __name__ == "__main__":
    print("\n".join(floors()))
