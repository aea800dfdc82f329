team sound members "sound@example.org"

define bad = models where requires_bias_check
tag worse on bad
validation v
  of       tests
  run      probe p
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
