"""The OnlineOrNot API as a library: requests, responses, and what can go wrong between them."""

__version__ = "0.1.0"
