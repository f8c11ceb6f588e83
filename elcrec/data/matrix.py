"""The training items as a sparse matrix, for models that count instead of learn."""

import numpy as np
from scipy import sparse

from elcrec.data.histories import InteractionData


def training_matrix(data: InteractionData) -> sparse.csr_array:
    """Which items each user has among the training items: (users, item_size) of 0 and 1, float32.

    Validation and test items are not in it; an item that a user had twice counts once.
    """
    lengths = np.diff(data.host_offsets)
    users = np.repeat(np.arange(data.n_users), lengths)
    position = np.arange(len(users)) - data.host_offsets[users]
    training = position < data.training_lengths()[users]
    users, items = users[training], data.host_items[training]
    shape = (data.n_users, data.item_size)
    matrix = sparse.csr_array((np.ones(len(users), dtype=np.float32), (users, items)), shape=shape)
    matrix.sum_duplicates()
    matrix.data.fill(1)
    return matrix
