module grace.bundles.policy_enforcement

bundle policy_enforcement  critical
  says     "constitutional principles"
  tests    path("tests/test_constitutional_engine.py") plus path("tests/test_policy_enforcement.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  90 s in all
  retries  1
  pass rate at least 100 %
