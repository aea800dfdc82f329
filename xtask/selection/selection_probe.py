"""A pytest plugin that writes what each test came to, as it comes: one JSON value a line in the file `SELECTION_PROBE`."""

import json
import os


class Probe:
    def __init__(self, path):
        self.out = open(path, "w", encoding="utf-8", buffering=1)

    def say(self, *values):
        self.out.write(json.dumps(values) + "\n")

    def pytest_runtest_logstart(self, nodeid, location):
        self.say("start", nodeid)

    def pytest_runtest_logreport(self, report):
        self.say(report.when, report.nodeid, report.outcome, round(report.duration * 1000, 2))

    def pytest_collectreport(self, report):
        if report.outcome == "failed":
            self.say("uncollected", report.nodeid)

    def pytest_sessionfinish(self, session, exitstatus):
        self.say("end", int(exitstatus))


def pytest_configure(config):
    path = os.environ.get("SELECTION_PROBE")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Probe(path), "selection-probe-writer")
