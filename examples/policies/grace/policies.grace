# The ten policies, in the order of the README.

module policies

team governance  members "gwen@example.org", "goran@example.org"
team security    members "sam@example.org", "sue@example.org"
team api_owners  members "amir@example.org"
team privacy     members "pia@example.org"
team release     members "rosa@example.org"
team legal       members "lea@example.org"
team reviewers   members "rita@example.org", "ravi@example.org"

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)  for operations change_security

# a
rule infra_four_eyes : tier 3
  when     any edit in path("infra/**")
  require  approval 2 of anyone, 1 of them of team(security)
  because  "An infrastructure fault reaches every system."

# b
define lock_files = path("**/uv.lock") plus path("**/package-lock.json")

waiver lock_bumps of tiers.internal for lock_files to tier 1
  when     actor is verified bot("renovate") and change only touches lock_files
           and not package change is major
  granted by team(governance) until 2027-06-30
  because  "Small updates are tested by the suite."

# c
rule public_signature : tier 2
  when     signatures change in public(package("x"))
  require  approval 1 of team(api_owners), bundle(contract_tests)
  because  "Callers outside depend on it."

# d
forbid ui_to_database
  imports  from package("ui") to package("database"), direct or through other modules
  existing listed, may only shrink
  remedy   "Go through the service layer."
  because  "Screens must not know storage."

# e
define customer_data = files of callers(module("billing.pii"), within 2)

rule privacy_review : tier 3
  when     change touches customer_data
  require  approval 1 of team(privacy)
  because  "Customer data needs a lawful purpose."

# f
window freeze_2026 2026-12-20 to 2027-01-03, zone "Europe/Berlin"

rule freeze : tier 3
  when     during freeze_2026 and any edit in all
  require  ticket "HOT-*", approval 1 of team(release)
  because  "Few people are on call."

# g
define counted = all except (lock_files plus generated)

rule too_big : tier 2
  when     lines changed in counted > 400 or files changed in counted > 20
  require  extra approval 1 of anyone
  remedy   "Split it; each part is planned alone."
  because  "Large changes are read badly."

# h
rule licensed_models_only : tier 3
  always when any of models used by path("product/**") has commercial_use not allowed
  deny     if unknown hold for approval 1 of team(legal)
  because  "We sell this product."

# i
rule flaky_evidence : tier 2
  after    the run
  when     any required bundle has flaky rate over last 20 runs > 5 %
  because  "A test that wavers proves nothing."

# j
rule test_weakened : tier 2
  when     tests removed or tests weakened
  require  approval 1 of team(reviewers)
  because  "Nobody lowers the bar for their own change."

# What the policies above run, and one duty that makes a change to documents run something.
bundle contract_tests
  says     "what partners were promised"
  tests    path("tests/contract/**")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s in all

bundle docs_check
  says     "documents keep their form"
  tests    path("tests/test_docs.py")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s in all

rule docs_are_checked
  when     any edit in path("docs/**")
  require  bundle(docs_check)
  because  "A broken guide is found by readers otherwise."
