"""Models beyond the paper: ELCRec and ICLRec changed in one respect each, one module each.

Four are what the paper names as future work or leaves open (`momentum`, `density`, `auto`,
`uncertainty`); the others ask what the clustering really does (`clusters`, `real`, `iclrec_real`;
see docs/study.md). They stand on models, baselines and data; nothing imports them.
"""
