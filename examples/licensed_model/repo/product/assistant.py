"""The assistant that customers pay for."""

MODEL = "mistral:7b"


def prompt(question):
    return {"model": MODEL, "prompt": question.strip()}
