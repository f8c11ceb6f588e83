"""Centers that no gradient moves: what `momentum` and the frozen centers of `clusters` share."""

import elcrec.models.elcrec as elcrec


def fix_centers(model: elcrec.Model) -> None:
    """Make the centers a buffer: part of the weights, but not a parameter."""
    initial = model.centers.detach()
    del model.centers
    model.register_buffer("centers", initial)
