"""A library for the OnlineOrNot API: its operations, its resources and its errors. It knows nothing of the action."""

__version__ = "1.0.0"
