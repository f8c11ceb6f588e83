"""Models of other frameworks on the same users: the split exported, their predictions read."""
