"""Models: the base class of all, ELCRec, and the parts that they share."""
