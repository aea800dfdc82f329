"""Compares imports from file to file with what other tools see: `compare.py GRAPH KIND DIRECTORY [TOOL...]`.

GRAPH is the example `graph_stats`; KIND is `python`, `script`, `rust` or `go`. Prints how many edges both see, and each difference.
"""

import json
import os
import subprocess
import sys


def ours(graph, root):
    """Our imports, and what led nowhere."""
    text = subprocess.run([graph, root, "imports"], check=True, capture_output=True, text=True).stdout
    edges, missing = {}, set()
    for line in text.splitlines():
        fields = line.split("\t")
        if fields[0] == "import":
            edges.setdefault((fields[1], fields[2]), fields[3])
        elif fields[0] == "unresolved":
            missing.add((fields[1], fields[2], fields[3]))
    return edges, missing


def script(root, tool):
    """Imports as dependency-cruiser resolves them."""
    command = [*tool, "--no-config", "--output-type", "json", "--ts-pre-compilation-deps", "--exclude", "node_modules"]
    if os.path.exists(os.path.join(root, "tsconfig.json")):
        command += ["--ts-config", "tsconfig.json"]
    found = json.loads(subprocess.run([*command, "."], cwd=root, check=True, capture_output=True, text=True).stdout)
    edges = set()
    for module in found["modules"]:
        for dependency in module["dependencies"]:
            if not dependency.get("coreModule") and not dependency.get("couldNotResolve"):
                edges.add((module["source"], dependency["resolved"]))
    return edges


