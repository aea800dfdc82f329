# Each rule that upholds a principle fires, and does not.

module packs.principles_test

# --- PRESERVE_LAYER1_STABILITY

test "a boot kernel edit upholds layer 1"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from layer1
  expect   principle PRESERVE_LAYER1_STABILITY from layer1
  expect   bundle(chaos_smoke) from layer1
  expect   approval 1 of team(governance) from layer1
  expect   no bundle(cognition_loops)

test "a comment in the boot kernel does not"
  given    comment edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   tier 1
  expect   no principle PRESERVE_LAYER1_STABILITY

test "a layer 1 part that is removed needs two of governance"
  given    removal of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   approval 2 of team(governance) from layer1_removed

test "a layer 1 part that is edited does not"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   no rule layer1_removed

test "a new layer 1 adapter upholds layer 1"
  given    new file "backend/layer1/clock_adapter.py" containing "\"\"\"The clock that boot code stands on.\"\"\"\n\n\ndef now():\n    return 0\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   tier 3 from layer1_adapter_changed
  expect   principle PRESERVE_LAYER1_STABILITY from layer1_adapter_changed

test "a new cognition module is no layer 1 adapter"
  given    new file "backend/cognition/clock.py" containing "def now():\n    return 0\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   no rule layer1_adapter_changed

test "a new import of boot code from elsewhere is agreed"
  given    new file "backend/cognition/restart.py" containing "from backend.boot.boot_kernel import BootKernel\n\n\ndef kernel():\n    return BootKernel\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   rule new_import_into_layer1
  expect   principle PRESERVE_LAYER1_STABILITY from new_import_into_layer1

test "a new module that imports nothing of it is not asked"
  given    new file "backend/cognition/clock.py" containing "def now():\n    return 0\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   no rule new_import_into_layer1

# --- PROTECT_GOVERNANCE_DECISIONS

test "a governance edit protects decisions"
  given    edit of path("backend/governance/**") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from governance
  expect   rule governance_code_changed
  expect   principle PROTECT_GOVERNANCE_DECISIONS from governance_code_changed

test "a decision that is no longer there to be asked is noticed"
  given    removal of function("TrustLedger.score") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from governance_bypassed
  expect   bundle(policy_enforcement) from governance_bypassed
  expect   principle PROTECT_GOVERNANCE_DECISIONS from governance_bypassed

test "one that is edited is still there"
  given    edit of function("TrustLedger.score") in fixture("mini_grace") as of 2026-06-01
  expect   no rule governance_bypassed

test "a cognition edit does not touch them"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   no rule governance_code_changed
  expect   no principle PROTECT_GOVERNANCE_DECISIONS

# --- KEEP_MODELS_VERIFIABLE and PRESERVE_MODEL_COMPLIANCE

test "an adapter edit keeps models verifiable and compliant"
  given    edit of class("MistralAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   tier 3 from model_adapter_changed
  expect   principle KEEP_MODELS_VERIFIABLE from model_adapter_changed
  expect   principle PRESERVE_MODEL_COMPLIANCE from model_adapter_changed

test "a model with another contract is measured anew"
  given    patch "patches/mistral_contract.patch"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   rule model_contract_changed
  expect   principle KEEP_MODELS_VERIFIABLE from model_contract_changed
  expect   principle PRESERVE_MODEL_COMPLIANCE from model_contract_changed
  expect   no rule model_flags_removed

test "a compliance flag that is withdrawn needs two of governance"
  given    patch "patches/mistral_flags.patch"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   approval 2 of team(governance) from model_flags_removed
  expect   principle PRESERVE_MODEL_COMPLIANCE from model_flags_removed

test "a boot edit concerns no model"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   no rule model_adapter_changed
  expect   no rule model_flags_removed
  expect   no rule model_contract_changed

# --- OPTIMIZE_WITH_CLARITY

test "an optimisation without a rationale is asked for one"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    operation optimize
  expect   rule optimisation_explained
  expect   approval 1 of team(peers) from optimisation_explained
  expect   principle OPTIMIZE_WITH_CLARITY from optimisation_explained

test "an optimisation with one is not"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    operation optimize
  given    rationale "Halves the calls for each loop."
  expect   no rule optimisation_explained

test "another operation needs none"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    operation refactor
  expect   no rule optimisation_explained

# --- NEVER_SACRIFICE_SAFETY

test "a removed test needs a peer"
  given    removal of path("tests/test_cognition_loop.py") in fixture("mini_grace") as of 2026-06-01
  expect   rule test_weakened
  expect   approval 1 of team(peers) from test_weakened
  expect   principle NEVER_SACRIFICE_SAFETY from test_weakened

test "an added test needs nobody"
  given    new file "tests/test_sum.py" containing "def test_one_and_one():\n    assert 1 + 1 == 2\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   no rule test_weakened
  expect   tier 1

test "a check that is switched off is tier 3"
  given    new file "backend/cognition/fetch.py" containing "import urllib3\n\n\ndef fetch(url, get):\n    return get(url, verify=False)\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   tier 3 from check_disabled
  expect   principle NEVER_SACRIFICE_SAFETY from check_disabled

test "a check that is only spoken of is not"
  given    new file "backend/cognition/fetch.py" containing "def fetch(url, get):\n    # never verify=False here\n    return get(url)\n"
  given    fixture("mini_grace")
  given    as of 2026-06-01
  expect   no rule check_disabled

test "a critical bundle that fails denies"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  given    outcome of bundle(chaos_smoke) = failed
  expect   decision no

# --- MAINTAIN_AUDIT_TRAIL

test "a change without a story keeps no audit trail"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   rule story_incomplete
  expect   principle MAINTAIN_AUDIT_TRAIL from story_incomplete

test "a change with one does"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    fact capability of story = "cognition"
  given    rationale "The loop ends too early."
  given    fact rollback_plan of story = "Revert."
  expect   no rule story_incomplete

test "formatting needs no story"
  given    comment edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  expect   no rule story_incomplete

# --- RESPECT_TRUST_SCORES

test "trust below the minimum is rejected"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    fact trust = 0.6
  expect   decision no

test "trust that is kept is no reason to reject"
  given    edit of path("backend/cognition/**") in fixture("mini_grace") as of 2026-06-01
  given    fact trust = 0.9
  expect   no rule trust_kept
