# What a model is validated for, by its fingerprint: exactly, for three adapters.

module packs.validation_test

test "a Mistral adapter is probed for all three"
  given    edit of class("MistralAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   validation(hallucination_detection) of model("mistral:7b") from model_validated
  expect   validation(bias_evaluation) of model("mistral:7b") from model_validated
  expect   validation(accuracy_validation) of model("mistral:7b") from model_validated
  expect   no validation(basic_inference)
  expect   no validation(accuracy_validation) of model("qwen2.5-coder:7b")

test "a Qwen coder adapter is probed for accuracy"
  given    edit of class("QwenCoderAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   validation(accuracy_validation) of model("qwen2.5-coder:7b") from model_validated
  expect   no validation(hallucination_detection)
  expect   no validation(bias_evaluation)

test "a Phi adapter is probed for invention and accuracy"
  given    edit of class("PhiAdapter") in fixture("mini_grace") as of 2026-06-01
  expect   validation(hallucination_detection) of model("phi3:medium") from model_validated
  expect   validation(accuracy_validation) of model("phi3:medium") from model_validated
  expect   no validation(bias_evaluation)

test "a model that asks for nothing is asked for an answer"
  given    edit of class("QwenCoderAdapter") in fixture("mini_grace") as of 2026-06-01
  given    fact requires_accuracy_validation of model("qwen2.5-coder:7b") = no
  expect   validation(basic_inference) of model("qwen2.5-coder:7b") from model_validated
  expect   no validation(accuracy_validation)

test "a boot edit validates no model"
  given    edit of function("BootKernel.start") in fixture("mini_grace") as of 2026-06-01
  expect   no rule model_validated
