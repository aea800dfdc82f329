team sound members "sound@example.org"

rule good : tier 2
  when     any edit in all
  because  "x"
waiver bad of goood for tests
  waives   tier
  granted by alice
  because  "x"
waiver worse of good for tests to tier 2
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
