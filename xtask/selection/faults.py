"""Lists faults that are seeded into a package: `faults.py TREE SOURCES TESTS SEED`.

A fault is facts alone: a file, edits by byte offset (how much is taken out, and what of ours is put in), an operator and
a stratum. How many of each stratum there are stands fixed here, and chance has a fixed seed, so the list of a tree is
always the same. Prints one fault a line as JSON.
"""

import ast
import json
import pathlib
import random
import re
import sys

# Of the main strata, so many in all; the others are apart from them and come as far as the package has any.
MAIN = 60
SHARES = {"body": 0.65, "import": 0.25, "helper": 0.10}
APART = {"data": 4, "config": 3, "deleted": 3, "renamed": 4, "override": 3}
SWAPPED = {"==": "!=", "!=": "==", "<": ">=", ">": "<=", "<=": ">", ">=": "<", "is": "is not", "is not": "is", "in": "not in", "not in": "in"}
DATA = {".txt", ".json", ".html", ".md", ".xml", ".yaml", ".yml", ".csv", ".cfg", ".ini", ".sql", ".css", ".toml"}


class Source:
    """One file of Python, its syntax tree, and where a node stands in bytes."""

    def __init__(self, root, path):
        self.path = path
        self.data = (root / path).read_bytes()
        self.tree = ast.parse(self.data)
        self.starts = [0]
        for line in self.data.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def begin(self, node):
        return self.starts[node.lineno - 1] + node.col_offset

    def end(self, node):
        return self.starts[node.end_lineno - 1] + node.end_col_offset

    def text(self, start, end):
        return self.data[start:end].decode()


def is_docstring(node, parent):
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        and getattr(parent, "body", [None])[0] is node
    )


def is_fixture(node):
    return any("fixture" in ast.unparse(decorator) for decorator in node.decorator_list)


def replaced(source, node, text):
    return [[source.begin(node), source.end(node) - source.begin(node), text]]


def around(source, node, before, after):
    return [[source.begin(node), 0, before], [source.end(node), 0, after]]


