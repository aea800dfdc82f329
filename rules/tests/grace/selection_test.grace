# Each selection rule fires, and does not.

module packs.selection_test

test "a kernel edit runs the chaos smoke"
  given    edit of path("backend/kernels/**") in fixture("mini_grace") as of 2026-06-01
  expect   bundle(chaos_smoke) from kernel_change
  expect   bundle(lint) from code_change

test "a cognition edit is no kernel edit"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   no rule kernel_change
  expect   no rule kernel_in_layer1
  expect   no rule layer1_change
  expect   no rule adapter_change
  expect   no rule governance_change

test "a boot kernel is a kernel in layer 1"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from kernel_in_layer1
  expect   bundle(layer1_boot) from layer1_change
  expect   bundle(chaos_smoke) from kernel_change

test "an adapter edit runs routing and failover"
  given    edit of class("MistralAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   bundle(multi_model_routing) from adapter_change
  expect   bundle(model_failover) from adapter_change

test "a governance edit runs decisions and enforcement"
  given    edit of path("backend/governance/**") in fixture("mini_grace") as of 2026-06-01
  expect   bundle(governance_decisions) from governance_change
  expect   bundle(policy_enforcement) from governance_change

test "documents run no lint"
  given    edit of path("README.md") in fixture("mini_grace") as of 2026-06-01
  expect   no bundle(lint)

# What stands close in the graph: a helper that the domain calls is reached, one that nobody calls is not.

test "what a kernel calls reaches the kernel"
  given    edit of path("backend/kernels/base.py") in fixture("mini_grace") as of 2026-06-01
  expect   rule reaches_layer1

test "what governance asks reaches governance"
  given    new file "backend/shared/clock.py" containing "def now():\n    return 0\n"
  given    replace "from __future__ import annotations\n" by "from __future__ import annotations\n\nfrom backend.shared.clock import now\n" in "backend/governance/trust.py"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   rule reaches_governance
  expect   no rule reaches_self_healing
  expect   no rule reaches_cognition

test "what healing observes with reaches healing"
  given    new file "backend/shared/clock.py" containing "def now():\n    return 0\n"
  given    replace "from __future__ import annotations\n" by "from __future__ import annotations\n\nfrom backend.shared.clock import now\n" in "backend/self_heal/trigger_mesh.py"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   rule reaches_self_healing
  expect   no rule reaches_governance

test "what a loop reads reaches the loop"
  given    new file "backend/shared/clock.py" containing "def now():\n    return 0\n"
  given    replace "from __future__ import annotations\n" by "from __future__ import annotations\n\nfrom backend.shared.clock import now\n" in "backend/cognition/loop.py"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   rule reaches_cognition
  expect   no rule reaches_governance

test "a module that nobody uses reaches nothing"
  given    new file "backend/unused.py" containing "def nothing():\n    return None\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   no rule reaches_kernel
  expect   no rule reaches_layer1
  expect   no rule reaches_governance
  expect   no rule reaches_models
  expect   no rule reaches_self_healing
  expect   no rule reaches_cognition
  expect   no bundle(chaos_smoke)

test "a flaky bundle is no evidence"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    fact flaky rate of bundle(cognition_loops) = 6 %
  expect   rule flaky_evidence
