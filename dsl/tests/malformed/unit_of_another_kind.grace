team sound members "sound@example.org"

bundle bad
  tests    tests
  run      "x"
  timeout  5 %
  pass rate at least 90 s
rule worse : tier 2
  when     pass rate of bundle(bad) over last 5 h runs < 0.95
  trust    at least 90 %
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
