"""Models: the base class, ELCRec, and the parts that models share."""
