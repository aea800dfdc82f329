"""Finds out which tests fail for each fault: `truth.py PYTHON TREE SCRATCH OUT PACKAGE-JSON`.

TREE is a git work tree of the package; it is left as it was. Two full runs say which tests can be relied on; then the
whole suite runs once a fault. What was found is kept in SCRATCH fault by fault, so that it goes on where it was stopped,
and goes to OUT at the end.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from faults import applied

HERE = pathlib.Path(__file__).resolve().parent
ENOUGH = 0.95
# A run may take so many times as long as the slower of the first two, and so many seconds more on a busy machine.
TIMES, MORE = 4, 20
MEMORY = 3 << 30


def environment(tree, package, scratch, probe):
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "SYSTEMROOT", "TEMP", "TMP") if name in os.environ}
    roots = [str(HERE), str(tree / package["root"]), str(tree)]
    return kept | {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(roots)),
        "PYTHONPYCACHEPREFIX": str(scratch / "bytecode"),
        "SELECTION_PROBE": str(probe),
    }


def command(python, package, *more):
    plugins = ["-p", "selection_probe", "-p", "no:cacheprovider", "-p", "no:testmon"]
    return [python, "-m", "pytest", "-q", "--tb=no", "--continue-on-collection-errors", *plugins, *more, package["tests"]]


def limited():
    import resource

    os.setsid()
    os.nice(5)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def run(python, tree, package, scratch, seconds, write_bytecode=False):
    """Runs the suite: (lines of the probe, whether it ended by itself, seconds)."""
    probe = scratch / "probe"
    probe.write_text("")
    env = environment(tree, package, scratch, probe)
    if write_bytecode:
        del env["PYTHONDONTWRITEBYTECODE"]
    begin = time.monotonic()
    child = subprocess.Popen(
        command(python, package),
        cwd=tree,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=limited if os.name == "posix" else None,
    )
    try:
        child.wait(seconds)
        ended = True
    except subprocess.TimeoutExpired:
        ended = False
    finally:
        if os.name == "posix":
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        else:
            child.kill()
        child.wait()
    lines = []
    for line in probe.read_text(encoding="utf-8").splitlines():
        try:
            lines.append(json.loads(line))
        except ValueError:
            break
    return lines, ended and any(line[0] == "end" for line in lines), time.monotonic() - begin


def function_of(nodeid):
    """The id of a test without its parameters."""
    path, *names = nodeid.split("::")
    for number, name in enumerate(names):
        if "[" in name:
            names = [*names[:number], name.split("[", 1)[0]]
            break
    return "::".join([path, *names])


def outcomes(lines):
    """Of each test function: whether it passed, its milliseconds and how many parameters; and what did not collect."""
    tests, uncollected, running = {}, set(), None
    for kind, *rest in lines:
        if kind == "uncollected":
            uncollected.add(rest[0].split("::")[0])
        elif kind == "start":
            running = function_of(rest[0])
            tests.setdefault(running, [True, 0.0, 0])
            tests[running][2] += 1
        elif kind in ("setup", "call", "teardown"):
            one = tests.setdefault(function_of(rest[0]), [True, 0.0, 1])
            one[0] &= rest[1] != "failed"
            one[1] += rest[2]
            running = running if kind != "teardown" else None
    if running is not None:
        # It hung, or ended the whole process.
        tests[running][0] = False
    return tests, uncollected


def clean(tree):
    subprocess.run(["git", "checkout", "--quiet", "--", "."], cwd=tree, check=True)
    subprocess.run(["git", "clean", "--quiet", "-fdx"], cwd=tree, check=True)


def ranges(numbers):
    """`1-3,7` for 1, 2, 3 and 7."""
    found = []
    for number in sorted(numbers):
        if found and found[-1][1] == number - 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(str(one) if one == other else f"{one}-{other}" for one, other in found)


def main():
    # Not resolved: the interpreter of an environment is a link.
    python = os.path.abspath(sys.argv[1])
    tree, scratch, out = (pathlib.Path(word).absolute() for word in sys.argv[2:5])
    package = json.loads(sys.argv[5])
    scratch.mkdir(parents=True, exist_ok=True)
    clean(tree)
    kept = scratch / "found.jsonl"
    found = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    if not found:
        runs = [run(python, tree, package, scratch, 600, write_bytecode=True) for _ in range(3)][1:]
        clean(tree)
        (first, _), (second, _) = outcomes(runs[0][0]), outcomes(runs[1][0])
        stable = sorted(
            test for test in first if test in second and first[test][0] and second[test][0] and first[test][2] == second[test][2]
        )
        if not all(ended for _, ended, _ in runs) or len(stable) < ENOUGH * len(first | second):
            sys.exit(f"{package['name']}: {len(stable)} of {len(first | second)} tests pass twice")
        listed = subprocess.run(
            [sys.executable, HERE / "faults.py", tree, package["sources"], package["tests"], package["name"]],
            check=True,
            capture_output=True,
            encoding="utf-8",
        )
        head = {
            "tests": stable,
            "dropped": len(first | second) - len(stable),
            "millis": [round(min(first[test][1], second[test][1]), 1) for test in stable],
            "cases": [first[test][2] for test in stable],
            "seconds": max(seconds for _, _, seconds in runs),
            "faults": [json.loads(line) for line in listed.stdout.splitlines()],
        }
        kept.write_text(json.dumps(head) + "\n")
        found = [head]
    head = found[0]
    number_of = {test: number for number, test in enumerate(head["tests"])}
    limit = TIMES * head["seconds"] + MORE
    for number in range(len(found) - 1, len(head["faults"])):
        fault = head["faults"][number]
        path = tree / fault["file"]
        if fault["operator"] == "delete_file":
            path.unlink()
        else:
            path.write_bytes(applied(path.read_bytes(), fault["edits"]))
        lines, ended, seconds = run(python, tree, package, scratch, limit)
        clean(tree)
        tests, uncollected = outcomes(lines)
        failed = {number_of[test] for test, one in tests.items() if test in number_of and not one[0]}
        # What was not even begun: its file could not be imported, or (where the run was cut) nobody knows.
        missing = {number_of[test] for test in number_of if test not in tests}
        cut = not ended and bool(tests)
        result = {"failed": ranges(failed)}
        if missing and not cut:
            result["uncollected"] = ranges(missing)
        if cut:
            result["cut"] = True
        with kept.open("a") as file:
            file.write(json.dumps(result) + "\n")
        found.append(result)
        print(f"{package['name']} {number + 1}/{len(head['faults'])} {fault['stratum']} {fault['operator']}: {len(failed)} failed, {len(missing)} missing, {seconds:.1f} s", flush=True)
    rows = [json.dumps(fault | result) for fault, result in zip(head["faults"], found[1:])]
    top = {"folder" if key == "tests" else key: value for key, value in package.items() if key != "rules"} | {"dropped": head["dropped"]}
    text = json.dumps(top)[:-1]
    tests = ",\n".join(json.dumps([test, head["millis"][n], head["cases"][n]]) for test, n in number_of.items())
    out.write_text(text + ',\n"tests": [\n' + tests + '\n],\n"faults": [\n' + ",\n".join(rows) + "\n]}\n")


if __name__ == "__main__":
    main()
