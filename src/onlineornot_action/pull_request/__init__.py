"""The comment on the pull request; loaded only with `comment: true`."""
