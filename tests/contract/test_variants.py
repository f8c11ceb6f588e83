"""Models beyond the paper; what each of them differs in: tests/unit/variants."""

from tests.contract.contract import ModelContract
from tests.contract.test_elcrec import SMALL
from variants import auto, clusters, density, iclrec_real, momentum, real, uncertainty


class OfVariant(ModelContract):
    parameters = SMALL
    training = {"max_epochs": 20}


class TestMomentum(OfVariant):
    module = momentum


class TestDensity(OfVariant):
    module = density
    parameters = SMALL | {"again": 2}


class TestAuto(OfVariant):
    module = auto
    parameters = SMALL | {"intents": "auto"}


class TestUncertainty(OfVariant):
    module = uncertainty
    training = {"max_epochs": 40}  # the next item begins with weight 1 and loses half of it


class TestReal(OfVariant):
    module = real


class TestICLRecReal(OfVariant):
    module = iclrec_real
    parameters = {"dimension": 16, "blocks": 1, "intents": 8, "fusion": "shift"}


class TestNearest(OfVariant):
    module = clusters
    parameters = SMALL | {"term": "nearest"}


class TestDecorrelation(OfVariant):
    module = clusters
    parameters = SMALL | {"term": "decorrelation"}


class TestSoftmax(OfVariant):
    module = clusters
    parameters = SMALL | {"term": "softmax", "alpha": 0.1}


class TestFrozen(OfVariant):
    module = clusters
    parameters = SMALL | {"centers": "frozen"}


class TestRandom(OfVariant):
    module = clusters
    parameters = SMALL | {"centers": "random"}
