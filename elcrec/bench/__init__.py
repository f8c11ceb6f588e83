"""`elcrec bench`: time and memory of any model, beside other code, and how they grow.

What is measured is a `Side` in a process of its own, so that its peak memory is its own: a model of
this project, or the authors' released code, which `released_side` runs with the settings and data
that `released` gives it.
"""
