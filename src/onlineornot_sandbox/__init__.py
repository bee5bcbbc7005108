"""A stand-in for the OnlineOrNot API that remembers what it is told, over real HTTP."""
