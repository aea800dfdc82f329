team sound members "sound@example.org"

bundle bad
  tests    tests
  rum      "x"
rule good : tier 2
  when     tests removed
  require  bundle(bad)
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
