"""Print a fenced code block of README.md, counted from 1, so that CI runs what the README says."""

import re
import sys
from pathlib import Path

README = Path(__file__).resolve().parent.parent / "README.md"


def code_blocks(text: str) -> list[str]:
    return re.findall(r"^```[a-z]*\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


if __name__ == "__main__":
    print(code_blocks(README.read_text(encoding="utf-8"))[int(sys.argv[1]) - 1].strip())
