team sound members "sound@example.org"

rule bad : tier 2
  when     tests removed
  requre   bundle(a)
  becuase  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
