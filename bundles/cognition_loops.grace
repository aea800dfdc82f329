module grace.bundles.cognition_loops

bundle cognition_loops
  says     "cognitive loops"
  tests    path("tests/test_cognition_loop.py") plus path("tests/test_meta_loop.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  200 s in all
  retries  1
  pass rate at least 100 %
