module grace.bundles.governance_decisions

bundle governance_decisions  critical
  says     "policy enforcement and approvals"
  tests    path("tests/test_governance_engine.py") plus path("tests/test_policy_enforcement.py")
           plus path("tests/test_approval_workflows.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  120 s in all
  retries  1
  pass rate at least 100 %
