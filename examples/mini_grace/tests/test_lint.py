"""What can be said of the code without running it: the `lint` bundle."""

import ast
from pathlib import Path

ROOT = Path(__file__).parent.parent
LONGEST_LINE = 100
FILES = sorted(path for top in ("backend", "tests") for path in (ROOT / top).rglob("*.py"))


def shown(path):
    return path.relative_to(ROOT).as_posix()


def imported_names(tree):
    """Each name that an import binds, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield (name.asname or name.name).split(".")[0], node.lineno
        elif isinstance(node, ast.ImportFrom) and node.module != "__future__":
            for name in node.names:
                yield name.asname or name.name, node.lineno


def used_names(tree):
    """Each name that is read, also in annotations that are written as strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_every_file_compiles_and_stays_within_its_lines():
    long = []
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        compile(text, shown(path), "exec")
        lines = enumerate(text.splitlines(), 1)
        long += [f"{shown(path)}:{number}" for number, line in lines if len(line) > LONGEST_LINE]
    assert not long


def test_every_file_uses_what_it_imports():
    unused = []
    for path in FILES:
        if path.name == "__init__.py":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        used = set(used_names(tree))
        for name, line in imported_names(tree):
            if name not in used:
                unused.append(f"{shown(path)}:{line} {name}")
    assert not unused
