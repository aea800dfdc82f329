"""Records what each test enters. A pytest plugin of grace-rules, for Python 3.8 to 3.14; standard library only.

Written to a private folder for one run and removed with it. What it writes, `reach.json`, appears whole at the end of a
session that came to its end, or not at all.
"""

import ast
import atexit
import json
import os
import sys
import threading
import weakref

import pytest

VERSION = 3
# Taken away, so that a pytest that a test starts records nothing.
FOLDER = os.environ.pop("GRACE_REACH_FOLDER", None)
ROOT = os.environ.pop("GRACE_REACH_ROOT", "").rstrip(os.sep) + os.sep
PROCESS = os.getpid()
FAILED, UNSEEN = 1, 2
# Programs that run nothing of the tree.
HARMLESS = {"uname", "git", "ldconfig", "gcc", "cc", "clang", "ld", "objdump", "lscpu", "sw_vers", "file", "hostname"}
SPAWNS = {
    "subprocess.Popen",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.exec",
    "os.system",
    "os.spawn",
    "os.startfile",
    "pty.spawn",
    "cpython.PyInterpreterState_New",
}


class Bucket:
    """What was entered and opened while something ran."""

    __slots__ = ("entered", "opened", "fixtures", "flags")

    def __init__(self):
        self.entered = set()
        self.opened = set()
        self.fixtures = set()
        self.flags = 0


