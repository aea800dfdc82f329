module rules

team governance  members "gwen@example.org"
team release     members "rosa@example.org"

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)

window freeze_2026 2026-12-20 to 2027-01-03, zone "Europe/Berlin"

rule freeze : tier 3
  when     during freeze_2026 and any edit in all
  require  ticket "HOT-*", approval 1 of team(release)
  because  "Few people are on call."
