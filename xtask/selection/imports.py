"""The tests that an import graph of modules reaches: `imports.py TREE TRUTH SOURCES...`.

The honest closure by files: a module hangs on the modules that it imports anywhere, on the `__init__` of each package
above these, and a test on the `conftest.py` of each folder above it. Read with the standard library alone and nothing of
ours. Prints for each fault of TRUTH the numbers of the tests in the files that are reached, as a JSON list a line.
"""

import ast
import json
import pathlib
import sys


def modules(root, folders):
    """Names of modules, each with its file: a file has a name below each folder that code is imported from."""
    found = {}
    for path in sorted(root.rglob("*.py")):
        for folder in folders:
            base = root / folder
            if base in path.parents:
                parts = list(path.relative_to(base).with_suffix("").parts)
                name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
                found.setdefault(name, path.relative_to(root).as_posix())
    return found


def imported(tree, own_names, is_package):
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            bases = [node.module or ""]
            if node.level:
                bases = []
                for own in own_names:
                    parts = own.split(".")
                    parts = parts[: len(parts) - node.level + is_package]
                    bases.append(".".join(parts + ([node.module] if node.module else [])))
            for base in bases:
                yield base
                yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and "." in node.value and len(node.value) < 200:
            # A dotted string may name a module, or something in one.
            parts = node.value.split(".")
            yield from (".".join(parts[:count]) for count in range(2, len(parts) + 1))


def graph(root, folders):
    names = modules(root, folders)
    names_of = {}
    for name, path in names.items():
        names_of.setdefault(path, []).append(name)
    used = {}
    for path, own in names_of.items():
        uses = used.setdefault(path, set())
        try:
            tree = ast.parse((root / path).read_bytes())
        except (SyntaxError, ValueError):
            continue
        for name in imported(tree, own, path.endswith("__init__.py")):
            parts = name.split(".")
            if name in names:
                # To import a module runs the packages above it.
                uses.update(names[".".join(parts[:count])] for count in range(1, len(parts) + 1) if ".".join(parts[:count]) in names)
        for folder in pathlib.PurePosixPath(path).parents:
            uses.update(str(near) for near in (folder / "conftest.py", folder / "__init__.py") if str(near) in names_of)
    return used


def main():
    root, truth = pathlib.Path(sys.argv[1]), json.loads(pathlib.Path(sys.argv[2]).read_text(encoding="utf-8"))
    used = graph(root, dict.fromkeys([truth["root"], "."]))
    users = {}
    for path, uses in used.items():
        for other in uses:
            users.setdefault(other, set()).add(path)
    for fault in truth["faults"]:
        reached, queue = {fault["file"]}, [fault["file"]]
        while queue:
            for path in users.get(queue.pop(), ()):
                if path not in reached:
                    reached.add(path)
                    queue.append(path)
        print(json.dumps([n for n, test in enumerate(truth["tests"]) if test[0].split("::")[0] in reached]))


if __name__ == "__main__":
    main()