class Recorder:
    def __init__(self):
        self.config = None
        self.files = []
        self.file_of = {}
        self.codes = []
        self.code_of = {}
        self.outside = Bucket()
        self.stack = [self.outside]
        self.tests = {}
        # By name of a test function: its items that were collected and did not run, by identity.
        self.waiting = {}
        self.fixtures = {}
        # File of a module to what runs while it is imported or collected.
        self.imports = {}
        # The modules that are being imported: frame, thread, bucket.
        self.importing = []
        # Test files that were collected, and those of which something was not.
        self.collected = set()
        self.partly = set()
        self.current = None
        self.last = None
        self.tool = None
        self.started = False
        self.unseen = set()
        self.how = ""
        # By file: what keeps what it computed, by first line and name.
        self.keeping = {}
        # Code that keeps things in its own object: the objects that were seen, and the tests that saw them.
        self.holders = {}
        self.shared = set()

    # Files and code.

    def file(self, name):
        """The index of a file of the tree; None for any other."""
        try:
            return self.file_of[name]
        except KeyError:
            pass
        index = None
        if name[:1] != "<":
            path = os.path.abspath(name)
            if not path.startswith(ROOT):
                path = os.path.realpath(path)
            if path.startswith(ROOT):
                path = path[len(ROOT):].replace(os.sep, "/")
                index = self.file_of.get(path)
                if index is None:
                    index = len(self.files)
                    self.files.append(path)
                    self.file_of[path] = index
            elif name.replace(os.sep, "/").endswith("multiprocessing/process.py"):
                index = -1
        self.file_of[name] = index
        return index

    def enter(self, code, frame):
        """Notes that code begins to run. True where the same need not be told again."""
        file = self.file_of.get(code.co_filename, self)
        if file is self:
            file = self.file(code.co_filename)
        if file is None:
            return True
        if file < 0:
            # A process that is not forked is announced by nothing else.
            if code.co_name == "start":
                self.stack[-1].flags |= UNSEEN
            return True
        if code.co_name == "<module>":
            bucket = self.imports.get(file)
            if bucket is None:
                bucket = self.imports[file] = Bucket()
            if not self.importing:
                self.again()
            self.importing.append((frame, threading.get_ident(), bucket))
            return False
        key = (file, code.co_firstlineno, code.co_name)
        index = self.code_of.get(key)
        if index is None:
            index = self.code_of[key] = len(self.codes)
            self.codes.append(key)
        if self.importing:
            bucket = self.import_of(frame)
            if bucket is not None:
                bucket.entered.add(index)
                if self.current is not None:
                    self.stack[-1].entered.add(index)
                self.holds(index, key, code, frame)
                return False
        self.stack[-1].entered.add(index)
        return not self.holds(index, key, code, frame)

    def holds(self, index, key, code, frame):
        """Whether code keeps things in its own object, and no object was seen yet that outlives a test."""
        if index in self.shared:
            return False
        seen = self.holders.get(index)
        if seen is None:
            if self.kept_in(key[0]).get(key[1:]) != IN_OBJECT:
                self.shared.add(index)
                return False
            seen = self.holders[index] = {}
        holder = frame.f_locals.get(code.co_varnames[0]) if code.co_varnames else None
        owner = self.stack[-1]
        known = seen.get(id(holder))
        try:
            if known is None or known[0]() is not holder:
                seen[id(holder)] = (weakref.ref(holder), owner)
                return True
        except TypeError:
            # Of what cannot be watched it is not known.
            known = None
        if known is None or known[1] is not owner:
            self.shared.add(index)
            del self.holders[index]
            return False
        return True

    def kept_in(self, file):
        found = self.keeping.get(file)
        if found is None:
            try:
                with open(os.path.join(ROOT, self.files[file]), "rb") as source:
                    found = kept_in(ast.parse(source.read()))
            except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
                found = Everything()
            self.keeping[file] = found
        return found

    def import_of(self, frame):
        """What is being imported as a frame runs."""
        thread = threading.get_ident()
        while self.importing:
            module, of_thread, bucket = self.importing[-1]
            if of_thread != thread:
                return None
            caller = frame
            while caller is not None and caller is not module:
                caller = caller.f_back
            if caller is not None:
                return bucket
            self.importing.pop()
        return None

    # Where events come from.

    def start(self):
        sys.addaudithook(self.audit)
        monitoring = getattr(sys, "monitoring", None)
        if monitoring is not None:
            for tool in (4, 3, 2, 5):
                if monitoring.get_tool(tool) is None:
                    monitoring.use_tool_id(tool, "grace-rules")
                    self.tool = tool
                    break
        if self.tool is not None:
            self.how = "monitoring"
            events = monitoring.events
            monitoring.register_callback(self.tool, events.PY_START, self.monitored)
            monitoring.register_callback(self.tool, events.PY_RESUME, self.monitored)
            monitoring.set_events(self.tool, events.PY_START | events.PY_RESUME)
        else:
            self.how = "profile"
            threading.setprofile(self.profiled)
            sys.setprofile(self.profiled)
        self.started = True
        # Before the interpreter takes its modules apart, this one among them.
        atexit.register(self.stop)

    def stop(self):
        """Nothing is listened to any more."""
        self.started = False
        if self.tool is None:
            if sys.getprofile() == self.profiled:
                sys.setprofile(None)
            threading.setprofile(None)
        elif sys.monitoring.get_tool(self.tool) == "grace-rules":
            sys.monitoring.set_events(self.tool, 0)
            sys.monitoring.free_tool_id(self.tool)

    def monitored(self, code, offset):
        if self.enter(code, sys._getframe(1)):
            return sys.monitoring.DISABLE
        return None

    def profiled(self, frame, event, argument):
        if event == "call":
            self.enter(frame.f_code, frame)

    def again(self):
        """What was told before is told once more."""
        if self.tool is not None:
            sys.monitoring.restart_events()

    def is_listening(self):
        """Whether nobody has taken the events away; they are asked for again."""
        if self.tool is not None:
            monitoring = sys.monitoring
            events = monitoring.events.PY_START | monitoring.events.PY_RESUME
            if monitoring.get_tool(self.tool) == "grace-rules" and monitoring.get_events(self.tool) == events:
                return True
            if monitoring.get_tool(self.tool) is None:
                monitoring.use_tool_id(self.tool, "grace-rules")
                monitoring.register_callback(self.tool, monitoring.events.PY_START, self.monitored)
                monitoring.register_callback(self.tool, monitoring.events.PY_RESUME, self.monitored)
                monitoring.set_events(self.tool, events)
            return False
        if sys.getprofile() == self.profiled:
            return True
        sys.setprofile(self.profiled)
        return False

    def audit(self, event, arguments):
        if not self.started:
            return
        if event == "open":
            self.opens(arguments[0])
        elif event in SPAWNS and os.getpid() == PROCESS:
            if event in ("subprocess.Popen", "os.posix_spawn", "os.exec") and is_harmless(arguments):
                return
            self.stack[-1].flags |= UNSEEN
            if self.importing:
                bucket = self.import_of(sys._getframe(1))
                if bucket is not None:
                    bucket.flags |= UNSEEN

    def opens(self, path):
        if not isinstance(path, (str, bytes)):
            return
        if isinstance(path, bytes):
            path = os.fsdecode(path)
        if path.endswith((".pyc", ".pyo")):
            return
        frame = sys._getframe(2)
        bucket = self.stack[-1]
        if path.endswith(".py"):
            # To import a file is not to read it; what we look up in it is no test's.
            reader = frame.f_code.co_filename
            if self.current is None or reader.startswith("<frozen importlib") or reader == __file__:
                return
        file = self.file(os.path.abspath(path))
        if file is None or file < 0:
            return
        bucket.opened.add(file)
        if self.importing:
            importing = self.import_of(frame)
            if importing is not None:
                importing.opened.add(file)

    # What is written.

    def whole(self):
        """Files that were asked for as a whole, or by a folder, and all of whose tests ran."""
        config = self.config
        if getattr(config.option, "pyargs", False):
            return []
        started_in = str(getattr(getattr(config, "invocation_params", None), "dir", "") or os.getcwd())
        asked = set()
        for argument in config.args:
            if "::" not in str(argument):
                path = os.path.abspath(os.path.join(started_in, str(argument)))
                asked.update((path, os.path.realpath(path)))
        left_out = {name.split("::", 1)[0] for name, items in self.waiting.items() if items}

        def is_asked(path):
            while path not in asked:
                above = os.path.dirname(path)
                if above == path:
                    return False
                path = above
            return True

        found = (file for file in self.collected - self.partly if self.files[file] not in left_out)
        return sorted(file for file in found if is_asked(os.path.normpath(os.path.join(ROOT, self.files[file]))))

    def write(self):
        def all_of(bucket):
            entered, opened, flags = set(bucket.entered), set(bucket.opened), bucket.flags
            for fixture in bucket.fixtures:
                other = self.fixtures[fixture][1]
                entered |= other.entered
                opened |= other.opened
                flags |= other.flags & UNSEEN
            return [flags, sorted(entered), sorted(opened)]

        record = {
            "version": VERSION,
            "how": self.how,
            "files": self.files,
            "codes": self.codes,
            "keeps": self.keepers((IN_OBJECT, OUTSIDE, BY_DECORATOR)),
            "hands": self.keepers((BY_DECORATOR,)),
            "imports": [[file] + all_of(bucket) for file, bucket in sorted(self.imports.items())],
            "outside": all_of(self.outside),
            "unseen": sorted(self.unseen),
            "elsewhere": elsewhere(),
            "whole": self.whole(),
            "ran_by": ran_by(),
            # Of a test function some of whose parameters did not run, too little is known.
            "tests": [
                [name] + all_of(bucket)
                for name, bucket in sorted(self.tests.items())
                if not self.waiting.get(name)
            ],
            "complete": True,
        }
        path = os.path.join(FOLDER, "reach.json")
        with open(path + ".part", "w", encoding="ascii") as out:
            json.dump(record, out, separators=(",", ":"))
        os.replace(path + ".part", path)

    def keepers(self, kinds):
        """The code that may keep what it computed for those who ask later, of some kinds."""
        keeping = []
        for index, (file, line, name) in enumerate(self.codes):
            kind = self.kept_in(file).get((line, name))
            # What is kept in an object matters where that was seen in several tests.
            if kind in kinds and (kind != IN_OBJECT or index not in self.holders):
                keeping.append(index)
        return keeping


