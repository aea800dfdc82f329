module grace.bundles.integration

bundle integration
  says     "end to end"
  tests    path("tests/e2e/test_integrated_orchestration_e2e.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  600 s in all
  retries  1
  pass rate at least 100 %
