"""The tests that pytest-testmon chooses: `ask_testmon.py PYTHON TREE TRUTH KEPT`.

One run of the whole suite fills its database, then each fault is put into TREE, a git work tree, on a copy of that
database, and it is asked which tests it would run. Prints for each fault their numbers and the seconds, as a JSON pair a
line; `null` where it fails because nothing can be collected. What was asked stands in KEPT, so that it goes on there.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

# For asking; a fault may make collecting go on for ever.
TOO_LONG = 300
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import truth as runner  # noqa: E402


def ask(python, tree, truth, *more):
    env = runner.environment(tree, truth, tree / ".testmon-scratch", "")
    del env["SELECTION_PROBE"]
    # Of what the packages' own settings add, `-m` and `-k` would turn choosing off.
    command = [python, "-m", "pytest", "-q", "--tb=no", "-p", "no:selection_probe", "--testmon", *more, truth["folder"]]
    return subprocess.run(command, cwd=tree, env=env, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=TOO_LONG)


def main():
    python, (tree, path, kept) = os.path.abspath(sys.argv[1]), (pathlib.Path(word).absolute() for word in sys.argv[2:5])
    truth = json.loads(path.read_text(encoding="utf-8"))
    number_of = {test[0]: number for number, test in enumerate(truth["tests"])}
    database = kept.with_suffix(".testmondata")
    if not database.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text("")
        runner.clean(tree)
        ask(python, tree, truth)
        shutil.copy(tree / ".testmondata", database)
    done = [json.loads(line) for line in kept.read_text().splitlines()]
    for fault in truth["faults"][len(done) :]:
        runner.clean(tree)
        shutil.copy(database, tree / ".testmondata")
        target = tree / fault["file"]
        if fault["operator"] == "delete_file":
            target.unlink()
        else:
            target.write_bytes(runner.edited(target.read_bytes(), fault["edits"]))
        begin = time.monotonic()
        try:
            said = ask(python, tree, truth, "--testmon-nocollect", "--testmon-forceselect", "--collect-only")
            ids = {runner.function_of(line) for line in said.stdout.splitlines() if "::" in line and not line.startswith("ERROR")}
            answer = [sorted(number_of[one] for one in ids if one in number_of), round(time.monotonic() - begin, 2)]
            if said.returncode not in (0, 5) and not ids:
                answer = None
        except subprocess.TimeoutExpired:
            answer = None
        done.append(answer)
        with kept.open("a") as file:
            file.write(json.dumps(answer) + "\n")
    runner.clean(tree)
    for answer in done:
        print(json.dumps(answer))


if __name__ == "__main__":
    main()
