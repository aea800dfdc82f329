team sound members "sound@example.org"

tiers
  1 safe approve automatically for any other change
  1 safe approve by rules for change only in comments, spelling

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
