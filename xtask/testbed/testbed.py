"""Tries the binary on a checkout of the testbed and prints what came out.

Used by `cargo xtask testbed`: BINARY CHECKOUT RULES COMMITS. Three parts: the tags that `seed_tags` gives against those of
the checkout's own `source_graph.py`, what `check` says, and a plan for each of the last commits. Ends with 1 where a
promise of `docs/testbed.md` is broken.
"""

import asyncio
import collections
import importlib.util
import json
import logging
import pathlib
import subprocess
import sys
import time

binary, checkout, rules, commits = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), int(sys.argv[4])
broken = []
# What the checkout's own graph holds at the commit that docs/testbed.md names: nodes, and those with a semantic type.
NODES = 9135
SEMANTIC = {"kernel": 252, "governance_policy": 173, "oss_model_wrapper": 83, "layer1_adapter": 27}


def grace(*arguments, allowed=(0, 1)):
    done = subprocess.run([binary, "-C", checkout, *arguments], capture_output=True, encoding="utf-8")
    if done.returncode not in allowed:
        sys.exit(f"grace-rules {' '.join(map(str, arguments))} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def promise(kept, what):
    print(f"  {'kept' if kept else 'BROKEN':<7} {what}")
    if not kept:
        broken.append(what)


def seed_nodes():
    """The nodes of the checkout's own graph: (path, line, name) -> the sorted tags."""
    path = checkout / "backend" / "agents_core" / "source_graph.py"
    spec = importlib.util.spec_from_file_location("source_graph", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["source_graph"] = module
    spec.loader.exec_module(module)
    logging.disable(logging.CRITICAL)
    graph = module.SourceGraph(checkout)
    asyncio.run(graph.build_graph())
    nodes = {}
    for node in graph.nodes.values():
        tags = [node.grace_semantic_type] if node.grace_semantic_type else []
        tags += [f"layer({node.grace_layer})"] if node.grace_layer else []
        tags += [f"domain({node.grace_domain})"] if node.grace_domain else []
        nodes[(pathlib.PurePath(node.file_path).as_posix(), node.line_start, node.name)] = sorted(tags)
    return nodes


def compare_tags():
    print("tags of seed_tags against the checkout's own source_graph.py")
    rows = json.loads(grace("graph", "query", "all", "--format", "json", "--rules", rules / "seed_tags"))
    ours = {(row["path"], row["line"], row["name"]): sorted(row["tags"]) for row in rows if row["kind"] != "file"}
    theirs = seed_nodes()
    found = [key for key in theirs if key in ours]
    equal = [key for key in found if ours[key] == theirs[key]]
    semantic = collections.Counter(tag for tags in theirs.values() for tag in tags if "(" not in tag)
    print(f"  {len(theirs)} nodes there, {len(found)} found here, {len(equal)} with equal tags; {len(ours)} parts here")
    print("  " + ", ".join(f"{name} {count}" for name, count in semantic.most_common()))
    for key in sorted(set(theirs) - set(found))[:20]:
        print(f"    lacking here: {key}")
    for key in [key for key in found if ours[key] != theirs[key]][:20]:
        print(f"    differs: {key}: {ours[key]} here, {theirs[key]} there")
    promise(len(equal) == len(theirs) == NODES, f"all {NODES} nodes have the same tags")
    promise(semantic == SEMANTIC, "535 of them have a semantic type, by the table")


def check():
    print("check")
    found = json.loads(grace("check", "--format", "json", "--rules", rules / "tags"))
    severities = collections.Counter(diagnostic["severity"] for diagnostic in found)
    missing = {diagnostic["message"].split("`")[-2] for diagnostic in found if diagnostic["code"] == "E063"}
    print(f"  {dict(severities)}; test files that the bundles ask for and the checkout lacks: {len(missing)}")
    promise(len(missing) == 19, "check names the 19 missing test files")


def history():
    log = ["git", "-C", checkout, "log", "--first-parent", "--format=%H", f"-{commits}"]
    revisions = subprocess.run(log, capture_output=True, encoding="utf-8", check=True).stdout.split()
    for name, more in [("floor pack", []), ("shipped packs", ["--rules", rules / "tags"])]:
        tiers, codes, bundles, alone, with_unknowns = (collections.Counter() for _ in range(5))
        began = time.perf_counter()
        for revision in revisions:
            arguments = ["plan", "--base", f"{revision}^", "--head", revision, "--format", "json", *more]
            done = subprocess.run([binary, "-C", checkout, *arguments], capture_output=True, encoding="utf-8")
            codes[done.returncode] += 1
            if done.returncode not in (0, 1):
                print(f"    {revision}: {done.stderr.strip()}")
                continue
            plan = json.loads(done.stdout)
            tiers[plan["tier"]] += 1
            bundles.update(bundle["name"] for bundle in plan["bundles"])
            with_unknowns[bool(plan["unknowns"])] += 1
            deciding = [unknown["name"] for unknown in plan["unknowns"] if unknown["decides_tier"]]
            if deciding:
                alone[revision[:8]] = "; ".join(deciding[:2])
        seconds = (time.perf_counter() - began) / max(len(revisions), 1)
        print(f"{name}: the last {len(revisions)} first-parent commits, {seconds:.1f} s each")
        print(f"  exit codes {dict(sorted(codes.items()))}, tiers {dict(sorted(tiers.items()))}")
        print(f"  plans with an unknown {with_unknowns[True]}, plans whose tier is owed to an unknown alone {len(alone)}")
        for revision, why in alone.items():
            print(f"    {revision}: {why}")
        print("  bundles " + (", ".join(f"{bundle} {count}" for bundle, count in sorted(bundles.items())) or "none"))
        promise(codes[0] + codes[1] == len(revisions) > 0, "every plan ends without an error")
        promise(len(alone) * 20 <= len(revisions), "no more than 5 % of the plans owe their tier to an unknown alone")


print(grace("graph", "stats"))
compare_tags()
check()
history()
sys.exit(1 if broken else 0)
