module grace.bundles.self_healing_flows

bundle self_healing_flows  critical
  says     "the trigger system and its playbooks"
  tests    path("tests/test_trigger_system.py") plus path("tests/test_playbook_engine.py")
           plus path("tests/test_auto_remediation.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  180 s in all
  retries  1
  pass rate at least 100 %
