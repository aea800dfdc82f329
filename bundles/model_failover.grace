module grace.bundles.model_failover

bundle model_failover
  says     "model health and failover"
  tests    path("tests/test_model_health.py") plus path("tests/test_model_failover.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  180 s in all
  retries  1
  pass rate at least 100 %
