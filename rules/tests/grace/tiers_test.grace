# What reaches each tier.

module packs.tiers_test

test "formatting and comments are tier 1"
  given    comment edit of path("backend/**") in fixture("mini_grace") as of 2026-06-01
  expect   tier 1

test "other code is tier 2"
  given    new file "backend/unused.py" containing "def nothing():\n    return None\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   tier 2

test "a sensitive operation is tier 3 whatever it edits"
  given    edit of path("README.md") in fixture("mini_grace") as of 2026-06-01
  given    operation modify_config
  expect   tier 3 from tiers.sensitive

test "a safe operation lowers nothing"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    operation format
  expect   tier 2

test "a file under security is tier 3"
  given    new file "backend/security/keys.py" containing "def keys():\n    return []\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   tier 3 from sensitive_paths

test "an adapter is tier 3"
  given    edit of class("MistralAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from sensitive_adapters

test "cognition is neither"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   no rule sensitive_paths
  expect   no rule sensitive_adapters

test "a tier 3 change waits for governance"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   decision hold