def rust(root, tool):
    """Files of each target by rustc's own list of what it read, and packages by `cargo metadata`."""
    target = os.environ.get("COMPARE_TARGET", os.path.join(root, ".compare-target"))
    if "COMPARE_TARGET" not in os.environ:
        environment = {**os.environ, "CARGO_TARGET_DIR": target}
        subprocess.run([*tool, "check", "--lib", "--bins", "--quiet"], cwd=root, env=environment, check=True)
    metadata = json.loads(
        subprocess.run(
            [*tool, "metadata", "--no-deps", "--format-version", "1"],
            cwd=root,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    )
    real = os.path.realpath(root)
    roots = {
        os.path.relpath(os.path.realpath(target["src_path"]), real)
        for package in metadata["packages"]
        for target in package["targets"]
    }
    units = {}
    for folder, _, names in os.walk(target):
        for name in (name for name in names if name.endswith(".d") and os.path.basename(folder) == "deps"):
            with open(os.path.join(folder, name), encoding="utf-8") as file:
                first = file.readline().split(": ", 1)
            read = [path for path in first[1].split() if path] if len(first) == 2 else []
            inside = [os.path.relpath(os.path.realpath(os.path.join(root, path)), real) for path in read]
            inside = [path for path in inside if not path.startswith("..")]
            root_file = next((path for path in inside if path in roots), None)
            if root_file:
                units.setdefault(root_file, set()).update(inside)
    folders = {os.path.relpath(os.path.dirname(package["manifest_path"]), real) for package in metadata["packages"]}
    libraries = {
        os.path.relpath(os.path.realpath(target["src_path"]), real)
        for package in metadata["packages"]
        for target in package["targets"]
        if "lib" in target["kind"] or "proc-macro" in target["kind"]
    }
    return roots, units, folders, libraries


def go(root, tool):
    """Imports from package to package by `go list`, tests among them."""
    run = subprocess.run([*tool, "list", "-e", "-json", "./..."], cwd=root, check=True, capture_output=True, text=True)
    decoder, text, at, packages = json.JSONDecoder(), run.stdout, 0, []
    while at < len(text.rstrip()):
        while text[at].isspace():
            at += 1
        package, at = decoder.raw_decode(text, at)
        packages.append(package)
    real = os.path.realpath(root)
    folder = {package["ImportPath"]: os.path.relpath(os.path.realpath(package["Dir"]), real) for package in packages}
    edges = set()
    for package in packages:
        named = [*package.get("Imports", []), *package.get("TestImports", []), *package.get("XTestImports", [])]
        here = folder[package["ImportPath"]]
        edges |= {(here, folder[path]) for path in named if path in folder and folder[path] != here}
    ignored = {
        os.path.normpath(os.path.join(folder[package["ImportPath"]], name))
        for package in packages
        for name in package.get("IgnoredGoFiles", [])
    }
    return edges, ignored


def python(root):
    """Imports from module to module as grimp finds them in the packages that stand in a folder."""
    import grimp

    sys.path.insert(0, root)
    folders = sorted(entry.name for entry in os.scandir(root) if entry.is_dir())
    packages = [name for name in folders if os.path.isfile(os.path.join(root, name, "__init__.py"))]
    graph = grimp.build_graph(*packages, cache_dir=None)
    edges = {(module, other) for module in graph.modules for other in graph.find_modules_directly_imported_by(module)}
    return graph.modules, edges


def module_of(path):
    """The dotted name of a file of Python."""
    steps = path.removesuffix(".py").split("/")
    return ".".join(steps[:-1] if steps[-1] == "__init__" else steps)


def report(mine, theirs, evidence=None):
    """Prints what both see and what only one does."""
    print(f"both {len(mine & theirs)}, only ours {len(mine - theirs)}, only theirs {len(theirs - mine)}")
    for name, edges in (("only ours", mine - theirs), ("only theirs", theirs - mine)):
        for source, target in sorted(edges):
            said = f" ({evidence[source, target]})" if evidence and (source, target) in evidence else ""
            print(f"  {name}: {source} -> {target}{said}")


def main():
    graph, kind, root, *tool = sys.argv[1:]
    edges, missing = ours(graph, root)
    if kind == "script":
        report(set(edges), script(root, tool or ["depcruise"]), edges)
    elif kind == "python":
        modules, theirs = python(root)
        named = {}
        for (source, target), evidence in edges.items():
            if source.endswith(".py") and target.endswith(".py") and source != target:
                named[module_of(source), module_of(target)] = evidence
        mine = {edge for edge in named if edge[0] in modules and edge[1] in modules}
        print(f"modules {len(modules)}; imports of ours in files that are in no package: {len(named) - len(mine)}")
        # To import a module is to run the packages that hold it, which grimp does not tell.
        imported = {}
        for source, target in mine:
            imported.setdefault(source, []).append(target)
        holds = lambda edge: any(name.startswith(edge[1] + ".") for name in imported[edge[0]])
        above = set(filter(holds, mine - theirs))
        print(f"packages that hold what is imported: {len(above)}")
        report(mine - above, theirs, named)
    elif kind == "go":
        theirs, ignored = go(root, tool or ["go"])
        packages = {}
        for (source, target), evidence in edges.items():
            pair = (os.path.dirname(source) or ".", os.path.dirname(target) or ".")
            if source.endswith(".go") and target.endswith(".go") and pair[0] != pair[1]:
                packages.setdefault(pair, []).append(source)
        only_ignored = {pair for pair, sources in packages.items() if all(source in ignored for source in sources)}
        print(f"packages that only files with other build tags import: {len(only_ignored)}")
        report(set(packages) - only_ignored, theirs)
    else:
        roots, units, folders, libraries = rust(root, tool or ["cargo"])

        def package(path):
            above = os.path.dirname(path)
            while above and above not in folders:
                above = os.path.dirname(above)
            return above

        children = {}
        for source, target in edges:
            if package(source) == package(target):
                children.setdefault(source, set()).add(target)

        def tree(unit, others):
            reached, queue = set(), [unit]
            while queue:
                at = queue.pop()
                if at not in reached and at.endswith(".rs"):
                    reached.add(at)
                    queue += [child for child in children.get(at, ()) if child not in others]
            return reached

        of_libraries = {path for unit in libraries for path in tree(unit, roots - {unit})}
        print(f"targets {len(roots)}, of which rustc told its files {len(units)}")
        mine, theirs = set(), set()
        for unit, files in units.items():
            others = roots - {unit} if unit in libraries else (roots | of_libraries) - {unit}
            mine |= {(unit, path) for path in tree(unit, others)}
            theirs |= {(unit, path) for path in files if path.endswith(".rs")}
        report(mine, theirs)
    for path, name, why in sorted(missing):
        print(f"  nowhere: {path}: {name} ({why})")


if __name__ == "__main__":
    main()
