module rules

team governance  members "gwen@example.org"

tiers
  1 safe       approve automatically          for change only in comments, formatting, documentation, added tests
  2 internal   approve by rules               for any other change
  3 sensitive  approve 1 of team(governance)

forbid ui_to_database
  imports  from package("ui") to package("database"), direct or through other modules
  existing listed, may only shrink
  owner    team(governance)
  remedy   "Hand the store in, as services/accounts.py does."
  because  "Screens must not know storage."
