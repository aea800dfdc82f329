module rules

team governance  members "gwen@example.org"
team legal       members "lea@example.org"

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)

rule licensed_models_only : tier 3
  always when any of models used by path("product/**") has commercial_use not allowed
  deny     if unknown hold for approval 1 of team(legal)
  remedy   "Choose a model whose licence allows selling what it writes."
  because  "We sell this product."
