team sound members "sound@example.org"

rule bad : tier 2
  when     any of models has bias_risk > 3 or any of models has commercial_use not alowed
  because  "x"

rule sound_too : tier 2
  when     any edit in path("sound/**")
  require  approval 1 of team(sound)
  because  "What is sound survives what is not."
