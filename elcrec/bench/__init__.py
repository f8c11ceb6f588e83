"""`elcrec bench`: time and memory of any model, beside other code, and how they grow.

Each `Side` is measured in its own process, so that its peak memory is its own: a model of this
project, RecBole's version of it, or the authors' released code, which `released_side` runs with the
settings and data that `released` gives it.
"""
