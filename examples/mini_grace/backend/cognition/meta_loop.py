"""A loop about the loop: tunes when the system acts, from how acting went."""

from __future__ import annotations

from backend.cognition.loop import CognitiveLoop


class MetaLoop(CognitiveLoop):
    """Raises the bar after failures, lowers it after successes, within fixed bounds."""

    LOWEST = 0.2
    HIGHEST = 0.8

    def __init__(self, subject: CognitiveLoop, step_size: float = 0.05, needed: int = 4) -> None:
        super().__init__(act_above=subject.act_above)
        self.subject = subject
        self._step_size = step_size
        self._needed = needed

    def review(self) -> str:
        """Looks at the recent decisions of its subject, and says what it changed."""
        acted = [worked for decision, worked in self.subject.history() if decision.action == "act"]
        recent = acted[-self._needed :]
        if len(recent) < self._needed:
            return "too little to learn from"
        rate = sum(recent) / len(recent)
        before = self.subject.act_above
        if rate < 0.5:
            self.subject.act_above = round(min(self.HIGHEST, before + self._step_size), 3)
        elif rate > 0.9:
            self.subject.act_above = round(max(self.LOWEST, before - self._step_size), 3)
        if self.subject.act_above == before:
            return "kept"
        return "more careful" if self.subject.act_above > before else "bolder"
