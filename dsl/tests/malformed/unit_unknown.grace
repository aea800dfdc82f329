team sound members "sound@example.org"

bundle bad
  tests    tests
  run      "x"
  timeout  60 seconds each, 2 weeks in all

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
