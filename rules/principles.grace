# The eight constitutional principles, and rules that uphold them beside the domain policies.
# Principles are unwaivable, and so is every rule that upholds one.
# Teams are the project's: `team governance members …` and `team peers members …`.

module grace.principles
use    grace.vocabulary

principle PRESERVE_LAYER1_STABILITY  unwaivable
  says "Layer 1 (boot, core kernels, foundational adapters) stays stable: chaos testing and explicit governance approval for every change."

principle PROTECT_GOVERNANCE_DECISIONS  unwaivable
  says "Governance policies and trust decisions change only at tier 3, with a full audit trail."

principle KEEP_MODELS_VERIFIABLE  unwaivable
  says "Every model keeps a contract, health checks and a performance baseline."

principle PRESERVE_MODEL_COMPLIANCE  unwaivable
  says "Compliance flags (data protection, licence, bias) never shrink; a change to an adapter has them verified again."

principle OPTIMIZE_WITH_CLARITY  unwaivable
  says "Efficiency never costs clarity: an optimisation says why, and leaves the documentation standing."

principle NEVER_SACRIFICE_SAFETY  unwaivable
  says "No change bypasses verification, hallucination checks or an approval that is required."

principle MAINTAIN_AUDIT_TRAIL  unwaivable
  says "Every change is logged immutably, with who, what, when, where, why and how."

principle RESPECT_TRUST_SCORES  unwaivable
  says "A change that takes trust below its threshold is rejected or escalated."

# --- layer 1

rule layer1_adapter_changed : tier 3
  when     change touches tag(layer1_adapter)
  require  approval 1 of team(governance), bundle(chaos_smoke)
  upholds  PRESERVE_LAYER1_STABILITY
  owner    team(governance)
  because  "A foundational adapter is part of layer 1, wherever its file stands."
  may be empty

rule layer1_removed : tier 3
  when     change removes layer(layer1) or change renames layer(layer1)
  require  approval 2 of team(governance), bundle(layer1_boot), bundle(chaos_smoke)
  upholds  PRESERVE_LAYER1_STABILITY
  owner    team(governance)
  because  "What boots the system is looked up by name; a piece that is gone is missed at the next start, not before."

rule new_import_into_layer1 : tier 2
  when     new edges imports from (all except (layer(layer1) plus tests)) to layer(layer1)
  require  approval 1 of team(governance)
  upholds  PRESERVE_LAYER1_STABILITY
  owner    team(governance)
  because  "Whoever imports layer 1 makes it harder to change."

# --- governance

rule governance_code_changed : tier 3
  when     change touches tag(governance_policy)
  require  approval 1 of team(governance)
  require  rationale, story requesting_actor
  upholds  PROTECT_GOVERNANCE_DECISIONS
  owner    team(governance)
  because  "Nobody loosens the rules that they are held to without being asked why."

rule governance_bypassed : tier 3
  when     change removes callers(tag(governance_policy), within 1) except tests
  require  approval 1 of team(governance), bundle(policy_enforcement)
  upholds  PROTECT_GOVERNANCE_DECISIONS
  owner    team(governance)
  because  "Code that asked for a decision and is gone no longer asks."

# --- models

rule model_contract_changed : tier 3
  when     contracts change of models
  require  approval 1 of team(governance)
  upholds  KEEP_MODELS_VERIFIABLE, PRESERVE_MODEL_COMPLIANCE
  owner    team(governance)
  because  "A contract is what a model is measured by; with a new one the old measurements say nothing."

rule model_adapter_changed : tier 3
  when     change touches tag(oss_model_wrapper)
  require  approval 1 of team(governance), bundle(multi_model_routing), bundle(model_failover)
  upholds  KEEP_MODELS_VERIFIABLE, PRESERVE_MODEL_COMPLIANCE
  owner    team(governance)
  because  "An adapter carries the model's contract and its compliance; both are checked again."

rule model_flags_removed : tier 3
  when     flags removed of models
  require  approval 2 of team(governance)
  upholds  PRESERVE_MODEL_COMPLIANCE
  owner    team(governance)
  because  "A compliance flag is a promise to somebody outside; it is not withdrawn by a commit."

# --- clarity

rule optimisation_explained : tier 2
  when     operation is optimize and (rationale missing or documentation removed in all)
  require  rationale, approval 1 of team(peers)
  upholds  OPTIMIZE_WITH_CLARITY
  remedy   "Say why it is faster and for whom, and keep the documentation."
  because  "Fast code that nobody can read is rewritten by the next reader."

# --- safety

rule test_weakened : tier 2
  when     tests removed or tests weakened
  require  approval 1 of team(peers)
  upholds  NEVER_SACRIFICE_SAFETY
  because  "Nobody lowers the bar for their own change."

# Text that runs or is read by what runs; data and pictures hold no checks.
define checked_text = language(python)
  plus path("**/*.{js,jsx,mjs,cjs,ts,tsx,go,rs,java,kt,cs,rb,php,sh,bash,ps1,bat,yml,yaml,toml,cfg,ini}")
  plus path("**/Dockerfile*") plus path("**/Makefile")

rule check_disabled : tier 3
  when     added code lines in checked_text contain "verify=False", "verify = False", "--no-verify",
           "_create_unverified_context", "skip_governance", "skip_verification",
           "bypass_governance", "disable_guardrails"
  require  approval 1 of team(governance)
  upholds  NEVER_SACRIFICE_SAFETY
  owner    team(governance)
  remedy   "Make the check pass, or change the check itself in the open."
  because  "A check that is switched off in passing stays off."

rule critical_bundle_failed : tier 3
  after    the run
  when     any critical bundle failed
  deny
  upholds  NEVER_SACRIFICE_SAFETY
  owner    team(governance)
  because  "A critical bundle passes before a deployment, without exception."

# --- audit trail

rule story_incomplete : tier 2
  when     not change only in comments, formatting, documentation, added tests
           and (rationale missing or story lacks capability or story lacks rollback_plan)
  require  rationale, story capability, rollback_plan
  upholds  MAINTAIN_AUDIT_TRAIL
  remedy   "Give the missing fields by --story FILE or as commit trailers; the others are derived."
  because  "Who audits this in a year has only what was written down now."

# --- trust

rule trust_kept : tier 3
  after    the run
  when     trust below minimum
  deny     if unknown hold for approval 1 of team(governance)
  upholds  RESPECT_TRUST_SCORES
  owner    team(governance)
  because  "The minimum was set before this change, so that this change cannot set it."
