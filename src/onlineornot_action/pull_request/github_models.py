"""What GitHub's API returns, as far as the comment needs it; anything else in a response is ignored."""

from pydantic import AliasPath, BaseModel, Field

from onlineornot_action.text import normalize_newlines


class Account(BaseModel):
    """An account: a person, or an app such as github-actions[bot]."""

    login: str = Field(min_length=1)


class IssueComment(BaseModel):
    """A comment on an issue, which every pull request is to the API; `user` is None once the account was deleted."""

    id: int = Field(gt=0)
    body: str | None = None
    user: Account | None = None

    @property
    def text(self) -> str:
        """The body with LF at the end of each line; GitHub may return CRLF."""
        return normalize_newlines(self.body or "")


class PullRequest(BaseModel):
    """A pull request as a list shows it.

    Attributes:
        repository: The owner and name of the repository that it merges into; None when GitHub does not say.
        merge_commit_sha: The commit that merging it made: https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
        head_sha: The newest commit of its branch; None when GitHub does not say.
    """

    number: int = Field(gt=0)
    state: str | None = None
    merged_at: str | None = None
    merge_commit_sha: str | None = None
    head_sha: str | None = Field(None, validation_alias=AliasPath("head", "sha"))
    repository: str | None = Field(None, validation_alias=AliasPath("base", "repo", "full_name"))

    def belongs_to(self, repository: str) -> bool:
        """Whether it merges into this repository; assumed when GitHub does not say."""
        return self.repository is None or self.repository.casefold() == repository.casefold()

    @property
    def is_open(self) -> bool:
        """Whether it was neither merged nor closed."""
        return self.merged_at is None and self.state != "closed"

    def was_merged_as(self, commit: str) -> bool:
        """Whether merging it made this commit, which may be abbreviated."""
        return (self.merge_commit_sha or "").startswith(commit.lower())

    def ends_with(self, commit: str) -> bool:
        """Whether this is its newest commit, which may be abbreviated; assumed when GitHub does not say."""
        return self.head_sha is None or self.head_sha.startswith(commit.lower())


class Job(BaseModel):
    """A job of a workflow run."""

    name: str
    conclusion: str | None = None
