module rules

team reviewers  members "rita@example.org", "ravi@example.org"

tiers
  1 safe       approve automatically         for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules              for any other change
  3 sensitive  approve 1 of team(reviewers)

rule test_weakened : tier 2
  when     tests removed or tests weakened
  require  approval 1 of team(reviewers)
  because  "Nobody lowers the bar for their own change."
