"""Models beyond the paper: ELCRec and ICLRec changed in one respect each, one module each.

Four implement what the paper names as future work or leaves open (`momentum`, `density`, `auto`,
`uncertainty`); the others examine what the clustering really does (`clusters`, `real`,
`iclrec_real`; see docs/study.md). They build on models, baselines and data; nothing imports them.
"""