class Everything:
    """A file that cannot be read as code: all of it may keep anything."""

    def get(self, key):
        return BY_DECORATOR


def is_harmless(arguments):
    program = arguments[0]
    if isinstance(program, bytes):
        program = os.fsdecode(program)
    if program is None and len(arguments) > 1:
        program = arguments[1]
    if isinstance(program, (list, tuple)) and program:
        program = program[0]
    return isinstance(program, str) and os.path.basename(program) in HARMLESS


def elsewhere():
    """Modules that are imported from outside the tree and from no standard library, as paths below their folder."""
    found = set()
    for name, module in list(sys.modules.items()):
        path = getattr(module, "__file__", None)
        if not isinstance(path, str) or not isinstance(name, str):
            continue
        path = os.path.realpath(path)
        if path.startswith(ROOT) or "site-packages" not in path and "dist-packages" not in path:
            continue
        inside = name.replace(".", "/")
        found.add(inside + ("/__init__.py" if os.path.basename(path).startswith("__init__.") else ".py"))
    return sorted(found)


def ran_by():
    """What runs the tests: the kind of interpreter, its program, the folders of installed packages."""
    version = "%s %s" % (sys.implementation.name, sys.version.split(" ")[0])
    folders = set()
    for entry in sys.path:
        if os.path.basename(os.path.normpath(entry)) in ("site-packages", "dist-packages") and os.path.isdir(entry):
            folders.add(os.path.abspath(entry))
    return [version, os.path.abspath(sys.executable) if sys.executable else "", sorted(folders)]


FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
CHANGES = {"setdefault", "update", "append", "add", "insert", "extend", "pop", "register", "__setitem__"}


# Where a function keeps what it computed: in the object it is called on, elsewhere, in what its decorator made.
IN_OBJECT, OUTSIDE, BY_DECORATOR = 1, 2, 3


def kept_in(tree):
    """First line and name of the functions that keep something beyond their call, with where."""
    found = {}
    todo = [tree]
    while todo:
        node = todo.pop()
        for child in ast.iter_child_nodes(node):
            todo.append(child)
        if isinstance(node, FUNCTIONS):
            where = keeps(node)
            if where:
                line = min([node.lineno] + [decorator.lineno for decorator in node.decorator_list])
                found[(line, node.name)] = max(where, found.get((line, node.name), 0))
    return found


def root_of(node):
    """The name that a chain of attributes and items begins with, and its first attribute."""
    attribute = None
    while isinstance(node, (ast.Attribute, ast.Subscript, ast.Call)):
        if isinstance(node, ast.Attribute):
            attribute = node.attr
        node = node.func if isinstance(node, ast.Call) else node.value
    return (node.id if isinstance(node, ast.Name) else None), attribute


def keeps(function):
    for decorator in function.decorator_list:
        for node in ast.walk(decorator):
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if any(word in name.lower() for word in ("cache", "memo", "once", "lazy", "singleton", "reify")):
                return BY_DECORATOR
    arguments = function.args
    every = arguments.args + arguments.kwonlyargs + getattr(arguments, "posonlyargs", [])
    every += [one for one in (arguments.vararg, arguments.kwarg) if one is not None]
    first = every[0].arg if every else None
    local = {one.arg for one in every}
    stored, loaded, outer = set(), set(), set()
    stores, given = [], []
    where = 0
    for node in ast.walk(function):
        if isinstance(node, (ast.Global, ast.Nonlocal)):
            outer.update(node.names)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            stored.add(node.id)
        elif isinstance(node, (ast.Attribute, ast.Subscript)):
            if isinstance(node.ctx, (ast.Store, ast.Del)):
                stores.append(node)
            elif isinstance(node, ast.Attribute):
                loaded.add(node.attr)
        elif isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Attribute) and called.attr in CHANGES:
                stores.append(called)
            elif isinstance(called, ast.Name) and called.id in ("globals", "vars"):
                return OUTSIDE
            elif isinstance(called, ast.Name) and called.id == "setattr" and node.args:
                given.append(node.args[0])
    if stored & outer:
        return OUTSIDE
    local |= stored - outer
    for node in given:
        # An attribute whose name is not known: of an argument it is as any other that is set there.
        root, _ = root_of(node)
        if root is None or root not in local or root == "cls":
            return OUTSIDE
        if root == first:
            where = IN_OBJECT
    for node in stores:
        root, attribute = root_of(node)
        if root is None:
            continue
        if root not in local or root == "cls":
            return OUTSIDE
        if root == first and (attribute in loaded or attribute in ("__class__", "__dict__")):
            # An object that keeps what it was asked for: it may outlive the test.
            if not isinstance(node, ast.Attribute) or node.attr not in CHANGES or node.attr == "setdefault":
                where = IN_OBJECT if attribute not in ("__class__", "__dict__") else OUTSIDE
    return where


RECORDER = Recorder()
if FOLDER is not None and len(ROOT) > 1:
    for _module in list(sys.modules.values()):
        _path = getattr(_module, "__file__", None)
        if isinstance(_path, str):
            _file = RECORDER.file(_path)
            if _file is not None and _file >= 0:
                RECORDER.unseen.add(_file)
    RECORDER.start()


