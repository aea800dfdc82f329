module grace.bundles.trigger_system

bundle trigger_system
  says     "propagation through the trigger mesh"
  tests    path("tests/test_trigger_mesh.py") plus path("tests/test_event_propagation.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  90 s in all
  retries  1
  pass rate at least 100 %
