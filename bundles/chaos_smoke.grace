module grace.bundles.chaos_smoke

bundle chaos_smoke  critical
  says     "a quick chaos smoke"
  tests    path("tests/chaos/test_chaos_smoke.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s each, 120 s in all
  retries  1
  pass rate at least 100 %
