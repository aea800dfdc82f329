team sound members "sound@example.org"

rule bad : tier 9
  when     change touches path(src/**)
  require  approval of team(sound), bundle(a
  trust    at lest 0.9
  review by 2026/01/01
  because  'x'

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
