"""Real commits backwards: `commits.py PYTHON BINARY CHECKOUT SCRATCH PACKAGE-JSON COUNT`.

At each of the last commits that modify sources (six at most) and tests, the sources of before are put back under the tests
of after. What fails then is to be among what is chosen for that change, by reading alone and with a record made at the
commit. CHECKOUT is only read: the work is done in a clone in SCRATCH.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import truth as runner  # noqa: E402

MOST_SOURCES = 6
LOOKED_AT = 600
SECONDS = 300


def git(tree, *arguments):
    who = ["-c", "user.name=bench", "-c", "user.email=bench@example.com", "-c", "commit.gpgSign=false"]
    return subprocess.run(["git", *who, *arguments], cwd=tree, check=True, capture_output=True, encoding="utf-8").stdout


def candidates(tree, package):
    """Commits with the sources that they modify, the newest first."""
    sources, tests = package["sources"] + "/", package["tests"] + "/"
    for commit in git(tree, "rev-list", "--no-merges", f"--max-count={LOOKED_AT}", "HEAD").split():
        lines = git(tree, "diff-tree", "-r", "--no-commit-id", "--name-status", commit).splitlines()
        rows = [line.split("\t") for line in lines]
        of_tests = [row for row in rows if row[-1].startswith(tests) and row[-1].endswith(".py")]
        own = [row for row in rows if row[-1].startswith(sources) and row[-1].endswith(".py") and row not in of_tests]
        if of_tests and 0 < len(own) <= MOST_SOURCES and all(row[0] == "M" for row in own):
            yield commit, [row[-1] for row in own]


def plan(binary, tree):
    done = subprocess.run([binary, "plan", "--worktree", "--format", "json"], cwd=tree, check=True, capture_output=True)
    (bundle,) = json.loads(done.stdout)["bundles"]
    return bundle


def chosen(bundle, tests):
    selected, whole = set(bundle["selected"]), set(bundle.get("whole", []))
    return {test for test in tests if test in selected or test.split("::")[0] in whole}


def main():
    python, binary = (os.path.abspath(word) for word in sys.argv[1:3])
    checkout, scratch = (pathlib.Path(word).absolute() for word in sys.argv[3:5])
    package, count = json.loads(sys.argv[5]), int(sys.argv[6])
    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    tree = scratch / "tree"
    git(scratch, "clone", "--quiet", "--shared", "--no-checkout", str(checkout), str(tree))
    totals = {"commits": 0, "failing": 0}
    for commit, sources in list(candidates(tree, package)):
        if totals["commits"] >= count:
            break
        git(tree, "checkout", "--quiet", "--force", "--detach", commit)
        git(tree, "clean", "-ffdxq")
        (tree / "grace").mkdir(exist_ok=True)
        (tree / "grace" / "selection.grace").write_text(package["rules"])
        with (tree / ".gitignore").open("a") as ignored:
            ignored.write("\n__pycache__/\n.pytest_cache/\n")
        git(tree, "add", "--all")
        git(tree, "commit", "--quiet", "--message", "rules")
        lines, ended, _ = runner.run(python, tree, package, scratch, SECONDS)
        passed = {test for test, one in runner.outcomes(lines)[0].items() if one[0]}
        if not ended or len(passed) < runner.ENOUGH * max(1, len(runner.outcomes(lines)[0])):
            continue
        git(tree, "checkout", "--quiet", f"{commit}^", "--", *sources)
        git(tree, "reset", "--quiet")
        lines, ended, _ = runner.run(python, tree, package, scratch, SECONDS)
        tests, uncollected = runner.outcomes(lines)
        failing = {test for test in passed if test in tests and not tests[test][0]}
        if not failing or uncollected:
            continue
        shutil.rmtree(tree / ".git" / "grace", ignore_errors=True)
        by_reading = chosen(plan(binary, tree), passed)
        git(tree, "checkout", "--quiet", "HEAD", "--", *sources)
        path = os.pathsep.join([str(pathlib.Path(python).parent), os.environ.get("PATH", "")])
        record = [binary, "run", "--all", "--record", "--format", "json"]
        subprocess.run(record, cwd=tree, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ | {"PATH": path})
        git(tree, "checkout", "--quiet", f"{commit}^", "--", *sources)
        git(tree, "reset", "--quiet")
        is_recorded = any((tree / ".git" / "grace" / "reach").glob("*.reach"))
        recorded = chosen(plan(binary, tree), passed)
        totals["commits"] += 1
        totals["failing"] += len(failing)
        print(f"{package['name']} {commit[:9]}: {len(failing)} of {len(passed)} tests fail", end="")
        for name, tests in [("reading alone", by_reading), ("with a record" if is_recorded else "no record", recorded)]:
            found = len(failing & tests)
            kinds = {"caught": found > 0, "safe": found == len(failing), "found": found, "share": len(tests) / len(passed)}
            for kind, value in kinds.items():
                totals[name, kind] = totals.get((name, kind), 0) + value
            print(f"; {name}: {found} found, {100 * len(tests) / len(passed):.0f} % chosen", end="")
        print(flush=True)
        for test in sorted(failing - recorded)[:3]:
            print(f"  lost with a record: {test}", flush=True)
    for name in ("reading alone", "with a record", "no record"):
        if (name, "caught") in totals:
            caught, safe, found = (totals[name, kind] for kind in ("caught", "safe", "found"))
            share = 100 * totals[name, "share"] / max(1, totals["commits"])
            print(f"{name}: {caught} of {totals['commits']} caught, {safe} fully, {found} of {totals['failing']} tests, {share:.0f} % of tests")


if __name__ == "__main__":
    main()
