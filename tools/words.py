"""Check the spelling of code and documents with codespell, and the words of documents and messages with words.txt.

usage: words.py [--list]

--list prints every message and help text of the package, to be read in one go.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PROSE = (
    "README.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs/*.md",
    "docs/decisions/*.md",
    "docs/tutorials/*.md",
    "recipes/*/README.md",
    "conf/*.yaml",
)
SPELLED = (
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "SECURITY.md",
    "docs",
    "recipes",
    "asr_s2s",
    "tools",
    "tests",
)
QUOTED = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)  # commands, outputs, names


def main() -> int:
    if sys.argv[1:] == ["--list"]:
        for place, text in messages():
            print(f"{place}: {text}")
        return 0
    spelling = subprocess.run([sys.executable, "-m", "codespell_lib", *SPELLED], cwd=ROOT, check=False).returncode
    better = dict(line.split(": ", 1) for line in (ROOT / "tools/words.txt").read_text().splitlines() if ": " in line)
    pattern = re.compile(rf"\b({'|'.join(map(re.escape, better))})\b", re.IGNORECASE)
    found = [
        f"{place}: '{match[0]}', better {better[match[0].lower()]}"
        for place, text in [*prose(), *messages()]
        for match in pattern.finditer(text)
    ]
    print("".join(f"{line}\n" for line in found), end="")
    return 1 if spelling or found else 0


def prose() -> Iterator[tuple[str, str]]:
    """List the lines of the documents, without what stands in code font."""
    for path in sorted(path for pattern in PROSE for path in ROOT.glob(pattern)):
        text = QUOTED.sub(lambda match: "\n" * match[0].count("\n"), path.read_text(encoding="utf-8"))
        for number, line in enumerate(text.splitlines(), start=1):
            yield f"{path.relative_to(ROOT)}:{number}", line


def messages() -> Iterator[tuple[str, str]]:
    """List the strings of the package that are sentences, but no docstrings."""
    for path in sorted((ROOT / "asr_s2s").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            is_text = isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
            if is_text and re.search(r"[a-z] [a-z]", node.value):
                yield f"{path.relative_to(ROOT)}:{node.lineno}", node.value


if __name__ == "__main__":
    sys.exit(main())
