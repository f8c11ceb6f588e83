"""What chance does to a comparison: training noise, tests, intervals, and what they can detect."""
