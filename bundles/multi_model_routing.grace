module grace.bundles.multi_model_routing

bundle multi_model_routing
  says     "routing between open models"
  tests    path("tests/test_model_routing.py") plus path("tests/test_model_failover.py")
           plus path("tests/test_model_health.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  300 s in all
  retries  1
  pass rate at least 100 %
