"""`elcrec bench`: time and memory of any model, beside other code, and how they grow.

What is measured is a `Side` in a process of its own, so that its peak memory is its own. Other code
joins with two modules, as the released code does: `released_side` runs it, and `released` says
with which settings and data.
"""
