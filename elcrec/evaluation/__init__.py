"""The rank of every user's target, and metrics of ranks."""
