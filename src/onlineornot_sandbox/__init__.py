"""A stateful stand-in for the OnlineOrNot API, over real HTTP."""
