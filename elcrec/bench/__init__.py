"""`elcrec bench`: time and memory of any model, beside the released code, and how they grow.

What is measured runs in a process of its own, so that its peak memory is its own; this package's
`commands` and `process` ask it for one thing after the other over a pipe.
"""
