"""How the outcome of a write is known."""

from enum import Enum


class Evidence(Enum):
    """How an outcome is known."""

    RESPONSE = "the API confirmed it"
    RECONCILED = "the API's response was lost, but a later reading confirmed it"
    DUPLICATE = "it was there before"
