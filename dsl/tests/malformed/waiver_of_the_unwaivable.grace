team sound members "sound@example.org"

principle FIRM  unwaivable
  says "It holds."
rule good : tier 3
  when     tests removed
  upholds  FIRM
  because  "x"
waiver bad of good for all
  waives   tier, deny
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