def is_ours(config):
    return RECORDER.started and RECORDER.config is config


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config):
    if RECORDER.started and RECORDER.config is None:
        RECORDER.config = config
        # One process sees everything.
        for name, value in (("dist", "no"), ("numprocesses", 0), ("tx", [])):
            if hasattr(config.option, name):
                setattr(config.option, name, value)


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_make_collect_report(collector):
    if not is_ours(collector.config):
        yield
        return
    path = str(getattr(collector, "path", None) or getattr(collector, "fspath", ""))
    file = RECORDER.file(path) if path.endswith(".py") else None
    if file is None or file < 0:
        yield
        return
    bucket = RECORDER.imports.get(file)
    if bucket is None:
        bucket = RECORDER.imports[file] = Bucket()
    RECORDER.stack.append(bucket)
    RECORDER.again()
    outcome = None
    try:
        outcome = yield
    finally:
        RECORDER.stack.pop()
        RECORDER.again()
        is_read = outcome is not None and outcome.excinfo is None and outcome.get_result().passed
        (RECORDER.collected if is_read else RECORDER.partly).add(file)


def name_of(item):
    path = str(getattr(item, "path", None) or getattr(item, "fspath", ""))
    file = RECORDER.file(path)
    if file is None or file < 0:
        return None
    name = getattr(item, "originalname", None) or item.name.split("[", 1)[0]
    inside = item.parent.nodeid.split("::", 1)[1:] if item.parent is not None else []
    return "::".join([RECORDER.files[file]] + inside + [name])


@pytest.hookimpl(tryfirst=True)
def pytest_itemcollected(item):
    name = name_of(item) if is_ours(item.config) else None
    if name is not None:
        RECORDER.waiting.setdefault(name, {})[id(item)] = item


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    name = name_of(item) if is_ours(item.config) else None
    if name is None or RECORDER.current is not None:
        yield
        return
    RECORDER.waiting.get(name, {}).pop(id(item), None)
    bucket = RECORDER.tests.get(name)
    if bucket is None:
        bucket = RECORDER.tests[name] = Bucket()
    if RECORDER.last != name:
        RECORDER.again()
    threads = set(threading.enumerate())
    RECORDER.last = name
    RECORDER.current = (item, bucket)
    RECORDER.stack.append(bucket)
    try:
        yield
    finally:
        del RECORDER.stack[1:]
        RECORDER.current = None
        # Whoever goes on in the next test, or took the events away, was not seen to the end.
        if not RECORDER.is_listening() or set(threading.enumerate()) - threads:
            bucket.flags |= UNSEEN


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_teardown(item, nextitem):
    current = RECORDER.current
    if current is not None and current[0] is item:
        definitions = []
        information = getattr(item, "_fixtureinfo", None)
        if information is not None:
            for several in information.name2fixturedefs.values():
                definitions.extend(several)
        request = getattr(item, "_request", None)
        if request:
            definitions.extend(getattr(request, "_fixture_defs", {}).values())
        current[1].fixtures.update(id(one) for one in definitions if id(one) in RECORDER.fixtures)
    yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef, request):
    if not is_ours(request.config) or str(fixturedef.scope) == "function":
        yield
        return
    known = RECORDER.fixtures.get(id(fixturedef))
    if known is None:
        known = RECORDER.fixtures[id(fixturedef)] = (fixturedef, Bucket())
    now = []

    def begin():
        now.append(Bucket())
        RECORDER.stack.append(now[-1])
        RECORDER.again()

    def end():
        # What runs for a fixture runs for all who use it, and for whoever is at it.
        while now:
            seen = now.pop()
            if seen in RECORDER.stack:
                del RECORDER.stack[RECORDER.stack.index(seen):]
            for other in (known[1], RECORDER.stack[-1]):
                other.entered |= seen.entered
                other.opened |= seen.opened
                other.flags |= seen.flags & UNSEEN

    # Finalizers run backwards: this one last, `begin` first.
    fixturedef.addfinalizer(end)
    begin()
    try:
        yield
    finally:
        end()
        fixturedef.addfinalizer(begin)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report):
    current = RECORDER.current
    if current is None or current[0].nodeid != report.nodeid:
        return
    if report.failed:
        current[1].flags |= FAILED
    elif not report.passed:
        # Skipped, or expected to fail: what it would have entered is not known.
        current[1].flags |= UNSEEN


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_sessionfinish(session, exitstatus):
    yield
    if is_ours(session.config) and os.getpid() == PROCESS:
        RECORDER.stop()
        # A session that stopped early, or that looked at what failed the last time alone, tells too little.
        stopped = getattr(session, "shouldstop", False) or getattr(session, "shouldfail", False)
        option = session.config.option
        again = any(getattr(option, name, False) for name in ("lf", "stepwise"))
        if int(exitstatus) in (0, 1) and not stopped and not again:
            RECORDER.write()
