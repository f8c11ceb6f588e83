"""What was found out about the paper and its tables."""
