"""A GitHub action that posts and patches incident updates on OnlineOrNot status pages."""
