team sound members "sound@example.org"

tag bad on dependents(tag(worse), within 1)
tag worse on tag(bad)

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
