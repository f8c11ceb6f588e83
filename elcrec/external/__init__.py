"""Models of other frameworks on the same users: the split for them, and their predictions here."""
