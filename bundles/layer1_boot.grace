module grace.bundles.layer1_boot

bundle layer1_boot  critical
  says     "layer 1 boot orchestration"
  tests    path("tests/test_boot_orchestrator.py") plus path("tests/test_control_plane.py")
           plus path("tests/test_kernel_loading.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  120 s in all
  retries  1
  pass rate at least 100 %
