"""The industrial part of the paper on public data: several tasks, one mixture of experts."""
