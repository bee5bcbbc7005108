"""The OnlineOrNot API as a library: what it is asked with, what it answers, and what can go wrong."""

__version__ = "0.1.0"
