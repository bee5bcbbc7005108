"""The comment on the pull request."""
