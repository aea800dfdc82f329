# Runs no test of the repository: ruff reads the code and writes its own report, with one entry even when it finds nothing.

module grace.bundles.lint

bundle lint
  says     "ruff on the whole tree"
  tests    none
  run      "ruff", "check", "--output-format", "junit", "--output-file", "{junit}", "."
  timeout  120 s in all
  retries  0
  pass rate at least 100 %
  may be empty
