"""The assistant that customers pay for."""

MODEL = "mistral:7b"


class MistralAssistant:
    """Answers with the model named above."""

    def prompt(self, question):
        """What the model is asked."""
        return {"model": MODEL, "prompt": question.strip()}
