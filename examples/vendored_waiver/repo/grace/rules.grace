module rules

team governance  members "gwen@example.org"

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)

bundle smoke  critical
  tests    path("tests/**")
  run      "pytest", "{tests}", "-q", "--junitxml={junit}"
  timeout  60 s in all

rule core_change : tier 3
  when     change touches path("core/**")
  require  bundle(smoke)
  because  "Everything runs on the core."

waiver vendored_sync of core_change for path("core/vendor/**")
  waives   tier, bundle(smoke)
  granted by team(governance) ticket "GOV-112" until 2026-12-31
  because  "Weekly vendored update, reviewed upstream."