def operators(source, node):
    """The faults that one node allows: pairs of an operator and its edits."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield "negate_condition", around(source, node.test, "(not (", "))")
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        start, end = source.end(node.left), source.begin(node.comparators[0])
        between = source.text(start, end)
        swapped = SWAPPED.get(re.sub(r"\s+", " ", between.strip()))
        if swapped:
            yield "swap_comparison", [[start, end - start, f" {swapped} "]]
    if isinstance(node, ast.Constant):
        if type(node.value) in (int, float):
            yield "add_one", around(source, node, "(", " + 1)")
        elif isinstance(node.value, (str, bytes)) and source.text(source.begin(node), source.end(node))[-1:] in "'\"":
            mark = 'b"X"' if isinstance(node.value, bytes) else '"X"'
            yield "longer_string", around(source, node, "(", f" {mark})")
        elif type(node.value) is bool:
            yield "other_truth", replaced(source, node, str(not node.value))
    if isinstance(node, ast.Expr) and isinstance(node.value, (ast.Call, ast.Await)):
        yield "delete_call", replaced(source, node, "None")
    if isinstance(node, ast.Assign) or (isinstance(node, ast.AnnAssign) and node.value is not None):
        if not (isinstance(node.value, ast.Constant) and node.value.value is None):
            yield "assign_none", replaced(source, node.value, "None")


def return_none(source, function):
    statements = function.body[1:] if is_docstring(function.body[0], function) else function.body
    if not statements or (len(statements) == 1 and isinstance(statements[0], (ast.Pass, ast.Raise))):
        return
    first, last = statements[0], statements[-1]
    start = min([source.begin(first)] + [source.begin(one) for one in getattr(first, "decorator_list", [])])
    if getattr(first, "decorator_list", []):
        start -= 1
    yield "return_none", [[start, source.end(last) - start, "return None"]]


def decorators_dropped(source, node):
    for decorator in node.decorator_list:
        start = source.begin(decorator)
        line = source.starts[decorator.lineno - 1]
        if source.text(line, start).strip() == "@":
            yield "drop_decorator", [[line, source.starts[decorator.end_lineno] - line, ""]]


def listed(source, is_test_tree):
    """Every fault of a file with the stratum that it belongs to."""
    found = []

    def walk(node, inside, parent, counts):
        """`inside`: whether this runs when a function is called; `counts`: whether faults here are taken."""
        if is_docstring(node, parent) or isinstance(node, (ast.Import, ast.ImportFrom, ast.JoinedStr)):
            return
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            helper = counts or (is_test_tree and not inside and is_fixture(node))
            if helper:
                for operator, edits in return_none(source, node):
                    found.append(("body", operator, node.lineno, edits))
            for decorator in node.decorator_list:
                walk(decorator, inside, node, counts)
            if counts and not inside:
                for operator, edits in decorators_dropped(source, node):
                    found.append(("import", operator, node.lineno, edits))
            for default in [*node.args.defaults, *node.args.kw_defaults]:
                if default is not None:
                    walk(default, inside, node, counts)
            for statement in node.body:
                walk(statement, True, node, helper)
            return
        if isinstance(node, (ast.AnnAssign, ast.arg)):
            for operator, edits in operators(source, node) if counts else ():
                found.append(("body" if inside else "import", operator, node.lineno, edits))
            if getattr(node, "value", None) is not None:
                walk(node.value, inside, node, counts)
            return
        if isinstance(node, ast.Lambda):
            walk(node.body, True, node, counts)
            return
        for operator, edits in operators(source, node) if counts else ():
            found.append(("body" if inside else "import", operator, node.lineno, edits))
        for child in ast.iter_child_nodes(node):
            walk(child, inside, node, counts)

    is_test_file = re.match(r"(test_.*|.*_test)\.py$", pathlib.PurePath(source.path).name) is not None
    for statement in source.tree.body:
        walk(statement, False, source.tree, not (is_test_tree and is_test_file))
    return [("helper" if is_test_tree else stratum, *rest) for stratum, *rest in found]


def compiles(source, edits):
    data = applied(source.data, edits)
    try:
        compile(data, source.path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return data != source.data


def applied(data, edits):
    for start, taken, put in sorted(edits, reverse=True):
        data = data[:start] + put.encode() + data[start + taken :]
    return data


def overrides(sources):
    """A method that a class of the package inherits from another one, put into the class anew."""
    classes = {}
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.ClassDef):
                classes.setdefault(node.name, []).append(node)
    for source in sources:
        for node in ast.walk(source.tree):
            if not isinstance(node, ast.ClassDef):
                continue
            own = {child.name for child in node.body if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))}
            for base in node.bases:
                name = base.id if isinstance(base, ast.Name) else base.attr if isinstance(base, ast.Attribute) else None
                for parent in classes.get(name, []) if len(classes.get(name, [])) == 1 else []:
                    for method in parent.body:
                        if not isinstance(method, ast.FunctionDef) or method.decorator_list or method.name in own:
                            continue
                        if method.name.startswith("__"):
                            continue
                        last = node.body[-1]
                        end = source.end(last)
                        column = node.body[0].col_offset
                        put = f"\n{' ' * column}def {method.name}(self, *args, **kwargs):\n{' ' * column}    return None"
                        if node.body[0].lineno != node.lineno:
                            yield source, ("override", "new_override", node.lineno, [[end, 0, put]])


def renames(sources):
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith("__"):
                word = b"def " + node.name.encode()
                at = source.data.find(word, source.begin(node))
                if 0 <= at < source.begin(node) + 32:
                    yield source, ("renamed", "rename_function", node.lineno, [[at + len(word), 0, "_renamed"]])


def data_faults(root, folders):
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        name = path.relative_to(root).as_posix()
        if not any(name.startswith(folder + "/") for folder in folders) or path.suffix not in DATA or ".git/" in name:
            continue
        data = path.read_bytes()
        ends = [match.start() for match in re.finditer(rb"(?<=\S)\r?\n", data)]
        for end in ends[:: max(1, len(ends) // 5)]:
            yield name, ("data", "longer_line", data.count(b"\n", 0, end) + 1, [[end, 0, "X"]])


def config_faults(root):
    for name in ("pyproject.toml", "setup.cfg", "tox.ini", "pytest.ini"):
        path = root / name
        if not path.exists():
            continue
        data, at, inside = path.read_bytes(), 0, False
        for number, line in enumerate(data.splitlines(keepends=True), 1):
            if line.startswith(b"["):
                inside = re.match(rb"\[(tool\.pytest|tool:pytest|pytest\])", line) is not None
            elif inside and line.strip() and not line.startswith(b"#"):
                yield name, ("config", "comment_out", number, [[at, 0, "# "]])
            at += len(line)


def drawn(chance, pool, count):
    """So many faults: each time a file first, then an operator, then a place."""
    taken, seen = [], set()
    pool = list(pool)
    while pool and len(taken) < count:
        name = chance.choice(sorted({path for path, _ in pool}))
        operator = chance.choice(sorted({fault[1] for path, fault in pool if path == name}))
        one = chance.choice([one for one in pool if one[0] == name and one[1][1] == operator])
        pool.remove(one)
        key = (one[0], json.dumps(one[1][3]))
        if key not in seen:
            seen.add(key)
            taken.append(one)
    return taken


def main():
    root, sources, tests, seed = pathlib.Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4]
    chance = random.Random(seed)
    own, helpers = [], []
    for path in sorted((root / sources).rglob("*.py")):
        name = path.relative_to(root).as_posix()
        if not (name + "/").startswith(tests + "/"):
            own.append(Source(root, name))
    for path in sorted((root / tests).rglob("*.py")):
        try:
            helpers.append(Source(root, path.relative_to(root).as_posix()))
        except SyntaxError:
            continue
    pools = {"body": [], "import": [], "helper": []}
    by_name = {source.path: source for source in own + helpers}
    for source, in_tests in [(one, False) for one in own] + [(one, True) for one in helpers]:
        for fault in listed(source, in_tests):
            pools[fault[0]].append((source.path, fault))
    pools["override"] = [(source.path, fault) for source, fault in overrides(own)]
    pools["renamed"] = [(source.path, fault) for source, fault in renames(own)]
    pools["deleted"] = [
        (source.path, ("deleted", "delete_file", 1, []))
        for source in own + helpers
        if not re.match(r"(test_.*|.*_test|__init__|__main__)\.py$", pathlib.PurePath(source.path).name)
    ]
    pools["data"] = list(data_faults(root, sorted({sources, tests})))
    pools["config"] = list(config_faults(root))
    counts = {stratum: round(MAIN * share) for stratum, share in SHARES.items()} | APART
    for stratum, count in counts.items():
        if stratum in SHARES or stratum in ("override", "renamed"):
            # Twice as many as wanted, for those that do not compile.
            some = [one for one in drawn(chance, pools[stratum], 2 * count) if compiles(by_name[one[0]], one[1][3])]
        else:
            some = drawn(chance, pools[stratum], count)
        for path, (_, operator, line, edits) in some[:count]:
            print(json.dumps({"stratum": stratum, "operator": operator, "file": path, "line": line, "edits": edits}))


if __name__ == "__main__":
    main()
