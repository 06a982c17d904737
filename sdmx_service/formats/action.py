"""What the receiver of a data set is to do, in the words of each version of the standard."""

from __future__ import annotations

from enum import Enum

from sdmx_service.errors import DataError

__all__ = ["Action", "Generation"]


class Generation(Enum):
    """The version of the information model a format belongs to, in order of age."""

    SDMX_2_1 = "2.1"
    SDMX_3_0 = "3.0"
    SDMX_3_1 = "3.1"


class Action(Enum):
    """The action of a data set; values are the words of SDMX 3.1.

    Before 3.1 there was no Merge: Append was the word for the same action (update what is given,
    insert what is new, leave the rest), so it is written as Append there.
    """

    INFORMATION = "Information"
    APPEND = "Append"
    MERGE = "Merge"
    REPLACE = "Replace"
    DELETE = "Delete"

    def word(self, generation: Generation) -> str:
        """Return the word that SDMX-ML and SDMX-JSON of a generation have for the action."""
        if self is Action.MERGE and generation is not Generation.SDMX_3_1:
            return Action.APPEND.value
        return self.value

    def letter(self, generation: Generation) -> str:
        """Return the letter that SDMX-CSV of a generation has for the action."""
        return self.word(generation)[0]

    @classmethod
    def of(cls, text: str, generation: Generation, where: str = "action") -> Action:
        """Return the action that a word or letter stands for; DataError where it is unknown."""
        words = {action.word(generation): action for action in reversed(cls)}
        known = words | {word[0]: action for word, action in words.items()}
        if text not in known:
            raise DataError(where, got=text[:80], expected=f"one of {', '.join(sorted(known))}")
        return known[text]
